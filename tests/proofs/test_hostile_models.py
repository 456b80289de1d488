"""Hostile models meet a clear refusal or a limit, whichever way they come, and the work goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from gateless.core.errors import GatelessError, ModelError, SandboxError
from gateless_proofs import KeyCache
from gateless_proofs.backend import Task
from gateless_proofs.onnx_checks import load_checked
from gateless_proofs.pool import ProvingPool
from gateless_proofs.process import WorkerProcess
from gateless_proofs.prover import Prover
from gateless_proofs.sandbox import Limits, exchange, run_worker
from hostile_models import REFUSED, nested
from onnx import helper, numpy_helper
from proof_fixtures import LIMITS, Built
from tiny_models import endless, floats, hidden_bomb, one_node, run_of, save, slow

SMALL = Limits(memory_bytes=2 << 30, seconds=60, threads=1)
ROW = {"name": "x", "shape": [1, 4], "dtype": "FLOAT"}


@pytest.mark.parametrize("name", REFUSED)
async def test_refused_before_it_is_run(name: str, tmp_path: Path) -> None:
    make, code = REFUSED[name]
    path = make(tmp_path / "model.onnx")
    process = await WorkerProcess.start(ceiling_bytes=SMALL.memory_bytes, threads=1)
    try:
        for circuit in (False, True):
            request = {"model": str(path), "circuit": circuit}
            answer = await exchange(process, "inspect", request, limits=SMALL)
            assert answer.error is not None
            assert answer.error["code"] == code, answer.error
            assert answer.error["hint"] or code == "invalid-model"
            assert not answer.spent
    finally:
        await process.kill()


@pytest.mark.parametrize("name", ["expand", "endless-loop", "external-above", "vendor-operator"])
async def test_every_way_to_run_a_model_refuses_it(name: str, tmp_path: Path) -> None:
    make, code = REFUSED[name]
    (tmp_path / "secret").write_bytes(np.ones((4, 4), np.float32).tobytes())
    (tmp_path / "bundle").mkdir()
    path = make(tmp_path / "bundle" / "model.onnx")
    raw = {"model": str(path), "inputs": [ROW], "input": bytes(16).hex()}
    np.savez(tmp_path / "samples.npz", input0=np.zeros((8, 1, 4)), allow_pickle=False)
    again = {"model": str(path), "samples": str(tmp_path / "samples.npz")}
    for operation, request in (
        ("inspect", {"model": str(path), "circuit": False}),
        ("reference", run_of(path)),
        ("run_raw", raw),
        ("repeat", again),
    ):
        with pytest.raises(ModelError) as caught:
            await run_worker(operation, request, limits=SMALL)
        assert caught.value.code == code, operation


async def test_memory_that_depends_on_the_input_meets_the_limit(tmp_path: Path) -> None:
    path = hidden_bomb(tmp_path / "model.onnx")
    load_checked(path, for_circuit=False)  # nothing shows what it will do
    request = {"model": str(path), "shapes": [[1]], "samples": [[[1.0]]]}
    with pytest.raises(SandboxError) as caught:
        await run_worker("reference", request, limits=SMALL)
    assert caught.value.code == "memory-limit"


async def test_time_that_no_check_sees_meets_the_limit(tmp_path: Path) -> None:
    path = slow(tmp_path / "model.onnx")
    load_checked(path, for_circuit=False)
    limits = Limits(memory_bytes=2 << 30, seconds=2, threads=1)
    with pytest.raises(SandboxError) as caught:
        await run_worker("reference", run_of(path), limits=limits)
    assert caught.value.code == "time-limit"


@pytest.mark.parametrize("value", [np.nan, np.inf])
async def test_weights_that_are_no_numbers_reach_no_circuit(value: float, tmp_path: Path) -> None:
    weight = np.full((4, 4), value, np.float32)
    path = one_node(tmp_path / "model.onnx", "MatMul", weights={"w": weight})
    with pytest.raises(ModelError) as caught:
        await run_worker("inspect", {"model": str(path)}, limits=SMALL)
    assert caught.value.code == "weights-not-finite"
    # without a circuit they are the model's own business: masks are spelt with infinities
    answer = await run_worker("reference", run_of(path), limits=SMALL)
    assert not np.isfinite(answer["outputs"][0][0]["values"]).any()


async def test_samples_are_never_unpickled(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "pwned",))

    np.savez(tmp_path / "samples.npz", input0=np.array([Evil()], dtype=object))
    path = one_node(tmp_path / "model.onnx", "Relu")
    request = {"model": str(path), "samples": str(tmp_path / "samples.npz")}
    with pytest.raises(SandboxError, match="allow_pickle=False"):
        await run_worker("repeat", request, limits=SMALL)
    assert not (tmp_path / "pwned").exists()


def test_ordinary_loops_branches_and_functions_are_taken(tmp_path: Path) -> None:
    path = endless(tmp_path / "loop.onnx")
    model = onnx.load(path)
    times = next(tensor for tensor in model.graph.initializer if tensor.name == "times")
    times.CopyFrom(numpy_helper.from_array(np.array(10), "times"))
    path.write_bytes(model.SerializeToString())
    load_checked(path, for_circuit=False)
    load_checked(nested(tmp_path / "nested.onnx", 10), for_circuit=False)
    one_node(path, "Own", domain="own")
    model = onnx.load(path)
    model.opset_import.append(helper.make_opsetid("own", 1))
    body = [helper.make_node("Relu", ["x"], ["y"])]
    imports = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("own", "Own", ["x"], ["y"], body, imports))
    path.write_bytes(model.SerializeToString())
    load_checked(path, for_circuit=False)


async def test_a_scan_goes_through_what_it_is_given(tmp_path: Path) -> None:
    body = helper.make_graph(
        [helper.make_node("Add", ["sum", "part"], ["more"])],
        "body",
        [floats("sum"), floats("part")],
        [floats("more")],
    )
    nodes = [
        helper.make_node("Reshape", ["x", "flat"], ["row"]),
        helper.make_node("Scan", ["zero", "row"], ["y"], body=body, num_scan_inputs=1),
    ]
    constants = {"flat": np.array([4]), "zero": np.array(0, np.float32)}
    path = save(tmp_path / "scan.onnx", nodes, [floats("x", 1, 4)], [floats("y")], constants)
    load_checked(path, for_circuit=False)
    constants["flat"] = np.array([1 << 24])
    longer = [helper.make_node("Expand", ["x", "flat"], ["wide"]), *nodes]
    longer[1].input[0] = "wide"
    path = save(tmp_path / "long.onnx", longer, [floats("x", 1, 1)], [floats("y")], constants)
    with pytest.raises(ModelError) as caught:
        load_checked(path, for_circuit=False)
    assert caught.value.code == "model-too-complex"


async def test_work_goes_on_beside_hostile_models(
    mlp: Built, cache: KeyCache, tmp_path: Path
) -> None:
    hostile = {
        "bomb": hidden_bomb(tmp_path / "bomb.onnx"),
        "slow": slow(tmp_path / "slow.onnx"),
        "endless": endless(tmp_path / "endless.onnx"),
        "external": REFUSED["external-above"][0](tmp_path / "external.onnx"),
    }
    async with ProvingPool(6 << 30, 5, cores=2, shared=(cache.root,)) as pool:
        prover = Prover(cache, LIMITS, pool)
        packed = mlp.packed(mlp.samples[0])
        expected = (await prover.witness(mlp.bundle, packed)).packed_output

        async def attack(name: str, shape: list[int]) -> str:
            task = Task(name, "reference", "model", files={"model": hostile[name]})
            with pytest.raises(GatelessError) as caught:
                await pool.run(task, {"shapes": [shape], "samples": [[[1.0] * shape[-1]]]})
            return caught.value.code

        codes, proof = await asyncio.gather(
            asyncio.gather(
                attack("bomb", [1]),
                attack("slow", [1, 4]),
                attack("endless", [1, 4]),
                attack("external", [1, 4]),
            ),
            prover.prove(mlp.bundle, packed),
        )
        assert codes == ["memory-limit", "time-limit", "model-too-complex", "external-data"]
        assert proof.packed_output == expected
        assert (await prover.witness(mlp.bundle, packed)).packed_output == expected
