"""Workers that are kept: what is reused, what is replaced, and that nothing is shared."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gateless.core.errors import SandboxError
from gateless_proofs import KeyCache
from gateless_proofs.process import WorkerDied, WorkerProcess
from gateless_proofs.sandbox import Limits
from gateless_proofs.warm import MAX_JOBS, WarmWorkers
from patience import PATIENCE_SECONDS
from proof_fixtures import Built, eventually
from tiny_models import run_of, slow

GIB = 1 << 30
LIMITS = Limits(memory_bytes=2 * GIB, seconds=120, threads=1)


@pytest.fixture
async def workers(cache: KeyCache) -> AsyncIterator[WarmWorkers]:
    async with WarmWorkers(3 * GIB, keep=3, shared=(cache.root,)) as warm:
        yield warm
    assert warm.pids == frozenset()


def witness_of(built: Built) -> dict[str, Any]:
    return {
        "compiled": str(built.bundle.compiled()),
        "settings": str(built.bundle.settings()),
        "inputs": [[1, 2, 3, 4]],
    }


async def proof_of(built: Built, cache: KeyCache) -> dict[str, Any]:
    key = await cache.proving_key(built.bundle)
    srs = await cache.srs("development", built.bundle.circuit().logrows)
    return witness_of(built) | {
        "proving_key": str(key),
        "verifying_key": str(key.with_name("vk.key")),
        "srs": str(srs),
    }


def running(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


async def pid_of_next(warm: WarmWorkers, domain: str, built: Built) -> int:
    """The process that does a job of a domain, and is kept after it."""
    answer = await warm.run(domain, "witness", witness_of(built), limits=LIMITS)
    assert answer.result is not None
    [pid] = [entry.process.pid for entry in warm._idle if entry.domain == domain]
    return pid


async def test_a_process_is_used_again_for_its_own_domain_only(
    workers: WarmWorkers, mlp: Built
) -> None:
    first = await pid_of_next(workers, "one", mlp)
    assert await pid_of_next(workers, "one", mlp) == first
    other = await pid_of_next(workers, "two", mlp)
    assert other != first
    assert await pid_of_next(workers, "one", mlp) == first
    assert await pid_of_next(workers, "two", mlp) == other


async def test_results_of_a_used_process_are_those_of_a_fresh_one(
    workers: WarmWorkers, mlp: Built
) -> None:
    request = witness_of(mlp)
    answers = [await workers.run("one", "witness", request, limits=LIMITS) for _ in range(3)]
    outputs = [answer.result["outputs"] for answer in answers if answer.result is not None]
    assert len(outputs) == 3
    assert outputs[0] == outputs[1] == outputs[2]


async def test_a_panic_replaces_the_process(workers: WarmWorkers, mlp: Built) -> None:
    first = await pid_of_next(workers, "one", mlp)
    # ezkl panics over the missing input: a refusal for the caller, the end for the process.
    answer = await workers.run("one", "witness", witness_of(mlp) | {"inputs": []}, limits=LIMITS)
    assert answer.spent
    assert answer.error is not None
    assert answer.error["code"] == "input-not-provable"
    assert not running(first)
    assert await pid_of_next(workers, "one", mlp) != first


async def test_a_refusal_without_a_panic_does_not(workers: WarmWorkers, mlp: Built) -> None:
    first = await pid_of_next(workers, "one", mlp)
    absent = {"model": str(mlp.bundle.root / "README.md"), "shapes": [], "samples": []}
    answer = await workers.run("one", "reference", absent, limits=LIMITS)
    assert answer.error is not None
    assert answer.error["code"] == "not-onnx"
    assert await pid_of_next(workers, "one", mlp) == first


async def test_limits_replace_the_process(
    workers: WarmWorkers, mlp: Built, cache: KeyCache
) -> None:
    first = await pid_of_next(workers, "one", mlp)
    request = run_of(slow(mlp.bundle.root / "slow.onnx"))
    with pytest.raises(SandboxError) as caught:
        limits = Limits(memory_bytes=2 * GIB, seconds=0.3, threads=1)
        await workers.run("one", "reference", request, limits=limits)
    assert caught.value.code == "time-limit"
    assert not running(first)
    second = await pid_of_next(workers, "one", mlp)
    # Far less address space than it has already.
    limits = Limits(memory_bytes=32 << 20, seconds=60, threads=1)
    with suppress(SandboxError):
        answer = await workers.run("one", "prove", await proof_of(mlp, cache), limits=limits)
        assert answer.spent
    assert not running(second)
    # The next one has the memory that its own limits say.
    assert await pid_of_next(workers, "one", mlp) != second


async def test_a_killed_process_is_replaced(workers: WarmWorkers, mlp: Built) -> None:
    first = await pid_of_next(workers, "one", mlp)
    os.kill(first, signal.SIGKILL)
    await eventually("it is dead", lambda: not running(first))
    second = await pid_of_next(workers, "one", mlp)
    assert second != first


async def test_cancelling_a_job_kills_its_process(workers: WarmWorkers, mlp: Built) -> None:
    request = run_of(slow(mlp.bundle.root / "slow.onnx"))
    task = asyncio.ensure_future(workers.run("one", "reference", request, limits=LIMITS))
    await eventually("the job runs", lambda: bool(workers._busy))
    [process] = workers._busy
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not running(process.pid)
    assert process.pid not in workers.pids


async def test_processes_retire(workers: WarmWorkers, mlp: Built) -> None:
    first = await pid_of_next(workers, "one", mlp)
    [entry] = workers._idle
    entry.process._jobs = MAX_JOBS - 1
    await workers.run("one", "witness", witness_of(mlp), limits=LIMITS)
    assert not running(first)
    assert workers._idle == []


async def test_no_more_are_kept_than_agreed(workers: WarmWorkers, mlp: Built) -> None:
    pids = [await pid_of_next(workers, f"domain-{index}", mlp) for index in range(5)]
    assert [running(pid) for pid in pids] == [False, False, True, True, True]


async def test_every_job_has_a_home_of_its_own(mlp: Built) -> None:
    process = await WorkerProcess.start(ceiling_bytes=GIB, threads=1, own_keys=True)
    try:
        homes = []
        for _ in range(2):
            answer = await process.do("witness", witness_of(mlp), memory_bytes=GIB)
            assert answer.result is not None
            homes.append(os.readlink(f"/proc/{process.pid}/cwd"))
            assert "(deleted)" in homes[-1], "the home goes with its job"
        assert homes[0] != homes[1]
    finally:
        await process.kill()
    assert not Path(homes[0].split(" ")[0]).parent.exists()


def address_space(pid: int) -> list[str]:
    """Soft and hard limit of a process."""
    lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    return next(line for line in lines if line.startswith("Max address space")).split()[3:5]


@pytest.mark.parametrize(("asked", "granted"), [(GIB, GIB), (9 * GIB, 2 * GIB)])
async def test_limits_are_set_for_each_job_and_never_above_the_ceiling(
    tmp_path: Path, asked: int, granted: int
) -> None:
    process = await WorkerProcess.start(ceiling_bytes=2 * GIB, threads=1)
    try:
        request = run_of(slow(tmp_path / "slow.onnx"))
        job = asyncio.ensure_future(process.do("reference", request, memory_bytes=asked))
        wanted = [str(granted), str(2 * GIB)]
        await eventually("the limit is set", lambda: address_space(process.pid) == wanted)
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)
    finally:
        await process.kill()


async def test_a_model_runs_on_one_thread(workers: WarmWorkers, mlp: Built) -> None:
    request = run_of(mlp.bundle.model)
    answer = await workers.run("one", "reference", request, limits=LIMITS)
    assert answer.result is not None
    [entry] = workers._idle
    # The other one is onnxruntime's own, which it starts when it is loaded and which sleeps.
    assert len(os.listdir(f"/proc/{entry.process.pid}/task")) <= 2


#: what a model that has taken its process over could say
IMPOSTOR = """
import sys
for line in sys.stdin:
    sys.stderr.buffer.write(b"\\0"); sys.stderr.flush()
    print({answer!r}, flush=True)
