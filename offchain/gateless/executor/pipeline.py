"""Takes one request from seen to paid, one journaled step after the other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping

import structlog

from gateless.adapters.chain import calls
from gateless.core.errors import GatelessError
from gateless.core.types import RequestInfo
from gateless.daemon.faults import fault_of
from gateless.daemon.versions import ReadyVersion
from gateless.executor.checks import check_binding, check_execution, obtain_input
from gateless.executor.delivery import Delivery
from gateless.executor.faults import is_breaking, is_hopeless
from gateless.executor.gather import Gather
from gateless.executor.locking import Locks
from gateless.executor.offers import offer_of
from gateless.executor.owed import Owed
from gateless.executor.parts import Active, Gone, Parts, unless_gone
from gateless.executor.policy import Answer, Verdict
from gateless.executor.proofs import Proofs
from gateless.executor.standing import unreserved
from gateless.executor.states import (
    COMMITTED,
    FINAL,
    REQUEST_VANISHED,
    UNCOMMITTED,
    WorkState,
)
from gateless.executor.work import Work

_S = WorkState

#: Pause between attempts at something that was promised; doubled each time.
_FIRST_RETRY_SECONDS = 0.5
_MAX_RETRY_SECONDS = 15.0
#: Pause before it is seen again whether there is a place for a request.
_ROOM_SECONDS = 0.05


class Pipeline:
    """Works on requests; :meth:`process` may run for several at once.

    Requests are locked one after the other, each only if all that was promised before it can be
    proven first and its own proof still be in time.
    """

    def __init__(self, parts: Parts, proofs: Proofs, owed: Owed) -> None:
        self._parts = parts
        self._journal = parts.journal
        self._proofs = proofs
        self._owed = owed
        self._gather = Gather(parts, proofs, owed, lambda: frozenset(self._running))
        self._locks = Locks(parts, lambda: frozenset(self._running))
        self._delivery = Delivery(parts)
        self._locking = asyncio.Lock()
        self._trials: dict[int, asyncio.Lock] = {}
        self._running: set[int] = set()
        self._failing: dict[int, GatelessError] = {}
        self._closing = False

    @property
    def failing(self) -> Mapping[int, GatelessError]:
        """What keeps promised requests from being fulfilled: it is tried again and again."""
        return dict(self._failing)

    def close_intake(self) -> None:
        """Locks nothing more; what is locked is still finished."""
        self._closing = True

    def batch_size(self, version_id: int) -> int:
        """Most requests of a version that may share a proof, as far as that is known."""
        return self._owed.circuits.batch_size(version_id)

    async def process(self, active: Active) -> Verdict | None:
        """Moves a request on until it is final; returns why where it has to wait.

        Whatever happens to a request that is locked, this does not return before it is final.
        """
        with structlog.contextvars.bound_contextvars(request_id=active.request_id):
            self._running.add(active.request_id)
            try:
                return await self._process(active)
            except LookupError:
                # Its creation was undone by a reorganisation; the watcher reads the new branch.
                structlog.get_logger(__name__).info("request-vanished")
                return None
            finally:
                self._running.discard(active.request_id)
                self._failing.pop(active.request_id, None)

    async def _process(self, active: Active) -> Verdict | None:
        log = structlog.get_logger(__name__)
        pause = _FIRST_RETRY_SECONDS
        failure: GatelessError | None = None
        work = await self._journal.get(active.request_id)
        unsettled = await self._parts.recovery.is_unsettled(work)
        while True:
            work = await self._journal.get(active.request_id)
            if work.state in FINAL:
                log.info("request-ended", state=work.state, reason=work.reason, text=work.text)
                return None
            active.committed = work.state in COMMITTED
            try:
                if unsettled:
                    work = await self._parts.recovery.settle(work)
                    unsettled = False
                    if failure is not None and work.state in UNCOMMITTED:
                        return await self._set_back(work, failure)
                    continue
                waiting = await self._step(work, active)
                if waiting is not None:
                    return waiting
                pause, failure = _FIRST_RETRY_SECONDS, None
                self._failing.pop(active.request_id, None)
            except Gone:
                active.gone.clear()
                unsettled = True
            except (GatelessError, OSError) as raised:
                error = fault_of(raised)
                work = await self._journal.get(active.request_id)
                log.warning("step-failed", state=work.state, code=error.code, message=error.message)
                self._count(work, error)
                if work.state in UNCOMMITTED:
                    return await self._set_back(work, error)
                # Promised: look at the chain again, then try again for as long as it counts.
                failure, unsettled = error, True
                self._failing[active.request_id] = error
                await self._parts.clock.sleep(pause)
                pause = min(pause * 2, _MAX_RETRY_SECONDS)

    async def _step(self, work: Work, active: Active) -> Verdict | None:
        if work.state is _S.SEEN:
            return await self._check(work, active)
        if work.state is _S.CHECKED:
            return await self._commit(work, active)
        if work.state in (_S.LOCKED, _S.PROVING):
            await self._prove_locked(work, active)
        elif work.state is _S.PROVED:
            await self._delivery.fulfil(work)
        else:  # LOCKING and FULFILLING: a transaction failed and has been looked into
            await self._parts.recovery.settle(work)
        return None

    # --- before stake is at risk ---

    async def _check(self, work: Work, active: Active) -> Verdict | None:
        parts = self._parts
        work = await parts.recovery.reconcile(work)
        if work.state is not _S.SEEN:
            return None
        seconds = await self._journal.timing(work.version_id, work.circuit_index)
        verdict, _, _ = await self._judge(work, seconds)
        if verdict.answer is not Answer.TAKE:
            return verdict
        ready = await parts.versions.prepare(work.version_id)
        packed = await unless_gone(self._input(work, ready, active), active)
        await check_binding(work, ready, packed, parts.prover)
        witness = await check_execution(ready, packed, parts.prover)
        await self._journal.move(
            work.request_id, _S.CHECKED, packed_input=packed, circuit_index=ready.circuit_index
        )
        structlog.get_logger(__name__).info(
            "request-checked", version_id=work.version_id, witness_seconds=round(witness.seconds, 3)
        )
        return None

    async def _input(self, work: Work, ready: ReadyVersion, active: Active) -> bytes:
        """The input of a request. While a stranger's store is asked for it, others are worked on:
        one that trickles must not take their place.
        """
        data, hint = await self._announced_input(work)
        active.fetching = not data
        try:
            packed = await obtain_input(work, ready, data, hint, self._parts.sources)
            while active.fetching and not active.has_room():
                await self._parts.clock.sleep(_ROOM_SECONDS)
        finally:
            active.fetching = False
        return packed

    async def _announced_input(self, work: Work) -> tuple[bytes, str]:
        """The input that came with a request, and the hint where it is else."""
        if work.offer is None:
            return await self._parts.watcher.created_input(work.created_block, work.request_id)
        packed = work.packed_input or await self._parts.inputs.find(work.input_digest)
        return packed or b"", offer_of(work).signed.input_hint

    async def _commit(self, work: Work, active: Active) -> Verdict | None:
        """Locks a checked request. From here on its collateral is at risk."""
        ready = await self._parts.versions.prepare(work.version_id)
        mine_only = work.named_executor is not None
        if not work.has_proof and (mine_only or not await self._is_measured(work)):
            # Never proven here, so how long it takes is not known and whether the deployed verifier
            # takes the proof is not either: find both out before anything is at risk. Where nobody
            # else can lock there is no race either, and lock and answer go in one transaction.
            await self._prove_ahead(work, ready, active, always=mine_only)
            return None
        if not work.has_proof:
            await self._gather.prepare(work, ready)
        async with self._locking:
            work = await self._parts.recovery.reconcile(work)
            if work.state is not _S.CHECKED:
                return None
            verdict, request, least, seconds = await self._judge_with_others(work, ready)
            if verdict.answer is not Answer.TAKE or request is None:
                return verdict
            if self._closing:
                return Verdict(Answer.WAIT, "shutting-down", "no new requests are taken")
            obstacle = self._parts.breaker.obstacle(work.version_id)
            if obstacle is not None:
                return Verdict(Answer.WAIT, obstacle.code, obstacle.text, obstacle.hint)
            active.committed = True
            await self._journal.move(work.request_id, _S.LOCKING)
        if mine_only:
            await self._delivery.lock_and_fulfil(work, ready)
            return None
        # A lock that is mined late may leave too little time: then it must not take effect. And the
        # price is the one of its own second, which must cover the cost as well.
        needed = math.ceil(self._parts.policy.needs_seconds(seconds))
        if work.offer is None:
            call = calls.lock(request, needed, least)
        else:
            offer = offer_of(work)
            call = calls.lock_signed(offer.signed, offer.signature, needed, least)
        deadline = await self._locks.lock(work, call)
        log = structlog.get_logger(__name__)
        log.info("request-locked", lock_deadline=deadline, version_id=work.version_id)
        await self._journal.move(work.request_id, _S.LOCKED, lock_deadline=deadline)
        return None

    async def _is_measured(self, work: Work) -> bool:
        return await self._journal.timing(work.version_id, work.circuit_index) is not None

    async def _prove_ahead(
        self, work: Work, ready: ReadyVersion, active: Active, *, always: bool
    ) -> None:
        """Proves a request that is not locked; one of a version at a time, the first is enough."""
        async with self._trials.setdefault(work.version_id, asyncio.Lock()):
            if not always and await self._is_measured(work):
                return
            proof = await unless_gone(self._proofs.alone(work, ready), active)
            await self._journal.note(
                work.request_id, packed_output=proof.packed_output, proof=proof.proof
            )

    async def _judge(
        self, work: Work, prove_seconds: float | None
    ) -> tuple[Verdict, RequestInfo | None, int]:
        """Applies the policy, with fresh facts, and journals a refusal.

        Returns:
            The verdict, what it is about, and the price from which on it holds.
        """
        parts = self._parts
        chain = await parts.recovery.request(work)
        if chain is None:
            text = "the chain does not hold it any more"
            return Verdict(Answer.WAIT, REQUEST_VANISHED, text), None, 0
        now = await parts.now()
        standing = await unreserved(await parts.standing.refresh(), self._journal)
        gas_price = await self._gas_price()
        verdict = parts.policy.judge(
            chain,
            standing,
            now=now,
            prove_seconds=prove_seconds,
            proved=work.has_proof,
            gas_price=gas_price,
        )
        asking = parts.policy.asking(
            chain,
            standing,
            prove_seconds=0.0 if work.has_proof else prove_seconds,
            gas_price=gas_price,
        )
        if verdict.answer is Answer.TAKE and work.offer is not None:
            verdict = await parts.recovery.offers.obstacle(work) or verdict
        if verdict.answer is Answer.SKIP:
            await self._journal.move(
                work.request_id, _S.SKIPPED, reason=verdict.reason, text=verdict.text
            )
        elif verdict.answer is Answer.WAIT:
            await self._journal.note(work.request_id, verdict.reason, verdict.text)
        return verdict, chain, asking

    async def _judge_with_others(
        self, work: Work, ready: ReadyVersion
    ) -> tuple[Verdict, RequestInfo | None, int, float]:
        """Applies the policy to what is about to be locked beside all that is promised.

        Returns:
            As :meth:`_judge`, and the seconds until its proof would be there.
        """
        if work.has_proof:
            return *await self._judge(work, 0.0), 0.0
        alone = await self._journal.timing(work.version_id, work.circuit_index)
        verdict, request, least = await self._judge(work, alone)
        if verdict.answer is not Answer.TAKE or request is None:
            return verdict, request, least, 0.0
        now = await self._parts.now()
        due = min(now + request.lock_duration, request.deadline)
        outlook = await self._owed.forecast(work, ready, due=float(due), now=float(now))
        crowded = self._parts.policy.judge_queue(due - now, outlook)
        if crowded is not None:
            await self._journal.note(work.request_id, crowded.reason, crowded.text)
            return crowded, request, least, outlook.seconds
        return verdict, request, least, outlook.seconds

    async def _gas_price(self) -> int:
        if self._parts.config.policy.token_per_native is None:
            return 0
        return await self._parts.client.rpc.quantity("eth_gasPrice")

    def _count(self, work: Work, error: GatelessError) -> None:
        """Counts what speaks against a version; after some in a row it is left alone."""
        breaker = self._parts.breaker
        locking = work.state is _S.LOCKING
        if is_breaking(error, locking=locking) and breaker.failed(work.version_id):
            structlog.get_logger(__name__).warning(
                "version-resting",
                version_id=work.version_id,
                seconds=round(breaker.resting[work.version_id]),
                code=error.code,
            )

    async def _set_back(self, work: Work, error: GatelessError) -> Verdict:
        """What an error means for a request that was not locked yet."""
        if is_hopeless(error):
            await self._journal.move(
                work.request_id, _S.REJECTED, reason=error.code, text=error.message
            )
            return Verdict(Answer.SKIP, error.code, error.message, error.hint)
        await self._journal.note(work.request_id, error.code, error.message)
        return Verdict(Answer.WAIT, error.code, error.message, error.hint)

    # --- promised ---

    async def _prove_locked(self, work: Work, active: Active) -> None:
        """Proves a locked request, with others or alone, unless a proof was kept."""
        if work.has_proof:
            await self._journal.move(work.request_id, _S.PROVED)
            return
        ready = await self._parts.versions.prepare(work.version_id)
        if await self._gather.prove(work, ready, active):
            return
        if (await self._journal.get(work.request_id)).state is _S.LOCKED:
            await self._journal.move(work.request_id, _S.PROVING)
        proof = await unless_gone(self._proofs.alone(work, ready), active)
        await self._journal.move(
            work.request_id, _S.PROVED, packed_output=proof.packed_output, proof=proof.proof
        )
