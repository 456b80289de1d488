"""Linear layers: batch norms, Gemm, and whole affine parts of a model as one matrix."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
from gateless.core.errors import ModelError
from gateless.core.ids import sha256_hex

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.evaluate import run_node
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import add_constant, replace_nodes


def _batch_norm(emit: Emitter, node: Node) -> bool:
    """scale * (x - mean) / sqrt(var + eps) + bias as one product and one sum."""
    graph = emit.graph
    shape = graph.shape(node.inputs[0])
    values = [graph.value(name) for name in node.inputs[1:5]]
    if shape is None or any(value is None for value in values):
        return False
    scale, bias, mean, variance = (
        np.asarray(value, np.float64) for value in values if value is not None
    )
    factor = scale / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
    wide = (-1, *([1] * (len(shape) - 2)))
    scaled = emit("Mul", [node.inputs[0], emit.const(factor.reshape(wide))])
    offset = bias - mean * factor
    emit("Add", [scaled, emit.const(offset.reshape(wide))], node.output)
    return True


def _gemm(emit: Emitter, node: Node) -> bool:
    graph = emit.graph
    weights = graph.value(node.inputs[1])
    if weights is None or not graph.is_float(node.inputs[0]):
        return False
    alpha = float(node.attributes.get("alpha", 1.0))
    beta = float(node.attributes.get("beta", 1.0))
    matrix = weights.T if node.attributes.get("transB", 0) else weights
    left = node.inputs[0]
    if node.attributes.get("transA", 0):
        left = emit("Transpose", [left], perm=[1, 0])
    result = emit("MatMul", [left, emit.const(matrix.astype(np.float64) * alpha)])
    stored = node.operand(2)
    bias = graph.value(stored) if stored else None
    if bias is not None:
        result = add_constant(emit, result, bias.astype(np.float64) * beta)
    elif stored:
        scaled = stored if beta == 1.0 else emit("Mul", [stored, emit.const(beta)])
        result = emit("Add", [result, scaled])
    emit("Identity", [result], node.output)
    return True


def _apply_gemm(graph: Graph, _context: RewriteContext) -> bool:
    return replace_nodes(graph, {"Gemm": _gemm, "BatchNormalization": _batch_norm})


def _apply_fold(graph: Graph, _context: RewriteContext) -> bool:
    """Products and sums per channel move into the Conv or MatMul before them."""
    changed = False
    while _fold_one(graph):
        changed = True
    return changed


def _fold_one(graph: Graph) -> bool:
    producers, uses = graph.producers(), graph.uses()
    for node in graph.nodes:
        if node.op not in ("Mul", "Add", "Sub", "Div", "BatchNormalization"):
            continue
        before = producers.get(node.inputs[0])
        if before is None and node.op in ("Mul", "Add"):
            before = producers.get(node.inputs[1])
        if before is None or uses.get(before.output, 0) != 1 or before.domain:
            continue
        affine = _per_channel(graph, node, before)
        if affine is not None and _absorb(graph, before, *affine):
            graph.rename_uses(node.output, before.output)
            final = {value.name for value in graph.outputs}
            if node.output in final:
                before.outputs[0] = node.output
            graph.nodes.remove(node)
            return True
    return False


def _per_channel(graph: Graph, node: Node, before: Node) -> tuple[Array, Array] | None:
    """A node as y = factor * x + offset with one number per output channel of ``before``."""
    shape = graph.shape(before.output)
    if shape is None or before.op not in ("Conv", "MatMul", "Gemm"):
        return None
    axis = 1 if before.op == "Conv" else len(shape) - 1
    channels = shape[axis]
    if node.op == "BatchNormalization":
        if axis != 1 or any(graph.value(name) is None for name in node.inputs[1:5]):
            return None
        scale, bias, mean, variance = (
            graph.constants[name].astype(np.float64) for name in node.inputs[1:5]
        )
        factor = scale / np.sqrt(variance + float(node.attributes.get("epsilon", 1e-5)))
        return factor, bias - mean * factor
    other = node.inputs[1] if node.inputs[0] == before.output else node.inputs[0]
    constant = graph.value(other)
    if constant is None or constant.dtype.kind != "f" or graph.shape(node.output) != shape:
        return None
    lined = np.broadcast_to(constant.astype(np.float64), np.broadcast_shapes(constant.shape, shape))
    if lined.shape != shape:
        return None
    rows = np.moveaxis(lined, axis, -1).reshape(-1, channels)
    if not (rows == rows[0]).all():
        return None
    values = rows[0].copy()
    one, zero = np.ones(channels), np.zeros(channels)
    if node.op in ("Sub", "Div") and node.inputs[0] != before.output:
        return None
    return {
        "Mul": (values, zero),
        "Div": (1.0 / values if node.op == "Div" else one, zero),
        "Add": (one, values),
        "Sub": (one, -values),
    }[node.op]


def _absorb(graph: Graph, node: Node, factor: Array, offset: Array) -> bool:
    weights = graph.value(node.inputs[1])
    if weights is None or weights.dtype.kind != "f":
        return False
    wide = weights.astype(np.float64)
    if node.op == "MatMul":
        if np.any(offset) or wide.ndim < 2:
            return False
        node.inputs[1] = graph.constant(wide * factor)
        return True
    stored = node.operand(2)
    bias = graph.value(stored) if stored else np.zeros(len(factor))
    if bias is None:
        return False
    beta = float(node.attributes.pop("beta", 1.0)) if node.op == "Gemm" else 1.0
    old = np.broadcast_to(bias.astype(np.float64) * beta, np.broadcast_shapes(bias.shape, (1,)))
    if node.op == "Conv":
        wide = wide * factor.reshape(-1, *([1] * (wide.ndim - 1)))
    elif node.attributes.get("transB", 0):
        wide = wide * factor[:, None]
    else:
        wide = wide * factor
    node.inputs = [
        node.inputs[0],
        graph.constant(wide),
        graph.constant(
            np.broadcast_to(old * factor + offset, np.broadcast_shapes(old.shape, factor.shape))
        ),
    ]
    return True


# -- affine parts ----------------------------------------------------------------------------------

_SHAPING = frozenset(
    ("Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice", "Identity", "Split")
) | {"Expand", "Tile", "Pad", "Dropout"}
_SUMMING = frozenset(("ReduceSum", "ReduceMean", "AveragePool", "GlobalAveragePool", "Neg"))
_MAX_ENTRIES = 1 << 22


class _Affine:
    """Which values are affine in one earlier value, their source."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.source: dict[str, str] = {}
        for value in graph.inputs:
            self.source[value.name] = value.name
        for node in graph.nodes:
            source = self._source_of(node)
            for name in node.outputs:
                self.source[name] = source or name

    def _source_of(self, node: Node) -> str | None:
        graph = self.graph
        if node.domain or not graph.is_float(node.output):
            return None
        moving = [name for name in node.inputs if name and name not in graph.constants]
        sources = {self.source[name] for name in moving}
        if len(sources) != 1 or not all(graph.is_float(name) for name in moving):
            return None
        source = sources.pop()
        if node.op in ("Add", "Sub", "Concat", "Sum"):
            return source
        if node.op in _SHAPING or node.op in _SUMMING:
            return source if moving == node.inputs[:1] else None
        if node.op in ("Mul", "MatMul") and len(moving) == 1:
            return source
        if node.op in ("Div", "Gather", "Conv", "BatchNormalization", "Gemm"):
            return source if moving == node.inputs[:1] else None
        return None


