"""ONNX: tf2onnx of the ONNX project converts the model, ONNX Runtime runs the file.

Source: https://github.com/onnx/tensorflow-onnx
"""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from keras_tl.base.extras import import_extra
from keras_tl.base.reporting import only_errors
from keras_tl.export.runtimes.base import AXES, FLOAT16, Runtime
from keras_tl.export.without_keras.errors import first_line


class Onnx(Runtime):
    """Export to ONNX files, which take any number of items.

    A file also takes texts of any length that the backbone accepts. With the precision `"float16"`,
    the weights and the computation are float16, for GPUs. A tool of ONNX Runtime then converts the
    file to float16, and replaces stored values above 65,504 by 65,504.
    """

    name = "ONNX"
    suffix = ".onnx"
    fixed = False

    def import_packages(self):
        for module in ("tf2onnx", "onnx", "onnxruntime"):
            _import(module)

    def convert(self, model, precision):
        function = model.function(self.fixed)
        try:
            with only_errors("tensorflow"), only_errors("tf2onnx"):
                converted, _ = _import("tf2onnx").convert.from_function(
                    function, function.input_signature
                )
            # tf2onnx keeps unknown operations unchanged and raises no error.
            unknown = set(_unknown_operations(converted.graph))
            if not unknown:
                _name_axes(converted.graph)
                if precision == FLOAT16:
                    half = _import("onnxruntime.transformers.float16")
                    converted = half.convert_float_to_float16(converted, keep_io_types=True)
                return converted.SerializeToString()
        except Exception as error:  # tf2onnx defines no exception class.
            raise self.refuse((), f"{type(error).__name__}: {first_line(error)}") from error
        raise self.refuse(unknown)

    def ask(self, file: Path, inputs):
        runtime = _import("onnxruntime")
        session = runtime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, dict(inputs)), strict=True))


def _import(module: str) -> ModuleType:
    return import_extra(module, "tf2onnx, onnx and onnxruntime", "onnx")


def _unknown_operations(graph: Any) -> Iterator[str]:
    """Yield names of operations that ONNX does not define, in a `GraphProto` and its subgraphs."""
    defined = _import("onnx").defs.has
    for node in graph.node:
        if not defined(node.op_type, node.domain):
            yield node.op_type
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                yield from _unknown_operations(inner)


def _name_axes(graph: Any) -> None:
    """Name the dimensions without fixed size, because tf2onnx's names contain varying numbers."""
    for value in (*graph.input, *graph.output):
        for dimension, name in zip(value.type.tensor_type.shape.dim, AXES, strict=False):
            if not dimension.HasField("dim_value"):
                dimension.dim_param = name
