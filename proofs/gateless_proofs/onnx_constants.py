"""Constants of a graph that are known without running it."""

from __future__ import annotations

import math
from collections.abc import Iterable

import onnx
from onnx import helper, numpy_helper

_SMALL_ELEMENTS = 64


def constants_of(nodes: Iterable[onnx.NodeProto]) -> dict[str, onnx.TensorProto]:
    """What ``Constant`` nodes put out, by name."""
    found: dict[str, onnx.TensorProto] = {}
    for node in nodes:
        if node.op_type != "Constant" or not node.output:
            continue
        for attribute in node.attribute:
            if attribute.HasField("t"):
                found[node.output[0]] = attribute.t
            elif attribute.name == "value_int":
                found[node.output[0]] = helper.make_tensor(
                    "", onnx.TensorProto.INT64, [], [attribute.i]
                )
            elif attribute.name == "value_ints" and len(attribute.ints) <= _SMALL_ELEMENTS:
                found[node.output[0]] = helper.make_tensor(
                    "", onnx.TensorProto.INT64, [len(attribute.ints)], list(attribute.ints)
                )
    return found


def small_integers(tensor: onnx.TensorProto | None) -> list[int] | None:
    """The integers of a small constant, None where it is something else or unknown."""
    if tensor is None or math.prod(tensor.dims) > _SMALL_ELEMENTS:
        return None
    try:
        array = numpy_helper.to_array(tensor)
    except (ValueError, TypeError):
        return None
    return [int(value) for value in array.reshape(-1)] if array.dtype.kind in "iu" else None


def whole_number(tensor: onnx.TensorProto | None) -> int | None:
    """The one integer of a constant."""
    values = small_integers(tensor)
    return values[0] if values is not None and len(values) == 1 else None
