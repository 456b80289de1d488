"""Answers challenges of own receipts in time: found on chain, proven, responded to.

Each step is journaled before the next: the challenge with the input that it carries (in the
transaction that moves the cursor), the proof, the response before it is sent. So a restart at any
point goes on where it stopped, and nothing is proven twice. What goes wrong is tried again until
the deadline: only a proof of another output ends a defence.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog

from gateless.adapters.chain import court_calls
from gateless.core.claims import ClaimState
from gateless.core.errors import ContractError, GatelessError, NotFoundError
from gateless.daemon.faults import fault_of, is_chain_away
from gateless.daemon.versions import ReadyVersion
from gateless.executor.claimed_proofs import ClaimedProofs, Indefensible, Retries
from gateless.executor.faults import is_breaking
from gateless.executor.journal_claims import ClaimStanding, KeptClaim, KeptProof
from gateless.executor.parts import Parts, input_argument
from gateless.executor.proofs import Proofs
from gateless.executor.status import Problem
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

#: Claims that one response settles at most: each costs some 60,000 gas.
MAX_CLAIMS = 100

_STANDINGS = {
    ClaimState.PROVEN: ClaimStanding.PROVEN,
    ClaimState.SLASHED: ClaimStanding.LOST,
    ClaimState.MOOT: ClaimStanding.MOOT,
}


class Defence:
    """Keeps this executor's bonds: the most urgent challenge first, one proof for all equal ones.

    Args:
        parts: what to work with.
        proofs: makes them.
    """

    def __init__(self, parts: Parts, proofs: Proofs) -> None:
        self._parts = parts
        self._journal = parts.journal
        self._claimed = ClaimedProofs(parts, proofs)
        self._retries = Retries(parts.clock)
        self._task: asyncio.Task[None] | None = None
        self._unanswered: dict[int, Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What keeps challenges from being answered."""
        return tuple(self._unanswered.values())

    def look(self) -> None:
        """Starts answering where that is not under way; for the executor's loop."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="defence")

    async def drain(self) -> None:
        """Waits for what is under way."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def stop(self) -> None:
        """Stops at once; the journal knows where to go on."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        try:
            await self.answer_all()
        except GatelessError as error:
            log.warning("defence-interrupted", code=error.code, message=error.message)

    async def answer_all(self) -> None:
        """Answers what is open and due, the most urgent first, until nothing is.

        Raises:
            ChainError: the chain cannot be reached now.
        """
        while True:
            claim = await self._next()
            if claim is None:
                return
            started = self._parts.clock.monotonic()
            try:
                with structlog.contextvars.bound_contextvars(claim_id=claim.claim_id):
                    await self._answer(claim)
            except Indefensible as reason:
                await self._give_up(claim, str(reason))
            except (GatelessError, OSError) as raised:
                error = fault_of(raised)
                self._failed(claim, error, self._parts.clock.monotonic() - started)
                if is_chain_away(error):
                    raise error from None

    async def _next(self) -> KeptClaim | None:
        """The most urgent challenge that the court still waits for an answer to."""
        for claim in await self._journal.open_claims():
            if not self._retries.is_due(claim.subject):
                continue
            if await self._is_open(claim):
                return claim
        return None

    async def _is_open(self, claim: KeptClaim) -> bool:
        """Asks the court, and writes down how a claim that is not open any more ended."""
        try:
            found = await self._parts.client.court.claim(claim.claim_id)
        except NotFoundError:  # undone by a reorganisation; its new block is read again
            await self._settle(claim, ClaimStanding.MOOT, "claim-vanished", "the chain forked")
            return False
        if found.state in _STANDINGS:
            await self._settle(claim, _STANDINGS[found.state], "", "")
            return False
        block = await self._parts.client.block("pending")
        if block.timestamp > found.deadline:
            text = f"no proof was on chain by its deadline {found.deadline}"
            await self._settle(claim, ClaimStanding.LOST, "response-missed", text)
            return False
        return True

    async def _answer(self, claim: KeptClaim) -> None:
        ready = await self._parts.versions.prepare(claim.version_id)
        kept = await self._proven(claim, ready)
        same = [
            entry
            for entry in await self._journal.claims_of(claim.subject)
            if entry.standing is ClaimStanding.OPEN and await self._is_open(entry)
        ][:MAX_CLAIMS]
        if not same or kept.packed_output is None or kept.proof is None:
            return
        call = court_calls.respond(
            [entry.claim_id for entry in same],
            kept.circuit_index,
            input_argument(ready, kept.packed_input),
            kept.packed_output,
            kept.proof,
        )
        try:
            receipt = await self._parts.transactions.execute(
                IntentKind.RESPOND, call, still_wanted=lambda: self._is_wanted(same)
            )
        except ContractError as refusal:
            await self._claimed.look_into(refusal, ready, kept)
            raise
        proven = {
            int(event.args["claimId"]) for event in receipt.logs if event.name == "ClaimProven"
        }
        log.info(
            "claims-answered",
            claim_ids=sorted(proven),
            version_id=claim.version_id,
            gas_used=receipt.gas_used,
            tx_hash=receipt.tx_hash,
        )
        for entry in same:
            if entry.claim_id in proven:
                await self._settle(entry, ClaimStanding.PROVEN, "", "")
            else:
                await self._is_open(entry)
        self._retries.forget(claim.subject)

    async def _proven(self, claim: KeptClaim, ready: ReadyVersion) -> KeptProof:
        """The proof for a claim, made where it is missing."""
        log.info("claim-open", claim_id=claim.claim_id, deadline=claim.deadline)
        kept = await self._journal.kept_proof(claim.subject)
        return await self._claimed.of(
            claim.subject,
            ready,
            kept.packed_input,
            binding=claim.input_binding,
            output_digest=claim.output_digest,
            purpose=f"claim {claim.claim_id}",
            due=float(claim.deadline),
        )

    async def _is_wanted(self, claims: Sequence[KeptClaim]) -> bool:
        """Whether the court still takes a response; while it is out of reach, nothing says no."""
        try:
            states = [await self._parts.client.court.claim(entry.claim_id) for entry in claims]
        except GatelessError as error:
            if is_chain_away(error):
                return True
            raise
        return any(state.state is ClaimState.OPEN for state in states)

    def _failed(self, claim: KeptClaim, error: GatelessError, spent: float) -> None:
        log.warning(
            "claim-unanswered",
            claim_id=claim.claim_id,
            deadline=claim.deadline,
            code=error.code,
            message=error.message,
        )
        self._unanswered[claim.claim_id] = Problem(error.code, error.message, error.hint)
        if is_breaking(error):
            self._parts.breaker.failed(claim.version_id)
        if is_chain_away(error):
            self._retries.later(claim.subject)
        else:
            self._retries.failed(claim.subject, spent)

    async def _give_up(self, claim: KeptClaim, text: str) -> None:
        reason = "receipt-indefensible"
        log.error("claim-indefensible", claim_id=claim.claim_id, reason=reason, message=text)
        for entry in await self._journal.claims_of(claim.subject):
            if entry.standing is ClaimStanding.OPEN:
                await self._settle(entry, ClaimStanding.INDEFENSIBLE, reason, text)

    async def _settle(
        self, claim: KeptClaim, standing: ClaimStanding, reason: str, text: str
    ) -> None:
        self._unanswered.pop(claim.claim_id, None)
        await self._journal.settle_claim(claim.claim_id, standing, reason=reason, text=text)
        log.info("claim-ended", claim_id=claim.claim_id, standing=standing, reason=reason)
