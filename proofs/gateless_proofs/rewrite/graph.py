"""An ONNX graph that passes can edit, read from a model and written back byte for byte the same.

Constants of every spelling (initialisers, Constant nodes) are numpy arrays in one table. Names that
passes invent come from a counter, so the same passes over the same model give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnx.inliner
from gateless.core.errors import ModelError
from onnx import AttributeProto, TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]
Dim = int | str

#: the default operator set that every rewritten model is written in
OPSET = 17
_IR_VERSION = 8
_DEFAULT_DOMAINS = ("", "ai.onnx")


@dataclass(slots=True)
class Value:
    """A graph's input or output: its name, ONNX element type and shape."""

    name: str
    dtype: int
    shape: tuple[Dim, ...]

    @property
    def static_shape(self) -> tuple[int, ...]:
        """The shape where every dimension is a number.

        Raises:
            ModelError: ``unbound-dimension``.
        """
        known = [dim for dim in self.shape if isinstance(dim, int)]
        if len(known) != len(self.shape):
            raise ModelError(
                "unbound-dimension",
                f"{self.name!r} has no static shape: {list(self.shape)}",
                hint="export the model with static shapes",
            )
        return tuple(known)


@dataclass(slots=True)
class Node:
    """One operator. Attributes are Python values, as ``onnx.helper`` takes them."""

    op: str
    inputs: list[str]
    outputs: list[str]
    attributes: dict[str, Any] = field(default_factory=dict)
    domain: str = ""

    def operand(self, place: int) -> str:
        """Name of an input, empty where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else ""

    @property
    def output(self) -> str:
        """Name of the first output."""
        return self.outputs[0]


@dataclass(slots=True)
class Graph:
    """A mutable graph; ``shapes`` and ``dtypes`` are those of the last inference."""

    inputs: list[Value]
    outputs: list[Value]
    nodes: list[Node]
    constants: dict[str, Array]
    opsets: dict[str, int]
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    dtypes: dict[str, int] = field(default_factory=dict)
    #: opset that the author's file was written in; subgraphs still are
    written_in: int = OPSET
    _taken: set[str] = field(default_factory=set)
    _counter: int = 0

    # -- reading and writing -------------------------------------------------------------------

    @classmethod
    def parse(cls, model: onnx.ModelProto) -> Graph:
        """Reads a model. Its functions are inlined, stored inputs become constants."""
        if len(model.functions) > 0:
            model = onnx.inliner.inline_local_functions(model)
        opsets = {
            "" if entry.domain in _DEFAULT_DOMAINS else entry.domain: int(entry.version)
            for entry in model.opset_import
        }
        return cls.parse_graph(model.graph, opsets)

    @classmethod
    def parse_graph(cls, proto: onnx.GraphProto, opsets: dict[str, int]) -> Graph:
        """Reads a graph, also one that is another's attribute."""
        constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.initializer}
        for sparse in proto.sparse_initializer:
            constants[sparse.values.name] = _dense(sparse)
        nodes: list[Node] = []
        for entry in proto.node:
            domain = "" if entry.domain in _DEFAULT_DOMAINS else entry.domain
            attributes = {item.name: _attribute(item) for item in entry.attribute}
            if entry.op_type == "Constant" and not domain:
                constants[entry.output[0]] = _constant(entry)
                continue
            nodes.append(
                Node(entry.op_type, list(entry.input), list(entry.output), attributes, domain)
            )
        graph = cls(
            [_value(entry) for entry in proto.input if entry.name not in constants],
            [_value(entry) for entry in proto.output],
            nodes,
            constants,
            dict(opsets),
            written_in=opsets.get("", OPSET),
        )
        graph._taken = {name for node in nodes for name in (*node.inputs, *node.outputs)}
        graph._taken |= set(constants) | {value.name for value in graph.inputs}
        return graph

    def to_graph_proto(self) -> onnx.GraphProto:
        """The graph in ONNX's form; stored constants in the order of their first use."""
        used: dict[str, None] = {}
        for node in self.nodes:
            used.update(dict.fromkeys(name for name in node.inputs if name in self.constants))
            used.update(dict.fromkeys(name for name in captured(node) if name in self.constants))
        used.update(dict.fromkeys(out.name for out in self.outputs if out.name in self.constants))
        return helper.make_graph(
            [
                helper.make_node(
                    node.op,
                    node.inputs,
                    node.outputs,
                    domain=node.domain,
                    **{name: value for name, value in node.attributes.items() if value is not None},
                )
                for node in self.nodes
            ],
            "graph",
            [helper.make_tensor_value_info(v.name, v.dtype, v.shape) for v in self.inputs],
            [self._output_info(value) for value in self.outputs],
            [
                numpy_helper.from_array(np.array(self.constants[name], order="C"), name)
                for name in used
            ],
        )

    def _output_info(self, value: Value) -> onnx.ValueInfoProto:
        shape = self.shapes.get(value.name, value.shape)
        return helper.make_tensor_value_info(
            value.name, self.dtypes.get(value.name, value.dtype), shape
        )

    def to_model(self) -> onnx.ModelProto:
        """The graph as a model."""
        return helper.make_model(
            self.to_graph_proto(),
            opset_imports=[
                helper.make_opsetid(domain, version)
                for domain, version in sorted(self.opsets.items())
            ],
            ir_version=_IR_VERSION,
            producer_name="gateless",
        )

    def copy(self) -> Graph:
        """A graph that can be edited apart; arrays are shared and never written to."""
        return Graph(
            [Value(v.name, v.dtype, v.shape) for v in self.inputs],
            [Value(v.name, v.dtype, v.shape) for v in self.outputs],
            [
                Node(n.op, list(n.inputs), list(n.outputs), dict(n.attributes), n.domain)
                for n in self.nodes
            ],
            dict(self.constants),
            dict(self.opsets),
            dict(self.shapes),
            dict(self.dtypes),
            self.written_in,
            set(self._taken),
            self._counter,
        )

    # -- editing -------------------------------------------------------------------------------

    def fresh(self, hint: str) -> str:
        """A name that nothing has yet."""
        while True:
            self._counter += 1
            name = f"{hint}_{self._counter}"
            if name not in self._taken:
                self._taken.add(name)
                return name

    def constant(self, values: Any, dtype: Any = np.float32, hint: str = "const") -> str:
        """Stores a constant and returns its name."""
        name = self.fresh(hint)
        self.constants[name] = np.asarray(values, dtype=dtype)
        return name

    def value(self, name: str) -> Array | None:
        """A constant's array, or None for what depends on the inputs."""
        return self.constants.get(name)

    def shape(self, name: str) -> tuple[int, ...] | None:
        """The shape of any value, where it is known."""
        if name in self.constants:
            return tuple(self.constants[name].shape)
        return self.shapes.get(name)

    def dtype(self, name: str) -> int | None:
        """The ONNX element type of any value, where it is known."""
        if name in self.constants:
            return int(helper.np_dtype_to_tensor_dtype(self.constants[name].dtype))
        return self.dtypes.get(name)

    def is_float(self, name: str) -> bool:
        """Whether a value holds floating point numbers."""
        return self.dtype(name) in (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16)

    def producers(self) -> dict[str, Node]:
        """The node that makes each value."""
        return {name: node for node in self.nodes for name in node.outputs if name}

    def uses(self) -> dict[str, int]:
        """How many readers each value has; being an output counts as one."""
        counts: dict[str, int] = {}
        for name in self._read_names():
            counts[name] = counts.get(name, 0) + 1
        return counts

    def _read_names(self) -> Iterable[str]:
        for node in self.nodes:
            yield from node.inputs
            yield from captured(node)
        for value in self.outputs:
            yield value.name

    def rename_uses(self, old: str, new: str, *, but: Iterable[int] = ()) -> None:
        """Makes every reader of one value read another; outputs of the graph keep their names.

        Args:
            but: ids of nodes that keep reading the old value.
        """
        spared = set(but)
        for node in self.nodes:
            if id(node) not in spared:
                node.inputs = [new if name == old else name for name in node.inputs]
                rename_captured(node, old, new)

    def prune(self) -> None:
        """Removes nodes and constants that reach no output."""
        needed = {value.name for value in self.outputs}
        kept: list[Node] = []
        for node in reversed(self.nodes):
            if any(name in needed for name in node.outputs if name):
                kept.append(node)
                needed.update(name for name in node.inputs if name)
                needed.update(captured(node))
        self.nodes = kept[::-1]
        self.constants = {name: a for name, a in self.constants.items() if name in needed}


