"""Answers of the lazy market before the court for doubts about them, and audits by lot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from eth_utils.crypto import keccak

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lazy import DisputeReader, LazyReader, answered
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.core.errors import ContractError
from gateless.core.lazy import LazyClaim, LazyState, lazy_commitment
from gateless.core.types import Event, Permit, Receipt
from gateless.watchtower.cases import Case, CaseKind, NewCase
from gateless.watchtower.forum import ABSENT, Found, Offer, OwnClaim, Refusal, Standing
from gateless.watchtower.judging import Statement

_BPS = 10_000
#: Blocks whose hashes the EVM knows.
_SEED_BLOCKS = 256
_COURT_ENDS = (f"{DISPUTE_COURT}.ChallengeFailed",)
_MARKET_ENDS = (f"{LAZY_MARKET}.Finalized", f"{LAZY_MARKET}.ClaimSlashed")
_WITHDRAWN = (f"{DISPUTE_COURT}.CommitmentWithdrawn",)
_LOT = b"gateless lot"


def claim_id_of(claim: LazyClaim) -> bytes:
    """The case about an answer: its request's id."""
    return claim.request_id.to_bytes(32, "big")


def lot_id_of(claim: LazyClaim) -> bytes:
    """The case about an answer's lot."""
    return bytes(keccak(_LOT + claim_id_of(claim)))


def lazy_case(event: Event) -> NewCase:
    """A case about an ``Answered`` event."""
    claim, output, hint = answered(event)
    return NewCase(
        case_id=claim_id_of(claim),
        kind=CaseKind.LAZY,
        document=_document(claim, hint),
        executor=claim.executor,
        version_id=claim.version_id,
        expires=claim.challenge_deadline,
        packed_output=output,
        block=event.block_number,
    )


def lot_case(event: Event) -> NewCase:
    """A case about the lot that an ``Answered`` event's request asked for."""
    claim, _, hint = answered(event)
    return NewCase(
        case_id=lot_id_of(claim),
        kind=CaseKind.LOT,
        document=_document(claim, hint),
        executor=claim.executor,
        version_id=claim.version_id,
        expires=claim.challenge_deadline,
        block=event.block_number,
    )


def claim_of(case: Case) -> LazyClaim:
    """The answer that a case is about."""
    stated: Mapping[str, Any] = json.loads(case.document)["claim"]
    values = {
        name: bytes.fromhex(stated[name][2:])
        if kind == "bytes32"
        else (stated[name] if kind == "address" else int(stated[name]))
        for name, kind in LazyClaim.MEMBERS
    }
    return LazyClaim.of_struct(values)


def hint_of(case: Case) -> str:
    """Where the request says that its input is."""
    return str(json.loads(case.document)["hint"])


def _document(claim: LazyClaim, hint: str) -> str:
    stated = {
        name: f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
        for name, value in claim.struct().items()
    }
    return json.dumps({"claim": stated, "hint": hint})


