from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from gateless.core.errors import ProofError, SandboxError
from gateless_proofs.sandbox import Limits, run_worker
from patience import PATIENCE_SECONDS
from proof_fixtures import LIMITS, Built, eventually

#: an SRS of this size takes many seconds in processes of its own: time to look at a worker
SLOW_LOGROWS = 18


def slow(folder: Path) -> dict[str, Any]:
    return {"logrows": SLOW_LOGROWS, "folder": str(folder)}


def parent_of(pid: int) -> int:
    with contextlib.suppress(OSError):
        status = Path(f"/proc/{pid}/stat").read_text()
        return int(status.rpartition(")")[2].split()[1])
    return 0


def workers() -> list[int]:
    """Worker processes that this process started."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = []
    for pid in pids:
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"gateless_proofs.worker" in command and parent_of(pid) == os.getpid():
                found.append(pid)
    return found


def exists(path: str) -> bool:
    return Path(path).exists()


def read_process(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


async def started(task: asyncio.Task[Any], others: set[int]) -> int:
    """The pid of the worker that a task runs, once it has children of its own.

    Not one of the workers that ran before it, which other tests may have left for later.
    """
    for _ in range(500):
        await asyncio.sleep(0.02)
        assert not task.done(), task
        for pid in set(workers()) - others:
            if group_members(pid) > 1:
                return pid
    raise AssertionError("the worker did not start")


def group_members(group: int) -> int:
    """Living processes of a process group."""
    count = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                count += int(fields[2]) == group and fields[0] != "Z"
    return count


async def test_time_limit(tmp_path: Path) -> None:
    others = set(workers())
    begun = time.monotonic()
    with pytest.raises(SandboxError) as caught:
        await run_worker("srs", slow(tmp_path), limits=Limits(seconds=0.7))
    assert caught.value.code == "time-limit"
    assert "0.7 seconds" in caught.value.message
    assert caught.value.hint
    assert time.monotonic() - begun < 10
    assert set(workers()) <= others


async def test_memory_limit_while_the_interpreter_loads(mlp: Built) -> None:
    request = {"model": str(mlp.bundle.model), "shapes": [[1, 4]], "samples": [[[0.0] * 4]]}
    with pytest.raises(SandboxError) as caught:
        await run_worker("reference", request, limits=Limits(memory_bytes=120 << 20))
    assert caught.value.code in ("memory-limit", "worker-crashed")
    assert caught.value.hint
    # the same work with enough memory is done
    answer = await run_worker("reference", request, limits=LIMITS)
    assert len(answer["outputs"][0][0]["values"]) == 3


async def test_cancellation_kills_the_whole_process_group(tmp_path: Path) -> None:
    others = set(workers())
    task = asyncio.ensure_future(run_worker("srs", slow(tmp_path), limits=LIMITS))
    pid = await started(task, others)
    assert group_members(pid) >= 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await eventually("the group has gone", lambda: group_members(pid) == 0)
    assert pid not in workers()


@pytest.mark.parametrize("kill", [os.kill, os.killpg], ids=["worker", "group"])
async def test_killed_worker_is_reported(tmp_path: Path, kill: Callable[[int, int], None]) -> None:
    others = set(workers())
    task = asyncio.ensure_future(run_worker("srs", slow(tmp_path), limits=LIMITS))
    pid = await started(task, others)
    kill(pid, signal.SIGKILL)
    with pytest.raises(SandboxError) as caught:
        await asyncio.wait_for(task, PATIENCE_SECONDS)
    await eventually("its children have gone", lambda: group_members(pid) == 0)
    assert caught.value.code == "worker-crashed"
    assert "SIGKILL" in caught.value.message
    assert caught.value.context["operation"] == "srs"


async def test_panic_over_an_input_is_a_clear_error(mlp: Built) -> None:
    # ezkl indexes into the missing input: index out of bounds
    request = {
        "compiled": str(mlp.bundle.compiled()),
        "settings": str(mlp.bundle.settings()),
        "inputs": [],
    }
    with pytest.raises(ProofError) as caught:
        await run_worker("witness", request, limits=LIMITS)
    assert caught.value.code == "input-not-provable"
    assert "ezkl panicked: index out of bounds" in caught.value.context["reason"]
    assert "panicked" in caught.value.context["stderr"]


#: panics in earnest and prints how the worker would describe it
PANIC = """
import sys, ezkl
from gateless_proofs.worker import describe

try:
    ezkl.gen_witness('{"input_data": []}', sys.argv[1], "witness.json")
except BaseException as error:
    print(describe("prove", error))
"""


async def test_any_other_panic_is_a_crash_with_its_reason(mlp: Built, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PANIC, str(mlp.bundle.compiled())),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    told = (await process.communicate())[0].decode()
    assert told.startswith("ezkl panicked during prove: index out of bounds")
    assert "[worker-crashed]" in told


async def test_worker_sees_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_OF_THE_PARENT", "hunter2")
    others = set(workers())
    task = asyncio.ensure_future(run_worker("srs", slow(tmp_path), limits=LIMITS))
    pid = await started(task, others)
    environment = read_process(pid, "environ").split("\0")
    limits = read_process(pid, "limits").splitlines()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not any("hunter2" in entry for entry in environment)
    home = next(entry for entry in environment if entry.startswith("HOME="))
    assert home.removeprefix("HOME=") != os.environ["HOME"]
    assert not exists(home.removeprefix("HOME=")), "the worker's home must be removed"
    space = next(line for line in limits if line.startswith("Max address space"))
    assert str(LIMITS.memory_bytes) in space


async def test_unknown_file_is_an_error_not_a_hang(tmp_path: Path) -> None:
    with pytest.raises(SandboxError) as caught:
        await run_worker("inspect", {"model": str(tmp_path / "absent")}, limits=LIMITS)
    assert caught.value.code == "worker-crashed"
    assert "FileNotFoundError" in caught.value.message
