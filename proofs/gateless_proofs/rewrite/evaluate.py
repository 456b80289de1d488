"""Shapes and values of a graph: inferred where ONNX can, computed where it cannot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from gateless.core.errors import ModelError
from onnx import TensorProto, helper, shape_inference
from onnx.reference import ReferenceEvaluator

from gateless_proofs.onnx_limits import MAX_TENSOR_ELEMENTS
from gateless_proofs.rewrite.graph import Array, Graph, Node, captured

#: nodes whose value is another on every run, or that a fold would make larger without need
_NEVER_FOLDED = frozenset(
    (
        *("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial"),
        *("Bernoulli", "If", "Loop", "Scan", "Optional", "SequenceEmpty", "SequenceConstruct"),
    )
)


def infer(graph: Graph) -> None:
    """Fills the graph's shapes and element types.

    ONNX's inference comes first; what it leaves open is found by running the graph once on zeros,
    which is exact since no shape may depend on the data.
    """
    _infer_by_rules(graph)
    missing = [
        name
        for node in graph.nodes
        for name in node.outputs
        if name and (name not in graph.shapes or name not in graph.dtypes)
    ]
    if missing:
        _infer_by_running(graph)


def _infer_by_rules(graph: Graph) -> None:
    graph.shapes, graph.dtypes = {}, {}
    model = graph.to_model()
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(model, strict_mode=False, data_prop=True)
    except Exception:  # inference refuses what a run may still tell
        inferred = model
    for value in (*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output):
        kind = value.type.tensor_type
        if kind.elem_type:
            graph.dtypes[value.name] = int(kind.elem_type)
        dims = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in kind.shape.dim]
        if kind.HasField("shape") and all(dim >= 0 for dim in dims):
            graph.shapes[value.name] = tuple(int(dim) for dim in dims)


def _infer_by_running(graph: Graph) -> None:
    feeds = {
        value.name: np.zeros(value.static_shape, helper.tensor_dtype_to_np_dtype(value.dtype))
        for value in graph.inputs
    }
    try:
        values = run_all(graph, feeds)
    except ModelError:
        return
    for name, array in values.items():
        graph.shapes[name] = tuple(array.shape)
        graph.dtypes[name] = int(helper.np_dtype_to_tensor_dtype(array.dtype))


def run_all(graph: Graph, feeds: Mapping[str, Array]) -> dict[str, Array]:
    """Every value of the graph by ONNX's reference implementation, node by node."""
    known: dict[str, Array] = dict(feeds)
    for node in graph.nodes:
        values = {name: known[name] for name in node.inputs if name in known}
        values.update({name: known[name] for name in captured(node) if name in known})
        for name in (*node.inputs, *captured(node)):
            if name in graph.constants:
                values[name] = graph.constants[name]
        for name, array in zip(node.outputs, run_node(graph, node, values), strict=False):
            known[name] = array
    return known


def run_node(graph: Graph, node: Node, values: Mapping[str, Array]) -> list[Array]:
    """One node by ONNX's reference implementation.

    Raises:
        ModelError: ``invalid-model`` where it cannot be computed.
    """
    try:
        proto = Graph(
            [],
            [],
            [node],
            {},
            graph.opsets,
        ).to_graph_proto()
        for name, array in values.items():
            dtype = helper.np_dtype_to_tensor_dtype(array.dtype)
            proto.input.append(helper.make_tensor_value_info(name, dtype, array.shape))
        for name in node.outputs:
            if name:
                proto.output.append(helper.make_empty_tensor_value_info(name))
        imports = [helper.make_opsetid(d, v) for d, v in sorted(graph.opsets.items())]
        model = helper.make_model(proto, opset_imports=imports, ir_version=8)
        results = iter(ReferenceEvaluator(model).run(None, dict(values)))
        outputs = [np.asarray(next(results)) if name else np.zeros(0) for name in node.outputs]
    except Exception as error:  # the reference raises whatever numpy does
        raise ModelError(
            "invalid-model",
            f"node {node.op} of {node.outputs[0]!r} cannot be computed: {error}",
            hint="export the model again",
        ) from error
    return outputs


def fold(graph: Graph) -> bool:
    """Computes every node whose inputs are constants; returns whether there was one.

    Floats are computed in double precision and rounded once, so the result does not hang on the
    order in which a machine's matrix routines add.
    """
    changed = False
    kept: list[Node] = []
    for node in graph.nodes:
        results = _folded(graph, node)
        if results is None:
            kept.append(node)
            continue
        changed = True
        for name, array in zip(node.outputs, results, strict=True):
            if name:
                graph.constants[name] = array
    graph.nodes = kept
    return changed


def _folded(graph: Graph, node: Node) -> list[Array] | None:
    if node.op in _NEVER_FOLDED or node.domain:
        return None
    if node.op in ("Shape", "Size"):
        return _folded_shape(graph, node)
    if any(name and name not in graph.constants for name in node.inputs):
        return None
    values = {name: graph.constants[name] for name in node.inputs if name}
    if sum(array.size for array in values.values()) > MAX_TENSOR_ELEMENTS:
        return None
    wide = {
        name: array.astype(np.float64) if array.dtype == np.float32 else array
        for name, array in values.items()
    }
    singles = any(array.dtype == np.float32 for array in values.values())
    try:
        results = run_node(graph, node, wide)
        if singles and node.op != "Cast":
            results = [r.astype(np.float32) if r.dtype == np.float64 else r for r in results]
    except ModelError:
        try:
            results = run_node(graph, node, values)
        except ModelError:
            return None
    if any(result.size > MAX_TENSOR_ELEMENTS for result in results):
        return None
    return results


def _folded_shape(graph: Graph, node: Node) -> list[Array] | None:
    shape = graph.shape(node.inputs[0])
    if shape is None:
        return None
    if node.op == "Size":
        return [np.asarray(int(np.prod(shape, dtype=np.int64)), np.int64)]
    start = int(node.attributes.get("start", 0))
    end = node.attributes.get("end")
    return [np.asarray(shape[start : None if end is None else int(end)], np.int64)]


def run_model(model: onnx.ModelProto, feeds: Sequence[Array]) -> list[Array]:
    """Outputs of a model by onnxruntime, or by ONNX's reference where onnxruntime refuses."""
    names = [value.name for value in Graph.parse(model).inputs]
    return Runner(model).run(dict(zip(names, feeds, strict=True)))


class Runner:
    """A model that runs: onnxruntime on one thread, else ONNX's reference implementation."""

    def __init__(self, model: onnx.ModelProto) -> None:
        import onnxruntime

        self.engine = "onnxruntime"
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        level = onnxruntime.GraphOptimizationLevel
        options.graph_optimization_level = level.ORT_ENABLE_BASIC
        try:
            self._session = onnxruntime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception:  # the library has no common base for its own exceptions
            self._session = None
            self.engine = "onnx.reference"
            self._reference = ReferenceEvaluator(model)

    def run(self, feeds: Mapping[str, Array]) -> list[Array]:
        """Outputs in the model's order."""
        if self._session is not None:
            return [np.asarray(out) for out in self._session.run(None, dict(feeds))]
        return [np.asarray(out) for out in self._reference.run(None, dict(feeds))]


def as_fed(value_dtype: int, array: Array) -> Array:
    """An array in the type of an input; integers are rounded, booleans are what is not 0."""
    dtype = helper.tensor_dtype_to_np_dtype(value_dtype)
    if value_dtype == TensorProto.BOOL:
        return np.asarray(array != 0)
    return (np.rint(array) if np.dtype(dtype).kind in "iu" else np.asarray(array)).astype(dtype)
