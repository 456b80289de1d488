"""Whether outputs repeat is measured; models that truly do not are found out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from eth_utils.crypto import keccak
from gateless.core.errors import GatelessError, ModelError
from gateless.core.execution import Execution
from gateless_proofs.repeating import (
    SAMPLES,
    VARIATIONS,
    measure_repetition,
    repetition_of_circuit,
)
from gateless_proofs.runtime import RECORDED, instruction_sets, runtime_text
from onnx import TensorProto, helper
from proof_fixtures import LIMITS, Built, normal
from tiny_models import dense, floats, save

REQUIRED = [variation.what for variation in VARIATIONS if variation.required]


async def measured(model: Path, folder: Path, rows: int = 5, width: int = 4) -> Execution:
    samples = folder / "samples.npz"
    np.savez(samples, input0=normal(rows, 1, width))
    return (await measure_repetition(model, samples, LIMITS, circuit=False)).execution


def random_model(path: Path, operator: str, **attributes: object) -> Path:
    """``y = x + noise``: an operator that draws numbers."""
    shape = {"shape": [1, 4]} if not operator.endswith("Like") else {}
    inputs = ["x"] if operator.endswith("Like") else []
    nodes = [
        helper.make_node(operator, inputs, ["noise"], **shape, **attributes),
        helper.make_node("Add", ["x", "noise"], ["y"]),
    ]
    return save(path, nodes, [floats("x", 1, 4)], [floats("y", 1, 4)])


async def test_a_plain_network_repeats(tmp_path: Path) -> None:
    execution = await measured(dense(tmp_path / "m.onnx", [4, 16, 3]), tmp_path)
    assert execution.repeatable
    assert execution.differing() == ()
    assert execution.samples == 5
    assert [check.what for check in execution.checks] == [entry.what for entry in VARIATIONS]


async def test_no_more_samples_are_run_than_needed(tmp_path: Path) -> None:
    model = dense(tmp_path / "m.onnx", [4, 3])
    assert (await measured(model, tmp_path, rows=40)).samples == SAMPLES


@pytest.mark.parametrize("operator", ["RandomNormal", "RandomUniformLike"])
async def test_a_model_that_draws_numbers_does_not_repeat(tmp_path: Path, operator: str) -> None:
    execution = await measured(random_model(tmp_path / "m.onnx", operator), tmp_path)
    assert not execution.repeatable
    assert list(execution.differing()) == REQUIRED


async def test_a_seed_repeats_between_processes_but_not_within_one(tmp_path: Path) -> None:
    """The generator's state survives an inference: the answer depends on what was asked before."""
    model = random_model(tmp_path / "m.onnx", "RandomNormal", seed=7.0)
    execution = await measured(model, tmp_path)
    assert not execution.repeatable
    assert execution.differing() == (VARIATIONS[0].what,)


async def test_an_output_of_no_fixed_shape_is_refused(tmp_path: Path) -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["y"])]
    found = helper.make_tensor_value_info("y", TensorProto.INT64, ["rank", "count"])
    model = save(tmp_path / "m.onnx", nodes, [floats("x", 1, 4)], [found])
    samples = tmp_path / "samples.npz"
    np.savez(samples, input0=np.array([[[0.0, 1, 0, 0]], [[1.0, 1, 0, 0]]]))
    with pytest.raises(ModelError) as caught:
        await measure_repetition(model, samples, LIMITS, circuit=False)
    assert caught.value.code == "unbound-dimension"


async def test_what_onnxruntime_refuses_is_no_finding(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "w"], ["y"])  # of two types
    weights = {"w": np.array([1, 2, 3, 4])}
    model = save(tmp_path / "m.onnx", [node], [floats("x", 1, 4)], [floats("y", 1, 4)], weights)
    with pytest.raises(GatelessError) as caught:
        await measured(model, tmp_path)
    assert caught.value.code == "onnxruntime-refused"


async def test_outputs_are_described(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("ArgMax", ["x"], ["label"], axis=1, keepdims=0),
        helper.make_node("Identity", ["x"], ["scores"]),
    ]
    label = helper.make_tensor_value_info("label", TensorProto.INT64, [1])
    model = save(tmp_path / "m.onnx", nodes, [floats("x", 1, 4)], [label, floats("scores", 1, 4)])
    samples = tmp_path / "samples.npz"
    np.savez(samples, input0=normal(3, 1, 4))
    found = await measure_repetition(model, samples, LIMITS, circuit=False)
    assert found.outputs == (
        {"name": "label", "dtype": "INT64", "shape": [1]},
        {"name": "scores", "dtype": "FLOAT", "shape": [1, 4]},
    )


def test_the_manifest_of_a_circuit_counts_its_outputs_too(mlp: Built) -> None:
    execution = mlp.bundle.manifest.execution
    assert execution.repeatable
    assert execution.checks[-1].what == "the circuit's outputs, in another process"
    assert execution.runtime == runtime_text(circuit=True)
    assert execution.runtime_class == keccak(text=execution.runtime)
    assert execution.runtime in (mlp.bundle.root / "README.md").read_text()


async def test_a_circuits_outputs_are_compared(mlp: Built) -> None:
    folder = mlp.bundle.root
    before = mlp.bundle.manifest.execution
    spec = mlp.bundle.schema.inputs[0]
    built = {"folder": str(folder), "samples": [[[1, 2, 3, 4]], [[spec.maximum] * 4]]}
    execution = await repetition_of_circuit(before, built, LIMITS)
    assert execution.checks[-1].same
    assert len(execution.checks) == len(before.checks) + 1


def test_nothing_was_tried_nothing_is_repeatable() -> None:
    assert not Execution(runtime="none", samples=1, checks=()).repeatable


def test_the_runtime_class_names_what_outputs_depend_on() -> None:
    import onnxruntime

    text = runtime_text(circuit=False)
    assert f"onnxruntime {onnxruntime.__version__}" in text
    assert RECORDED.text() in text
    assert "threads=1" in text
    assert "ezkl" not in text
    assert "ezkl" in runtime_text(circuit=True)


def test_the_recorded_options_are_the_ones_that_are_set() -> None:
    import onnxruntime

    options = RECORDED.session_options()
    assert options.intra_op_num_threads == options.inter_op_num_threads == 1
    assert options.use_deterministic_compute
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    assert options.graph_optimization_level == onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC


def test_instruction_sets_are_those_of_every_core(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(
        "processor\t: 0\nflags\t\t: fpu sse4_1 avx2 avx fma avx512f\n\n"
        "processor\t: 1\nflags\t\t: fpu sse4_1 avx2 avx fma\n"
    )
    assert instruction_sets(cpuinfo) == ["avx", "avx2", "fma", "sse4_1"]
    cpuinfo.write_text("Features\t: fp asimd asimddp crc32\n")
    assert instruction_sets(cpuinfo) == ["asimd", "asimddp"]
    assert instruction_sets(tmp_path / "absent") == []


def test_the_models_of_these_tests_are_valid(tmp_path: Path) -> None:
    for operator in ("RandomNormal", "RandomUniformLike"):
        onnx.checker.check_model(onnx.load(random_model(tmp_path / "m.onnx", operator)))
