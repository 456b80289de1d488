"""Functions of few comparisons, such as exported decision trees, as the shortest tree of products.

Exporters write trees as matrix products, equalities and index look-ups, which cost far more than
the tree itself. A value that hangs on at most twelve answers of one comparison is tabulated over
all of them, and the table is written as a tree again: exact whatever the exporter's spelling was.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from gateless.core.errors import ModelError
from onnx import TensorProto

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.evaluate import run_node
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node

_MAX_BITS = 12
#: below this many bits the smallest tree is found, above it a good one
_EXACT_BITS = 7
_COMPARISONS = ("Less", "LessOrEqual", "Greater", "GreaterOrEqual")
_BITWISE = frozenset(
    (
        *("Cast", "MatMul", "Equal", "And", "Or", "Not", "Xor", "Add", "Sub", "Mul", "ArgMax"),
        *("ArgMin", "Gather", "Reshape", "Squeeze", "Unsqueeze", "ReduceSum", "Identity", "Where"),
        *("Slice", "Concat", "Flatten"),
    )
)

#: a leaf (row of outputs) or (bit, tree if 0, tree if 1)
_Tree = tuple[int, "_Tree", "_Tree"] | int


def _apply(graph: Graph, _context: RewriteContext) -> bool:
    changed = False
    for node in list(graph.nodes):
        shape = graph.shape(node.output)
        if node.op not in _COMPARISONS or node.domain or not shape or len(shape) != 2:
            continue
        if 1 < shape[1] <= _MAX_BITS and _replace_cone(graph, node, shape):
            changed = True
    return changed


def _replace_cone(graph: Graph, comparison: Node, shape: tuple[int, ...]) -> bool:
    """Rewrites what hangs on the comparison alone; returns whether it did."""
    cone, known = [], {comparison.output}
    for node in graph.nodes:
        moving = [name for name in node.inputs if name and name not in graph.constants]
        if moving and set(moving) <= known and node.op in _BITWISE and not node.domain:
            cone.append(node)
            known.update(node.outputs)
    inside = {id(node) for node in cone}
    outputs = {value.name for value in graph.outputs}
    ends = [
        node
        for node in cone
        if node.output in outputs
        or any(node.output in other.inputs for other in graph.nodes if id(other) not in inside)
    ]
    dear = {node.op for node in cone} & {"ArgMax", "ArgMin", "Equal", "And", "Where"}
    if len(ends) != 1 or not dear:
        return False
    end = ends[0]
    final = graph.shape(end.output)
    if not final or final[0] != shape[0] or end.output in {comparison.output}:
        return False
    try:
        table = _table(graph, cone, comparison.output, end.output, shape, final)
    except ModelError:
        return False
    tree, leaves = _tree(table, shape[1])
    if isinstance(tree, int):
        return False  # the same whatever the answers are
    emit = Emitter(graph)
    # Integers, which stay at scale 0 in a circuit; so do whole leaves.
    bits = emit("Cast", [comparison.output], to=TensorProto.INT64)
    dtype = graph.dtype(end.output) or TensorProto.FLOAT
    value = _written(emit, bits, tree, leaves, whole=dtype != TensorProto.FLOAT)
    if dtype not in (TensorProto.FLOAT, TensorProto.INT64):
        value = emit("Cast", [value], to=dtype)
    emit.reshape(value, final, end.output)
    place = graph.nodes.index(end)
    graph.nodes[place : place + 1] = emit.nodes
    return True


def _table(
    graph: Graph,
    cone: list[Node],
    source: str,
    sink: str,
    shape: tuple[int, ...],
    final: tuple[int, ...],
) -> Array:
    """The cone's value for every combination of answers: [2^bits, values].

    Raises:
        ModelError: rows are not independent, or a node cannot be computed.
    """
    rows, count = shape
    combinations = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1
    padded = -(-len(combinations) // rows) * rows
    answers = np.resize(combinations, (padded, count)).astype(bool)
    pieces = []
    for start in range(0, padded, rows):
        known = {source: answers[start : start + rows]}
        for node in cone:
            values = {
                name: graph.constants[name] if name in graph.constants else known[name]
                for name in node.inputs
                if name and (name in graph.constants or name in known)
            }
            known.update(zip(node.outputs, run_node(graph, node, values), strict=True))
        if known[sink].shape != final:
            raise ModelError("invalid-model", "shapes hang on the data")
        pieces.append(known[sink].reshape(rows, -1).astype(np.float64))
    table = np.concatenate(pieces)
    again = np.concatenate([table[1:], table[:1]]) if rows > 1 else table
    if rows > 1 and not np.array_equal(
        _rolled(graph, cone, source, sink, answers[:rows]), again[:rows]
    ):
        raise ModelError("invalid-model", "rows hang on each other")
    return table[: 1 << count]


def _rolled(graph: Graph, cone: list[Node], source: str, sink: str, answers: Array) -> Array:
    """The first rows again, each in another's place."""
    known = {source: np.roll(answers, -1, axis=0)}
    for node in cone:
        values = {name: graph.constants.get(name, known.get(name)) for name in node.inputs if name}
        results = run_node(graph, node, {k: v for k, v in values.items() if v is not None})
        known.update(zip(node.outputs, results, strict=True))
    return known[sink].reshape(len(answers), -1).astype(np.float64)


