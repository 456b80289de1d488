"""Decides what is worked on now: promises first, then the most urgent request, up to capacity."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError
from gateless.core.types import Block
from gateless.daemon.faults import CHAIN_AWAY
from gateless.executor.batching import proofs_at_once
from gateless.executor.breaker import Breaker
from gateless.executor.journal import Journal
from gateless.executor.parts import Active
from gateless.executor.pipeline import Pipeline
from gateless.executor.policy import Answer, Policy, Standing, Verdict
from gateless.executor.recovery import Recovery
from gateless.executor.states import COMMITTED, FINAL, UNCOMMITTED, WorkState
from gateless.executor.work import Work

log = structlog.get_logger(__name__)

_CHAIN_AWAY_RETRY_SECONDS = 1.0
#: Requests that may wait for strangers' stores at once.
_FETCHES = 64


@dataclass(slots=True, eq=False)
class _Running:
    active: Active
    version_id: int
    task: asyncio.Task[Verdict | None]


class Scheduler:
    """Runs the pipeline for several requests.

    Args:
        journal: what there is to do.
        pipeline: does it.
        recovery: asks the chain whether it is still to be done.
        policy: how much at once.
        clock: for pauses.
        breaker: which versions are left alone.
        retry_seconds: pause before a request that had to wait is looked at again.
    """

    def __init__(
        self,
        journal: Journal,
        pipeline: Pipeline,
        recovery: Recovery,
        policy: Policy,
        clock: Clock,
        breaker: Breaker,
        *,
        retry_seconds: float,
    ) -> None:
        self._journal = journal
        self._pipeline = pipeline
        self._recovery = recovery
        self._policy = policy
        self._clock = clock
        self._breaker = breaker
        self._retry_seconds = retry_seconds
        self._running: dict[int, _Running] = {}
        self._not_before: dict[int, float] = {}
        self._waiting: dict[int, Verdict] = {}
        self._intake = True
        self._capacity = 1

    @property
    def running(self) -> tuple[int, ...]:
        """Requests that are worked on now."""
        return tuple(self._running)

    @property
    def waiting(self) -> Mapping[int, Verdict]:
        """Requests that had to wait when they were last looked at, and why."""
        return dict(self._waiting)

    @property
    def failing(self) -> Mapping[int, GatelessError]:
        """What keeps promised requests from being fulfilled."""
        return self._pipeline.failing

    @property
    def load(self) -> int:
        """Requests that take up a place: all that are worked on but those that wait for a store."""
        return sum(not entry.active.fetching for entry in self._running.values())

    def close_intake(self) -> None:
        """Takes on nothing new and drops what was not promised."""
        self._intake = False
        self._pipeline.close_intake()
        for entry in self._running.values():
            if not entry.active.committed:
                entry.task.cancel()

    def retry_now(self) -> None:
        """Looks at everything that waits again, as something changed that may have held it up."""
        self._not_before.clear()

    async def dispatch(self, head: Block, standing: Standing) -> None:
        """Starts what should run now."""
        for work in await self._journal.find(COMMITTED):
            self._start(work)
        if not self._intake:
            return
        await self._journal.reconsider_missed(head.timestamp)
        self._capacity = self._policy.capacity(standing)
        now = self._clock.monotonic()
        waiting = await self._journal.find(UNCOMMITTED)
        for ended in (
            self._waiting.keys() - self._running.keys() - {work.request_id for work in waiting}
        ):
            self._forget(ended)
        for work in waiting:
            if work.request_id in self._running:
                continue
            if await self._ends_unseen(work, head, standing):
                self._forget(work.request_id)
            elif not self._breaker.admits(work.version_id):
                continue
            elif self._not_before.get(work.request_id, 0) <= now and self._may_start(work):
                self._start(work)

    async def observe(self, head: Block, touched: Mapping[int, bool]) -> None:
        """Reacts to what happened to requests elsewhere, and to deadlines that passed.

        Args:
            head: the latest block.
            touched: requests with events, True where this executor caused one.
        """
        for request_id, mine in touched.items():
            entry = self._running.get(request_id)
            work = await self._find(request_id)
            if work is None:
                continue
            if entry is not None:
                await self._stop_if_ended(entry, work)
            elif work.state in UNCOMMITTED or (mine and work.state in FINAL):
                # What is promised is settled by its pipeline, together with its transactions.
                await self._recovery.settle(work)
        for entry in list(self._running.values()):
            work = await self._find(entry.active.request_id)
            if work is None:
                entry.active.gone.set()
            elif head.timestamp > (work.lock_deadline or work.deadline):
                await self._stop_if_ended(entry, work)

    async def drain(self) -> None:
        """Waits until nothing runs any more."""
        while self._running:
            await asyncio.wait([entry.task for entry in self._running.values()])
            await asyncio.sleep(0)  # lets the callbacks of finished tasks run

    async def abort(self) -> None:
        """Stops everything at once; the journal knows where to go on."""
        self._intake = False
        for entry in list(self._running.values()):
            entry.task.cancel()
        await self.drain()

    async def _find(self, request_id: int) -> Work | None:
        """Work on a request; None where it was never seen, or a reorganisation undid it."""
        try:
            return await self._journal.get(request_id)
        except LookupError:
            return None

    async def _stop_if_ended(self, entry: _Running, work: Work) -> None:
        if not await self._recovery.is_still_wanted(work):
            entry.active.gone.set()

    async def _ends_unseen(self, work: Work, head: Block, standing: Standing) -> bool:
        """Ends what is none of ours without asking the chain about each."""
        if head.timestamp > work.deadline:
            await self._journal.move(
                work.request_id,
                WorkState.LOST,
                reason="expired",
                text="its deadline passed before it was locked",
            )
            return True
        verdict = self._policy.judge_announced(work, standing)
        if verdict is None:
            return False
        await self._journal.move(
            work.request_id, WorkState.SKIPPED, reason=verdict.reason, text=verdict.text
        )
        return True

    def _may_start(self, work: Work) -> bool:
        return len(self._running) - self.load < _FETCHES and self._has_room(work.version_id)

    def _has_room(self, version_id: int) -> bool:
        """Whether one more can be worked on: requests that can share a proof count as one."""
        placed = [entry for entry in self._running.values() if not entry.active.fetching]
        requests = Counter(entry.version_id for entry in placed)
        requests[version_id] += 1
        sizes = {version_id: self._pipeline.batch_size(version_id) for version_id in requests}
        return proofs_at_once(requests, sizes) <= self._capacity

    def _start(self, work: Work) -> None:
        request_id = work.request_id
        if request_id in self._running:
            return
        active = Active(request_id, has_room=lambda: self._has_room(work.version_id))
        self._breaker.begun(work.version_id)
        task = asyncio.create_task(self._pipeline.process(active), name=f"request-{request_id}")
        self._running[request_id] = _Running(active, work.version_id, task)
        task.add_done_callback(lambda done: self._finished(request_id, done))

    def _finished(self, request_id: int, task: asyncio.Task[Verdict | None]) -> None:
        self._breaker.ended(self._running.pop(request_id).version_id)
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            # A defect: the request is tried again, the others go on.
            log.error("request-crashed", request_id=request_id, exc_info=error)
            self._not_before[request_id] = self._clock.monotonic() + self._retry_seconds
            return
        verdict = task.result()
        if verdict is None or verdict.answer is not Answer.WAIT:
            self._forget(request_id)
            return
        pause = self._retry_seconds
        if verdict.reason in CHAIN_AWAY:
            pause = min(pause, _CHAIN_AWAY_RETRY_SECONDS)
        self._not_before[request_id] = self._clock.monotonic() + pause
        if self._waiting.get(request_id) != verdict:
            log.info(
                "request-waits", request_id=request_id, reason=verdict.reason, text=verdict.text
            )
        self._waiting[request_id] = verdict

    def _forget(self, request_id: int) -> None:
        self._waiting.pop(request_id, None)
        self._not_before.pop(request_id, None)
