"""Everything in an ONNX file, wherever it hides: graphs, nodes and tensors at any depth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import onnx


def opset_of(model: onnx.ModelProto) -> int:
    """The version of the default operator set."""
    versions = [entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")]
    return int(versions[0]) if versions else 0


def graph_inputs(graph: onnx.GraphProto) -> list[onnx.ValueInfoProto]:
    """Inputs that a caller must give: those that are not initialisers."""
    stored = {tensor.name for tensor in graph.initializer}
    return [value for value in graph.input if value.name not in stored]


def walk_graphs(model: onnx.ModelProto) -> Iterator[onnx.GraphProto]:
    """The main graph and every subgraph, those of functions included."""
    pending = [model.graph]
    for function in model.functions:
        for node in function.node:
            pending.extend(subgraphs(node.attribute))
        pending.extend(subgraphs(function.attribute_proto))
    while pending:
        graph = pending.pop()
        yield graph
        for node in graph.node:
            pending.extend(subgraphs(node.attribute))


def subgraphs(attributes: Iterable[onnx.AttributeProto]) -> Iterator[onnx.GraphProto]:
    """Graphs that attributes hold."""
    for attribute in attributes:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs


def walk_nodes(model: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """Every node of graphs, subgraphs and functions."""
    for graph in walk_graphs(model):
        yield from graph.node
    for function in model.functions:
        yield from function.node


def walk_sparse(model: onnx.ModelProto) -> Iterator[onnx.SparseTensorProto]:
    """Every tensor that is stored by its places."""
    for graph in walk_graphs(model):
        yield from graph.sparse_initializer
    for attribute in _walk_attributes(model):
        yield from attribute.sparse_tensors
        if attribute.HasField("sparse_tensor"):
            yield attribute.sparse_tensor


def walk_tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Every tensor stored in the file: initialisers, parts of sparse ones, attributes."""
    for graph in walk_graphs(model):
        yield from graph.initializer
    for attribute in _walk_attributes(model):
        if attribute.HasField("t"):
            yield attribute.t
        yield from attribute.tensors
    for sparse in walk_sparse(model):
        yield sparse.values
        yield sparse.indices


def _walk_attributes(model: onnx.ModelProto) -> Iterator[onnx.AttributeProto]:
    for node in walk_nodes(model):
        yield from node.attribute
    for function in model.functions:
        yield from function.attribute_proto
