from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from gateless.core.errors import ModelError, SandboxError
from gateless_proofs.sandbox import Limits, run_worker
from onnx import TensorProto, helper, numpy_helper
from proof_fixtures import LIMITS
from tiny_models import bomb, dense, floats, hidden_bomb, one_node, save


async def inspect(model: Path) -> dict[str, Any]:
    return await run_worker("inspect", {"model": str(model)}, limits=LIMITS)


async def refusal(model: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await inspect(model)
    assert caught.value.hint or caught.value.code == "invalid-model"
    return caught.value


def external(name: str = "w") -> onnx.TensorProto:
    tensor = numpy_helper.from_array(np.ones((4, 4), np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"
    return tensor


def external_weight(path: Path) -> Path:
    return one_node(path, "MatMul", weights={"w": external()})


def external_attribute(path: Path) -> Path:
    nodes = [
        helper.make_node("Constant", [], ["w"], value=external()),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, 4)])


def external_in_subgraph(path: Path) -> Path:
    branch = helper.make_graph([], "branch", [], [floats("w", 4, 4)], [external()])
    node = helper.make_node("If", ["c"], ["y"], then_branch=branch, else_branch=branch)
    return save(
        path,
        [node],
        [floats("x", 1, 4)],
        [floats("y", 4, 4)],
        {"c": np.array([True])},
    )


def external_in_nested_subgraph(path: Path) -> Path:
    inner = helper.make_graph([], "inner", [], [floats("w", 4, 4)], [external()])
    nested = helper.make_node("If", ["c"], ["z"], then_branch=inner, else_branch=inner)
    outer = helper.make_graph([nested], "outer", [], [floats("z", 4, 4)])
    node = helper.make_node("If", ["c"], ["y"], then_branch=outer, else_branch=outer)
    weights = {"c": np.array([True])}
    return save(path, [node], [floats("x", 1, 4)], [floats("y", 4, 4)], weights)


def external_in_function(path: Path) -> Path:
    one_node(path, "Hidden", domain="own")
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("own", 1))
    body = [
        helper.make_node("Constant", [], ["w"], value=external()),
        helper.make_node("MatMul", ["x", "w"], ["y"]),
    ]
    model.functions.append(
        helper.make_function("own", "Hidden", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    )
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize(
    "make",
    [
        external_weight,
        external_attribute,
        external_in_subgraph,
        external_in_nested_subgraph,
        external_in_function,
    ],
)
async def test_external_data_is_refused_wherever_it_hides(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    error = await refusal(make(tmp_path / "model.onnx"))
    assert error.code == "external-data"


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"\x00" * 64, b"\x08\x08" * 9],
    ids=["empty", "text", "zeros", "ints"],
)
async def test_other_files_are_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert (await refusal(path)).code == "not-onnx"


async def test_truncated_model_is_refused(tmp_path: Path) -> None:
    path = dense(tmp_path / "mlp.onnx", [4, 3])
    path.write_bytes(path.read_bytes()[:-20])
    assert (await refusal(path)).code in ("not-onnx", "invalid-model")


async def test_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge.onnx"
    with path.open("wb") as stream:
        stream.truncate(300 << 20)  # sparse: takes no disk
    assert (await refusal(path)).code == "model-too-large"


async def test_hundred_bytes_that_ask_for_gigabytes(tmp_path: Path) -> None:
    path = bomb(tmp_path / "bomb.onnx")
    assert path.stat().st_size < 130
    assert (await refusal(path)).code == "tensor-too-large"


async def test_what_no_check_sees_meets_the_memory_limit(tmp_path: Path) -> None:
    path = hidden_bomb(tmp_path / "bomb.onnx")
    with pytest.raises(SandboxError) as caught:
        await run_worker(
            "reference",
            {"model": str(path), "shapes": [[1]], "samples": [[[1.0]]]},
            limits=Limits(memory_bytes=1 << 30, seconds=60),
        )
    assert caught.value.code == "memory-limit"
    assert caught.value.hint


def constant_shape(operator: str, weights: dict[str, Any]) -> Callable[[Path], Path]:
    return lambda path: one_node(path, operator, weights=weights)


@pytest.mark.parametrize(
    "make",
    [
        constant_shape("Expand", {"s": np.array([1 << 20, 1 << 20])}),
        constant_shape("Tile", {"s": np.array([1 << 16, 1 << 16])}),
        constant_shape("Pad", {"s": np.array([0, 1 << 40, 0, 0])}),
        lambda path: save(
            path,
            [helper.make_node("Relu", ["x"], ["y"])],
            [floats("x", 1, 1 << 40)],
            [floats("y", 1, 1 << 40)],
        ),
    ],
    ids=["expand", "tile", "pad", "input"],
)
async def test_absurd_sizes_are_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    assert (await refusal(make(tmp_path / "model.onnx"))).code == "tensor-too-large"


