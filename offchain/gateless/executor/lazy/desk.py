"""Everything about lazy requests that an executor's loop drives."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from gateless.adapters.chain.lazy import DisputeReader, LazyReader, has_lazy_market
from gateless.core.errors import GatelessError
from gateless.core.types import Block
from gateless.daemon.faults import fault_of, is_chain_away
from gateless.executor.auditor import Auditor
from gateless.executor.lazy.context import LazyContext
from gateless.executor.lazy.disputes import LazyDisputes
from gateless.executor.lazy.outbox import Outbox
from gateless.executor.lazy.policy import LazyPolicy
from gateless.executor.lazy.settling import LazySettling
from gateless.executor.lazy.states import PROMISED, UNCOMMITTED, LazyWork, LazyWorkState
from gateless.executor.lazy.steps import LazySteps, Outcome
from gateless.executor.parts import Parts
from gateless.executor.policy import Answer, Standing, Verdict
from gateless.executor.proofs import Proofs
from gateless.executor.states import GAVE_WAY
from gateless.executor.status import Problem

log = structlog.get_logger(__name__)

_S = LazyWorkState
_AT_ONCE = 8
_FIRST_RETRY_SECONDS = 0.5
_MAX_RETRY_SECONDS = 15.0


class LazyDesk:
    """Lazy requests of one executor. Made by :meth:`of`.

    What was answered is seen through whether or not further requests are taken.

    Args:
        context: what to work with.
    """

    def __init__(self, context: LazyContext) -> None:
        self.context = context
        self._journal = context.parts.journal
        self._clock = context.parts.clock
        parts = context.parts
        self._outbox = Outbox(
            parts.transactions, parts.block_gas_limit, most=context.config.finalize_at_once
        )
        self._steps = LazySteps(context, self._outbox)
        self._disputes = LazyDisputes(context)
        self._settling = LazySettling(context)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._not_before: dict[int, float] = {}
        self._waiting: dict[int, Verdict] = {}
        self._failing: dict[int, GatelessError] = {}
        self._open = context.config.enabled
        self._last_look: tuple[Block, Standing] | None = None

    @classmethod
    def of(cls, parts: Parts, proofs: Proofs, auditor: Auditor, me: str) -> LazyDesk | None:
        """The desk of an executor; None where the network has no lazy market."""
        deployment = parts.client.deployment
        if not has_lazy_market(deployment):
            return None
        config = parts.config.lazy
        return cls(
            LazyContext(
                parts=parts,
                proofs=proofs,
                auditor=auditor,
                market=LazyReader(parts.client.rpc, deployment),
                court=DisputeReader(parts.client.rpc, deployment),
                policy=LazyPolicy(parts.policy, config),
                config=config,
                me=me,
            )
        )

    @property
    def is_open(self) -> bool:
        """Whether lazy requests are taken."""
        return self._open and not self.context.parts.breaker.halted.everything

    @property
    def problems(self) -> list[Problem]:
        """What keeps lazy requests from moving on."""
        found = [*self._disputes.problems, *self._settling.problems]
        found += [
            Problem(error.code, error.message, error.hint, request_id)
            for request_id, error in self._failing.items()
            if not is_chain_away(error) or error.code == "database-full"
        ]
        return found + [
            Problem(verdict.reason, verdict.text, verdict.hint, request_id)
            for request_id, verdict in self._waiting.items()
        ]

    @property
    def waiting_steps(self) -> int:
        """Steps that are decided and wait for the transaction before them."""
        return self._outbox.waiting

    async def promised(self) -> bool:
        """Whether anything locked is unanswered, or anything doubted unproven that can be."""
        works = await self._journal.list_lazy(PROMISED)
        return any(not self._disputes.is_hopeless(work) for work in works)

    def close(self) -> None:
        """Locks nothing more; what is promised is still kept."""
        self._open = False

    async def reconcile(self) -> None:
        """Finds what events do not tell (again): after a start, and after a fork.

        Raises:
            ChainError: the chain cannot be reached now.
        """
        await self._disputes.find_missed()

    async def look(self, head: Block, standing: Standing) -> None:
        """Starts what is to be done; for the executor's loop."""
        self._disputes.look()
        self._settling.look()
        await self._journal.drop_settled_lazy(head.number)
        for work in await self._journal.list_lazy([_S.LOCKED]):
            self._start(work)
        if self._open:
            await self._journal.reconsider_missed_lazy(head.timestamp)
        self._last_look = head, standing
        for work in await self._journal.list_lazy(UNCOMMITTED):
            await self._consider(work, head, standing)

    async def welcome(self, work: LazyWork) -> asyncio.Task[None] | None:
        """Starts what is new, without waiting for the loop to look again.

        Args:
            work: as it is in the journal, with what came with it.

        Returns:
            What was started.
        """
        if self._last_look is not None and work.state in UNCOMMITTED:
            await self._consider(work, *self._last_look, is_whole=True)
        return self._tasks.get(work.request_id)

    async def give_way(self, work: LazyWork) -> None:
        """Lets go of a request that waits, for one that need not wait."""
        await self._journal.move_lazy(
            work.request_id,
            _S.SKIPPED,
            reason=GAVE_WAY,
            text="it could not be served yet, and another request could: its place was needed",
        )
        self._waiting.pop(work.request_id, None)

    async def drain(self) -> None:
        """Waits for what is promised and under way."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))
        await self._disputes.drain()

    async def stop(self) -> None:
        """Stops at once; the journal knows where to go on."""
        for task in list(self._tasks.values()):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._outbox.stop()
        await self._disputes.stop()
        await self._settling.stop()

    async def _consider(
        self, work: LazyWork, head: Block, standing: Standing, *, is_whole: bool = False
    ) -> None:
        if work.request_id in self._tasks:
            return
        if head.timestamp > work.request.deadline:
            await self._journal.move_lazy(
                work.request_id,
                _S.LOST,
                reason="expired",
                text="its deadline passed before it was locked",
            )
            self._waiting.pop(work.request_id, None)
            return
        if not self.is_open or self._not_before.get(work.request_id, 0.0) > self._clock.monotonic():
            return
        obstacle = self.context.parts.breaker.obstacle(work.version_id)
        if obstacle is not None:
            # What cannot be proven when somebody doubts it must not be answered.
            verdict = Verdict(Answer.WAIT, obstacle.code, obstacle.text, obstacle.hint)
            await self._wait(work.request_id, verdict)
            return
        # Answers take a witness, not a proof: several for each proof that could be made at once.
        if len(self._tasks) < _AT_ONCE * self.context.parts.policy.capacity(standing):
            self._start(work, is_whole=is_whole)

    def _start(self, work: LazyWork, *, is_whole: bool = False) -> None:
        if work.request_id in self._tasks:
            return
        name = f"lazy-{work.request_id:x}"
        task = asyncio.create_task(
            self._process(work.request_id, work if is_whole else None), name=name
        )
        self._tasks[work.request_id] = task
        task.add_done_callback(lambda done: self._finished(work.request_id, done))

    def _finished(self, request_id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[request_id]
        self._failing.pop(request_id, None)
        if not task.cancelled() and task.exception() is not None:
            # A defect: the request is tried again, the others go on.
            log.error("lazy-crashed", request_id=request_id, exc_info=task.exception())
            self._pause(request_id)

    async def _process(self, request_id: int, known: LazyWork | None) -> None:
        """Moves a request on until it is answered, has ended, or has to wait.

        Args:
            request_id: which.
            known: as it is in the journal now; None where that must be read.
        """
        pause = _FIRST_RETRY_SECONDS
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            stepped: LazyWorkState | None = None
            while True:
                try:
                    work = known or await self._journal.lazy(request_id)
                except LookupError:  # its creation was undone by a reorganisation
                    return
                known = None
                if work.state not in (*UNCOMMITTED, _S.LOCKED):
                    self._waiting.pop(request_id, None)
                    return
                if work.state in UNCOMMITTED and (not self._open or work.state is stepped):
                    return  # where nothing changed, the chain did: its events are read in a moment
                try:
                    outcome = await self._step(work)
                    if isinstance(outcome, Verdict):
                        await self._wait(request_id, outcome)
                        return
                    known = outcome
                    stepped = work.state
                    pause = _FIRST_RETRY_SECONDS
                    self._failing.pop(request_id, None)
                except (GatelessError, OSError) as raised:
                    error = fault_of(raised)
                    log.warning(
                        "lazy-step-failed",
                        state=work.state,
                        code=error.code,
                        message=error.message,
                    )
                    if work.state in UNCOMMITTED:
                        await self._wait(request_id, await self._steps.fail(work, error))
                        return
                    self.context.parts.stopwatch.forget(request_id)
                    if await self._has_missed(work):
                        return
                    self._failing[request_id] = error
                    await self._clock.sleep(pause)
                    pause = min(2 * pause, _MAX_RETRY_SECONDS)

    async def _step(self, work: LazyWork) -> Outcome:
        if work.state is _S.LOCKED:
            return await self._steps.answer(work)
        if work.state is _S.SEEN:
            return await self._steps.check(work)
        return await self._steps.commit(work)

    async def _has_missed(self, work: LazyWork) -> bool:
        """Whether a lock's time is over: what became of it is told by events, some day."""
        now = (await self.context.parts.client.block("pending")).timestamp
        if work.lock is None or now <= work.lock.lock_deadline:
            return False
        await self._journal.move_lazy(
            work.request_id,
            _S.FAILED,
            only_from=[_S.LOCKED],
            reason="lock-missed",
            text="the lock's deadline passed unanswered",
        )
        return True

    async def _wait(self, request_id: int, verdict: Verdict) -> None:
        if verdict.answer is not Answer.WAIT:
            self._waiting.pop(request_id, None)
            return
        self.context.parts.stopwatch.forget(request_id)
        if self._waiting.get(request_id) != verdict:
            log.info("lazy-waits", reason=verdict.reason, text=verdict.text)
        self._waiting[request_id] = verdict
        await self._journal.note_lazy(request_id, verdict.reason, verdict.text)
        self._pause(request_id)

    def _pause(self, request_id: int) -> None:
        pause = self.context.parts.config.retry_seconds
        self._not_before[request_id] = self._clock.monotonic() + pause
