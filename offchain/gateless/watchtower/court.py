"""Receipts and equivocations before the court for bonded receipts."""

from __future__ import annotations

import json

from gateless.adapters.chain import court_calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.headers import read_header
from gateless.core.claims import FLAWS, ClaimState, PoolState, ReceiptFlaw
from gateless.core.errors import NotFoundError
from gateless.core.handovers import Handover
from gateless.core.receipts import SignedReceipt, commitment, pair_digest, parse_receipt
from gateless.core.types import Event, Permit, Receipt
from gateless.watchtower.cases import Case, CaseKind, NewCase
from gateless.watchtower.court_events import CourtBook
from gateless.watchtower.forum import ABSENT, Found, Offer, OwnClaim, Refusal, Standing
from gateless.watchtower.judging import Statement

_BPS = 10_000
_ENDS = tuple(f"{COURT}.{name}" for name in ("ClaimProven", "ClaimSlashed", "ClaimMoot"))
#: Flaws that a later block may mend.
_PASSING = frozenset({ReceiptFlaw.NOT_YET_ISSUED})
#: A receipt with one of these flaws, or none, shows what its key signed.
_SIGNED = frozenset({ReceiptFlaw.NONE, ReceiptFlaw.EXPIRED, ReceiptFlaw.SLOT_SLASHED})


def receipt_case(given: Handover) -> NewCase:
    """A case about a receipt."""
    signed = given.signed
    return NewCase(
        case_id=signed.digest,
        kind=CaseKind.RECEIPT,
        document=signed.to_json(),
        executor=signed.receipt.executor,
        version_id=signed.receipt.version_id,
        expires=signed.receipt.expires,
        packed_input=given.packed_input,
        packed_output=given.packed_output,
    )


def equivocation_case(one: SignedReceipt, two: SignedReceipt, expires: int) -> NewCase:
    """A case about two receipts for one slot, which can be reported until the pool's release."""
    first, second = sorted((one, two), key=lambda signed: signed.digest)
    return NewCase(
        case_id=pair_digest(first.digest, second.digest),
        kind=CaseKind.EQUIVOCATION,
        document=json.dumps([json.loads(first.to_json()), json.loads(second.to_json())]),
        executor=first.receipt.executor,
        version_id=first.receipt.version_id,
        expires=expires,
    )


#: Blocks whose logs are searched at a time; endpoints that give fewer are asked several times.
_SEARCHED_BLOCKS = 2_000


def receipts_of(case: Case) -> tuple[SignedReceipt, ...]:
    """The receipts that a case is about: one, or two of an equivocation."""
    document = json.loads(case.document)
    texts = document if isinstance(document, list) else [document]
    return tuple(parse_receipt(json.dumps(text)) for text in texts)


