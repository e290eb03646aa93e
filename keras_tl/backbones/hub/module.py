"""A loaded TF-Hub module: what it takes, what it gives, and what running it would change."""

import enum
import functools
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_tl.backbones.hub.assignments import assigned_by, read_by
from keras_tl.errors import BackboneError

TOKEN_INPUTS = ("input_word_ids", "input_mask", "input_type_ids")


class Kind(enum.Enum):
    """What a module takes; the values are said in messages."""

    TOKENS = "int32 tokens of a BERT encoder, a dict of input_word_ids, input_mask, input_type_ids"
    TEXT = "texts, string (batch,)"
    PIXELS = "images, float32 (batch, height, width, 3)"


class HubModule:
    """What there is to know about a loaded module.

    Args:
        loaded: what `open_saved_model` gives: an object with `__call__`.
        name: what messages call it.

    Raises:
        BackboneError: it cannot be called, takes something else than the three kinds, or changes
            its own variables whenever it runs.
    """

    def __init__(self, loaded: Any, name: str):
        if not callable(loaded) or not getattr(loaded.__call__, "concrete_functions", None):
            raise BackboneError(
                f"The SavedModel {name} has no function __call__ with traces, only signatures at "
                "best. Expected a reusable TF2 SavedModel, see "
                "https://www.tensorflow.org/hub/reusable_saved_models."
            )
        self.loaded = loaded
        self.name = name
        spec = loaded.__call__.function_spec.fullargspec
        self._arguments = [argument for argument in spec.args if argument != "self"]
        self._has_training = "training" in [*spec.args, *spec.kwonlyargs]
        trace, self.kind = self._find_trace()
        self.inputs = trace.structured_input_signature[0][0]
        self._outputs = self._choose_outputs(trace.structured_outputs)
        # `False`, or `None` where that is what the module was traced with.
        self._inference = self._signature(trace).get("training")
        self._replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if any(assigned_by(trace, self.variables) for trace in self._traces(training=False)):
            raise BackboneError(
                f"The module {name} changes its own variables even when it is not trained, so it "
                "cannot be kept as it is."
            )

    def __call__(self, inputs: Any, training: bool) -> tf.Tensor | dict[str, tf.Tensor]:
        """Runs it.

        Args:
            inputs: tensors as `inputs` describes them.
            training: a Python bool.

        Returns:
            Of tokens a dict of `sequence_output` (batch, length, d) and `pooled_output`
            (batch, d), as far as the module has them; else one tensor.
        """
        mode = {"training": True if training else self._inference} if self._has_training else {}
        outputs = self.loaded(inputs, **mode)
        chosen = {
            name: outputs if key is None else outputs[key] for name, key in self._outputs.items()
        }
        return chosen if self.kind is Kind.TOKENS else chosen["default"]

    @functools.cached_property
    def variables(self) -> list[tf.Variable]:
        """All of its variables, each once: those it names, and those that its traces read."""
        traces = self.loaded.__call__.concrete_functions
        found = [
            *self._listed("variables"),
            *self.trainable_variables,
            *(variable for trace in traces for variable in trace.graph.variables),
        ]
        return list({id(variable): variable for variable in found}.values())

    @functools.cached_property
    def trainable_variables(self) -> list[tf.Variable]:
        """Those that its publisher allows to be trained."""
        return self._listed("trainable_variables")

    @property
    def regularization_losses(self) -> list:
        """Functions without arguments that give a scalar loss each."""
        return self._listed("regularization_losses")

    @functools.cached_property
    def moves_statistics(self) -> bool:
        """Whether running it with `training=True` assigns variables that inference reads.

        BatchNorm does that to its moving statistics. The traced graphs tell, whatever names are.
        The state of a random generator (Keras 3's Dropout has one) is none of inference's.
        """
        assigned, read = set(), {None}
        for trace in self._traces(training=True):
            assigned |= assigned_by(trace, self.variables)
        for trace in self._traces(training=False):
            read |= read_by(trace, self.variables)
        return bool(assigned & read)

    @functools.cached_property
    def frozen_because(self) -> str | None:
        """Why it cannot be trained, in a sentence; `None` if it can."""
        if not self.trainable_variables:
            return (
                f"The module {self.name} cannot be fine-tuned: it has no trainable variables. Use "
                "it frozen (fit_head), or choose a version published for fine-tuning."
            )
        if self._has_training and not self._traces(training=True):
            return (
                f"The module {self.name} cannot be fine-tuned: it was saved without a trace for "
                "training=True. Use it frozen (fit_head), or choose a version published for "
                "fine-tuning."
            )
        if self.kind is Kind.TEXT and self._replicas > 1:
            # Keras averages the replicas' first batches to learn their shapes, strings too.
            return (
                f"The module {self.name} takes texts, which Keras cannot train on several "
                "replicas. Use strategy='single', or keep the module frozen."
            )
        return None

    @property
    def vocabulary(self) -> tuple[Path, bool] | None:
        """Its WordPiece vocabulary and whether that is lower-cased, if it holds one.

        The encoders of the TensorFlow Model Garden do (official/nlp/tools/export_tfhub_lib.py).
        """
        file = getattr(self.loaded, "vocab_file", None)
        lower_case = getattr(self.loaded, "do_lower_case", None)
        if file is None or lower_case is None:
            return None
        return Path(file.asset_path.numpy().decode()), bool(lower_case.numpy())

    def _listed(self, name: str) -> list:
        # A module may leave out what is empty.
        return list(getattr(self.loaded, name, None) or ())

    def _signature(self, trace) -> dict[str, Any]:
        args, options = trace.structured_input_signature
        return dict(zip(self._arguments, args, strict=False)) | options

    def _traces(self, training: bool) -> list:
        traces = self.loaded.__call__.concrete_functions
        return [t for t in traces if bool(self._signature(t).get("training")) == training]

    def _find_trace(self) -> tuple[Any, Kind]:
        traces = [t for t in self._traces(training=False) if t.structured_input_signature[0]]
        inputs = [trace.structured_input_signature[0][0] for trace in traces]
        for trace, given in zip(traces, inputs, strict=True):
            kind = _kind_of(given)
            if kind is not None:
                return trace, kind
        takes = " or ".join(dict.fromkeys(map(_describe, inputs))) or "nothing in inference"
        raise BackboneError(
            f"The module {self.name} takes {takes}. Expected {Kind.TOKENS.value}; or "
            f"{Kind.TEXT.value}; or {Kind.PIXELS.value}."
        )

    def _choose_outputs(self, outputs: Any) -> dict[str, str | None]:
        """Our names of the outputs, and the module's (`None` where it gives a tensor alone)."""
        named = outputs if isinstance(outputs, dict) else {None: outputs}
        ranks = {k: v.shape.rank for k, v in named.items() if isinstance(v, tf.TensorSpec)}
        default = "default" if "default" in ranks or len(ranks) != 1 else next(iter(ranks))
        if self.kind is Kind.TOKENS:
            by_rank = {3: "sequence_output", 2: "pooled_output"}
            chosen = {name: name for name in by_rank.values() if name in ranks}
            if not chosen and ranks.get(default) in by_rank:
                chosen = {by_rank[ranks[default]]: default}
            expected = "sequence_output, pooled_output or default"
        else:
            chosen = {"default": default} if default in ranks else {}
            expected = "one tensor, or one named default"
        if not chosen:
            raise BackboneError(
                f"The module {self.name} gives {_describe(outputs)}. Expected {expected}."
            )
        return chosen


def _kind_of(inputs: Any) -> Kind | None:
    if isinstance(inputs, dict):
        optional = {"input_type_ids"}
        names = set(inputs)
        fits = set(TOKEN_INPUTS) - optional <= names <= set(TOKEN_INPUTS) and all(
            spec.dtype == tf.int32 and spec.shape.rank == 2 for spec in inputs.values()
        )
        return Kind.TOKENS if fits else None
    if not isinstance(inputs, tf.TensorSpec):
        return None
    if inputs.dtype == tf.string and inputs.shape.rank == 1:
        return Kind.TEXT
    if inputs.dtype == tf.float32 and inputs.shape.rank == 4 and inputs.shape[-1] == 3:
        return Kind.PIXELS
    return None


def _describe(inputs: Any) -> str:
    if inputs == {}:
        return "an empty dict"
    if isinstance(inputs, dict):
        return f"a dict of {', '.join(f'{k}: {_describe(inputs[k])}' for k in sorted(inputs))}"
    if isinstance(inputs, (list, tuple)):
        return f"a list of {', '.join(map(_describe, inputs))}"
    if isinstance(inputs, tf.TensorSpec):
        return f"{inputs.dtype.name} {inputs.shape}"
    return repr(inputs)