def _tree(table: Array, count: int) -> tuple[_Tree, Array]:
    """A decision tree for a table over bits, and its distinct leaves."""
    leaves, which = np.unique(table, axis=0, return_inverse=True)
    labels = which.reshape([2] * count).transpose(range(count)[::-1])  # axis i is bit i

    @cache
    def best(fixed: tuple[int, ...]) -> tuple[int, _Tree]:
        part = labels[tuple(slice(None) if bit < 0 else bit for bit in fixed)]
        if (part == part.flat[0]).all():
            return 0, int(part.flat[0])
        free = [bit for bit, value in enumerate(fixed) if value < 0]
        if len(free) > _EXACT_BITS:
            free = [min(free, key=lambda bit: _variety(labels, fixed, bit))]
        options = []
        for bit in free:
            low, high = (best((*fixed[:bit], value, *fixed[bit + 1 :])) for value in (0, 1))
            tree: _Tree = (bit, low[1], high[1]) if low[1] != high[1] else low[1]
            options.append((low[0] + high[0] + 1, bit, tree))
        size, _, tree = min(options, key=lambda option: option[:2])
        return size, tree

    return best((-1,) * count)[1], leaves


def _variety(labels: Array, fixed: tuple[int, ...], bit: int) -> int:
    """How many different answers are left on both sides of a bit."""
    total = 0
    for value in (0, 1):
        trial = (*fixed[:bit], value, *fixed[bit + 1 :])
        part = labels[tuple(slice(None) if known < 0 else known for known in trial)]
        total += len(np.unique(part))
    return total


def _written(emit: Emitter, bits: str, tree: _Tree, leaves: Array, *, whole: bool) -> str:
    """Level by level: a child is reached where its parent is and the bit says so."""
    columns: list[int] = []
    width, joined = 0, ""
    level: list[tuple[_Tree, int]] = [(tree, -1)]
    reached: list[tuple[int, int]] = []  # column, leaf
    while level:
        inner = [(entry, column) for entry, column in level if not isinstance(entry, int)]
        reached += [(column, entry) for entry, column in level if isinstance(entry, int)]
        if not inner:
            break
        which = [entry[0] for entry, _ in inner if not isinstance(entry, int)]
        taken = emit("Gather", [bits, emit.const(which, np.int64)], axis=1)
        if joined:
            places = emit.const([column for _, column in inner], np.int64)
            parents = emit("Gather", [joined, places], axis=1)
            high = emit("Mul", [parents, taken])
            low = emit("Sub", [parents, high])
            joined = emit("Concat", [joined, high, low], axis=1)
        else:
            high, low = taken, emit("Sub", [emit.const([1], np.int64), taken])
            joined = emit("Concat", [high, low], axis=1)
        level = []
        for place, (entry, _) in enumerate(inner):
            if not isinstance(entry, int):
                level.append((entry[2], width + place))
                level.append((entry[1], width + len(inner) + place))
        width += 2 * len(inner)
    columns = [column for column, _ in reached]
    values = np.array([leaves[leaf] for _, leaf in reached])
    picked = emit("Gather", [joined, emit.const(columns, np.int64)], axis=1)
    if whole:  # ezkl takes no product of integer matrices
        parts = []
        for column in values.T:
            weighted = emit("Mul", [picked, emit.const(column[None], np.int64)])
            axes = emit.const([1], np.int64)
            parts.append(emit("ReduceSum", [weighted, axes], keepdims=1))
        return emit("Concat", parts, axis=1) if len(parts) > 1 else parts[0]
    return emit("MatMul", [emit("Cast", [picked], to=TensorProto.FLOAT), emit.const(values)])


