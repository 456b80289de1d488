"""Answers challenges of own receipts in time: found on chain, proven, responded to.

Each step is journaled before the next: the challenge with the input that it carries (in the
transaction that moves the cursor), the proof, the response before it is sent. So a restart at any
point goes on where it stopped, and nothing is proven twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import structlog
from eth_utils.crypto import keccak

from gateless.adapters.chain import court_calls
from gateless.core.claims import ClaimState
from gateless.core.errors import GatelessError, NotFoundError, SandboxError
from gateless.daemon.faults import is_chain_away
from gateless.executor.faults import is_hopeless
from gateless.executor.journal_claims import ClaimStanding, KeptClaim, KeptProof
from gateless.executor.parts import Parts, input_argument
from gateless.executor.proofs import Proofs
from gateless.executor.status import Problem
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

#: Claims that one response settles at most: each costs some 60,000 gas.
MAX_CLAIMS = 100
_RETRY_SECONDS = 2.0

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
        self._proofs = proofs
        self._task: asyncio.Task[None] | None = None
        self._not_before: dict[bytes, float] = {}
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
            try:
                with structlog.contextvars.bound_contextvars(claim_id=claim.claim_id):
                    await self._answer(claim)
            except GatelessError as error:
                await self._failed(claim, error)
                if is_chain_away(error):
                    raise

    async def _next(self) -> KeptClaim | None:
        """The most urgent challenge that the court still waits for an answer to."""
        now = self._parts.clock.monotonic()
        for claim in await self._journal.open_claims():
            if self._not_before.get(claim.subject, 0.0) > now:
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
        kept = await self._proven(claim)
        if kept is None:
            return
        ready = await self._parts.versions.prepare(claim.version_id)
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
        receipt = await self._parts.transactions.execute(
            IntentKind.RESPOND, call, still_wanted=lambda: self._is_wanted(same)
        )
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
        self._not_before.pop(claim.subject, None)

    async def _proven(self, claim: KeptClaim) -> KeptProof | None:
        """The proof for a claim, made where it is missing; None where there can be none."""
        kept = await self._journal.kept_proof(claim.subject)
        if kept.proof is not None:
            return kept
        parts = self._parts
        ready = await parts.versions.prepare(claim.version_id)
        log.info("claim-open", claim_id=claim.claim_id, deadline=claim.deadline)
        witness = await parts.prover.witness(ready.bundle, kept.packed_input, ready.circuit_index)
        if keccak(witness.packed_output) != claim.output_digest:
            await self._give_up(
                claim, "receipt-indefensible", "the receipt states another output than the circuit"
            )
            return None
        proof = await self._proofs.of_input(
            ready,
            kept.packed_input,
            claim.input_binding,
            f"claim {claim.claim_id}",
            due=float(claim.deadline),
        )
        if keccak(proof.packed_output) != claim.output_digest:
            await self._give_up(
                claim, "receipt-indefensible", "the proof is of another output than the receipt's"
            )
            return None
        await self._journal.keep_proof(
            claim.subject, proof.packed_output, ready.circuit_index, proof.proof
        )
        return await self._journal.kept_proof(claim.subject)

    async def _is_wanted(self, claims: Sequence[KeptClaim]) -> bool:
        """Whether the court still takes a response; while it is out of reach, nothing says no."""
        try:
            states = [await self._parts.client.court.claim(entry.claim_id) for entry in claims]
        except GatelessError as error:
            if is_chain_away(error):
                return True
            raise
        return any(state.state is ClaimState.OPEN for state in states)

    async def _failed(self, claim: KeptClaim, error: GatelessError) -> None:
        # What this machine has too little of now it may have enough of in a while.
        if is_hopeless(error) and not isinstance(error, SandboxError):
            await self._give_up(claim, error.code, error.message)
            return
        log.warning(
            "claim-unanswered",
            claim_id=claim.claim_id,
            deadline=claim.deadline,
            code=error.code,
            message=error.message,
        )
        self._unanswered[claim.claim_id] = Problem(error.code, error.message, error.hint)
        self._not_before[claim.subject] = self._parts.clock.monotonic() + _RETRY_SECONDS

    async def _give_up(self, claim: KeptClaim, reason: str, text: str) -> None:
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
