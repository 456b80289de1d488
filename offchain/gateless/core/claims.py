"""Pools, slots and claims of the court for bonded receipts, named as the contract names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum


class ReceiptFlaw(IntEnum):
    """Why a receipt is worth nothing, or cannot be challenged now."""

    NONE = 0
    NO_POOL = 1
    BEYOND_CAPACITY = 2
    OTHER_BOND = 3
    OTHER_EPOCH = 4
    NOT_YET_ISSUED = 5
    LIFE_OUT_OF_RANGE = 6
    FOREIGN_SIGNATURE = 7
    EXPIRED = 8
    SLOT_SLASHED = 9


#: What each flaw means to whoever holds the receipt.
FLAWS: Mapping[int, str] = {
    ReceiptFlaw.NO_POOL: "no pool of that epoch backs the receipt",
    ReceiptFlaw.BEYOND_CAPACITY: "the receipt's slot is beyond the pool's capacity",
    ReceiptFlaw.OTHER_BOND: "the receipt states another bond than its slot has",
    ReceiptFlaw.OTHER_EPOCH: "the receipt was not issued in the epoch that it names",
    ReceiptFlaw.NOT_YET_ISSUED: "the receipt is dated in the future",
    ReceiptFlaw.LIFE_OUT_OF_RANGE: "the receipt lives longer than the court allows, or not at all",
    ReceiptFlaw.FOREIGN_SIGNATURE: "the receipt is not signed by the pool's receipt key",
    ReceiptFlaw.EXPIRED: "the receipt has expired",
    ReceiptFlaw.SLOT_SLASHED: "the bond behind the receipt is gone",
}


class PoolState(IntEnum):
    """Life of a pool. ``RELEASED``: every receipt of its epoch is dead and nothing is locked."""

    NONE = 0
    OPEN = 1
    RELEASED = 2


class SlotState(IntEnum):
    """What a slot is worth. ``WORTHLESS``: no pool, or beyond its capacity."""

    WORTHLESS = 0
    INTACT = 1
    SLASHED = 2


class ClaimState(IntEnum):
    """Life of a claim; the last five are final.

    ``REPORTED``: it was opened as a report of equivocation. ``MOOT``: no proof came, but another
    claim had taken the slot's bond.
    """

    NONE = 0
    COMMITTED = 1
    WITHDRAWN = 2
    REPORTED = 3
    OPEN = 4
    PROVEN = 5
    SLASHED = 6
    MOOT = 7

    @property
    def is_final(self) -> bool:
        """Whether the claim will never change any more."""
        return self not in (ClaimState.NONE, ClaimState.COMMITTED, ClaimState.OPEN)


@dataclass(frozen=True, slots=True)
class CourtLimits:
    """Constants fixed when the court was deployed.

    Attributes:
        epoch_length: seconds of an epoch.
        max_receipt_life: longest time from ``issued`` to ``expires``, in seconds.
        response_window: seconds for the proof that answers a challenge.
        min_bond: least bond of a slot.
        min_challenge_bond: least bond that a pool may ask of challengers.
        max_challenge_bond: most; every commitment holds this much until it is opened.
        max_capacity: most slots of a pool.
        reward_bps: a successful challenger's part of the slot's bond, in basis points.
        executor_bps: the executor's part of a failed challenger's bond, in basis points.
        max_input_length: longest packed input that a challenge may carry, in bytes.
    """

    epoch_length: int
    max_receipt_life: int
    response_window: int
    min_bond: int
    min_challenge_bond: int
    max_challenge_bond: int
    max_capacity: int
    reward_bps: int
    executor_bps: int
    max_input_length: int

    def epoch_at(self, timestamp: int) -> int:
        """The epoch that a second lies in."""
        return timestamp // self.epoch_length


@dataclass(frozen=True, slots=True)
class PoolInfo:
    """What backs one executor's receipts of one epoch.

    Attributes:
        pool_id: its number; 0 where there is no pool.
        state: its life.
        receipt_key: signs the epoch's receipts; as registered with the stake when it was opened.
        bond: stake behind each slot.
        challenge_bond: what a challenger of one of its receipts puts up.
        capacity: number of slots.
        slashed_slots: how many of the bonds are gone.
        open_claims: challenges of its receipts that are not final.
        reporter: who showed two receipts for one slot; None while nobody did.
        locked: stake that backs it now.
        starts: first second of the epoch.
        ends: first second after it.
        releasable_at: first second in which no receipt of the epoch can be challenged any more.
        in_exit: whether stake that the executor allocated to the court is leaving.
    """

    pool_id: int
    state: PoolState
    receipt_key: str
    bond: int
    challenge_bond: int
    capacity: int
    slashed_slots: int
    open_claims: int
    reporter: str | None
    locked: int
    starts: int
    ends: int
    releasable_at: int
    in_exit: bool


@dataclass(frozen=True, slots=True)
class ClaimInfo:
    """A challenge. Before it is open only the first five attributes say anything.

    Attributes:
        claim_id: its number.
        state: its life.
        challenger: who committed to it.
        committed_block: block of the commitment; 0 once it was opened.
        commitment: what was committed to; zeros once it was opened.
        deadline: last second for a proof.
        subject: what one proof settles, see :attr:`gateless.core.receipts.Receipt.subject`.
        version_id: version that the receipt is of.
        pool_id: pool whose slot is at stake.
        slot: which one.
        beneficiary: who is compensated; None for nobody.
        price: the most that he can get.
    """

    claim_id: int
    state: ClaimState
    challenger: str
    committed_block: int
    commitment: bytes
    deadline: int = 0
    subject: bytes = bytes(32)
    version_id: int = 0
    pool_id: int = 0
    slot: int = 0
    beneficiary: str | None = None
    price: int = 0


@dataclass(frozen=True, slots=True)
class ClaimQueue:
    """An executor's open claims, the last deadline (0 without), and how many there ever were."""

    open: int
    last_deadline: int
    ever_opened: int
