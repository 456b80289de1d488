"""Runs one operation in a process of its own under a cap, and reads time and peak memory.

Both sides are run by this and by nothing else. The child is :mod:`benchmarks.child`; whatever it
starts counts as its own. Peak memory is the largest resident set (``VmHWM``, ``ru_maxrss``) of any
one process in its tree; the cap compares the sum over the tree.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
#: address space exceeds resident memory by mapped keys and thread stacks; this stops runaways only
_ADDRESS_SPACE_FACTOR = 1.5
_POLL_SECONDS = 0.05
_TAIL = 2000


@dataclass(frozen=True, slots=True)
class Cap:
    """What one run may use: wall clock, and resident memory of its whole process tree."""

    seconds: float = 600.0
    memory_bytes: int = 16 << 30


@dataclass(frozen=True, slots=True)
class Measured:
    """How one run ended.

    Attributes:
        result: what the operation returned; empty where it failed.
        reason: why it failed; empty where it did not.
        seconds: wall clock of the process, start and imports included.
        peak_bytes: largest resident set of any process of the run.
    """

    result: dict[str, Any]
    reason: str
    seconds: float
    peak_bytes: int

    @property
    def ok(self) -> bool:
        """Whether the operation came to its end."""
        return not self.reason


async def run_measured(operation: str, request: Mapping[str, Any], cap: Cap) -> Measured:
    """Runs an operation of :mod:`benchmarks.child` to its end or to the cap."""
    with tempfile.TemporaryDirectory(prefix="gateless-bench-") as home:
        folder = Path(home)
        answer = folder / "answer.json"
        (folder / "request.json").write_text(json.dumps(dict(request)), encoding="utf-8")
        started = time.monotonic()
        with (folder / "log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "benchmarks.child"),
                *(operation, str(folder), str(int(cap.memory_bytes * _ADDRESS_SPACE_FACTOR))),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=folder,
                env=_environment(folder),
                start_new_session=True,
            )
            try:
                reason, peak = await watch(process, cap, started)
            finally:
                await end(process)
        seconds = time.monotonic() - started
        tail = (folder / "log").read_bytes()[-_TAIL:].decode("utf-8", "replace")
        stored = json.loads(answer.read_text(encoding="utf-8")) if answer.exists() else {}
    if not reason and not stored:
        reason = _crash(process.returncode or 0, tail)
    reason = reason or stored.get("error", "")
    peak = max(peak, int(stored.get("peak_bytes", 0)))
    return Measured({} if reason else stored["result"], reason, seconds, peak)


def _environment(home: Path) -> dict[str, str]:
    """The same for both sides: all cores, a home of its own, nothing of the caller's."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "C.UTF-8",
        "RUST_BACKTRACE": "0",
        "HOME": str(home),
        "TMPDIR": str(home),
        "EZKL_REPO_PATH": str(home / "ezkl"),
        "RAYON_NUM_THREADS": str(os.cpu_count() or 1),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("", "offchain", "proofs")),
    }


async def watch(process: asyncio.subprocess.Process, cap: Cap, started: float) -> tuple[str, int]:
    """Waits for the end; the reason where the cap was hit, and the peak seen."""
    peak = 0
    # Memory has to be looked at again and again in any case.
    while process.returncode is None:
        resident = 0
        for pid in family(process.pid):
            now, high = _memory_of(pid)
            resident += now
            peak = max(peak, high)
        if resident > cap.memory_bytes:
            return f"hit the cap of {cap.memory_bytes / 2**30:g} GiB of memory", peak
        if time.monotonic() - started > cap.seconds:
            return f"hit the cap of {cap.seconds:g} s", peak
        await asyncio.sleep(_POLL_SECONDS)
    return "", peak


def family(pid: int) -> list[int]:
    """A process and all that descends from it."""
    found = [pid]
    for member in found:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{member}/task").iterdir():
                children = (thread / "children").read_text(encoding="ascii")
                found.extend(int(child) for child in children.split())
    return found


def _memory_of(pid: int) -> tuple[int, int]:
    """Resident memory now and at its highest, bytes; zeros for a process that is gone."""
    values = {"VmRSS": 0, "VmHWM": 0}
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            if name in values:
                values[name] = int(value.split()[0]) << 10
    return values["VmRSS"], values["VmHWM"]


async def end(process: asyncio.subprocess.Process) -> None:
    """Kills what still runs of the tree and reaps the child."""
    if process.returncode is None:
        for pid in family(process.pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
    await process.wait()


def _crash(status: int, tail: str) -> str:
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    said = f": {lines[-1]}" if lines else ""
    if status < 0:
        return f"killed by {signal.Signals(-status).name}{said}"
    return f"ended with status {status}{said}"
