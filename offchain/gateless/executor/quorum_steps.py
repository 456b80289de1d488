"""What a member does in a round, one step at a time. The chain is asked before each."""

from __future__ import annotations

import secrets

import structlog
from eth_utils.crypto import keccak
from gateless_proofs import Bundle, Prover

from gateless.adapters.chain import quorum_calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.contract import LATEST, PENDING
from gateless.adapters.chain.quorum import QuorumReader
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET
from gateless.core.errors import ChainError, ContractError, InputError, ModelError, ProofError
from gateless.core.quorums import QuorumRound, QuorumState, SeatState, quorum_commitment
from gateless.daemon.transactions import StillWanted
from gateless.daemon.versions import Versions
from gateless.executor.quorum_journal import KeptRound, QuorumBook, Standing
from gateless.executor.transactions import Transactions
from gateless.executor.work import IntentKind

log = structlog.get_logger(__name__)

#: Blocks whose hashes the chain knows.
_KNOWN_BLOCKS = 256


async def quorum_answer(
    prover: Prover, bundle: Bundle, packed_input: bytes, max_length: int
) -> bytes:
    """What a member commits to: the output. Empty where the version gives none for this input, or
    one that no reveal can carry: so it is for every honest member, and silence would be slashed.

    Either way it rests on the published files: they are read again, since no proof will show what a
    disk did to them, and whoever is alone with an output pays for it.

    Args:
        prover: runs the model.
        bundle: the version's.
        packed_input: of the request.
        max_length: most bytes that the market takes.

    Raises:
        StorageError: ``bundle-damaged``: nothing is known before it is repaired.
        SandboxError: this machine could not run it now.
    """
    try:
        output = await prover.answer(bundle, packed_input)
        await prover.require_intact(bundle)
    except (InputError, ModelError, ProofError) as error:
        log.warning("quorum-no-output", bundle=bundle.digest, code=error.code)
        return b""
    if len(output) > max_length:
        log.warning("quorum-output-too-long", bundle=bundle.digest, length=len(output))
        return b""
    return output


