"""LiteRT (TensorFlow Lite): TensorFlow converts the model, ai-edge-litert runs the file.

Source: https://ai.google.dev/edge/litert/conversion/tensorflow/convert_tf
"""

from pathlib import Path

import numpy as np
import tensorflow as tf

from keras_tl.base.extras import import_extra
from keras_tl.base.reporting import only_errors
from keras_tl.export.runtimes.base import FLOAT16, Runtime
from keras_tl.export.without_keras.errors import first_line


class LiteRT(Runtime):
    """Export to LiteRT files, which take one item a call: accelerators need fixed shapes.

    With the precision `"float16"`, the file stores the weights as float16. A CPU still computes
    with such a file in float32. A GPU may compute in float16.
    """

    name = "LiteRT"
    suffix = ".tflite"
    fixed = True

    def import_packages(self):
        _interpreter()

    def convert(self, model, precision):
        function = model.function(self.fixed).get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([function], model.tracked)
        if precision == FLOAT16:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_types = [tf.float16]
        try:
            with only_errors("tensorflow"):
                return converter.convert()
        except Exception as error:  # The converter raises many exceptions, mostly private.
            operators = {found.operator.name for found in getattr(error, "errors", ())}
            names = {name.removeprefix("tf.") for name in operators if name}
            raise self.refuse(names, first_line(error)) from error

    def ask(self, file: Path, inputs):
        interpreter = _interpreter()(model_path=str(file))
        run = interpreter.get_signature_runner()
        count = len(next(iter(inputs.values())))
        rows = [
            run(**{name: array[n : n + 1] for name, array in inputs.items()}) for n in range(count)
        ]
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


def _interpreter() -> type:
    what = "the interpreter of LiteRT (ai-edge-litert)"
    return import_extra("ai_edge_litert.interpreter", what, "litert").Interpreter