async def test_weight_that_only_claims_to_be_huge(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "w")
    tensor.dims[:] = [1 << 30, 1 << 30]
    path = one_node(tmp_path / "model.onnx", "MatMul", weights={"w": tensor})
    assert (await refusal(path)).code == "tensor-too-large"
    tensor.dims[:] = [4, 4]
    path = one_node(tmp_path / "model.onnx", "MatMul", weights={"w": tensor})
    assert (await refusal(path)).code == "invalid-model"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
async def test_weights_must_be_finite(tmp_path: Path, value: float) -> None:
    weight = np.ones((4, 4), np.float32)
    weight[2, 1] = value
    path = one_node(tmp_path / "model.onnx", "MatMul", weights={"w": weight})
    error = await refusal(path)
    assert error.code == "weights-not-finite"
    assert "'w'" in error.message


@pytest.mark.parametrize("operator", ["NonZero", "Unique", "RandomNormalLike"])
async def test_unsupported_operator_is_named(tmp_path: Path, operator: str) -> None:
    error = await refusal(one_node(tmp_path / "model.onnx", operator))
    assert error.code == "unsupported-operator"
    assert error.context["operator"] == operator
    assert operator in error.message


@pytest.mark.parametrize(
    ("operator", "opset"), [("Mish", 18), ("Gelu", 20), ("DynamicQuantizeLinear", 17)]
)
async def test_operators_that_a_pass_removes_are_taken(
    tmp_path: Path, operator: str, opset: int
) -> None:
    path = one_node(tmp_path / "model.onnx", operator, opset=opset)
    if operator == "DynamicQuantizeLinear":
        model = onnx.load(path)
        model.graph.node[0].output.extend(["scale", "zero"])
        model.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
        path.write_bytes(model.SerializeToString())
    assert (await inspect(path))["operators"] == [operator]


async def test_convolution_needs_no_strides(tmp_path: Path) -> None:
    weights = {"w": np.ones((1, 1, 2, 2), np.float32)}
    path = tmp_path / "model.onnx"
    one_node(path, "Conv", shape=(1, 1, 4, 4), weights=weights)
    assert (await inspect(path))["operators"] == ["Conv"]
    one_node(path, "Conv", shape=(1, 1, 4, 4), weights=weights, dilations=[2, 2])
    assert (await inspect(path))["operators"] == ["Conv"]


def branch(path: Path, condition: onnx.TensorProto | None) -> Path:
    """An If on a constant, or on the input."""
    graphs = [
        helper.make_graph([helper.make_node(op, ["x"], ["z"])], op, [], [floats("z", 1, 4)])
        for op in ("Relu", "Tanh")
    ]
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["s"], keepdims=0),
        helper.make_node("Greater", ["s", "zero"], ["computed"]),
        helper.make_node(
            "If",
            ["computed" if condition is None else "c"],
            ["y"],
            then_branch=graphs[0],
            else_branch=graphs[1],
        ),
    ]
    constants = {"c": np.array(True), "zero": np.array(0.0, np.float32)}
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, 4)], constants)


async def test_branches_on_constants_are_taken(tmp_path: Path) -> None:
    constant = numpy_helper.from_array(np.array(True), "c")
    assert "If" in (await inspect(branch(tmp_path / "fixed.onnx", constant)))["operators"]
    error = await refusal(branch(tmp_path / "open.onnx", None))
    assert error.code == "unsupported-operator"
    assert error.context["operator"] == "If"


async def test_leading_dimension_is_bound_to_one(tmp_path: Path) -> None:
    facts = await inspect(one_node(tmp_path / "model.onnx", "Relu", shape=("batch", 3)))
    assert facts["inputs"] == [{"name": "x", "shape": [1, 3], "dtype": "FLOAT"}]
    assert facts["symbols"] == ["batch"]


async def test_other_symbolic_dimensions_are_named(tmp_path: Path) -> None:
    path = one_node(tmp_path / "model.onnx", "Relu", shape=("batch", "length", "width"))
    error = await refusal(path)
    assert error.code == "unbound-dimension"
    assert error.context["dimensions"] == ["length", "width"]
    assert "length, width" in error.message


async def test_text_input_is_refused(tmp_path: Path) -> None:
    text = helper.make_tensor_value_info("x", TensorProto.STRING, [1, 4])
    node = helper.make_node("Identity", ["x"], ["y"])
    out = helper.make_tensor_value_info("y", TensorProto.STRING, [1, 4])
    error = await refusal(save(tmp_path / "model.onnx", [node], [text], [out]))
    assert error.code == "unsupported-dtype"
