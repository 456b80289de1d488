"""Static shapes: binds the leading dimensions, folds constants, drops what reaches no output.

Every rewriting starts here, so that all passes see numbers for shapes and constants in one place.
"""

from __future__ import annotations

import numpy as np
from gateless.core.errors import ModelError
from onnx import TensorProto, numpy_helper

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.evaluate import fold, infer
from gateless_proofs.rewrite.graph import Graph, Node, Value
from gateless_proofs.rewrite.opsets import to_canonical_opset

_MAX_ROUNDS = 64
_SHAPING = ("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity")


def bind_leading(graph: Graph, rows: int) -> None:
    """Gives symbolic leading dimensions of the inputs a number.

    Raises:
        ModelError: ``unbound-dimension`` where another dimension is symbolic.
    """
    for value in graph.inputs:
        open_dims = [dim for dim in value.shape[1:] if not isinstance(dim, int)]
        if open_dims:
            raise ModelError(
                "unbound-dimension",
                f"input {value.name!r} leaves {', '.join(map(str, open_dims))} open",
                hint="export the model with these dimensions fixed",
                dimensions=open_dims,
            )
        if value.shape and not isinstance(value.shape[0], int):
            value.shape = (rows, *value.shape[1:])


def settle(graph: Graph) -> None:
    """Folds and infers until nothing moves."""
    for _ in range(_MAX_ROUNDS):
        graph.prune()
        infer(graph)
        drop_identities(graph)
        if not fold(graph):
            break
    graph.prune()
    keep_outputs_computed(graph)
    part_outputs(graph)
    infer(graph)
    graph.outputs = output_values(graph)


def drop_identities(graph: Graph) -> None:
    """Removes nodes that hand a value on as it is; ezkl refuses some of them as outputs."""
    outputs = {value.name for value in graph.outputs}
    kept: list[Node] = []
    producers = graph.producers()
    for node in graph.nodes:
        source = node.operand(0)
        if not _is_identity(graph, node):
            kept.append(node)
        elif node.output not in outputs:
            graph.rename_uses(node.output, source)
        elif source in producers and source not in outputs:
            producer = producers[source]
            producer.outputs = [node.output if n == source else n for n in producer.outputs]
            producers[node.output] = producer
            graph.rename_uses(source, node.output)
        else:
            kept.append(node)
    graph.nodes = kept


def _is_identity(graph: Graph, node: Node) -> bool:
    if node.domain or len([name for name in node.outputs if name]) != 1:
        return False
    before, after = graph.shape(node.operand(0)), graph.shape(node.output)
    if node.op in ("Identity", "Dropout"):
        return True
    if node.op == "Cast":
        return graph.dtype(node.inputs[0]) == int(node.attributes["to"])
    if node.op == "Transpose":
        order = node.attributes.get("perm")
        return order is not None and list(order) == sorted(order)
    if node.op in ("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile", "Pad"):
        return before is not None and before == after
    if node.op in ("Slice", "Concat", "Split"):
        moving = [name for name in node.inputs if name not in graph.constants]
        whole = before is not None and before == after and node.op == "Slice"
        return (whole and not _steps_back(graph, node)) or (
            node.op == "Concat" and len(node.inputs) == 1 and len(moving) == 1
        )
    return False


def _steps_back(graph: Graph, node: Node) -> bool:
    steps = graph.value(node.operand(4)) if node.operand(4) else None
    return bool(node.operand(4)) and (steps is None or bool((steps < 0).any()))


def part_outputs(graph: Graph) -> None:
    """Gives outputs that are one value in two shapes, or an input, a node of their own.

    ezkl has no name for one value being two outputs; a Gather of everything costs it nothing.
    """
    producers = graph.producers()
    roots = {value.name for value in graph.inputs}
    for value in graph.outputs:
        root = value.name
        while root in producers and producers[root].op in _SHAPING:
            root = producers[root].inputs[0]
        shape = graph.shapes.get(value.name, ())
        if root in roots and shape:
            inner = graph.fresh("alias")
            places = graph.constant(range(shape[-1]), np.int64)
            copy = Node("Gather", [inner, places], [value.name], {"axis": len(shape) - 1})
            if value.name in producers:
                node = producers[value.name]
                node.outputs = [inner if name == value.name else name for name in node.outputs]
                graph.rename_uses(value.name, inner)
            else:
                copy.inputs[0] = value.name
                value.name = copy.outputs[0] = inner
            graph.nodes.append(copy)
        roots.add(root)


def keep_outputs_computed(graph: Graph) -> None:
    """An output that came out constant is made by a node, as ONNX wants it."""
    made = {name for node in graph.nodes for name in node.outputs}
    given = {value.name for value in graph.inputs}
    for value in graph.outputs:
        if value.name in graph.constants:
            raise ModelError(
                "output-constant",
                f"output {value.name!r} does not depend on the input",
                hint="drop this output from the model: there is nothing to prove about it",
            )
        if value.name not in made and value.name not in given:
            raise ModelError(
                "invalid-model",
                f"nothing computes the output {value.name!r}",
                hint="export the model again",
            )


def to_single(graph: Graph) -> None:
    """Doubles and halves become singles, which is what ezkl reads anyway.

    Inputs and outputs too: a circuit's integers have no such types, and a Cast takes rows.
    """
    wide = (TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16)
    for name, array in graph.constants.items():
        if array.dtype in (np.float64, np.float16) or graph.dtype(name) == TensorProto.BFLOAT16:
            graph.constants[name] = array.astype(np.float32)
    for node in graph.nodes:
        for key in ("to", "dtype"):
            if node.attributes.get(key) in wide:
                node.attributes[key] = int(TensorProto.FLOAT)
        filling = node.attributes.get("value")
        if node.op == "ConstantOfShape" and filling is not None and filling.data_type in wide:
            single = numpy_helper.to_array(filling).astype(np.float32)
            node.attributes["value"] = numpy_helper.from_array(single)
    for value in (*graph.inputs, *graph.outputs):
        if value.dtype in wide:
            value.dtype = int(TensorProto.FLOAT)


def make_static(graph: Graph, rows: int = 1) -> None:
    """Brings a freshly read graph into the form that passes work on."""
    bind_leading(graph, rows)
    for _ in range(_MAX_ROUNDS):
        graph.prune()
        infer(graph)
        if not fold(graph):
            break
    to_canonical_opset(graph)
    to_single(graph)
    settle(graph)


def output_values(graph: Graph) -> list[Value]:
    """Outputs with the shapes and types that inference found."""
    return [
        Value(v.name, graph.dtypes.get(v.name, v.dtype), graph.shapes.get(v.name, v.shape))
        for v in graph.outputs
    ]


def _nothing(_graph: Graph, _context: RewriteContext) -> bool:
    return True  # the work is done before any pass: see rewrite()


STATIC = Pass(
    "static",
    "shape",
    1e-5,
    "binds leading dimensions to 1, writes opset 17, folds constants, drops dead nodes",
    _nothing,
)
