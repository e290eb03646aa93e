"""Find the variables that a traced function reads or assigns, from its graph."""

from collections.abc import Iterable, Iterator
from typing import Any

import tensorflow as tf

from keras_tl.base.keras_compat import handle_of

# Starts of the names of operations that change variables, such as AssignAddVariableOp.
_CHANGING = ("Assign", "ResourceScatter", "ResourceStridedSliceAssign")
_PASSING_ON = ("Identity", "IdentityN", "Enter")


def read_by(trace: Any, variables: Iterable[tf.Variable]) -> set[int]:
    """Return the `id`s of the variables that a traced function captured from outside."""
    return set(_captured(trace, variables).values())


def assigned_by(trace: Any, variables: Iterable[tf.Variable]) -> set[int | None]:
    """Return the `id`s of the variables that a traced function and its called functions assign.

    The result contains `None` if one of these functions assigns a variable outside `variables`.
    """
    graph = trace.graph.as_graph_def()
    library = {function.signature.name: function for function in graph.library.function}
    found, seen = set(), set()
    waiting = [(graph.node, _captured(trace, variables))]
    while waiting:
        nodes, known = waiting.pop()
        by_name = {node.name: node for node in nodes}
        for node in nodes:
            inputs = [_source(name, by_name) for name in node.input if not name.startswith("^")]
            if node.op.startswith(_CHANGING):
                found.add(known.get(inputs[0]))
            for function in _called(node, library):
                arguments = [argument.name for argument in function.signature.input_arg]
                # Pair a node's inputs with the called function's arguments from the end. The
                # first input of some nodes, such as the condition of `If`, matches no argument.
                given = dict(zip(reversed(arguments), reversed(inputs), strict=False))
                inner = {name: known[x] for name, x in given.items() if x in known}
                key = (function.signature.name, *sorted(inner.items()))
                if key not in seen:
                    seen.add(key)
                    waiting.append((function.node_def, inner))
    return found


def _captured(trace: Any, variables: Iterable[tf.Variable]) -> dict[str, int]:
    """Return a dict from placeholder names in a trace's graph to the `id`s of their variables."""
    owners = {}
    for variable in variables:
        owners[id(variable)] = id(variable)  # A variable of several replicas is captured itself.
        owners[id(handle_of(variable))] = id(variable)
    return {
        inside.op.name: owners[id(outside)]
        for outside, inside in trace.graph.captures
        if id(outside) in owners
    }


def _source(name: str, nodes: dict) -> str:
    """Return the name of the node or function argument that a tensor comes from."""
    name = name.split(":", maxsplit=1)[0]
    while name in nodes and nodes[name].op in _PASSING_ON:
        name = nodes[name].input[0].split(":")[0]
    return name


def _called(node: Any, library: dict) -> Iterator[Any]:
    """Yield the functions that a node calls, by attribute (PartitionedCall, If, ...) or by name."""
    names = {node.op}
    for value in node.attr.values():
        names |= {value.func.name, *(function.name for function in value.list.func)}
    return (library[name] for name in sorted(names & set(library)))
