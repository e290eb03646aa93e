"""Whether KServe's models take an InferenceService, given as JSON on standard input.

Run where the package `kserve` is installed. Its models and those of Kubernetes say of each field
its name in JSON and its type; what is required they check when they are made.
"""

import json
import re
import sys

import kserve
import kubernetes.client

SIMPLE = {"str": str, "int": int, "bool": bool, "float": (int, float), "object": object}
# Kubernetes names the type of a quantity such as "4Gi", and has no model of it.
SIMPLE["ResourceQuantity"] = str


def check(value, kind, path):
    """Raises an error that names the path where a value is not of the kind."""
    many = re.fullmatch(r"(?i:(list|dict))[\[(](?:str, ?)?(.+)[\])]", kind)
    if many:
        expected = {"list": list, "dict": dict}[many[1].lower()]
        assert isinstance(value, expected), f"{path} is {value!r}"
        for key, item in value.items() if expected is dict else enumerate(value):
            check(item, many[2], f"{path}/{key}")
    elif kind in SIMPLE:
        assert isinstance(value, SIMPLE[kind]), f"{path} is {value!r}"
    else:
        model = getattr(kserve, kind, None) or getattr(kubernetes.client, kind)
        names = {in_json: name for name, in_json in model.attribute_map.items()}
        assert set(value) <= set(names), f"{path} has no {set(value) - set(names)}"
        for key, item in value.items():
            check(item, model.openapi_types[names[key]], f"{path}/{key}")
        model(**{names[key]: item for key, item in value.items()})


check(json.load(sys.stdin), "V1beta1InferenceService", "")
