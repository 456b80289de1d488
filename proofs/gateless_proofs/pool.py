"""Proofs in parallel: warm processes, admitted by the memory that they are known to need."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateless.core.errors import SandboxError

from gateless_proofs.backend import NodeStatus, ProvingStatus, Task
from gateless_proofs.isolation import Isolation
from gateless_proofs.needs import Needs, beside_idle, idle_workers
from gateless_proofs.process import Progress
from gateless_proofs.sandbox import Limits, result_of
from gateless_proofs.schedule import Grant, Need, Schedule
from gateless_proofs.warm import WarmWorkers


class ProvingPool:
    """Runs proofs on this machine. Use as an async context manager: its end stops everything.

    Args:
        memory_bytes: address space of all running jobs together. A job that needs more than was
            reserved for it is run again with all of it.
        seconds: longest time for one job.
        cores: threads of all proofs together; by default those of the machine.
        shared: folders that all jobs may read: where the keys are.
        isolation: what is known to keep models apart on this machine, for the status.
    """

    def __init__(
        self,
        memory_bytes: int = 8 << 30,
        seconds: float = 900.0,
        *,
        cores: int | None = None,
        shared: tuple[Path, ...] = (),
        isolation: Isolation | None = None,
    ) -> None:
        cores = cores or os.cpu_count() or 1
        self.memory_bytes = beside_idle(memory_bytes, cores)
        self._seconds = seconds
        self._isolation = isolation
        self._schedule = Schedule(memory_bytes=self.memory_bytes, cores=cores)
        self._workers = WarmWorkers(self.memory_bytes, keep=idle_workers(cores), shared=shared)
        self._grants: dict[int, asyncio.Future[Grant]] = {}
        self._needs = Needs()
        self._done = 0

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
        need = self._needs.of(task, cores=self._schedule.cores)
        return replace(need, memory_bytes=min(need.memory_bytes, self.memory_bytes))

    def holds(self, task: Task) -> bool:
        """Whether a job fits in the memory there is, as far as its need is known."""
        return self._needs.memory_bytes(task) <= self.memory_bytes

    def status(self) -> ProvingStatus:
        """This machine, and what of it is in use."""
        schedule = self._schedule
        here = NodeStatus(
            socket.gethostname(),
            self.memory_bytes,
            schedule.cores,
            schedule.reserved_bytes,
            schedule.busy_threads,
            self.running,
            self._done,
            self._isolation,
        )
        return ProvingStatus("local", (here,), self.waiting)

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
                task.domain,
                task.operation,
                task.arguments(request),
                limits=limits,
                progress=progress,
            )
            self._done += 1
            self._isolation = answer.isolation
            self._needs.measured(task, answer.peak_bytes)
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
