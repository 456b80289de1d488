"""Worker processes that were started before they are needed and serve one bundle again and again.

Starting Python and loading ezkl and onnxruntime takes longer than a small proof. A spare process
has done that and nothing else. The first job binds it to that job's *domain*, a bundle: from then
on it works for this domain only, and sees no files but those of this bundle and what all share. So
whatever a hostile model does to the process that runs it, no other model's proof is made there. A
process is replaced after a panic, a limit, a crash, a cancellation and a number of jobs, and when
it holds on to memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateless.core.errors import SandboxError

from gateless_proofs.isolation import EVERYTHING, View, Ways, folders_of
from gateless_proofs.process import Answer, Progress, WorkerProcess
from gateless_proofs.sandbox import Limits, exchange

#: jobs after which a process is replaced: whatever leaks in ezkl does not add up
MAX_JOBS = 100
#: memory that an idle process may hold
IDLE_BYTES = 192 << 20
#: onnxruntime is not among them: it starts a thread, and a process is confined while it has one
_PRELOAD = ("gateless_proofs.proving", "gateless_proofs.reference")


@dataclass(slots=True)
class _Idle:
    domain: str
    threads: int
    process: WorkerProcess


class WarmWorkers:
    """Processes kept ready. Use as an async context manager: its end kills them all.

    Args:
        ceiling_bytes: address space that no job may exceed, whatever limit it comes with.
        keep: idle processes that are kept, spares not counted.
        shared: folders that jobs of all domains may read, such as that of the proving keys. What a
            job reads besides must lie in the folders of the files that its request names, or else a
            process that did another job before is not given it.
        ways: what may be used to confine them.
    """

    def __init__(
        self,
        ceiling_bytes: int,
        *,
        keep: int,
        shared: tuple[Path, ...] = (),
        ways: Ways = EVERYTHING,
    ) -> None:
        self._shared = shared
        self._ways = ways
        self._ceiling_bytes = ceiling_bytes
        self._keep = keep
        self._idle: list[_Idle] = []
        self._spares: dict[int, WorkerProcess] = {}
        self._busy: set[WorkerProcess] = set()
        self._refills: dict[int, asyncio.Task[None]] = {}
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def pids(self) -> frozenset[int]:
        """All processes that there are now."""
        idle = (entry.process for entry in self._idle)
        return frozenset(process.pid for process in (*idle, *self._spares.values(), *self._busy))

    async def run(
        self,
        domain: str,
        operation: str,
        request: Mapping[str, Any],
        *,
        limits: Limits,
        progress: Progress | None = None,
    ) -> Answer:
        """Runs one operation in a process of this domain.

        Args:
            domain: whose work it is; processes are never shared between domains.
            operation: name in ``gateless_proofs.worker.OPERATIONS``.
            request: its arguments.
            limits: of this job.
            progress: told how far it is.

        Raises:
            SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``, ``pool-closed``,
                ``sandbox-unavailable``.
        """
        if self._closed:
            raise SandboxError("pool-closed", "the proving processes have been stopped")
        view = folders_of(request, self._shared)
        process = await self._take(domain, limits.threads, view)
        self._busy.add(process)
        kept = False
        try:
            answer = await exchange(
                process, operation, request, limits=limits, progress=progress, view=view
            )
            if self._reusable(process, answer):
                self._idle.append(_Idle(domain, limits.threads, process))
                kept = True
            return answer
        finally:
            self._busy.discard(process)
            if not kept:
                await process.kill()
            await self._shrink()

    async def close(self) -> None:
        """Kills all processes."""
        self._closed = True
        for task in list(self._refills.values()):
            task.cancel()
        await asyncio.gather(*self._refills.values(), return_exceptions=True)
        idle = [entry.process for entry in self._idle]
        self._idle.clear()
        for process in (*idle, *self._spares.values(), *self._busy):
            await process.kill()
        self._spares.clear()

    def _reusable(self, process: WorkerProcess, answer: Answer) -> bool:
        return (
            not self._closed
            and not answer.spent
            and process.alive
            and process.jobs < MAX_JOBS
            and answer.resident_bytes <= IDLE_BYTES
        )

    async def _take(self, domain: str, threads: int, view: View) -> WorkerProcess:
        for entry in reversed(self._idle):
            fits = entry.domain == domain and entry.threads == threads
            if fits and entry.process.view.covers(view):
                self._idle.remove(entry)
                if entry.process.alive:
                    return entry.process
                await entry.process.kill()
                break
        spare = self._spares.pop(threads, None)
        self._refill(threads)
        if spare is not None:
            if spare.alive:
                return spare
            await spare.kill()
        return await self._start(threads)

    def _refill(self, threads: int) -> None:
        if threads not in self._refills and not self._closed:
            task = asyncio.create_task(self._add_spare(threads))
            self._refills[threads] = task
            task.add_done_callback(lambda _: self._refills.pop(threads, None))

    async def _add_spare(self, threads: int) -> None:
        process = await self._start(threads)
        if self._closed or threads in self._spares:
            await process.kill()
        else:
            self._spares[threads] = process

    async def _start(self, threads: int) -> WorkerProcess:
        return await WorkerProcess.start(
            ceiling_bytes=self._ceiling_bytes,
            threads=threads,
            preload=_PRELOAD,
            own_keys=True,
            ways=self._ways,
        )

    async def _shrink(self) -> None:
        """Ends those that were idle longest."""
        while len(self._idle) > self._keep:
            await self._idle.pop(0).process.kill()