class LazyForum:
    """The court for lazy answers, for one challenger.

    Args:
        client: the chain; its network has a lazy market.
        me: the challenger.
    """

    def __init__(self, client: ChainClient, me: str) -> None:
        self._client = client
        self._market = LazyReader(client.rpc, client.deployment)
        self._court = DisputeReader(client.rpc, client.deployment)
        self._me = me

    @property
    def address(self) -> str:
        """The court, which holds the bonds."""
        return self._court.address

    def statement(self, case: Case) -> Statement:
        """What an answer says."""
        claim = claim_of(case)
        return Statement(
            version_id=claim.version_id,
            input_binding=claim.input_binding,
            input_digest=claim.input_digest,
            output_digest=claim.output_digest,
            packed_input=case.packed_input,
            packed_output=case.packed_output,
        )

    async def offer(self, case: Case) -> Offer | Refusal:
        """Whether the court would take a challenge, or the lot fell, and what it pays."""
        claim = claim_of(case)
        state = await self._market.state(claim.request_id)
        if state is LazyState.DISPUTED:
            return Refusal("already-challenged", "a proof is demanded already")
        if state is not LazyState.ANSWERED:
            return Refusal("already-ended", f"the request is {state.name.lower()}")
        if case.kind is CaseKind.LOT:
            refusal = await self._undrawn(claim)
            if refusal is not None:
                return refusal
        reward = claim.collateral * int(await self._market.call("REWARD_BPS")) // _BPS
        bond = 0 if case.kind is CaseKind.LOT else await self._court.challenge_bond()
        return Offer(bond, bond, reward)

    async def _undrawn(self, claim: LazyClaim) -> Refusal | None:
        """Why the lot cannot be shown now; None where it fell on the answer."""
        head = (await self._client.block()).number
        if head > claim.answered_block + _SEED_BLOCKS:
            return Refusal("lot-forgotten", "the chain does not know the drawing block any more")
        try:
            drawn = await self._court.is_drawn(claim)
        except ContractError as error:
            return Refusal(error.code, "the drawing block is not there yet", final=False)
        return None if drawn else Refusal("not-drawn", "the lot did not fall on this answer")

    async def balance(self) -> int:
        """What the challenger has at the court."""
        return await self._court.balance_of(self._me)

    def deposit(self, permit: Permit) -> Call:
        """Puts the permit's value there."""
        return lazy_calls.deposit_with_permit(permit, DISPUTE_COURT)

    def commitment(self, case: Case) -> bytes:
        """What is committed to: an answer at this market."""
        return lazy_commitment(self._me, self._market.address, claim_of(case), case.salt)

    def commit(self, commitment: bytes) -> Call:
        """Announces a challenge."""
        return lazy_calls.commit_challenge(commitment)

    def committed_as(self, receipt: Receipt) -> int:
        """Commitments have no numbers here."""
        return 0

    async def find(self, case: Case) -> int | None:
        """Whether an announcement was made earlier and is not open."""
        committed = await self._court.committed_at(self._me, self.commitment(case))
        return 0 if committed else None

    async def own(self, case: Case) -> OwnClaim | None:
        """The dispute by which this challenger has a proof of the case's answer demanded."""
        dispute = await self._court.dispute(claim_of(case).request_id)
        if dispute is None or dispute.challenger.lower() != self._me.lower():
            return None
        by_lot = dispute.number == 0
        if by_lot is not (case.kind is CaseKind.LOT):
            return None
        return OwnClaim(0, dispute.bond, dispute.deadline)

    async def look(self, case: Case, last_block: int) -> Found:
        """The case's dispute as the chain has it."""
        claim = claim_of(case)
        block = await self._court.committed_at(self._me, self.commitment(case))
        if block:
            return Found(Standing.COMMITTED, committed_block=block)
        dispute = await self._court.dispute(claim.request_id)
        if dispute is not None and dispute.challenger.lower() == self._me.lower():
            return Found(Standing.OPEN, deadline=dispute.deadline)
        head = (await self._client.block()).number
        end, at = await self._end(case, claim, head)
        if end is None:
            return ABSENT
        return end if at <= last_block else Found(Standing.OPEN, deadline=case.deadline)

    async def _end(self, case: Case, claim: LazyClaim, head: int) -> tuple[Found | None, int]:
        """How the case's dispute ended, and in which block."""
        me, number = self._me.lower(), claim.request_id
        places: list[int | str | None] = [self._market.address, number]
        for event in (
            *await self._client.events(_COURT_ENDS, case.block, head, indexed=places),
            *await self._client.events(_MARKET_ENDS, case.block, head, indexed=[number]),
        ):
            args, at = event.args, event.block_number
            mine = str(args.get("challenger", "")).lower() == me
            if event.name == "ClaimSlashed" and mine:
                return Found(Standing.WON, block=at, reward=int(args["reward"])), at
            if event.name == "ChallengeFailed" and mine:
                lost = int(args["paid"]) + int(args["burned"])
                return Found(Standing.LOST, block=at, lost=lost), at
            if event.name == "Finalized" and case.kind is CaseKind.LOT:
                return Found(Standing.MOOT, block=at), at  # proven: an audit costs nothing
        commitment = self.commitment(case)
        for event in await self._client.events(_WITHDRAWN, case.block, head, indexed=[self._me]):
            if bytes(event.args["commitment"]) == commitment:
                return Found(Standing.WITHDRAWN), event.block_number
        return None, 0

    def open(self, case: Case) -> Call:
        """Opens the announcement, or shows that the lot fell."""
        claim, market = claim_of(case), self._market.address
        if case.kind is CaseKind.LOT:
            return lazy_calls.draw_lot(market, claim)
        return lazy_calls.challenge(market, claim, case.salt)

    def is_too_early(self, code: str) -> bool:
        """Whether a block must pass first."""
        return code == "dispute-court-committed-in-this-block"

    def withdraw(self, case: Case) -> Call:
        """Takes an announcement back."""
        return lazy_calls.withdraw_commitment(self.commitment(case))

    def slash(self, case: Case) -> Call:
        """Slashes for an answer that nobody proved in time."""
        return lazy_calls.slash(self._market.address, claim_of(case))
