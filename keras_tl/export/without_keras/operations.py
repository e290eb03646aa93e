"""Find the operations of a graph that a server lacks.

After `import tensorflow`, the registry of TensorFlow has only TensorFlow's own operations.
If a graph has other operations, `check_operations` loads the libraries of tensorflow_text, which
TensorFlow Serving contains, and looks up the other operations again.
"""

import importlib.util
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework import op_def_registry

_PYTHON = {"PyFunc", "PyFuncStateless", "EagerPyFunc"}


def check_operations(meta_graph) -> tuple[list[str], list[str]]:
    """Return sentences about missing operations, and names of used tensorflow_text operations."""
    used = _used(meta_graph.graph_def)
    problems = [
        f"The graph uses the operation {name}, which calls Python: a server has no Python"
        for name in sorted(used & _PYTHON)
    ]
    others = {name for name in used if op_def_registry.get(name) is None}
    if not others:
        return problems, []
    has_text = _load_text_operations()
    unknown = sorted(name for name in others if op_def_registry.get(name) is None)
    if unknown:
        missing = "" if has_text else " (tensorflow_text is not installed here)"
        problems.append(
            f"The graph uses operations that neither TensorFlow nor tensorflow_text has{missing}: "
            + ", ".join(unknown)
        )
    return problems, sorted(others.difference(unknown))


def _used(graph) -> set[str]:
    functions = graph.library.function
    nodes = [*graph.node, *(node for function in functions for node in function.node_def)]
    return {node.op for node in nodes} - {function.signature.name for function in functions}


def _load_text_operations() -> bool:
    """Load tensorflow_text's libraries without Keras. Return whether the package is installed."""
    package = importlib.util.find_spec("tensorflow_text")
    for place in package.submodule_search_locations if package else ():
        for library in sorted(Path(place).glob("python/ops/*.so")):
            tf.load_op_library(str(library))
    return package is not None
