"""The JSON record of a saved run."""

from typing import Any

from keras_tl.learner.state import State
from keras_tl.report.facts import library_versions

FORMAT = 1


def run_record(state: State) -> dict[str, Any]:
    """Return all facts that a run records, except arrays and weights, as JSON types."""
    trained_with = state.trained_with or {
        "data": state.data.describe() if state.data is not None else None,
        "versions": library_versions(),
    }
    trainer, measured = state.trainer, state.measured
    return {
        "format": FORMAT,
        "config": state.config.to_json(),
        "seed": trainer.seed,
        "weights": state.parts.backbone.weights_source,
        "ancestry": list(state.parts.backbone.ancestry),
        "history": [phase.to_json() for phase in trainer.history],
        "is_as_trained": trainer.is_as_trained,
        "evaluations": {split: found.metrics for split, found in state.evaluations.items()},
        "fit": None if measured.fitted is None else measured.fitted.to_json(),
        "findings": None if state.findings is None else state.findings.to_json(),
        **trained_with,
    }
