"""Proves lazy answers that are doubted, or that the lot fell on: in time, and the urgent first.

One proof settles all answers that say the same, and it is kept: for receipts that say it as well.
What goes wrong is tried again until the deadline: only a proof of another output ends a defence.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from gateless.adapters.chain import lazy_calls
from gateless.core.errors import ContractError, GatelessError
from gateless.core.lazy import LazyClaim, LazyState
from gateless.daemon.faults import fault_of, is_chain_away
from gateless.daemon.versions import ReadyVersion
from gateless.executor.claimed_proofs import ClaimedProofs, Indefensible, Retries
from gateless.executor.faults import is_breaking
from gateless.executor.journal_claims import KeptProof
from gateless.executor.journal_lazy import subject_of
from gateless.executor.lazy.context import LazyContext
from gateless.executor.lazy.states import LazyWork, LazyWorkState
from gateless.executor.parts import input_argument
from gateless.executor.status import Problem
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

_S = LazyWorkState
#: Answers that one proof settles at most: each costs some 60,000 gas, and its callback's.
MAX_CLAIMS = 24


class LazyDisputes:
    """Keeps the stake behind lazy answers.

    Args:
        context: what to work with.
    """

    def __init__(self, context: LazyContext) -> None:
        self._context = context
        self._parts = context.parts
        self._journal = context.parts.journal
        self._task: asyncio.Task[None] | None = None
        self._claimed = ClaimedProofs(context.parts, context.proofs)
        self._retries = Retries(context.parts.clock)
        self._hopeless: set[int] = set()
        self._unanswered: dict[int, Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps doubted answers from being proven."""
        return tuple(self._unanswered.values())

    def is_hopeless(self, work: LazyWork) -> bool:
        """Whether there is no proof of an answer."""
        return work.request_id in self._hopeless

    def look(self) -> None:
        """Starts proving where that is not under way."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="lazy-disputes")

    async def drain(self) -> None:
        """Waits for what is under way."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def stop(self) -> None:
        """Stops at once."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        try:
            await self.prove_all()
        except GatelessError as error:
            log.warning("disputes-interrupted", code=error.code, message=error.message)

    async def find_missed(self) -> None:
        """Asks the court about answers that seem to be undoubted: after a start, after a fork.

        Raises:
            ChainError: the chain cannot be reached now.
        """
        for work in await self._journal.find_lazy([_S.ANSWERED]):
            if await self._context.market.state(work.request_id) is not LazyState.DISPUTED:
                continue
            dispute = await self._context.court.dispute(work.request_id)
            if dispute is not None:
                await self._journal.move_lazy(
                    work.request_id,
                    _S.DISPUTED,
                    only_from=[_S.ANSWERED],
                    dispute_deadline=dispute.deadline,
                )

    async def prove_all(self) -> None:
        """Proves what is doubted, the most urgent first.

        Raises:
            ChainError: the chain cannot be reached now.
        """
        while True:
            work = await self._next()
            if work is None or work.claim is None:
                return
            started = self._parts.clock.monotonic()
            try:
                with structlog.contextvars.bound_contextvars(request_id=work.request_id):
                    await self._prove(work, work.claim)
            except Indefensible as reason:
                self._give_up(work, str(reason))
            except (GatelessError, OSError) as raised:
                error = fault_of(raised)
                self._failed(work, error, self._parts.clock.monotonic() - started)
                if is_chain_away(error):
                    raise error from None

    async def _next(self) -> LazyWork | None:
        disputed = await self._journal.find_lazy([_S.DISPUTED])
        open_ids = {work.request_id for work in disputed}
        for request_id in self._unanswered.keys() - open_ids:  # others ended them
            del self._unanswered[request_id]
            self._retries.forget(request_id)
        for work in sorted(disputed, key=lambda entry: entry.dispute_deadline):
            if work.request_id not in self._hopeless and self._retries.is_due(work.request_id):
                return work
        return None

    async def _prove(self, work: LazyWork, claim: LazyClaim) -> None:
        # A proof that came from somebody else, or too late, is told by events in a moment.
        state = await self._context.market.state(work.request_id)
        block = await self._parts.client.block("pending")
        if state is not LazyState.DISPUTED or block.timestamp > work.dispute_deadline:
            self._retries.later(work.request_id)
            return
        ready = await self._parts.versions.prepare(work.version_id)
        kept = await self._proof(work, claim, ready)
        if kept.packed_output is None or kept.proof is None:
            raise LookupError(f"the journal lost the proof for {work.request_id:x}")
        claims = await self._equal(claim)
        call = lazy_calls.prove(
            self._context.market.address,
            claims,
            kept.circuit_index,
            input_argument(ready, kept.packed_input),
            kept.packed_output,
            kept.proof,
        )
        try:
            receipt = await self._parts.transactions.execute(
                IntentKind.LAZY_PROVE, call, still_wanted=lambda: self._is_disputed(work)
            )
        except ContractError as refusal:
            await self._claimed.look_into(refusal, ready, kept)
            raise
        await self._context.take_over(receipt)
        self._unanswered.pop(work.request_id, None)
        self._retries.forget(work.request_id)
        log.info(
            "lazy-proven",
            request_ids=[entry.request_id for entry in claims],
            gas_used=receipt.gas_used,
            tx_hash=receipt.tx_hash,
        )

    async def _equal(self, claim: LazyClaim) -> list[LazyClaim]:
        """Own answers that say the same as one, which comes first: a proof settles them all."""
        found = [claim]
        for work in await self._journal.find_lazy([_S.DISPUTED, _S.ANSWERED]):
            same = work.claim is not None and work.claim.subject == claim.subject
            if same and work.claim is not None and work.claim != claim:
                found.append(work.claim)
        return found[:MAX_CLAIMS]

    async def _proof(self, work: LazyWork, claim: LazyClaim, ready: ReadyVersion) -> KeptProof:
        log.info("lazy-disputed", deadline=work.dispute_deadline)
        return await self._claimed.of(
            subject_of(claim),
            ready,
            await self._context.input_of(work, ready),
            binding=claim.input_binding,
            output_digest=claim.output_digest,
            purpose=f"lazy request {work.request_id}",
            due=float(work.dispute_deadline),
        )

    async def _is_disputed(self, work: LazyWork) -> bool:
        try:
            return await self._context.market.state(work.request_id) is LazyState.DISPUTED
        except GatelessError as error:
            if is_chain_away(error):
                return True
            raise

    def _failed(self, work: LazyWork, error: GatelessError, spent: float) -> None:
        log.warning(
            "lazy-unproven",
            request_id=work.request_id,
            deadline=work.dispute_deadline,
            code=error.code,
            message=error.message,
        )
        if is_breaking(error):
            self._parts.breaker.failed(work.version_id)
        if is_chain_away(error):
            self._retries.later(work.request_id)
        else:
            self._retries.failed(work.request_id, spent)
        self._unanswered[work.request_id] = Problem(
            error.code, error.message, error.hint, work.request_id
        )

    def _give_up(self, work: LazyWork, text: str) -> None:
        reason = "answer-indefensible"
        log.error("lazy-indefensible", request_id=work.request_id, reason=reason, message=text)
        self._hopeless.add(work.request_id)
        self._unanswered[work.request_id] = Problem(
            reason, text, "the collateral will be slashed; find the cause", work.request_id
        )