DECISIONS = Pass(
    "decision-trees",
    "cost",
    1e-5,
    "values that hang on few comparisons as a tree of products",
    _apply,
)


def _merge(graph: Graph, _context: RewriteContext) -> bool:
    """The same comparison of the same column is made once."""
    producers = graph.producers()
    groups: dict[tuple[str, str, bool], list[tuple[Node, list[tuple[int, float]]]]] = {}
    for node in graph.nodes:
        described = _columns(graph, node, producers)
        if described is not None:
            root, swapped, columns = described
            groups.setdefault((node.op, root, swapped), []).append((node, columns))
    changed = False
    for (op, root, swapped), members in groups.items():
        distinct = sorted({column for _, columns in members for column in columns})
        total = sum(len(columns) for _, columns in members)
        if len(members) < 2 or len(distinct) >= total:
            continue
        emit = Emitter(graph)
        places = emit.const([column for column, _ in distinct], np.int64)
        values = emit("Gather", [root, places], axis=1)
        limits = emit.const([[limit for _, limit in distinct]])
        operands = [limits, values] if swapped else [values, limits]
        answers = emit("Cast", [emit(op, operands)], to=TensorProto.INT64)
        first = min(graph.nodes.index(node) for node, _ in members)
        taken: dict[int, list[Node]] = {}
        for node, columns in members:
            where = emit.const([distinct.index(column) for column in columns], np.int64)
            part = Emitter(graph)
            picked = part("Gather", [answers, where], axis=1)
            part("Cast", [picked], node.output, to=TensorProto.BOOL)
            taken[id(node)] = part.nodes
        nodes: list[Node] = []
        for place, node in enumerate(graph.nodes):
            if place == first:
                nodes += emit.nodes
            nodes += taken.get(id(node), [node])
        graph.nodes = nodes
        changed = True
    return changed


def _columns(
    graph: Graph, node: Node, producers: dict[str, Node]
) -> tuple[str, bool, list[tuple[int, float]]] | None:
    """A comparison as (tensor, constant first?, [(column, limit)])."""
    if node.op not in _COMPARISONS or node.domain:
        return None
    stored = [graph.value(name) for name in node.inputs]
    swapped = stored[0] is not None
    limits = stored[0] if swapped else stored[1]
    moving = node.inputs[1 if swapped else 0]
    shape = graph.shape(moving)
    if limits is None or (stored[0] is None) == (stored[1] is None) or not shape:
        return None
    if len(shape) != 2 or limits.size not in (1, shape[1]) or not graph.is_float(moving):
        return None
    columns, root = list(range(shape[1])), moving
    source = producers.get(moving)
    while source is not None and source.op == "Gather" and not source.domain:
        places = graph.value(source.inputs[1])
        rank = len(graph.shape(source.inputs[0]) or ())
        if places is None or places.ndim != 1 or rank != 2:
            break
        if int(source.attributes.get("axis", 0)) not in (1, -1):
            break
        columns = [int(places[column]) for column in columns]
        root = source.inputs[0]
        source = producers.get(root)
    flat = np.broadcast_to(limits.reshape(-1), (shape[1],))
    return root, swapped, [(c, float(limit)) for c, limit in zip(columns, flat, strict=True)]


SAME_COMPARISONS = Pass(
    "same-comparisons",
    "cost",
    0.0,
    "comparisons that several trees share are made once",
    _merge,
)