class Emitter:
    """Writes nodes one after another; every method returns the name of what it made."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.nodes: list[Node] = []

    def __call__(self, op: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Adds a node with one output."""
        name = output or self.graph.fresh(op.lower())
        self.nodes.append(Node(op, list(inputs), [name], attributes))
        return name

    def many(self, op: str, inputs: Sequence[str], count: int, **attributes: Any) -> list[str]:
        """Adds a node with several outputs."""
        names = [self.graph.fresh(op.lower()) for _ in range(count)]
        self.nodes.append(Node(op, list(inputs), names, attributes))
        return names

    def const(self, values: Any, dtype: Any = np.float32) -> str:
        """Stores a constant."""
        return self.graph.constant(values, dtype)

    def reshape(self, value: str, shape: Sequence[int], output: str = "") -> str:
        """Adds a Reshape to a fixed shape."""
        return self("Reshape", [value, self.const(list(shape), np.int64)], output)


def captured(node: Node) -> set[str]:
    """Names that a node's subgraphs read from around them."""
    names: set[str] = set()
    for attribute in node.attributes.values():
        graphs = attribute if isinstance(attribute, (list, tuple)) else [attribute]
        for graph in graphs:
            if isinstance(graph, onnx.GraphProto):
                names |= _outer_names(graph)
    return names


