"""Runs ezkl and onnxruntime in limited subprocesses.

Models come from strangers, and ezkl panics, aborts and holds the interpreter lock: so every call
goes to a fresh ``python -m gateless_proofs.worker`` with a memory limit, a wall clock, a home
directory of its own and an environment without the parent's secrets. It is killed when the caller
is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateless.core import errors
from gateless.core.errors import GatelessError, SandboxError

Progress = Callable[[str, float], None]

_STDERR_TAIL = 4096
_MAX_LINE = 256 << 20
_ORPHAN_POLL_SECONDS = 0.2
_OUT_OF_MEMORY = (
    "memory allocation of",
    "MemoryError",
    "bad_alloc",
    "Cannot allocate memory",
    "Failed to allocate memory",
    "failed to spawn thread",
    "Resource temporarily unavailable",
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one subprocess may use.

    Attributes:
        memory_bytes: address space (``RLIMIT_AS``).
        seconds: wall clock.
        threads: threads of ezkl's prover.
    """

    memory_bytes: int = 8 << 30
    seconds: float = 900.0
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


async def run_worker(
    operation: str,
    request: Mapping[str, Any],
    *,
    limits: Limits,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Runs one operation in a subprocess and returns its result.

    Raises:
        SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``.
        GatelessError: whatever the operation itself reports.
    """
    home = Path(tempfile.mkdtemp(prefix="gateless-worker-"))
    try:
        return await _run(operation, request, home, limits, progress)
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _run(
    operation: str,
    request: Mapping[str, Any],
    home: Path,
    limits: Limits,
    progress: Progress | None,
) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "gateless_proofs.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=home,
        env=_environment(home, limits),
        start_new_session=True,
        limit=_MAX_LINE,
    )
    payload = {"operation": operation, "memory_bytes": limits.memory_bytes, "request": request}
    tail = bytearray()
    orphans = asyncio.ensure_future(_end_orphans(process))
    try:
        async with asyncio.timeout(limits.seconds):
            answer, _, _ = await asyncio.gather(
                _read_answer(process, progress),
                _keep_tail(process, tail),
                _send(process, json.dumps(payload).encode()),
            )
            await process.wait()
    except TimeoutError as error:
        raise SandboxError(
            "time-limit",
            f"{operation} took longer than {limits.seconds:g} seconds and was stopped",
            hint="raise the time limit, or use a smaller model",
            operation=operation,
            stderr=_text(tail),
        ) from error
    finally:
        orphans.cancel()
        await _end(process)
    if answer is not None and "result" in answer:
        result: dict[str, Any] = answer["result"]
        return result
    if answer is not None:
        raise _rebuild(answer["error"], _text(tail), limits)
    raise _crash(operation, process.returncode, _text(tail), limits)


def _environment(home: Path, limits: Limits) -> dict[str, str]:
    environment = {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "RUST_BACKTRACE": "0",
        "HOME": str(home),
        "TMPDIR": str(home),
        "EZKL_REPO_PATH": str(home / "ezkl"),
        "RAYON_NUM_THREADS": str(limits.threads),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    if "PYTHONPATH" in os.environ:
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    return environment


async def _send(process: asyncio.subprocess.Process, payload: bytes) -> None:
    stdin = process.stdin
    if stdin is None:
        return
    # A worker that dies early closes the pipe; its exit status tells the story.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        stdin.write(payload)
        await stdin.drain()
    stdin.close()
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        await stdin.wait_closed()


async def _read_answer(
    process: asyncio.subprocess.Process, progress: Progress | None
) -> dict[str, Any] | None:
    answer: dict[str, Any] | None = None
    if process.stdout is None:
        return None
    while line := await process.stdout.readline():
        if not line.endswith(b"\n"):
            break  # the worker died in the middle of a line
        message: dict[str, Any] = json.loads(line)
        if "progress" not in message:
            answer = message
        elif progress is not None:
            stage, fraction = message["progress"]
            progress(stage, fraction)
    return answer


async def _keep_tail(process: asyncio.subprocess.Process, tail: bytearray) -> None:
    if process.stderr is None:
        return
    while chunk := await process.stderr.read(65536):
        tail += chunk
        del tail[:-_STDERR_TAIL]


async def _end_orphans(process: asyncio.subprocess.Process) -> None:
    """Ends what a worker that died left running: its children hold the pipes open."""
    # Polled: on some versions of Python wait() returns only when the pipes are closed too.
    while process.returncode is None:  # noqa: ASYNC110
        await asyncio.sleep(_ORPHAN_POLL_SECONDS)
    _kill_group(process)


def _kill_group(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kills the worker's whole process group where it still runs, and reaps it."""
    _kill_group(process)
    if process.returncode is None:
        waiting = asyncio.ensure_future(process.wait())
        while not waiting.done():
            # A second cancellation must not leave the child unreaped.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(waiting)
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


def _text(tail: bytearray) -> str:
    return bytes(tail).decode("utf-8", "replace").strip()


def is_out_of_memory(text: str) -> bool:
    """Whether a message is how some library says that it got no memory."""
    return any(sign in text for sign in _OUT_OF_MEMORY)


def _memory_error(limits: Limits, **context: Any) -> SandboxError:
    return SandboxError(
        "memory-limit",
        f"the work needs more than {limits.memory_bytes / 2**30:.3g} GiB of memory",
        hint="raise the memory limit, or use a smaller model",
        **context,
    )


def _rebuild(data: Mapping[str, Any], stderr: str, limits: Limits) -> GatelessError:
    context = {**data["context"], "stderr": stderr}
    if data["code"] == "memory-limit" or is_out_of_memory(data["message"]):
        return _memory_error(limits, **context)
    kind: type[GatelessError] = getattr(errors, data["error"])
    return kind(data["code"], data["message"], hint=data["hint"], **context)


def _crash(operation: str, status: int | None, stderr: str, limits: Limits) -> SandboxError:
    if is_out_of_memory(stderr):
        return _memory_error(limits, operation=operation, stderr=stderr)
    if status is not None and status < 0:
        how = f"was killed by {signal.Signals(-status).name}"
    else:
        how = f"ended with status {status}"
    return SandboxError(
        "worker-crashed",
        f"the subprocess for {operation} {how} without an answer",
        hint="if the machine ran out of memory, free some; otherwise report the model",
        operation=operation,
        status=status,
        stderr=stderr,
    )
