"""Proofs in parallel: warm processes, admitted by the memory that they are known to need."""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateless.core.errors import SandboxError

from gateless_proofs.process import Progress
from gateless_proofs.sandbox import Limits, result_of
from gateless_proofs.schedule import Grant, Need, Schedule
from gateless_proofs.warm import IDLE_BYTES, WarmWorkers

#: Up to this k two proofs of one thread each are done sooner than one after the other with two
#: (docs/proving.md has the figures); above it memory is what is scarce.
SINGLE_THREAD_LOGROWS = 15
#: Threads of one large proof that still pay.
_LARGE_PROOF_THREADS = 4
#: A reservation is a limit on address space: measured memory, room to differ, and what Python,
#: ezkl and thread stacks map and never touch.
_ROOM = 1.25
_UNTOUCHED_BYTES = 640 << 20
_LIGHT_BYTES = 1 << 30
#: Memory of a proof by the size of its key, where nothing was measured (docs/proving.md).
_BYTES_PER_KEY_BYTE = 2.6
_BASE_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Task:
    """A job for the pool.

    Attributes:
        domain: the bundle; no process ever works for two.
        operation: name in ``gateless_proofs.worker.OPERATIONS``.
        what: the circuit; what was measured for it counts for the next one.
        logrows: k of a proof; 0 for what takes a moment (witness, float outputs).
        memory_bytes: what a proof takes as far as it is known, 0 if nothing is.
        proving_key: of a proof; its size tells what to expect.
        due: when it should be done, seconds since 1970; the most urgent one that waits comes first.
    """

    domain: str
    operation: str
    what: str
    logrows: int = 0
    memory_bytes: int = 0
    proving_key: Path | None = None
    due: float = math.inf


class ProvingPool:
    """Runs proofs on this machine. Use as an async context manager: its end stops everything.

    Args:
        memory_bytes: address space of all running jobs together. A job that needs more than was
            reserved for it is run again with all of it.
        seconds: longest time for one job.
        cores: threads of all proofs together; by default those of the machine.
    """

    def __init__(
        self, memory_bytes: int = 8 << 30, seconds: float = 900.0, *, cores: int | None = None
    ) -> None:
        cores = cores or os.cpu_count() or 1
        keep = 2 * cores
        #: idle processes have their share of the memory put aside
        self.memory_bytes = max(memory_bytes - keep * IDLE_BYTES, memory_bytes // 2)
        self._seconds = seconds
        self._schedule = Schedule(memory_bytes=self.memory_bytes, cores=cores)
        self._workers = WarmWorkers(self.memory_bytes, keep=keep)
        self._grants: dict[int, asyncio.Future[Grant]] = {}
        self._measured: dict[tuple[str, str, str], int] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._workers.close()

    @property
    def waiting(self) -> int:
        """Jobs that wait for room."""
        return len(self._schedule.waiting)

    @property
    def running(self) -> int:
        """Jobs that run."""
        return len(self._schedule.running)

    @property
    def pids(self) -> frozenset[int]:
        """All worker processes that there are now."""
        return self._workers.pids

    async def run(
        self, task: Task, request: Mapping[str, Any], progress: Progress | None = None
    ) -> dict[str, Any]:
        """Runs a job as soon as there is room for it. Cancelling it frees its place at once.

        Raises:
            SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``.
            GatelessError: whatever the operation itself reports.
        """
        need = self.need(task)
        try:
            return await self._run(task, need, request, progress)
        except SandboxError as error:
            # Out of memory a library may also crash in ways of its own.
            if error.code == "time-limit" or need.memory_bytes >= self.memory_bytes:
                raise
        # Perhaps too little was reserved. With all the memory it runs alone, and is measured.
        alone = replace(need, memory_bytes=self.memory_bytes)
        return await self._run(task, alone, request, progress)

    def need(self, task: Task) -> Need:
        """What will be reserved for a job."""
        measured = self._measured.get(_key(task))
        if task.logrows == 0:
            memory = _LIGHT_BYTES if measured is None else _reservation(measured)
            return Need(min(memory, self.memory_bytes), light=True, due=task.due)
        known = measured or max(task.memory_bytes, _expected(task.proving_key))
        memory = min(_reservation(known), self.memory_bytes)
        cores = self._schedule.cores
        if task.logrows <= SINGLE_THREAD_LOGROWS:
            return Need(memory, 1, cores, due=task.due)
        return Need(memory, min(cores, _LARGE_PROOF_THREADS), cores, due=task.due)

    async def _run(
        self, task: Task, need: Need, request: Mapping[str, Any], progress: Progress | None
    ) -> dict[str, Any]:
        ticket = self._schedule.add(need)
        self._grants[ticket] = granted = asyncio.get_running_loop().create_future()
        try:
            self._start()
            grant = await granted
            limits = Limits(grant.memory_bytes, self._seconds, grant.threads)
            answer = await self._workers.run(
                task.domain, task.operation, request, limits=limits, progress=progress
            )
            self._measured[_key(task)] = max(self._measured.get(_key(task), 0), answer.peak_bytes)
            return result_of(answer, limits)
        finally:
            self._grants.pop(ticket, None)
            self._schedule.release(ticket)
            self._start()

    def _start(self) -> None:
        for ticket, grant in self._schedule.start().items():
            future = self._grants[ticket]
            # One that was cancelled in this very moment gives its place back when it wakes.
            if not future.done():
                future.set_result(grant)


def _key(task: Task) -> tuple[str, str, str]:
    return task.domain, task.operation, task.what


def _expected(proving_key: Path | None) -> int:
    size = 0 if proving_key is None else proving_key.stat().st_size
    return _BASE_BYTES + int(size * _BYTES_PER_KEY_BYTE)


def _reservation(memory_bytes: int) -> int:
    return int(memory_bytes * _ROOM) + _UNTOUCHED_BYTES
