"""Protobuf messages of TensorFlow Serving for warm-up requests.

The fields have the names and numbers of TensorFlow Serving 2.21, from
`tensorflow_serving/apis/{model,input,predict,classification,regression,prediction_log}.proto`. The
package tensorflow-serving-api has all messages, but an export should not need this package. This
module declares only the fields that keras_tl reads or writes. Protobuf keeps unknown fields
unchanged.

In the wire format, a nested message is a byte string, and a `map` is a list of pairs. This module
therefore declares `tensorflow.TensorProto` and `tensorflow.Example` as bytes. A `oneof` is a set of
fields of which only one is present. This module declares each field of a `oneof`, such as a kind of
log, as a normal field. A separate descriptor pool avoids name clashes with tensorflow-serving-api
in the same process. This module needs only protobuf.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

WARMUP = "tf_serving_warmup_requests"
# `PredictionLog` has these fields for requests with `tf.Example`s. The values are method names.
EXAMPLE_LOGS = {
    "classify_log": "tensorflow/serving/classify",
    "regress_log": "tensorflow/serving/regress",
}

_PACKAGE = "tensorflow.serving"
# Fields of each message: name, number, type. A type that protobuf does not define is a message.
_MESSAGES = {
    "ModelSpec": {"name": (1, "string"), "signature_name": (3, "string")},
    "NamedTensor": {"key": (1, "string"), "value": (2, "bytes")},
    "PredictRequest": {"model_spec": (1, "ModelSpec"), "inputs": (2, "repeated NamedTensor")},
    "ExampleList": {"examples": (1, "repeated bytes")},
    "Input": {"example_list": (1, "ExampleList")},
    "ExamplesRequest": {"model_spec": (1, "ModelSpec"), "input": (2, "Input")},
    "PredictLog": {"request": (1, "PredictRequest")},
    # ClassifyLog and RegressLog have the same fields, so `ExamplesLog` stands for both.
    "ExamplesLog": {"request": (1, "ExamplesRequest")},
    "PredictionLog": {
        "classify_log": (2, "ExamplesLog"),
        "regress_log": (3, "ExamplesLog"),
        "multi_inference_log": (4, "bytes"),
        "session_run_log": (5, "bytes"),
        "predict_log": (6, "PredictLog"),
        "predict_streamed_log": (7, "bytes"),
    },
}


def _prediction_log() -> type:
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="keras_tl/serving_messages.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        declared = file.message_type.add(name=message)
        for name, (number, described) in fields.items():
            kind = described.removeprefix("repeated ")
            field = declared.field.add(name=name, number=number)
            field.label = (
                field_type.LABEL_OPTIONAL if kind == described else field_type.LABEL_REPEATED
            )
            if kind in _MESSAGES:
                field.type, field.type_name = field_type.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = field_type.Type.Value(f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.PredictionLog"))


PredictionLog = _prediction_log()
