"""Replacing nodes one by one, and the arithmetic that several passes write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node

#: writes another form of a node through the emitter; returns False to leave the node as it is
Rule = Callable[[Emitter, Node], bool]


def replace_nodes(graph: Graph, rules: Mapping[str, Rule]) -> bool:
    """Runs the rule for each node's operator; returns whether one replaced its node."""
    emit = Emitter(graph)
    changed = False
    for node in graph.nodes:
        rule = rules.get(node.op) if not node.domain else None
        before = len(emit.nodes)
        if rule is not None and rule(emit, node):
            changed = True
            continue
        del emit.nodes[before:]
        emit.nodes.append(node)
    graph.nodes = emit.nodes
    return changed


def scalar(graph: Graph, name: str) -> float | None:
    """The number that a constant holds, where it holds one only."""
    array = graph.value(name) if name else None
    if array is None or array.size == 0 or array.dtype.kind not in "fiub":
        return None
    first = array.reshape(-1)[0]
    return float(first) if bool((array == first).all()) else None


def exact_product(left: Array, right: Array) -> Array:
    """Matrix product in double precision, added in a fixed order.

    Matrix routines add in an order that hangs on the machine; a rewritten model must not.
    """
    wide_left, wide_right = left.astype(np.float64), right.astype(np.float64)
    total = np.zeros((*wide_left.shape[:-1], wide_right.shape[-1]))
    for place in range(wide_left.shape[-1]):
        total += wide_left[..., place, None] * wide_right[place]
    return total


def add_constant(emit: Emitter, value: str, constant: Array) -> str:
    """Adds a constant unless it is nothing but zeros."""
    if not np.any(constant):
        return value
    return emit("Add", [value, emit.const(constant)])


def rectified(emit: Emitter, value: str) -> str:
    """max(value, 0)."""
    return emit("Relu", [value])


def flattened(emit: Emitter, value: str, shape: Sequence[int]) -> str:
    """[rows, everything else]."""
    return emit.reshape(value, [shape[0], int(np.prod(shape[1:]))])


def taken(emit: Emitter, flat: str, places: Array) -> str:
    """Columns of a flat [rows, n] tensor by constant places: costs no rows in a circuit."""
    return emit("Gather", [flat, emit.const(places, np.int64)], axis=1)
