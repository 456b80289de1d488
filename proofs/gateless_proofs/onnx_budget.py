"""How much memory the values inside a model take: shape times type, before anything is run.

Shapes come from ONNX's own inference, which also multiplies constants; the shapes that the file
states for its inner values are not believed. A shape that depends on the input's values stays
unknown: what such a model takes is left to the limits of the process.
"""

from __future__ import annotations

import math

import numpy as np
import onnx
from gateless.core.errors import ModelError
from onnx import helper, shape_inference

from gateless_proofs.onnx_limits import MAX_TENSOR_ELEMENTS, MAX_VALUES_BYTES
from gateless_proofs.onnx_walk import graph_inputs, walk_graphs, walk_tensors

#: tensors of so many elements may be shapes; larger ones are not needed to infer any
_SHAPE_ELEMENTS = 1024
#: of text, for which numpy has no fixed size
_LARGEST_ITEM_BYTES = 64

_LONG_ROW = 1 << 16

Shape = tuple[int | None, ...]


def too_large(what: str, elements: int) -> ModelError:
    """``tensor-too-large``."""
    return ModelError(
        "tensor-too-large",
        f"{what} has {elements} elements, at most {MAX_TENSOR_ELEMENTS} are taken",
        hint="a tensor of this size fits no circuit",
    )


def require_budget(model: onnx.ModelProto) -> dict[str, Shape]:
    """Refuses models whose values are too large, each or all together; for one inference.

    Returns:
        the shapes of the main graph's values, as far as they are known.

    Raises:
        ModelError: ``tensor-too-large``, ``model-too-large``, ``invalid-model``.
    """
    graph = _inferred(model)
    shapes: dict[str, Shape] = {}
    total = 0
    for value in (*graph.input, *graph.value_info, *graph.output):
        kind = value.type.tensor_type
        if not value.type.HasField("tensor_type") or not kind.HasField("shape"):
            continue
        shape = tuple(d.dim_value if d.HasField("dim_value") else None for d in kind.shape.dim)
        if any(dim is not None and dim < 0 for dim in shape):
            raise ModelError("invalid-model", f"value {value.name!r} has a negative dimension")
        shapes[value.name] = shape
        elements = math.prod(1 if dim is None else dim for dim in shape)
        if elements > MAX_TENSOR_ELEMENTS:
            raise too_large(f"value {value.name!r}", elements)
        total += elements * _item_bytes(kind.elem_type)
    if total > MAX_VALUES_BYTES:
        raise ModelError(
            "model-too-large",
            f"the values inside the model take {total} bytes, at most {MAX_VALUES_BYTES} are taken",
            hint="export a smaller model",
        )
    return shapes


def _inferred(model: onnx.ModelProto) -> onnx.GraphProto:
    """The main graph with what can be known of its shapes, the leading dimension bound to 1."""
    light = onnx.ModelProto()
    light.CopyFrom(model)
    for tensor in walk_tensors(light):
        if math.prod(tensor.dims) > _SHAPE_ELEMENTS:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(field)
    for graph in walk_graphs(light):
        del graph.value_info[:]
    for value in graph_inputs(light.graph):
        for place, dim in enumerate(value.type.tensor_type.shape.dim):
            if place == 0 and dim.dim_value <= 0:
                dim.dim_value = 1
    for value in light.graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")
    plain = _infer(light, multiply=False)
    if any(_is_long_row(value) for value in (*plain.graph.input, *plain.graph.value_info)):
        return plain.graph
    return _infer(light, multiply=True).graph


def _infer(model: onnx.ModelProto, *, multiply: bool) -> onnx.ModelProto:
    """Shapes that follow from the operators, and from what constants come to where they are
    multiplied on."""
    try:
        return shape_inference.infer_shapes(model, strict_mode=False, data_prop=multiply)
    except (shape_inference.InferenceError, ValueError):
        return model  # what is wrong with it is said by the checker or onnxruntime
    except MemoryError as error:
        raise ModelError(
            "tensor-too-large",
            "a value that is computed from constants is larger than the memory",
            hint="a tensor of this size fits no circuit",
        ) from error


def _is_long_row(value: onnx.ValueInfoProto) -> bool:
    """Whether inference would take a tensor for a shape of very many dimensions: in sums and
    products it keeps each element of each row apart."""
    dims = value.type.tensor_type.shape.dim
    return len(dims) == 1 and dims[0].dim_value > _LONG_ROW


def _item_bytes(kind: int) -> int:
    try:
        dtype = np.dtype(helper.tensor_dtype_to_np_dtype(kind))
    except (KeyError, TypeError, ValueError):
        return _LARGEST_ITEM_BYTES
    return _LARGEST_ITEM_BYTES if dtype.kind == "O" else dtype.itemsize