"""


@pytest.mark.parametrize("said", ["not json", json.dumps({"result": {}}), json.dumps([1])])
async def test_whatever_a_process_says_is_checked(said: str, tmp_path: Path) -> None:
    spawned = await asyncio.create_subprocess_exec(
        *("python3", "-c", IMPOSTOR.format(answer=said)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    home = tmp_path / "home"
    home.mkdir()
    process = WorkerProcess(spawned, home)
    try:
        with pytest.raises(WorkerDied):
            await asyncio.wait_for(process.do("witness", {}, memory_bytes=GIB), PATIENCE_SECONDS)
    finally:
        await process.kill()


async def test_a_folder_that_was_replaced_is_no_fault_of_the_input(
    workers: WarmWorkers, mlp: Built, tmp_path: Path
) -> None:
    """A kept process may read the old folder alone, from which all is gone; the next one does."""
    own = replace(mlp, bundle=replace(mlp.bundle, root=tmp_path / "bundle"))
    shutil.copytree(mlp.bundle.root, own.bundle.root)
    first = await workers.run("own", "witness", witness_of(own), limits=LIMITS)
    assert first.result is not None
    shutil.rmtree(own.bundle.root)
    shutil.copytree(mlp.bundle.root, own.bundle.root)
    lost = await workers.run("own", "witness", witness_of(own), limits=LIMITS)
    if lost.result is None:
        assert (lost.error or {}).get("code") == "bundle-damaged"
        again = await workers.run("own", "witness", witness_of(own), limits=LIMITS)
        assert again.result is not None
        assert again.result["outputs"] == first.result["outputs"]
