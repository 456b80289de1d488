"""Takes one lazy request from seen to answered, one journaled step after the other."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, replace

import structlog

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.lazy_requests import LazyOffer
from gateless.core.errors import GatelessError
from gateless.core.lazy import Backing, LazyLock, LazyRequest, LazyState
from gateless.core.types import Block
from gateless.daemon.versions import ReadyVersion
from gateless.executor.checks import check_binding, check_execution
from gateless.executor.faults import is_breaking, is_hopeless
from gateless.executor.lazy.context import LazyContext
from gateless.executor.lazy.outbox import Outbox
from gateless.executor.lazy.states import LazyWork, LazyWorkState
from gateless.executor.policy import Answer, Standing, Verdict
from gateless.executor.standing import unreserved
from gateless.executor.work import IntentKind

_S = LazyWorkState
#: For so long what was asked for a check counts for the lock as well.
_FRESH_SECONDS = 1.0

#: Why it has to wait; or the work as it is in the journal now, None where that must be read.
Outcome = Verdict | LazyWork | None


@dataclass(frozen=True, slots=True)
class _Look:
    """The block to come, the chain's time, and where a request stands.

    It can be locked where it is open, or was missed by another executor.
    """

    block: Block
    now: int
    state: LazyState
    is_lockable: bool


@dataclass(frozen=True, slots=True)
class _Judgement:
    """A verdict of the policy, and what was reserved for locks under way when it was given.

    Attributes:
        verdict: whether to lock.
        asking: the price from which on it holds.
        under_way: what locks under way took.
        is_complete: whether the version was known, and with it how long proofs take.
    """

    verdict: Verdict
    asking: int
    under_way: tuple[int, int]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a lock is judged by."""

    look: _Look
    standing: Standing
    backing: Backing
    deposit: int
    gas_price: int