def rename_captured(node: Node, old: str, new: str) -> None:
    """Renames what a node's subgraphs read from around them."""
    if old not in captured(node):
        return
    for key, attribute in node.attributes.items():
        if isinstance(attribute, onnx.GraphProto):
            copy = onnx.GraphProto()
            copy.CopyFrom(attribute)
            _rename_in(copy, old, new)
            node.attributes[key] = copy


def _rename_in(graph: onnx.GraphProto, old: str, new: str) -> None:
    if old in {value.name for value in graph.input}:
        return
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new
        for attribute in node.attribute:
            if attribute.HasField("g"):
                _rename_in(attribute.g, old, new)
    for value in graph.output:
        if value.name == old:
            value.name = new


def _outer_names(graph: onnx.GraphProto) -> set[str]:
    own = {value.name for value in graph.input} | {t.name for t in graph.initializer}
    read: set[str] = {value.name for value in graph.output}
    for node in graph.node:
        own.update(node.output)
        read.update(node.input)
        for attribute in node.attribute:
            if attribute.HasField("g"):
                read |= _outer_names(attribute.g)
    return {name for name in read - own if name}


def _value(entry: onnx.ValueInfoProto) -> Value:
    kind = entry.type.tensor_type
    dims: list[Dim] = []
    for place, dim in enumerate(kind.shape.dim):
        dims.append(int(dim.dim_value) if dim.dim_value > 0 else dim.dim_param or f"dim_{place}")
    return Value(entry.name, int(kind.elem_type), tuple(dims))


def _attribute(item: AttributeProto) -> Any:
    value = helper.get_attribute_value(item)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    if item.type == AttributeProto.STRINGS:
        return [entry.decode("utf-8", "surrogateescape") for entry in value]
    if isinstance(value, (onnx.TensorProto, onnx.GraphProto, int, float)):
        return value
    values = list(value)
    return values or None


def _constant(entry: onnx.NodeProto) -> Array:
    attribute = entry.attribute[0]
    value = helper.get_attribute_value(attribute)
    if attribute.name == "value":
        return numpy_helper.to_array(value)
    if attribute.name == "sparse_value":
        return _dense(value)
    if attribute.name in ("value_float", "value_floats"):
        return np.asarray(value, np.float32)
    if attribute.name in ("value_int", "value_ints"):
        return np.asarray(value, np.int64)
    raise ModelError(
        "unsupported-dtype",
        f"the constant {entry.output[0]!r} is text",
        hint="turn text into numbers before the model",
    )


def _dense(sparse: onnx.SparseTensorProto) -> Array:
    values = numpy_helper.to_array(sparse.values)
    places = numpy_helper.to_array(sparse.indices)
    shape = tuple(sparse.dims)
    flat = np.zeros(int(np.prod(shape)), values.dtype)
    if places.ndim == 2:
        places = np.ravel_multi_index(tuple(places.T), shape)
    flat[places] = values
    return flat.reshape(shape)
