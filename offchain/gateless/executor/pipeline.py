"""Takes one request from seen to paid, one journaled step after the other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from gateless_proofs import Proof, Prover

from gateless.adapters.chain import calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError, ProofError
from gateless.core.types import InputBinding, Receipt, RequestInfo
from gateless.executor.checks import check_binding, check_execution, obtain_input
from gateless.executor.config import ExecutorConfig
from gateless.executor.content import ContentSources
from gateless.executor.faults import is_hopeless
from gateless.executor.journal import Journal
from gateless.executor.policy import Answer, Policy, Verdict
from gateless.executor.recovery import Recovery
from gateless.executor.standing import StandingReader
from gateless.executor.states import (
    COMMITTED,
    FINAL,
    REQUEST_VANISHED,
    UNCOMMITTED,
    WorkState,
)
from gateless.executor.transactions import Transactions
from gateless.executor.versions import ReadyVersion, Versions
from gateless.executor.watcher import Watcher
from gateless.executor.work import IntentKind, Work

T = TypeVar("T")
_S = WorkState

#: Pause between attempts at something that was promised; doubled each time.
_FIRST_RETRY_SECONDS = 0.5
_MAX_RETRY_SECONDS = 15.0


class Gone(Exception):
    """The request ended elsewhere while it was worked on."""


@dataclass(slots=True, eq=False)
class Active:
    """A request that is worked on now.

    Attributes:
        request_id: the request.
        committed: whether stake is, or may be, at risk: such work is finished before a shutdown.
        gone: set when the request ended elsewhere: proving stops.
    """

    request_id: int
    committed: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline works with."""

    client: ChainClient
    journal: Journal
    transactions: Transactions
    recovery: Recovery
    versions: Versions
    sources: ContentSources
    watcher: Watcher
    standing: StandingReader
    prover: Prover
    policy: Policy
    config: ExecutorConfig
    clock: Clock