def _apply_affine(graph: Graph, _context: RewriteContext) -> bool:
    affine = _Affine(graph)
    outputs = {value.name for value in graph.outputs}
    readers: dict[str, list[Node]] = {}
    for node in graph.nodes:
        for name in node.inputs:
            readers.setdefault(name, []).append(node)
    changed = False
    for node in list(graph.nodes):
        name = node.output
        source = affine.source[name]
        if source == name or len(node.outputs) != 1:
            continue
        ends = name in outputs or any(
            affine.source[r.output] != source for r in readers.get(name, [])
        )
        if ends and _collapse(graph, affine, name, source):
            changed = True
    return changed


def _part(graph: Graph, sink: str, source: str) -> list[Node]:
    """Nodes between a source and a sink, in order."""
    producers = graph.producers()
    wanted, pending = set[int](), [sink]
    while pending:
        name = pending.pop()
        node = producers.get(name)
        if name == source or node is None or id(node) in wanted:
            continue
        wanted.add(id(node))
        pending.extend(node.inputs)
    return [node for node in graph.nodes if id(node) in wanted]


def _collapse(graph: Graph, affine: _Affine, sink: str, source: str) -> bool:
    """Replaces the way from source to sink by one matrix where that has fewer products."""
    before, after = graph.shape(source), graph.shape(sink)
    if not before or not after:
        return False
    rows = before[0] if after[0] == before[0] else 1
    size_in, size_out = int(np.prod(before)) // rows, int(np.prod(after)) // rows
    part = _part(graph, sink, source)
    products = [node for node in part if node.op in ("MatMul", "Conv", "Gemm", "AveragePool")]
    work = sum(_work(graph, node) for node in part)
    if len(products) < 2 or size_in * size_out * rows >= work or size_in * size_out > _MAX_ENTRIES:
        return False
    try:
        matrix, offset = _remembered(graph, part, sink, source, rows)
    except ModelError:
        return False
    emit = Emitter(graph)
    flat = emit.reshape(source, [rows, size_in])
    # Products of small weights are smaller still, and a circuit's constants have one scale: so the
    # largest is brought near one, and ezkl takes the power of two back by raising the scale.
    shift = int(np.clip(-np.ceil(np.log2(np.abs(matrix).max() or 1.0)), 0, _MOST_SHIFT))
    scaled = emit("MatMul", [flat, emit.const(matrix * 2.0**shift)])
    if shift:
        scaled = emit("Mul", [scaled, emit.const(2.0**-shift)])
    product = add_constant(emit, scaled, offset)
    emit.reshape(product, after, sink)
    place = max(place for place, node in enumerate(graph.nodes) if sink in node.outputs)
    graph.nodes[place : place + 1] = emit.nodes
    return True