class CourtForum:
    """The court, for one challenger.

    Args:
        client: the chain; its network has a court.
        book: challenges that were read off the chain.
        me: the challenger.
    """

    def __init__(self, client: ChainClient, book: CourtBook, me: str) -> None:
        self._client = client
        self._book = book
        self._court = client.court
        self._me = me

    @property
    def address(self) -> str:
        """The court."""
        return self._court.address

    def statement(self, case: Case) -> Statement:
        """What a receipt says."""
        receipt = receipts_of(case)[0].receipt
        return Statement(
            version_id=receipt.version_id,
            input_binding=receipt.input_binding,
            input_digest=receipt.packed_digest,
            output_digest=receipt.output_digest,
            packed_input=case.packed_input,
            packed_output=case.packed_output,
        )

    async def offer(self, case: Case) -> Offer | Refusal:
        """Whether the court would take a challenge or report now, and what it pays."""
        if case.kind is CaseKind.EQUIVOCATION:
            return await self._report_offer(case)
        (signed,) = receipts_of(case)
        receipt = signed.receipt
        flaw = await self._court.flaw(signed)
        if flaw is not ReceiptFlaw.NONE:
            code = f"receipt-{flaw.name.lower().replace('_', '-')}"
            return Refusal(code, FLAWS[flaw], final=flaw not in _PASSING)
        if await self._court.is_proven(receipt):
            return Refusal("receipt-proven", "what the receipt says was proven on chain")
        limits = await self._court.limits()
        packed = case.packed_input
        if packed is None or len(packed) > limits.max_input_length:
            return Refusal("receipt-input-too-long", "a challenge cannot carry the input")
        if await self._is_taken(signed, case.claim_id):
            return Refusal(
                "already-challenged", "another challenge of the same slot is open", False
            )
        pool = await self._court.pool(receipt.executor, receipt.epoch)
        reward = receipt.bond * limits.reward_bps // _BPS
        return Offer(limits.max_challenge_bond, pool.challenge_bond, reward)

    async def _report_offer(self, case: Case) -> Offer | Refusal:
        pair = receipts_of(case)
        for signed in pair:
            flaw = await self._court.flaw(signed)
            if flaw not in _SIGNED:
                return Refusal("no-equivocation", FLAWS[flaw])
        receipt = pair[0].receipt
        pool = await self._court.pool(receipt.executor, receipt.epoch)
        if pool.state is not PoolState.OPEN:
            return Refusal("pool-released", "the pool's stake is not locked any more")
        if pool.reporter is not None:
            return Refusal("already-reported", f"{pool.reporter} showed it before")
        limits = await self._court.limits()
        reward = pool.locked * limits.reward_bps // _BPS
        return Offer(limits.max_challenge_bond, 0, reward)

    async def _is_taken(self, signed: SignedReceipt, own_claim: int) -> bool:
        """Whether somebody's challenge of the same slot is open: the first slash takes its bond."""
        receipt = signed.receipt
        if not (await self._court.queue(receipt.executor)).open:
            return False
        for claim_id in await self._book.claims_on(receipt):
            if claim_id == own_claim:
                continue
            if (await self._court.claim(claim_id)).state is ClaimState.OPEN:
                return True
        return False

    async def balance(self) -> int:
        """What the challenger has at the court."""
        return await self._court.balance_of(self._me)

    def deposit(self, permit: Permit) -> Call:
        """Puts the permit's value there."""
        return court_calls.deposit_with_permit(permit)

    def commitment(self, case: Case) -> bytes:
        """What is committed to: a receipt, or two."""
        return commitment(self._me, case.case_id, case.salt)

    def commit(self, commitment: bytes) -> Call:
        """Announces a challenge or report."""
        return court_calls.commit(commitment)

    def committed_as(self, receipt: Receipt) -> int:
        """The claim that an announcement became."""
        return int(receipt.event("Committed").args["claimId"])

    async def find(self, case: Case) -> int | None:
        """The claim of an announcement made earlier.

        Looked for from the head downwards, some blocks at a time: it was made lately. Each time
        stands for itself, so that an endpoint that fails does not begin the search anew.
        """
        wanted, names = self.commitment(case), [f"{COURT}.Committed"]
        start = self._client.deployment.start_block
        last = (await self._client.block()).number
        while last >= start:
            first = max(start, last - _SEARCHED_BLOCKS + 1)
            mine = await self._client.events(names, first, last, indexed=[None, self._me])
            for event in reversed(mine):
                if bytes(event.args["commitment"]) == wanted:
                    return int(event.args["claimId"])
            if await self._is_before(case, first):
                return None
            last = first - 1
        return None

    async def _is_before(self, case: Case, number: int) -> bool:
        """Whether a block is older than what the case doubts: nobody doubted it by then."""
        if case.kind is not CaseKind.RECEIPT:
            return False  # receipts of the future may be shown for one slot, too
        header = await self._client.rpc.together(lambda rpc: read_header(rpc, number))
        return header.timestamp < receipts_of(case)[0].receipt.issued

    async def own(self, case: Case) -> OwnClaim | None:
        """The claim with which this challenger doubts the case's receipt already."""
        if case.kind is CaseKind.EQUIVOCATION:
            return None  # a report ends with its opening
        receipt = receipts_of(case)[0].receipt
        if not (await self._court.queue(receipt.executor)).open:
            return None
        for claim_id in await self._book.claims_on(receipt):
            claim = await self._court.claim(claim_id)
            mine = claim.challenger.lower() == self._me.lower()
            if mine and claim.state is ClaimState.OPEN and claim.subject == receipt.subject:
                pool = await self._court.pool(receipt.executor, receipt.epoch)
                return OwnClaim(claim_id, pool.challenge_bond, claim.deadline)
        return None

    async def look(self, case: Case, last_block: int) -> Found:
        """The case's claim as the chain has it."""
        try:
            claim = await self._court.claim(case.claim_id)
        except NotFoundError:
            return ABSENT
        if claim.challenger.lower() != self._me.lower():
            return ABSENT
        if claim.state is ClaimState.COMMITTED:
            if claim.commitment != self.commitment(case):
                return ABSENT
            return Found(Standing.COMMITTED, committed_block=claim.committed_block)
        if claim.state is ClaimState.WITHDRAWN:
            return Found(Standing.WITHDRAWN)
        if claim.state is ClaimState.REPORTED:
            return Found(Standing.WON) if case.kind is CaseKind.EQUIVOCATION else ABSENT
        if (
            case.kind is CaseKind.EQUIVOCATION
            or claim.subject != receipts_of(case)[0].receipt.subject
        ):
            return ABSENT
        still = Found(Standing.OPEN, deadline=claim.deadline)
        if claim.state is ClaimState.OPEN:
            return still
        end = await self._end(case, last_block)
        return still if end is None else end

    async def _end(self, case: Case, last_block: int) -> Found | None:
        start = case.opened_block or self._client.deployment.start_block
        if start > last_block:
            return None
        for event in await self._client.events(_ENDS, start, last_block, indexed=[case.claim_id]):
            return _ended(event)
        return None

    def open(self, case: Case) -> Call:
        """Opens the announcement: doubts the receipt, or shows both."""
        pair = receipts_of(case)
        if case.kind is CaseKind.EQUIVOCATION:
            return court_calls.report_equivocation(case.claim_id, pair[0], pair[1], case.salt)
        return court_calls.challenge(case.claim_id, pair[0], case.packed_input or b"", case.salt)

    def is_too_early(self, code: str) -> bool:
        """Whether a block must pass first."""
        return code == "receipt-court-committed-in-this-block"

    def withdraw(self, case: Case) -> Call:
        """Takes an announcement back."""
        return court_calls.withdraw_commitment(case.claim_id)

    def slash(self, case: Case) -> Call:
        """Ends a claim that nobody answered in time."""
        return court_calls.slash(case.claim_id)


def _ended(event: Event) -> Found:
    args, block = event.args, event.block_number
    if event.name == "ClaimSlashed":
        return Found(Standing.WON, block=block, reward=int(args["reward"]))
    if event.name == "ClaimProven":
        return Found(Standing.LOST, block=block, lost=int(args["paid"]) + int(args["burned"]))
    return Found(Standing.MOOT, block=block)
