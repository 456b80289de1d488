"""Every run has a process of its own, its memory is seen, and the cap ends the whole tree."""

from __future__ import annotations

import asyncio
import sys
import time
from functools import partial

from bench_folders import gone
from executor_fixtures import eventually

from benchmarks.measuring import Cap, end, family, run_measured, watch

_HOLD = "import sys,time; block = bytearray(int(sys.argv[1])); time.sleep(float(sys.argv[2]))"
_NEST = "import subprocess,sys; sys.exit(subprocess.call([sys.executable, '-c', *sys.argv[1:]]))"
MEGABYTE = 1 << 20


async def start(*arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", *arguments, start_new_session=True
    )


async def watched(process: asyncio.subprocess.Process, cap: Cap) -> tuple[str, int]:
    try:
        return await watch(process, cap, time.monotonic())
    finally:
        await end(process)


async def test_memory_of_a_grandchild_counts() -> None:
    process = await start(_NEST, _HOLD, str(200 * MEGABYTE), "1")
    reason, peak = await watched(process, Cap(60, 1 << 30))
    assert reason == ""
    assert 200 * MEGABYTE < peak < 400 * MEGABYTE


async def test_the_memory_cap_ends_the_whole_tree() -> None:
    process = await start(_NEST, _HOLD, str(300 * MEGABYTE), "600")
    waiting = asyncio.create_task(watch(process, Cap(60, 100 * MEGABYTE), time.monotonic()))
    members = {process.pid}
    while not waiting.done():
        members.update(family(process.pid))
        await asyncio.sleep(0.01)
    reason, _ = await waiting
    await end(process)
    assert reason == "hit the cap of 0.0976562 GiB of memory"
    assert len(members) >= 2
    # An orphan is reaped by init a moment after its death.
    await eventually("the whole tree is gone", partial(gone, members))


async def test_the_time_cap_ends_a_run() -> None:
    process = await start(_HOLD, "1", "600")
    reason, _ = await watched(process, Cap(0.3, 1 << 30))
    assert reason == "hit the cap of 0.3 s"
    assert process.returncode is not None
    assert process.returncode < 0


async def test_a_failing_operation_says_why() -> None:
    measured = await run_measured("default-settings", {"folder": "/nonexistent"}, Cap())
    assert not measured.ok
    assert measured.result == {}
    assert measured.reason == "KeyError: 'model'"
    assert measured.peak_bytes > MEGABYTE


async def test_an_unknown_operation_is_a_crash_with_its_last_words() -> None:
    measured = await run_measured("no-such-thing", {}, Cap())
    assert measured.reason == "ended with status 1: KeyError: 'no-such-thing'"
