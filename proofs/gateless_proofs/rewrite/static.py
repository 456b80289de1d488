"""Static shapes: binds the leading dimensions, folds constants, drops what reaches no output.

Every rewriting starts here, so that all passes see numbers for shapes and constants in one place.
"""

from __future__ import annotations

from gateless.core.errors import ModelError

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.evaluate import fold, infer
from gateless_proofs.rewrite.graph import Graph, Value
from gateless_proofs.rewrite.opsets import to_canonical_opset

_MAX_ROUNDS = 64


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
        if not fold(graph):
            break
    graph.prune()
    keep_outputs_computed(graph)
    infer(graph)
    graph.outputs = output_values(graph)


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


def make_static(graph: Graph, rows: int = 1) -> None:
    """Brings a freshly read graph into the form that passes work on."""
    bind_leading(graph, rows)
    infer(graph)
    to_canonical_opset(graph)
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