class Pipeline:
    """Works on requests; :meth:`process` may run for several at once.

    One proof is made at a time, and a request is locked only when the prover is free for it: so the
    measured time of a proof is the time from lock to proof.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._journal = parts.journal
        self._prover_free = asyncio.Lock()
        self._closing = False

    def close_intake(self) -> None:
        """Locks nothing more; what is locked is still finished."""
        self._closing = True

    async def process(self, active: Active) -> Verdict | None:
        """Moves a request on until it is final; returns why where it has to wait.

        Whatever happens to a request that is locked, this does not return before it is final.
        """
        with structlog.contextvars.bound_contextvars(request_id=active.request_id):
            try:
                return await self._process(active)
            except LookupError:
                # Its creation was undone by a reorganisation; the watcher reads the new branch.
                structlog.get_logger(__name__).info("request-vanished")
                return None

    async def _process(self, active: Active) -> Verdict | None:
        log = structlog.get_logger(__name__)
        pause = _FIRST_RETRY_SECONDS
        failure: GatelessError | None = None
        work = await self._journal.get(active.request_id)
        unsettled = work.state in COMMITTED
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
            except Gone:
                active.gone.clear()
                unsettled = True
            except GatelessError as error:
                work = await self._journal.get(active.request_id)
                log.warning("step-failed", state=work.state, code=error.code, message=error.message)
                if work.state in UNCOMMITTED:
                    return await self._set_back(work, error)
                # Promised: look at the chain again, then try again for as long as it counts.
                failure, unsettled = error, True
                await self._parts.clock.sleep(pause)
                pause = min(pause * 2, _MAX_RETRY_SECONDS)

    async def _step(self, work: Work, active: Active) -> Verdict | None:
        if work.state is _S.SEEN:
            return await self._check(work)
        if work.state is _S.CHECKED:
            return await self._commit(work, active)
        if work.state in (_S.LOCKED, _S.PROVING):
            async with self._prover_free:
                await self._prove_locked(work, active)
        elif work.state is _S.PROVED:
            await self._fulfil(work)
        else:  # LOCKING and FULFILLING: a transaction failed and has been looked into
            await self._parts.recovery.settle(work)
        return None

    # --- before stake is at risk ---

    async def _check(self, work: Work) -> Verdict | None:
        parts = self._parts
        work = await parts.recovery.reconcile(work)
        if work.state is not _S.SEEN:
            return None
        verdict, _ = await self._judge(work)
        if verdict.answer is not Answer.TAKE:
            return verdict
        ready = await parts.versions.prepare(work.version_id)
        data, hint = await parts.watcher.created_input(work.created_block, work.request_id)
        packed = await obtain_input(work, ready, data, hint, parts.sources)
        await check_binding(work, ready, packed, parts.prover)
        witness = await check_execution(ready, packed, parts.prover)
        await self._journal.move(
            work.request_id, _S.CHECKED, packed_input=packed, circuit_index=ready.circuit_index
        )
        structlog.get_logger(__name__).info(
            "request-checked", version_id=work.version_id, witness_seconds=round(witness.seconds, 3)
        )
        return None

    async def _commit(self, work: Work, active: Active) -> Verdict | None:
        """Locks a checked request. From here on its collateral is at risk."""
        ready = await self._parts.versions.prepare(work.version_id)
        mine_only = work.named_executor is not None
        seconds = await self._journal.timing(work.version_id, work.circuit_index)
        if not work.has_proof and (seconds is None or mine_only):
            # Never proven here, so how long it takes is not known and whether the deployed verifier
            # takes the proof is not either: find both out before anything is at risk. Where nobody
            # else can lock there is no race either, and lock and answer go in one transaction.
            async with self._prover_free:
                proof = await self._prove(work, ready, active)
            await self._journal.note(
                work.request_id, packed_output=proof.packed_output, proof=proof.proof
            )
            return None
        async with self._prover_free:
            work = await self._parts.recovery.reconcile(work)
            if work.state is not _S.CHECKED:
                return None
            verdict, request = await self._judge(work)
            if verdict.answer is not Answer.TAKE or request is None:
                return verdict
            if self._closing:
                return Verdict(Answer.WAIT, "shutting-down", "no new requests are taken")
            active.committed = True
            await self._journal.move(work.request_id, _S.LOCKING)
            if mine_only:
                await self._lock_and_fulfil(work, ready)
                return None
            # A lock that is mined late may leave too little time: then it must not take effect.
            needed = self._parts.policy.needs_seconds(None if work.has_proof else seconds)
            call = calls.lock(request, math.ceil(needed))
            receipt = await self._execute(IntentKind.LOCK, call, work)
            deadline = int(receipt.event("RequestLocked").args["lockDeadline"])
            log = structlog.get_logger(__name__)
            log.info("request-locked", lock_deadline=deadline, version_id=work.version_id)
            work = await self._journal.move(work.request_id, _S.LOCKED, lock_deadline=deadline)
            await self._prove_locked(work, active)
        return None

    async def _judge(self, work: Work) -> tuple[Verdict, RequestInfo | None]:
        """Applies the policy, with fresh facts, and journals a refusal; returns what it judged."""
        parts = self._parts
        chain = await parts.recovery.request(work)
        if chain is None:
            text = "the chain does not hold it any more"
            return Verdict(Answer.WAIT, REQUEST_VANISHED, text), None
        block = await parts.client.block()
        standing = await parts.standing.refresh()
        verdict = parts.policy.judge(
            chain,
            standing,
            now=max(block.timestamp, int(parts.clock.now())),
            prove_seconds=await self._journal.timing(work.version_id, work.circuit_index),
            proved=work.has_proof,
            gas_price=await self._gas_price(),
        )
        if verdict.answer is Answer.SKIP:
            await self._journal.move(
                work.request_id, _S.SKIPPED, reason=verdict.reason, text=verdict.text
            )
        elif verdict.answer is Answer.WAIT:
            await self._journal.note(work.request_id, verdict.reason, verdict.text)
        return verdict, chain

    async def _gas_price(self) -> int:
        if self._parts.config.policy.token_per_native is None:
            return 0
        return await self._parts.client.rpc.quantity("eth_gasPrice")

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
        """Proves a locked request, unless a proof was kept. The prover is held by the caller."""
        if not work.has_proof:
            ready = await self._parts.versions.prepare(work.version_id)
            if work.state is _S.LOCKED:
                await self._journal.move(work.request_id, _S.PROVING)
            proof = await self._prove(work, ready, active)
            await self._journal.move(
                work.request_id,
                _S.PROVED,
                packed_output=proof.packed_output,
                proof=proof.proof,
            )
            return
        await self._journal.move(work.request_id, _S.PROVED)

    async def _prove(self, work: Work, ready: ReadyVersion, active: Active) -> Proof:
        """A proof that the deployed verifier takes, for exactly this request."""
        parts = self._parts
        packed = _kept_input(work)
        started = parts.clock.monotonic()
        proof = await _unless_gone(
            parts.prover.prove(ready.bundle, packed, work.circuit_index), active
        )
        seconds = parts.clock.monotonic() - started
        binding = await parts.client.verifier.verify(
            work.version_id,
            work.circuit_index,
            _input_argument(ready, packed),
            proof.packed_output,
            proof.proof,
        )
        if binding != work.input_binding:
            raise ProofError(
                "input-binding-mismatch",
                f"the proof for request {work.request_id} is bound to another input",
                hint="this is a defect of the executor or of its prover; please report it",
            )
        # Only now: a measured version is locked without another trial.
        await self._journal.measured(work.version_id, work.circuit_index, seconds)
        structlog.get_logger(__name__).info(
            "proof-made", seconds=round(seconds, 3), proof_bytes=len(proof.proof)
        )
        return proof

    async def _fulfil(self, work: Work) -> None:
        ready = await self._parts.versions.prepare(work.version_id)
        output, proof = _kept_proof(work)
        await self._journal.move(work.request_id, _S.FULFILLING)
        call = calls.fulfill(
            work.request_id,
            work.circuit_index,
            _input_argument(ready, _kept_input(work)),
            output,
            proof,
        )
        await self._paid(work, await self._execute(IntentKind.FULFILL, call, work))

    async def _lock_and_fulfil(self, work: Work, ready: ReadyVersion) -> None:
        output, proof = _kept_proof(work)
        call = calls.lock_and_fulfill(
            work.request_id,
            work.circuit_index,
            _input_argument(ready, _kept_input(work)),
            output,
            proof,
        )
        await self._paid(work, await self._execute(IntentKind.LOCK_AND_FULFILL, call, work))

    async def _paid(self, work: Work, receipt: Receipt) -> None:
        fee = int(receipt.event("RequestFulfilled").args["fee"])
        await self._journal.move(work.request_id, _S.FULFILLED, fee=fee)
        structlog.get_logger(__name__).info(
            "request-fulfilled", fee=fee, gas_used=receipt.gas_used, tx_hash=receipt.tx_hash
        )

    async def _execute(self, kind: IntentKind, call: calls.Call, work: Work) -> Receipt:
        async def wanted() -> bool:
            return await self._parts.recovery.is_still_wanted(work)

        return await self._parts.transactions.execute(
            kind, call, work.request_id, still_wanted=wanted
        )


def _kept_input(work: Work) -> bytes:
    if work.packed_input is None:
        raise GatelessError("journal-incomplete", f"request {work.request_id} lost its input")
    return work.packed_input


def _kept_proof(work: Work) -> tuple[bytes, bytes]:
    if work.packed_output is None or work.proof is None:
        raise GatelessError("journal-incomplete", f"request {work.request_id} lost its proof")
    return work.packed_output, work.proof


def _input_argument(ready: ReadyVersion, packed_input: bytes) -> bytes:
    """What the contract takes as input: nothing where the proof itself carries the commitment."""
    return packed_input if ready.info.binding is InputBinding.PACKED else b""


async def _unless_gone(work: Coroutine[Any, Any, T], active: Active) -> T:
    """Runs something that is stopped as soon as the request has ended elsewhere.

    Raises:
        Gone: it was stopped.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(active.gone.wait())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Gone
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