def _work(graph: Graph, node: Node) -> int:
    """Rows that a node takes, about: products of linear layers, one per element of sums."""
    shape = graph.shape(node.output) or (1,)
    size = int(np.prod(shape))
    weights = graph.value(node.inputs[1]) if len(node.inputs) > 1 else None
    if node.op in ("MatMul", "Gemm"):
        inner = (graph.shape(node.inputs[0]) or (1,))[-1]
        return size * inner
    if node.op == "Conv" and weights is not None:
        return size * int(np.prod(weights.shape[1:]))
    if node.op == "AveragePool":
        return size * int(np.prod(node.attributes["kernel_shape"]))
    if node.op in ("ReduceSum", "ReduceMean"):
        return int(np.prod(graph.shape(node.inputs[0]) or (1,)))
    if node.op in ("Add", "Sub", "Mul", "Div", "Expand", "Tile", "BatchNormalization"):
        return size
    return 0


#: what the last parts were measured as: a plan rewrites one model dozens of times, and running a
#: part once per input takes seconds
_MEASURED: OrderedDict[str, tuple[Array, Array]] = OrderedDict()
_MOST_REMEMBERED = 8
#: bits by which the weights of a merged layer are raised at most
_MOST_SHIFT = 16


def _remembered(
    graph: Graph, part: list[Node], sink: str, source: str, rows: int
) -> tuple[Array, Array]:
    """:func:`_measured`, once per process for equal parts."""
    proto = Graph([], [], part, graph.constants, graph.opsets).to_graph_proto()
    place = repr((graph.shape(source), sink, source, rows)).encode()
    key = sha256_hex(proto.SerializeToString(deterministic=True) + place)
    if key not in _MEASURED:
        _MEASURED[key] = _measured(graph, part, sink, source, rows)
        if len(_MEASURED) > _MOST_REMEMBERED:
            _MEASURED.popitem(last=False)
    return _MEASURED[key]


def _measured(
    graph: Graph, part: list[Node], sink: str, source: str, rows: int
) -> tuple[Array, Array]:
    """Matrix and offset per row, by running the part on unit vectors; checked on another input.

    Raises:
        ModelError: the part does not treat its rows alike.
    """
    shape = graph.shape(source) or (1,)
    size = int(np.prod(shape)) // rows

    def run(batch: Array) -> Array:
        known = {source: batch.reshape(shape)}
        for node in part:
            values = {
                name: graph.constants[name].astype(np.float64)
                if name in graph.constants and graph.constants[name].dtype == np.float32
                else graph.constants.get(name, known.get(name))
                for name in node.inputs
                if name
            }
            results = run_node(graph, node, {k: v for k, v in values.items() if v is not None})
            known.update(zip(node.outputs, results, strict=True))
        return known[sink].reshape(rows, -1)

    offset = run(np.zeros((rows, size)))
    if not (offset == offset[0]).all():
        raise ModelError("invalid-model", "rows differ")
    unit = np.eye(size)
    pieces = []
    for start in range(0, size, rows):
        chunk = np.zeros((rows, size))
        part_rows = unit[start : start + rows]
        chunk[: len(part_rows)] = part_rows
        pieces.append(run(chunk)[: len(part_rows)] - offset[0])
    matrix = np.concatenate(pieces)
    probe = (np.arange(rows * size).reshape(rows, size) % 17 - 8.0) / 8.0
    expected = run(probe)
    if not np.allclose(probe @ matrix + offset[0], expected, rtol=1e-9, atol=1e-9):
        raise ModelError("invalid-model", "not affine row by row")
    return matrix, offset[0]


FOLD_CHANNELS = Pass(
    "fold-channels",
    "cost",
    1e-5,
    "batch norms, products and sums per channel into the layer before them",
    _apply_fold,
)
GEMM_MATMUL = Pass(
    "gemm-matmul",
    "cost",
    1e-5,
    "Gemm and batch norms as products and sums",
    _apply_gemm,
)
MERGE_LINEAR = Pass(
    "merge-linear",
    "cost",
    1e-5,
    "parts of the model that are affine as one matrix, where that has fewer products",
    _apply_affine,
)
