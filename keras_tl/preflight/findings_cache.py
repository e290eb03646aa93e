"""Cache of findings, so that the same data with the same model are checked only once."""

import contextlib
import dataclasses
import hashlib
import json

from keras_tl.base.files import whole_file
from keras_tl.errors import KerasTLError
from keras_tl.preflight.checks import CHECKS, run_checks
from keras_tl.preflight.context import CheckContext
from keras_tl.preflight.findings import Findings

# Increase `_FORMAT` when a check changes its findings for the same data.
_FORMAT = 6
_MOST_KEPT = 100


def cached_findings(context: CheckContext) -> Findings:
    """Return the findings of `run_checks`. If features are cached on disk, cache findings too.

    With features and findings in the cache, a later process starts to train immediately. If a check
    failed, findings are not cached: with more memory or a restored file, the check may succeed.
    """
    store = context.model.trainer.features.store
    if context.model.features != "all" or store.config.where not in ("auto", "disk"):
        return run_checks(context)
    try:
        key = _key(context)
    except KerasTLError:  # A file is unreadable: `run_checks` decides if training needs the file.
        return run_checks(context)
    file = store.root / "preflight" / f"{key}.json"
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, KerasTLError):
        return Findings.from_json(json.loads(file.read_text("utf-8")))
    found = run_checks(context)
    if found.failed:
        return found
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as temporary:
            temporary.write_text(json.dumps(found.to_json()), encoding="utf-8")
        files = sorted(file.parent.glob("*.json"), key=lambda x: x.stat().st_mtime)
        for old in files[:-_MOST_KEPT]:
            old.unlink()
    return found


def _key(context: CheckContext) -> str:
    model, splits = context.model, context.data.splits
    unused = context.data.unused_files or None
    made_from = {
        "format": _FORMAT,
        "checks": list(CHECKS),
        "features": {name: model.trainer.features.key(split) for name, split in splits.items()},
        "labels": {name: split.label_fingerprint for name, split in splits.items()},
        "guesses": [dataclasses.asdict(guess) for guess in context.data.guesses],
        "unused_files": unused and dataclasses.asdict(unused),
        "config": model.config.to_json(),
        "task": f"{type(model.task).__module__}.{type(model.task).__qualname__}",
        "weighted": model.weighted,
    }
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()
