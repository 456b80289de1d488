"""Everything about quorums that an executor's loop drives."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

import structlog
from gateless_proofs import Prover
from gateless_proofs.sandbox import Limits

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.quorum import (
    QUORUM_EVENTS,
    QuorumReader,
    drawn,
    has_quorum_market,
    opened,
)
from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError
from gateless.daemon.faults import is_chain_away
from gateless.daemon.follower import Follower
from gateless.daemon.versions import Versions
from gateless.executor.quorum_config import QuorumConfig, QuorumEnrolment
from gateless.executor.quorum_enrolling import QuorumEnrolling
from gateless.executor.quorum_journal import KeptRound, QuorumBook, Standing
from gateless.executor.quorum_steps import QuorumSteps
from gateless.executor.status import Problem
from gateless.executor.transactions import Transactions

log = structlog.get_logger(__name__)

_MAX_RETRY_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class QuorumParts:
    """What quorums are worked on with.

    Attributes:
        journal: its memory of quorums.
        retry_seconds: pause before something that failed is tried again.
    """

    client: ChainClient
    transactions: Transactions
    me: str
    versions: Versions
    prover: Prover
    config: QuorumConfig
    limits: Limits
    clock: Clock
    journal: QuorumBook
    retry_seconds: float


class QuorumDesk:
    """Quorums of one executor. Made by :meth:`of`.

    Where it sits it works to the end, also when nothing new is taken on.
    """

    def __init__(self, parts: QuorumParts, market: QuorumReader) -> None:
        self._parts = parts
        self._market = market
        self._enrolling = QuorumEnrolling(
            parts.client, market, parts.transactions, parts.me, parts.versions, parts.limits
        )
        self._journal = parts.journal
        self._steps = QuorumSteps(
            parts.client,
            market,
            parts.journal,
            parts.transactions,
            parts.me,
            parts.versions,
            parts.prover,
        )
        self._follower = Follower(
            parts.client,
            QUORUM_EVENTS,
            parts.journal,
            start_block=parts.client.deployment.start_block,
        )
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._enrolled: dict[tuple[int, bytes], bool] = {}
        self._problems: dict[int, Problem] = {}
        self._waiting: dict[int, Problem] = {}
        self._enrolment: asyncio.Task[None] | None = None
        self._try_again = 0.0
        self._is_open = True
        self._is_held = False

    @classmethod
    def of(cls, parts: QuorumParts) -> Self | None:
        """The desk of an executor; None where it takes part in no quorum."""
        if not parts.config.enrolments or not has_quorum_market(parts.client.deployment):
            return None
        return cls(parts, QuorumReader(parts.client.rpc, parts.client.deployment))

    @property
    def problems(self) -> list[Problem]:
        """What keeps it from being drawn, or from answering."""
        return [*self._problems.values(), *self._waiting.values()]

    def close(self) -> None:
        """Wants no further draws; rounds in which it sits are worked on."""
        self._is_open = False

    def hold(self, held: bool) -> None:
        """Enrols for nothing while it is held; rounds in which it sits are worked on."""
        self._is_held = held

    async def look(self) -> None:
        """Reads what the chain tells and starts what is to be done; for the executor's loop."""
        self._see_to_enrolments()
        await self._read()
        for kept in await self._journal.active():
            if kept.request_id not in self._tasks:
                self._start(kept)

    async def promised(self) -> bool:
        """Whether it holds a seat whose round is not over, or could still be given one.

        Once it is closed it sees to it that it is not drawn any more: silence would cost a bond.
        """
        if not self._is_open and not await self._retired():
            return True
        me = self._parts.me
        return any(
            kept.round is not None and kept.round.seat_of(me) is not None
            for kept in await self._journal.active()
        )

    async def counts(self) -> dict[Standing, int]:
        """How many requests stand where."""
        return await self._journal.counts()

    async def drain(self) -> None:
        """Waits for what is under way."""
        if self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    async def stop(self) -> None:
        """Stops at once; the journal knows where to go on."""
        for task in [*self._tasks.values(), self._enrolment]:
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    # --- the chain ---

    async def _read(self) -> None:
        """Follows the events of the pools in which it is enrolled."""
        async for stretch in self._follower.poll():
            asked = {}
            held = {}
            for event in stretch.events:
                if event.name == "QuorumOpened":
                    request, opened_block, packed = opened(event)
                    if self._may_be_drawn(request.version_id, request.runtime_class):
                        asked[int(event.args["requestId"])] = (request, opened_block, packed)
                elif event.name == "QuorumDrawn":
                    held[int(event.args["requestId"])] = (drawn(event), event.block_number)
            await self._journal.advance(asked, held, stretch.last)

    def _may_be_drawn(self, version_id: int, runtime_class: bytes) -> bool:
        """Pools of the configuration; before the first look at a machine's own class, all of it."""
        return any(
            wanted.version_id == version_id
            and (wanted.runtime_class is None or wanted.runtime_class == runtime_class)
            for wanted in self._parts.config.enrolments
        )

    # --- enrolments ---

    def _see_to_enrolments(self) -> None:
        missing = [
            wanted
            for wanted in self._parts.config.enrolments
            if wanted.version_id not in {version_id for version_id, _ in self._enrolled}
        ]
        is_due = self._try_again <= self._parts.clock.monotonic()
        is_wanted = self._is_open and not self._is_held
        if missing and is_wanted and is_due and self._enrolment is None:
            self._enrolment = asyncio.create_task(self._enroll(missing))

    async def _enroll(self, missing: list[QuorumEnrolment]) -> None:
        for wanted in missing:
            try:
                runtime = await self._enrolling.enroll(wanted)
            except GatelessError as error:
                log.warning("quorum-not-enrolled", code=error.code, message=error.message)
                self._problems[wanted.version_id] = Problem(error.code, error.message, error.hint)
            else:
                self._enrolled[(wanted.version_id, runtime)] = True
                self._problems.pop(wanted.version_id, None)
        self._try_again = self._parts.clock.monotonic() + self._parts.retry_seconds
        self._enrolment = None

    async def _retired(self) -> bool:
        """Puts its enrolments to sleep; False where that has to be tried again."""
        if self._enrolment is not None:
            await asyncio.wait([self._enrolment])
        awake = [place for place, is_awake in self._enrolled.items() if is_awake]
        if not awake:
            return True
        try:
            for version_id, runtime in awake:
                await self._enrolling.sleep(version_id, runtime)
            # It may have been drawn a moment ago.
            await self._read()
        except GatelessError as error:
            log.warning("quorum-not-asleep", code=error.code, message=error.message)
            return False
        self._enrolled = dict.fromkeys(self._enrolled, False)
        return True

    # --- rounds ---

    def _start(self, kept: KeptRound) -> None:
        task = asyncio.create_task(self._process(kept), name=f"quorum-{kept.request_id:x}")
        self._tasks[kept.request_id] = task
        task.add_done_callback(lambda done: self._finished(kept.request_id, done))

    def _finished(self, request_id: int, task: asyncio.Task[None]) -> None:
        del self._tasks[request_id]
        if not task.cancelled() and task.exception() is not None:
            log.error("quorum-crashed", request_id=request_id, exc_info=task.exception())

    async def _process(self, kept: KeptRound) -> None:
        """Moves a request on until it has to wait or is over; in a task of its own."""
        request_id = kept.request_id
        structlog.contextvars.bind_contextvars(request_id=request_id)
        pause = self._parts.retry_seconds
        while True:
            try:
                if await self._steps.take(kept):
                    self._waiting.pop(request_id, None)
                    return
            except GatelessError as error:
                if is_chain_away(error):
                    return
                log.warning("quorum-step-failed", code=error.code, message=error.message)
                self._waiting[request_id] = Problem(
                    error.code, error.message, error.hint, request_id
                )
                await self._parts.clock.sleep(pause)
                pause = min(2 * pause, _MAX_RETRY_SECONDS)
            kept = await self._journal.get(request_id)
            if kept.standing not in (Standing.OPEN, Standing.SEATED):
                self._waiting.pop(request_id, None)
                return