class LazySteps:
    """What is done for a lazy request until it is answered; for several requests at once.

    Args:
        context: what to work with.
        outbox: sends what is decided.
    """

    def __init__(self, context: LazyContext, outbox: Outbox) -> None:
        self._outbox = outbox
        self._context = context
        self._parts = context.parts
        self._journal = context.parts.journal
        self._judging = asyncio.Lock()
        #: What checks asked the chain, when, and what came of it.
        self._known: dict[int, tuple[float, _Facts, _Judgement]] = {}
        #: Locks under way of requests that ask for an audit by lot.
        self._promised = 0

    async def check(self, work: LazyWork) -> Outcome:
        """Establishes, with nothing at stake, what the answer is and that it could be proven."""
        context, parts = self._context, self._parts
        refusal = context.policy.judge_announced(work.request, await parts.standing.current())
        if refusal is not None:
            await self._skip(work, refusal)
            return None
        asked_at = parts.clock.monotonic()
        facts, limits = await asyncio.gather(self._facts(work), context.market.limits())
        if await self._has_ended(work, facts.look):
            return None
        # A key, a trial proof and a witness take seconds that no requester has paid for: they are
        # spent on what would be locked now, and on nothing else.
        judgement = await self._judge(work, facts, parts.versions.known(work.version_id))
        verdict = judgement.verdict
        if verdict.answer is Answer.SKIP:
            await self._skip(work, verdict)
            return None
        if verdict.answer is Answer.WAIT:
            return verdict
        packed, output = await self._compute(work)
        refusal = context.policy.judge_output(output, limits.max_output_length)
        if refusal is not None:
            await self._skip(work, refusal)
            return None
        work = await self._journal.move_lazy(
            work.request_id, _S.CHECKED, packed_input=packed, packed_output=output
        )
        fresh = parts.clock.monotonic() - _FRESH_SECONDS
        self._known = {key: seen for key, seen in self._known.items() if seen[0] > fresh}
        self._known[work.request_id] = asked_at, facts, judgement
        return work

    async def _compute(self, work: LazyWork) -> tuple[bytes, bytes]:
        """The packed input of a request and what the circuit makes of it, both checked.

        Raises:
            GatelessError: it cannot be answered, or not now.
        """
        context, parts = self._context, self._parts
        with parts.stopwatch.without(work.request_id):  # a proof, the first time
            ready = await context.auditor.audit(work.version_id, work.packed_input)
        packed = await context.input_of(work, ready)
        with parts.stopwatch.without(work.request_id):
            await check_binding(work, ready, packed, parts.prover)
            witness = await check_execution(ready, packed, parts.prover)
        return packed, witness.packed_output

    async def commit(self, work: LazyWork) -> Outcome:
        """Locks a request whose answer is known; where nobody else could, answers at once."""
        if work.packed_output is None:
            return await self._journal.move_lazy(work.request_id, _S.SEEN)
        must_wait = self._judging.locked()
        async with self._judging:  # so that no two locks count on the same backing
            if must_wait:
                work = await self._journal.lazy(work.request_id)
            if work.state is not _S.CHECKED:
                return None
            facts, judgement = await self._known_of_late(work)
            if await self._has_ended(work, facts.look):
                return None
            if judgement is None:
                ready = await self._parts.versions.prepare(work.version_id)
                judgement = await self._judge(work, facts, ready)
            verdict, asking = judgement.verdict, judgement.asking
            if verdict.answer is Answer.SKIP:
                await self._skip(work, verdict)
                return None
            if verdict.answer is Answer.WAIT:
                return verdict
            obstacle = self._parts.breaker.obstacle(work.version_id)
            if obstacle is not None:
                return Verdict(Answer.WAIT, obstacle.code, obstacle.text, obstacle.hint)
            call, kind = self._lock_call(work, asking, work.missed(facts.look.now))
            self._parts.standing.reserved += work.request.collateral
            self._promised += work.request.audit_bps > 0
        try:
            receipt = await self._outbox.send(
                kind,
                call,
                lambda: self._is_lockable(work),
                request_id=work.request_id,
                told=self._parts.stopwatch.sent,
            )
            if kind in (IntentKind.LAZY_LOCK, IntentKind.LAZY_TAKE_OVER):
                self._parts.stopwatch.locked(work.request_id)
            taken = await self._context.take_over(receipt)
        finally:
            self._parts.standing.reserved -= work.request.collateral
            self._promised -= work.request.audit_bps > 0
        structlog.get_logger(__name__).info(
            "lazy-locked", kind=kind, gas_used=receipt.gas_used, tx_hash=receipt.tx_hash
        )
        return taken.get(work.request_id)

    async def answer(self, work: LazyWork) -> LazyWork | None:
        """Answers a locked request. From then on the output is claimed, and can be doubted."""
        if work.lock is None:
            raise GatelessError("journal-incomplete", f"request {work.request_id} lost its lock")
        if work.packed_output is None:
            # What was known before a reorganisation, or before a crash: find it out again.
            ready = await self._parts.versions.prepare(work.version_id)
            packed = await self._context.input_of(work, ready)
            output = (await check_execution(ready, packed, self._parts.prover)).packed_output
            work = await self._journal.move_lazy(
                work.request_id,
                _S.LOCKED,
                only_from=[_S.LOCKED],
                packed_input=packed,
                packed_output=output,
            )
        output = work.packed_output or b""
        lock = work.lock
        if lock is None:
            return work
        receipt = await self._outbox.send(
            IntentKind.LAZY_ANSWER,
            lazy_calls.fulfill(work.request, lock, output),
            lambda: self._is_locked(work),
            request_id=work.request_id,
            told=self._parts.stopwatch.sent,
        )
        taken = await self._context.take_over(receipt)
        structlog.get_logger(__name__).info(
            "lazy-answered", gas_used=receipt.gas_used, tx_hash=receipt.tx_hash
        )
        return taken.get(work.request_id)

    async def fail(self, work: LazyWork, error: GatelessError) -> Verdict:
        """What an error means for a request that is not locked yet."""
        # A lock that reverted was too late: another executor was faster.
        if is_breaking(error, locking=True):
            self._parts.breaker.failed(work.version_id)
        if is_hopeless(error):
            await self._journal.move_lazy(
                work.request_id, _S.REJECTED, reason=error.code, text=error.message
            )
            return Verdict(Answer.SKIP, error.code, error.message, error.hint)
        return Verdict(Answer.WAIT, error.code, error.message, error.hint)

    # --- before a lock ---

    async def _look(self, work: LazyWork) -> _Look:
        """Where a request stands, and what time it is."""
        block, (state, is_open) = await asyncio.gather(
            self._parts.client.block("pending"), self._stands(work)
        )
        now = self._parts.time.see(block)
        was_missed = state is LazyState.LOCKED and work.missed(now) is not None
        return _Look(block, now, state, is_open or was_missed)

    async def _facts(self, work: LazyWork) -> _Facts:
        """What a lock is judged by, all asked for at once."""
        context = self._context
        return _Facts(
            *await asyncio.gather(
                self._look(work),
                self._standing(),
                context.market.backing(context.me),
                context.market.balance_of(work.request.requester),
                context.gas_price(),
            )
        )

    async def _known_of_late(self, work: LazyWork) -> tuple[_Facts, _Judgement | None]:
        """The facts of the check where that was a moment ago, else new ones; and what the check
        came to where that still holds.

        What changes in that moment is seen when the lock is simulated. A limit of the whole, which
        no simulation knows, wants new ones.
        """
        known = self._known.pop(work.request_id, None)
        if known is None or self._parts.config.policy.max_at_risk is not None:
            return await self._facts(work), None
        asked_at, facts, judgement = known
        if not 0 <= self._parts.clock.monotonic() - asked_at < _FRESH_SECONDS:
            return await self._facts(work), None
        holds = judgement.is_complete and judgement.under_way == self._under_way
        return facts, judgement if holds else None

    async def _standing(self) -> Standing:
        """The cached one is of the last look at the chain; a limit of the whole wants it exact."""
        parts = self._parts
        if parts.config.policy.max_at_risk is None:
            return await parts.standing.current()
        return await unreserved(await parts.standing.refresh(), parts.journal)

    async def _judge(self, work: LazyWork, facts: _Facts, ready: ReadyVersion | None) -> _Judgement:
        """What the policy says.

        Args:
            work: the request.
            facts: what it is judged by.
            ready: the version; None where it is not prepared: then proofs are taken to need no
                time, and what the verdict is in earnest is said once it is.
        """
        context, under_way = self._context, self._under_way
        if ready is None:
            info, seconds = await self._parts.client.registry.version(work.version_id), 0.0
        else:
            info, seconds = ready.info, await context.auditor.seconds(ready) or 0.0
        now = facts.look.now
        missed = work.missed(now)
        request = work.request if missed is None else _at_price(work.request, missed.price)
        owed, audits = 0.0, 0
        if request.audit_bps:
            owed = await context.proofs.owed.seconds(float(now + request.response_window), now)
            audits = await self._audits(facts.look.block.number)
        verdict = context.policy.judge(
            request,
            facts.standing,
            self._unreserved(facts.backing),
            now=now,
            answer_seconds=0.0,
            prove_seconds=seconds,
            royalty_bps=info.royalty_bps,
            gas_price=facts.gas_price,
            audits=audits,
            owed_seconds=owed,
        )
        asking = context.policy.asking(
            request, facts.standing, seconds, info.royalty_bps, facts.gas_price
        )
        if verdict.answer is Answer.TAKE and work.signature is not None and missed is None:
            missing = request.price_at(now) - facts.deposit
            if missing > 0:
                verdict = Verdict(
                    Answer.WAIT,
                    "deposit-too-low",
                    f"the deposit of {work.request.requester} lacks {missing} for the price",
                    "its requester has to deposit it at the lazy market",
                )
        return _Judgement(verdict, asking, under_way, ready is not None)

    @property
    def _under_way(self) -> tuple[int, int]:
        """Stake and lots that locks under way may take."""
        return self._parts.standing.reserved, self._promised

    async def _audits(self, head: int) -> int:
        """Answers given or promised on which a lot may still fall; what fell is owed."""
        return self._promised + len(await self._journal.list_drawable(head))

    def _unreserved(self, backing: Backing) -> Backing:
        """The backing without what locks under way will use."""
        used = backing.used + self._parts.standing.reserved
        return Backing(backing.total, min(backing.total, used))

    def _lock_call(
        self, work: LazyWork, asking: int, missed: LazyLock | None
    ) -> tuple[Call, IntentKind]:
        request, signature, output = work.request, work.signature, work.packed_output or b""
        if request.named_executor is not None:
            if signature is None:
                call = lazy_calls.lock_and_fulfill(request, output)
            else:
                call = lazy_calls.lock_signed_and_fulfill(request, signature, output)
            return call, IntentKind.LAZY_LOCK_AND_ANSWER
        seconds = math.ceil(self._parts.policy.config.margin_seconds)
        if missed is not None:
            return lazy_calls.take_over(request, missed, seconds), IntentKind.LAZY_TAKE_OVER
        if signature is None:
            return lazy_calls.lock(request, seconds, asking), IntentKind.LAZY_LOCK
        return lazy_calls.lock_signed(request, signature, seconds, asking), IntentKind.LAZY_LOCK

    async def _skip(self, work: LazyWork, verdict: Verdict) -> None:
        await self._journal.move_lazy(
            work.request_id, _S.SKIPPED, reason=verdict.reason, text=verdict.text
        )

    async def _has_ended(self, work: LazyWork, look: _Look) -> bool:
        """Writes down where a request that is not locked here came to its end.

        Raises:
            ChainError: ``rpc-behind``: a node does not know it yet.
        """
        if look.now > work.request.deadline:
            await self._lose(work, "expired", "its deadline passed before it was locked")
            return True
        if look.is_lockable:
            return False
        if look.state is LazyState.NONE:
            if work.signature is None:
                await self._parts.recovery.require_undone(work.created_block)
            await self._lose(work, "request-vanished", "it was taken back, or never made")
        return True  # what others did is told by the events of its block

    async def _lose(self, work: LazyWork, reason: str, text: str) -> None:
        await self._journal.move_lazy(work.request_id, _S.LOST, reason=reason, text=text)

    async def _is_lockable(self, work: LazyWork) -> bool:
        return (await self._look(work)).is_lockable

    async def _stands(self, work: LazyWork) -> tuple[LazyState, bool]:
        """The request's state, and whether it is open: a signed one needs no state yet."""
        if work.signature is None:
            state = await self._context.market.state(work.request_id)
            return state, state is LazyState.OPEN
        state, is_spent = await asyncio.gather(
            self._context.market.state(work.request_id),
            self._context.is_spent(self._offer(work)),
        )
        return state, state is LazyState.OPEN or (state is LazyState.NONE and not is_spent)

    async def _is_locked(self, work: LazyWork) -> bool:
        return await self._context.market.state(work.request_id) is LazyState.LOCKED

    def _offer(self, work: LazyWork) -> LazyOffer:
        client = self._parts.client
        signature = work.signature or b""
        return LazyOffer(client.chain_id, self._context.market.address, work.request, signature)


def _at_price(request: LazyRequest, price: int) -> LazyRequest:
    """A request as it is to be judged whose price an earlier lock has fixed."""
    return replace(request, max_price=price, min_price=0, ramp_start=0, ramp_length=0)
