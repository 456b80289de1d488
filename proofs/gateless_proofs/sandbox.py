"""Runs ezkl and onnxruntime in limited subprocesses.

Models come from strangers, and ezkl panics, aborts and holds the interpreter lock: so every call
goes to a ``python -m gateless_proofs.worker`` with limits on memory, processor time and wall clock,
a home directory of its own, an environment without the parent's secrets, and no way to the network
or to files that its job does not name (:mod:`gateless_proofs.isolation`). It is killed when the
caller is cancelled. :func:`run_worker` takes a fresh process for each call; processes that serve
one bundle again and again are in :mod:`gateless_proofs.warm`.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateless.core import errors
from gateless.core.errors import GatelessError, SandboxError

from gateless_proofs.isolation import EVERYTHING, NOTHING, View, Ways
from gateless_proofs.process import Answer, Progress, WorkerDied, WorkerProcess

__all__ = ["Limits", "Progress", "exchange", "is_out_of_memory", "result_of", "run_worker"]

#: operations in which no stranger has a word: one has helper processes, one needs the network
_WITHOUT_MODEL = frozenset({"srs", "public_srs"})

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
    own_keys: bool = False,
    ways: Ways = EVERYTHING,
) -> dict[str, Any]:
    """Runs one operation in a process of its own and returns its result.

    Of the file system it sees what its arguments name, and the libraries.

    Args:
        operation: name in ``gateless_proofs.worker.OPERATIONS``.
        request: its arguments.
        limits: memory, time and threads.
        progress: told how far it is.
        own_keys: whether all keys in it were made on this machine, and need no check.
        ways: what may be used to confine it.

    Raises:
        SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``.
        GatelessError: whatever the operation itself reports.
    """
    process = await WorkerProcess.start(
        ceiling_bytes=limits.memory_bytes,
        threads=limits.threads,
        own_keys=own_keys,
        ways=NOTHING if operation in _WITHOUT_MODEL else ways,
    )
    try:
        answer = await exchange(process, operation, request, limits=limits, progress=progress)
    finally:
        await process.kill()
    return result_of(answer, limits)


async def exchange(
    process: WorkerProcess,
    operation: str,
    request: Mapping[str, Any],
    *,
    limits: Limits,
    progress: Progress | None = None,
    view: View | None = None,
) -> Answer:
    """Gives a process one job, within the limits; after an error it must be killed.

    Args:
        process: the worker.
        operation: name in ``gateless_proofs.worker.OPERATIONS``.
        request: its arguments.
        limits: memory, time and threads.
        progress: told how far it is.
        view: see :meth:`WorkerProcess.do`.

    Raises:
        SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``.
    """
    try:
        async with asyncio.timeout(limits.seconds):
            return await process.do(
                operation,
                request,
                memory_bytes=limits.memory_bytes,
                cpu_seconds=limits.seconds * limits.threads,
                progress=progress,
                view=view,
            )
    except TimeoutError as error:
        raise _time_error(operation, f"{limits.seconds:g} seconds") from error
    except WorkerDied as death:
        if death.status == -signal.SIGXCPU:
            spent = f"{limits.seconds * limits.threads:g} seconds of processor time"
            raise _time_error(operation, spent) from death
        raise _crash(operation, death.status, death.stderr, limits) from death


def result_of(answer: Answer, limits: Limits) -> dict[str, Any]:
    """What an operation returned, with the memory it took as ``peak_bytes``; or its error."""
    if answer.result is not None:
        return {**answer.result, "peak_bytes": answer.peak_bytes}
    raise _rebuild(answer.error or {}, answer.stderr, limits)


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


def _time_error(operation: str, spent: str) -> SandboxError:
    return SandboxError(
        "time-limit",
        f"{operation} took longer than {spent} and was stopped",
        hint="raise the time limit (a plan goes on where it stopped), or use a smaller model",
        operation=operation,
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
