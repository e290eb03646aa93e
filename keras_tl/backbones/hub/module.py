"""Loaded TF-Hub module with its inputs, its outputs, and the variables that a call changes."""

import enum
import functools
from pathlib import Path
from typing import Any

import tensorflow as tf

from keras_tl.backbones.hub.assignments import assigned_by, read_by
from keras_tl.errors import BackboneError

TOKEN_INPUTS = ("input_word_ids", "input_mask", "input_type_ids")


class Kind(enum.Enum):
    """Kinds of inputs of TF-Hub modules. Error messages show the values of `Kind`."""

    TOKENS = "int32 tokens of a BERT encoder, a dict of input_word_ids, input_mask, input_type_ids"
    TEXT = "texts, string (batch,)"
    PIXELS = "images, float32 (batch, height, width, 3)"


class HubModule:
    """Inputs, outputs and variables of a loaded TF-Hub module.

    Args:
        loaded: Result of `open_saved_model`, an object with `__call__`.
        name: Name of the module in error messages.

    Raises:
        BackboneError: The module cannot be called, has unknown inputs or outputs, or changes its
            own variables in every call.
    """

    def __init__(self, loaded: Any, name: str):
        if not callable(loaded) or not getattr(loaded.__call__, "concrete_functions", None):
            raise BackboneError(
                f"The SavedModel {name} has no function __call__ with traces. Expected a reusable "
                "TF2 SavedModel, not only signatures. See "
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
        # Value of `training` in inference: `False`, or `None` if the module was traced with `None`.
        self._inference = self._signature(trace).get("training")
        self._replicas = tf.distribute.get_strategy().num_replicas_in_sync
        if any(assigned_by(trace, self.variables) for trace in self._traces(training=False)):
            raise BackboneError(
                f"The module {name} changes its own variables even in inference, so keras_tl "
                "cannot freeze the module. Choose another module."
            )

    def __call__(self, inputs: Any, training: bool) -> tf.Tensor | dict[str, tf.Tensor]:
        """Run the module on tensors of the shapes and dtypes in the attribute `inputs`.

        Returns:
            If the inputs are tokens, a dict of the outputs that the module has: `sequence_output`
            (batch, length, d) and `pooled_output` (batch, d). If the inputs are texts or pixels,
            one output tensor.
        """
        mode = {"training": True if training else self._inference} if self._has_training else {}
        outputs = self.loaded(inputs, **mode)
        chosen = {
            name: outputs if key is None else outputs[key] for name, key in self._outputs.items()
        }
        return chosen if self.kind is Kind.TOKENS else chosen["default"]

    @functools.cached_property
    def variables(self) -> list[tf.Variable]:
        """All variables that the module lists or its traced functions use, each variable once."""
        traces = self.loaded.__call__.concrete_functions
        found = [
            *self._listed("variables"),
            *self.trainable_variables,
            *(variable for trace in traces for variable in trace.graph.variables),
        ]
        return list({id(variable): variable for variable in found}.values())

    @functools.cached_property
    def trainable_variables(self) -> list[tf.Variable]:
        """Variables of the module that its publisher allows to be trained."""
        return self._listed("trainable_variables")

    @property
    def regularization_losses(self) -> list:
        """The module's regularization losses: functions without arguments that return a scalar."""
        return self._listed("regularization_losses")

    @functools.cached_property
    def moves_statistics(self) -> bool:
        """Whether a call with `training=True` assigns variables that inference reads.

        For example, BatchNorm assigns its moving statistics in training, and reads them in
        inference. The traced graphs show which variables a call assigns, so the names of the
        variables do not matter. Keras 3's Dropout assigns the state of random generators, but
        inference does not read this state.
        """
        assigned, read = set(), {None}
        for trace in self._traces(training=True):
            assigned |= assigned_by(trace, self.variables)
        for trace in self._traces(training=False):
            read |= read_by(trace, self.variables)
        return bool(assigned & read)

    @functools.cached_property
    def frozen_because(self) -> str | None:
        """Sentence that says why the module cannot be trained, or `None` if it can be trained."""
        reason = None
        if not self.trainable_variables:
            reason = "it has no trainable variables"
        elif self._has_training and not self._traces(training=True):
            reason = "it was saved without a trace for training=True"
        if reason is not None:
            return (
                f"The module {self.name} cannot be fine-tuned, because {reason}. Keep the module "
                "frozen (fit_head), or choose a version published for fine-tuning."
            )
        if self.kind is Kind.TEXT and self._replicas > 1:
            # To find input shapes, Keras averages the replicas' first batches. This average fails
            # for strings.
            return (
                f"Keras cannot train the module {self.name} on several replicas, because the "
                "module takes texts. Use strategy='single', or keep the module frozen."
            )
        return None

    @property
    def vocabulary(self) -> tuple[Path, bool] | None:
        """Path of the module's WordPiece vocabulary, and whether to lower-case texts.

        Encoders of the TensorFlow Model Garden contain their vocabulary and their lower-case
        setting (official/nlp/tools/export_tfhub_lib.py). `None` means that the module lacks its
        vocabulary or its lower-case setting.
        """
        file = getattr(self.loaded, "vocab_file", None)
        lower_case = getattr(self.loaded, "do_lower_case", None)
        if file is None or lower_case is None:
            return None
        return Path(file.asset_path.numpy().decode()), bool(lower_case.numpy())

    def _listed(self, name: str) -> list:
        # A TF-Hub module may lack the attribute `name` instead of holding an empty list.
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
        takes = " or ".join(dict.fromkeys(map(_describe, inputs))) or "no inputs in inference"
        raise BackboneError(
            f"The module {self.name} takes {takes}. Expected {Kind.TOKENS.value}; or "
            f"{Kind.TEXT.value}; or {Kind.PIXELS.value}."
        )

    def _choose_outputs(self, outputs: Any) -> dict[str, str | None]:
        """Map keras_tl's output names to the module's names, or to `None` for a single tensor."""
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
            expected = "one tensor, or a tensor named default"
        if not chosen:
            raise BackboneError(
                f"The module {self.name} returns {_describe(outputs)}. Expected {expected}."
            )
        return chosen


def _kind_of(inputs: Any) -> Kind | None:
    if isinstance(inputs, dict):
        fits = {"input_word_ids", "input_mask"} <= set(inputs) <= set(TOKEN_INPUTS) and all(
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
