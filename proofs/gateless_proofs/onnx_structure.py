"""What a model does step by step: only standard operators, and an end that is known beforehand.

A hundred bytes can hold a loop that never ends, or functions that call functions ten times each,
down to ten billion steps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx
from gateless.core.errors import ModelError
from onnx import defs

from gateless_proofs.onnx_constants import constants_of, whole_number
from gateless_proofs.onnx_walk import subgraphs, walk_nodes

#: graphs within graphs, and functions that call functions
MAX_DEPTH = 16
#: nodes, attributes and tensors in a file
MAX_PARTS = 1 << 18
#: operators that one inference runs, each as often as it is run
MAX_STEPS = 1 << 22

_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
#: standard, but not for tensors of numbers, or with a file format of its own, or of open length
_NOT_SERVED = frozenset(
    (
        *("ImageDecoder", "RegexFullMatch", "StringConcat", "StringNormalizer", "StringSplit"),
        *("TfIdfVectorizer", "SequenceMap", "CategoryMapper", "CastMap", "DictVectorizer"),
    )
)
_SERVED = frozenset(
    schema.name
    for schema in defs.get_all_schemas()
    if schema.domain in _DOMAINS and schema.name not in _NOT_SERVED
)

_Name = tuple[str, str]
_Shapes = Mapping[str, tuple[int | None, ...]]


def require_few_parts(model: onnx.ModelProto) -> None:
    """Refuses files that are small and full of empty parts: looking at each takes long.

    Raises:
        ModelError: ``model-too-complex``.
    """
    parts = len(model.functions)
    pending = [model.graph]
    bodies = [function.node for function in model.functions]
    while pending or bodies:
        if pending:
            graph = pending.pop()
            parts += len(graph.initializer) + len(graph.sparse_initializer)
            parts += len(graph.value_info) + len(graph.input) + len(graph.output)
            bodies.append(graph.node)
        nodes = bodies.pop()
        parts += len(nodes)
        _require_few(parts)
        for node in nodes:
            parts += len(node.attribute)
            _require_few(parts)
            pending.extend(subgraphs(node.attribute))


def _require_few(parts: int) -> None:
    if parts > MAX_PARTS:
        raise _too_complex(f"the file has more than {MAX_PARTS} parts")


def require_served_operators(model: onnx.ModelProto) -> None:
    """Refuses operators that are neither of the ONNX standard nor the model's own functions.

    Raises:
        ModelError: ``unsupported-operator``, ``invalid-model``.
    """
    if model.training_info:
        raise ModelError(
            "invalid-model",
            "the model says how to train it",
            hint="export the model for inference",
        )
    own = {(function.domain, function.name) for function in model.functions}
    for node in walk_nodes(model):
        standard = node.domain in _DOMAINS and node.op_type in _SERVED
        if not standard and (node.domain, node.op_type) not in own:
            raise ModelError(
                "unsupported-operator",
                f"operator {node.op_type!r} of domain {node.domain!r} is not served",
                hint="export the model with operators of the ONNX standard on numbers",
                operator=node.op_type,
            )


def require_bounded_steps(model: onnx.ModelProto, shapes: _Shapes | None = None) -> None:
    """Refuses models whose number of steps is too large or not known before they are run.

    Args:
        model: the model.
        shapes: of the main graph's values, as far as they are known; without them, what a Scan
            goes through counts as one.

    Raises:
        ModelError: ``unbounded-loop``, ``model-too-complex``, ``invalid-model``.
    """
    _Steps(model, shapes).of_graph(model.graph, {}, 0)


class _Steps:
    """Counts, and stops as soon as there are too many."""

    def __init__(self, model: onnx.ModelProto, shapes: _Shapes | None) -> None:
        self._functions = {(f.domain, f.name): f for f in model.functions}
        self._shapes = shapes
        self._known: dict[_Name, int] = {}
        self._within: set[_Name] = set()

    def of_graph(
        self, graph: onnx.GraphProto, outer: Mapping[str, onnx.TensorProto], depth: int
    ) -> int:
        """Steps of one run of a graph."""
        stored = {tensor.name: tensor for tensor in graph.initializer}
        return self._of_nodes(graph.node, {**outer, **stored}, depth)

    def _of_nodes(
        self,
        nodes: Iterable[onnx.NodeProto],
        outer: Mapping[str, onnx.TensorProto],
        depth: int,
    ) -> int:
        if depth > MAX_DEPTH:
            raise _too_complex(f"graphs and functions are nested more than {MAX_DEPTH} deep")
        listed = list(nodes)
        known = {**outer, **constants_of(listed)}
        steps = 0
        for node in listed:
            steps += 1
            name = (node.domain, node.op_type)
            if name in self._functions:
                steps += self._of_function(name, depth + 1)
            inner = list(subgraphs(node.attribute))
            if inner:
                times = self._times(node, known)
                steps += times * sum(self.of_graph(graph, known, depth + 1) for graph in inner)
            if steps > MAX_STEPS:
                raise _too_complex(f"one inference runs more than {MAX_STEPS} operators")
        return steps

    def _of_function(self, name: _Name, depth: int) -> int:
        if name in self._within:
            raise ModelError("invalid-model", f"function {name[1]!r} calls itself")
        if name not in self._known:
            self._within.add(name)
            self._known[name] = self._of_nodes(self._functions[name].node, {}, depth)
            self._within.discard(name)
        return self._known[name]

    def _times(self, node: onnx.NodeProto, known: Mapping[str, onnx.TensorProto]) -> int:
        """How often a node runs its graphs."""
        if node.op_type == "Loop":
            times = whole_number(known.get(node.input[0] if node.input else ""))
        elif node.op_type == "Scan":
            times = self._scanned(node)
        else:
            return 1
        if times is None:
            raise ModelError(
                "unbounded-loop",
                f"{node.op_type} {node.name!r} runs a number of times that is not constant",
                hint="unroll the loop when exporting, or give it a constant number of turns",
                operator=node.op_type,
            )
        return max(times, 0)

    def _scanned(self, node: onnx.NodeProto) -> int | None:
        """The length of what a Scan goes through."""
        if self._shapes is None:
            return 1
        counts = [a.i for a in node.attribute if a.name == "num_scan_inputs"]
        axes = [list(a.ints) for a in node.attribute if a.name == "scan_input_axes"]
        if not counts or not 0 < counts[0] <= len(node.input):
            return None
        shape = self._shapes.get(node.input[len(node.input) - counts[0]])
        axis = axes[0][0] if axes and axes[0] else 0
        if shape is None or not -len(shape) <= axis < len(shape):
            return None
        return shape[axis]


def _too_complex(what: str) -> ModelError:
    return ModelError(
        "model-too-complex", what, hint="export a smaller model, with its functions inlined"
    )