class QuorumSteps:
    """Steps of one executor in all its rounds.

    Args:
        client: the chain.
        market: the quorum market.
        journal: its memory of quorums.
        transactions: journals and sends.
        me: the executor.
        versions: files of versions.
        prover: runs models and circuits, each in a limited subprocess.
    """

    def __init__(
        self,
        client: ChainClient,
        market: QuorumReader,
        journal: QuorumBook,
        transactions: Transactions,
        me: str,
        versions: Versions,
        prover: Prover,
    ) -> None:
        self._client = client
        self._market = market
        self._journal = journal
        self._transactions = transactions
        self._me = me
        self._versions = versions
        self._prover = prover

    async def take(self, kept: KeptRound) -> bool:
        """Takes the next step; True where there is nothing more to do before the next look.

        Raises:
            GatelessError: the step failed; it is tried again.
        """
        request_id = kept.request_id
        state = await self._market.state(request_id, block=PENDING)
        if state is QuorumState.FINAL:
            return await self._end(kept, Standing.SETTLED)
        if state is QuorumState.REFUNDED:
            return await self._end(kept, Standing.REFUNDED)
        if state is QuorumState.OPEN:
            return await self._draw(kept)
        if state is QuorumState.NONE or kept.round is None:
            return True  # a fork, or an event that is read in a moment
        seat = kept.round.seat_of(self._me)
        if seat is None:
            return await self._end(kept, Standing.NOT_DRAWN)
        if kept.standing is Standing.OPEN:
            await self._journal.move(request_id, Standing.SEATED)
            log.info("quorum-seated", request_id=request_id, seat=seat)
            return False
        return await self._sit(kept, kept.round, seat)

    async def _sit(self, kept: KeptRound, held: QuorumRound, seat: int) -> bool:
        request_id = kept.request_id
        mine = await self._market.seat(request_id, seat, block=PENDING)
        now = (await self._client.block("pending")).timestamp
        if mine is SeatState.SILENT:
            if now > held.commit_deadline:
                return await self._miss(kept, "the commitments were over before it had an answer")
            return await self._commit(kept, held, seat)
        if mine is SeatState.COMMITTED:
            if now > held.reveal_deadline:
                return await self._miss(kept, "the reveals were over before it could reveal")
            if now <= held.commit_deadline and not await self._all_past(held, SeatState.SILENT):
                return True
            return await self._reveal(kept, held, seat)
        is_over = now > held.reveal_deadline or (
            await self._all_past(held, SeatState.COMMITTED, silent_too=now > held.commit_deadline)
        )
        if is_over:
            call = quorum_calls.settle(held, await self._most_revealed(held))
            await self._try(IntentKind.QUORUM_SETTLE, call, request_id, QuorumState.DRAWN)
        return True

    async def _draw(self, kept: KeptRound) -> bool:
        """Draws as soon as the seed is known; refunds where nobody did in time. Anybody may, and
        the attempts of those who come second cost nothing."""
        limits = await self._market.limits()
        number = (await self._client.block("pending")).number
        seed_block = kept.opened_block + limits.seed_delay
        if number > seed_block + _KNOWN_BLOCKS:
            call = quorum_calls.refund(kept.request, kept.opened_block)
            await self._try(IntentKind.QUORUM_REFUND, call, kept.request_id, QuorumState.OPEN)
        elif number > seed_block:
            call = quorum_calls.draw(kept.request, kept.opened_block)
            await self._try(IntentKind.QUORUM_DRAW, call, kept.request_id, QuorumState.OPEN)
        return True

    async def _commit(self, kept: KeptRound, held: QuorumRound, seat: int) -> bool:
        if kept.salt is None or kept.packed_output is None:
            output = await self._answer(kept)
            # From here on the salt is kept, whatever happens: nothing was sent that rests on it.
            kept = await self._journal.keep_answer(kept.request_id, secrets.token_bytes(32), output)
        if kept.salt is None or kept.packed_output is None:
            raise LookupError(f"the journal lost the answer to {kept.request_id:x}")
        commitment = quorum_commitment(
            self._me, kept.request_id, kept.salt, bytes(keccak(kept.packed_output))
        )
        await self._execute(
            IntentKind.QUORUM_COMMIT,
            quorum_calls.commit(held, seat, commitment),
            kept.request_id,
            lambda: self._can_still(held, seat, SeatState.SILENT, held.commit_deadline),
        )
        log.info("quorum-committed", request_id=kept.request_id, seat=seat)
        return False

    async def _reveal(self, kept: KeptRound, held: QuorumRound, seat: int) -> bool:
        if kept.salt is None or kept.packed_output is None:
            text = "its journal does not know what it committed to"
            log.error("quorum-salt-lost", request_id=kept.request_id, message=text)
            return await self._miss(kept, text)
        await self._execute(
            IntentKind.QUORUM_REVEAL,
            quorum_calls.reveal(held, seat, kept.salt, kept.packed_output),
            kept.request_id,
            lambda: self._can_still(held, seat, SeatState.COMMITTED, held.reveal_deadline),
        )
        log.info("quorum-revealed", request_id=kept.request_id, seat=seat)
        return False

    async def _answer(self, kept: KeptRound) -> bytes:
        _, bundle = await self._versions.unproven(kept.request.version_id)
        limits = await self._market.limits()
        return await quorum_answer(
            self._prover, bundle, kept.packed_input, limits.max_output_length
        )

    async def _all_past(
        self, held: QuorumRound, state: SeatState, *, silent_too: bool = False
    ) -> bool:
        """Whether every member got beyond a state; members without a commitment that can still
        come count as not."""
        for place in range(len(held.members)):
            found = await self._market.seat(held.request_id, place, block=PENDING)
            if found is SeatState.SILENT and silent_too:
                continue
            if found <= state:
                return False
        return True

    async def _most_revealed(self, held: QuorumRound) -> bytes:
        events = await self._client.events(
            [f"{QUORUM_MARKET}.QuorumRevealed"],
            self._client.deployment.start_block,
            indexed=[held.request_id],
        )
        outputs = [bytes(event.args["output"]) for event in events]
        return max(outputs, key=outputs.count, default=b"")

    async def _can_still(
        self, held: QuorumRound, seat: int, before: SeatState, deadline: int
    ) -> bool:
        """Whether a seat's step is not taken yet, and not late."""
        found = await self._market.seat(held.request_id, seat, block=LATEST)
        return found is before and (await self._client.block()).timestamp <= deadline

    async def _try(
        self, kind: IntentKind, call: Call, request_id: int, before: QuorumState
    ) -> None:
        """Sends what another may just have sent."""

        async def wanted() -> bool:
            return await self._market.state(request_id, block=LATEST) is before

        try:
            await self._execute(kind, call, request_id, wanted)
        except ContractError as error:
            log.debug("quorum-step-taken", label=call.label, code=error.code)

    async def _execute(
        self, kind: IntentKind, call: Call, request_id: int, wanted: StillWanted
    ) -> None:
        try:
            await self._transactions.execute(kind, call, request_id, still_wanted=wanted)
        except ChainError as error:
            if error.code != "transaction-cancelled":
                raise
            log.debug("quorum-step-cancelled", kind=kind)

    async def _end(self, kept: KeptRound, standing: Standing) -> bool:
        await self._journal.move(kept.request_id, standing)
        log.info("quorum-ended", request_id=kept.request_id, standing=standing)
        return True

    async def _miss(self, kept: KeptRound, text: str) -> bool:
        log.error("quorum-missed", request_id=kept.request_id, message=text)
        await self._journal.move(kept.request_id, Standing.MISSED, reason="seat-missed", text=text)
        return True
