"""What an ONNX file must be before anything else touches it. Runs in the subprocess.

The file is parsed as data only: nothing it names on disk is opened, no shape is inferred before
constants that could ask for absurd memory are weighed. What a model may do is in
:mod:`gateless_proofs.onnx_structure`, what it may take in :mod:`gateless_proofs.onnx_budget`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateless.core.errors import ModelError
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import numpy_helper

from gateless_proofs.onnx_budget import require_budget, too_large
from gateless_proofs.onnx_constants import constants_of, small_integers
from gateless_proofs.onnx_limits import (
    MAX_TENSOR_ELEMENTS,
    MAX_WEIGHT_BYTES,
    require_file_size,
)
from gateless_proofs.onnx_structure import (
    require_bounded_steps,
    require_few_parts,
    require_served_operators,
)
from gateless_proofs.onnx_walk import (
    graph_inputs,
    opset_of,
    walk_graphs,
    walk_nodes,
    walk_sparse,
    walk_tensors,
)
from gateless_proofs.operators import require_known_operators
from gateless_proofs.rewrite import conformance_passes, rewrite

_NUMERIC = frozenset(
    getattr(onnx.TensorProto, name)
    for name in (
        *("FLOAT", "DOUBLE", "FLOAT16", "BOOL"),
        *("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64"),
    )
)


def inspect_model(request: dict[str, Any], _emit: Callable[[str, float], None]) -> dict[str, Any]:
    """Checks a model and describes its inputs and outputs (one inference, batch of 1).

    Raises:
        ModelError: the file cannot be taken; codes are documented in ``docs/errors.md``.
    """
    model = load_checked(Path(request["model"]), for_circuit=request.get("circuit", True))
    symbols: list[str] = []
    inputs = [_describe(value, symbols) for value in graph_inputs(model.graph)]
    if not inputs:
        raise ModelError("no-inputs", "the model has no inputs", hint="export it with its inputs")
    if not model.graph.output:
        raise ModelError("no-outputs", "the model has no outputs", hint="export it again")
    return {
        "inputs": inputs,
        "outputs": [{"name": value.name} for value in model.graph.output],
        "symbols": symbols,
        "opset": opset_of(model),
        "operators": sorted({node.op_type for node in walk_nodes(model)}),
    }


def load_checked(path: Path, *, for_circuit: bool = True) -> onnx.ModelProto:
    """Parses a file and refuses what must not reach ezkl or onnxruntime.

    Args:
        for_circuit: also refuse what onnxruntime can run and no circuit can hold.
    """
    require_file_size(path)
    return parse_checked(path.read_bytes(), for_circuit=for_circuit)


def parse_checked(data: bytes, *, for_circuit: bool) -> onnx.ModelProto:
    """The same for the bytes of a file that is not too large."""
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError as error:
        raise _not_onnx() from error
    if not model.graph.node or not model.opset_import:
        raise _not_onnx()
    require_few_parts(model)
    _refuse_external_data(model)
    _refuse_absurd_sizes(model)
    _refuse_bad_weights(model, finite=for_circuit)
    require_served_operators(model)
    _refuse_invalid(model)
    require_bounded_steps(model)  # before shapes are inferred, which runs through functions
    require_bounded_steps(model, require_budget(model))
    if for_circuit:
        _refuse_unknown_operators(model)
    return model


def _refuse_unknown_operators(model: onnx.ModelProto) -> None:
    """Refuses what no circuit can hold; what a rewriting pass removes does not count."""
    try:
        require_known_operators(model)
    except ModelError:
        require_known_operators(rewrite(model, conformance_passes(model)))


def _not_onnx() -> ModelError:
    return ModelError(
        "not-onnx",
        "the file is not an ONNX model",
        hint="export the model to ONNX (torch.onnx.export, skl2onnx, tf2onnx) and give that file",
    )


def _refuse_external_data(model: onnx.ModelProto) -> None:
    for tensor in walk_tensors(model):
        if tensor.data_location == onnx.TensorProto.EXTERNAL or len(tensor.external_data) > 0:
            raise ModelError(
                "external-data",
                f"tensor {tensor.name!r} lives outside the file",
                hint="save the model with its weights inside (onnx.save with"
                " save_as_external_data=False)",
            )


def _refuse_absurd_sizes(model: onnx.ModelProto) -> None:
    total = 0
    for tensor in walk_tensors(model):
        if any(dim < 0 for dim in tensor.dims):
            raise ModelError("invalid-model", f"tensor {tensor.name!r} has a negative dimension")
        elements = math.prod(tensor.dims)
        if elements > MAX_TENSOR_ELEMENTS:
            raise too_large(f"tensor {tensor.name!r}", elements)
        total += elements * 8
    for sparse in walk_sparse(model):
        # Whoever runs the model writes all of it out.
        if any(dim < 0 for dim in sparse.dims):
            raise ModelError("invalid-model", "a sparse tensor has a negative dimension")
        if math.prod(sparse.dims) > MAX_TENSOR_ELEMENTS:
            raise too_large(f"sparse tensor {sparse.values.name!r}", math.prod(sparse.dims))
    if total > MAX_WEIGHT_BYTES:
        raise ModelError(
            "model-too-large",
            "the model's weights exceed the budget",
            hint="a model of this size fits no circuit",
        )
    for graph in walk_graphs(model):
        _refuse_absurd_constants(graph)
        for value in (*graph.input, *graph.output, *graph.value_info):
            dims = [max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim]
            if math.prod(dims) > MAX_TENSOR_ELEMENTS:
                raise too_large(f"value {value.name!r}", math.prod(dims))


def _refuse_absurd_constants(graph: onnx.GraphProto) -> None:
    """Weighs operators that turn a few bytes of shape into gigabytes."""
    known = {tensor.name: tensor for tensor in graph.initializer} | constants_of(graph.node)
    for node in graph.node:
        values = [small_integers(known.get(name)) for name in node.input]
        if node.op_type in ("ConstantOfShape", "Expand", "Reshape"):
            place = 0 if node.op_type == "ConstantOfShape" else 1
            shape = values[place] if len(values) > place else None
            if shape is not None:
                _weigh(node, math.prod(max(dim, 1) for dim in shape))
        elif node.op_type == "Tile" and len(values) > 1 and values[1] is not None:
            _weigh(node, math.prod(max(factor, 1) for factor in values[1]))
        elif node.op_type == "Pad" and len(values) > 1 and values[1] is not None:
            _weigh(node, max((abs(pad) for pad in values[1]), default=0))
        elif node.op_type == "Range" and len(values) == 3 and None not in values:
            start, limit, step = (value[0] if value else 0 for value in values if value is not None)
            _weigh(node, abs(limit - start) // max(abs(step), 1))


def _weigh(node: onnx.NodeProto, elements: int) -> None:
    if elements > MAX_TENSOR_ELEMENTS:
        raise too_large(f"the output of {node.op_type} {node.name!r}", elements)


def _refuse_bad_weights(model: onnx.ModelProto, *, finite: bool) -> None:
    for tensor in walk_tensors(model):
        try:
            array = numpy_helper.to_array(tensor)
        except (ValueError, TypeError) as error:
            raise ModelError(
                "invalid-model",
                f"tensor {tensor.name!r} does not hold what its shape says",
                hint="export the model again",
            ) from error
        if finite and array.dtype.kind == "f" and not np.isfinite(array).all():
            # -inf is how exporters spell "no lower limit"; no circuit can carry it either.
            raise ModelError(
                "weights-not-finite",
                f"tensor {tensor.name!r} holds NaN or an infinity",
                hint="a circuit would silently read NaN as 0: repair the weights and export again",
            )


def _refuse_invalid(model: onnx.ModelProto) -> None:
    try:
        onnx.checker.check_model(model, full_check=False)
    except onnx.checker.ValidationError as error:
        raise ModelError(
            "invalid-model",
            f"the model breaks the ONNX specification: {str(error).splitlines()[0]}",
            hint="export the model again with a current exporter",
        ) from error


def _describe(value: onnx.ValueInfoProto, symbols: list[str]) -> dict[str, Any]:
    """Name, type and shape of an input, the leading dimension bound to 1."""
    kind = value.type.tensor_type
    if not value.type.HasField("tensor_type") or kind.elem_type not in _NUMERIC:
        raise ModelError(
            "unsupported-dtype",
            f"input {value.name!r} is not a tensor of numbers",
            hint="convert text and maps to numbers before the model",
        )
    if not kind.HasField("shape"):
        raise ModelError(
            "unbound-dimension",
            f"input {value.name!r} has no shape",
            hint="export the model with static shapes",
        )
    shape: list[int] = []
    unbound: list[str] = []
    for place, dim in enumerate(kind.shape.dim):
        if dim.dim_value > 0:
            shape.append(int(dim.dim_value))
        elif place == 0:
            shape.append(1)
            if dim.dim_param and dim.dim_param not in symbols:
                symbols.append(dim.dim_param)
        else:
            unbound.append(dim.dim_param or f"dimension {place}")
    if unbound:
        raise ModelError(
            "unbound-dimension",
            f"input {value.name!r} leaves {', '.join(unbound)} open; only the leading dimension may"
            " be symbolic",
            hint="export the model with these dimensions fixed",
            dimensions=unbound,
        )
    return {
        "name": value.name,
        "shape": shape,
        "dtype": onnx.TensorProto.DataType.Name(kind.elem_type),
    }
