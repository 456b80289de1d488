"""A doubted answer and how far the watchtower got with it. Pure.

::

    new ──> right                                  ┌──> won (slashed: bond back, reward)
     │ ├──> undecided (input or files missing) ──> new
     │ └──> wrong ──> committing ──> committed ──> open ──> lost (proven: the bond is gone)
     │       │                          │          └──────> moot (bond back, nothing won)
     └───────┴──> left (not worth it, too late, taken by another) <──┘

Whatever is sent is journaled first, and so is the salt of a commitment: one claim, one bond.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class CaseKind(StrEnum):
    """What is doubted."""

    RECEIPT = "receipt"
    EQUIVOCATION = "equivocation"
    LAZY = "lazy"
    LOT = "lot"


class CaseState(StrEnum):
    """How far the watchtower got with a case."""

    NEW = "new"
    UNDECIDED = "undecided"
    RIGHT = "right"
    WRONG = "wrong"
    COMMITTING = "committing"
    COMMITTED = "committed"
    OPEN = "open"
    WON = "won"
    LOST = "lost"
    MOOT = "moot"
    LEFT = "left"


_S = CaseState

#: States in which nothing is left to do.
FINAL = frozenset({_S.RIGHT, _S.WON, _S.LOST, _S.MOOT, _S.LEFT})
#: States in which a bond is, or may be, at the contract.
AT_RISK = frozenset({_S.COMMITTING, _S.COMMITTED, _S.OPEN})

#: What may follow on what. A lot is opened without a commitment; a reorganisation may undo either.
TRANSITIONS: dict[CaseState, frozenset[CaseState]] = {
    _S.NEW: frozenset({_S.RIGHT, _S.UNDECIDED, _S.WRONG, _S.LEFT}),
    _S.UNDECIDED: frozenset({_S.NEW, _S.LEFT}),
    _S.WRONG: frozenset({_S.COMMITTING, _S.OPEN, _S.LEFT}),
    _S.COMMITTING: frozenset({_S.COMMITTED, _S.WRONG}),
    _S.COMMITTED: frozenset({_S.OPEN, _S.WON, _S.LEFT, _S.COMMITTING}),
    _S.OPEN: frozenset({_S.WON, _S.LOST, _S.MOOT, _S.COMMITTED, _S.COMMITTING, _S.WRONG}),
    _S.RIGHT: frozenset(),
    _S.WON: frozenset(),
    _S.LOST: frozenset(),
    _S.MOOT: frozenset(),
    _S.LEFT: frozenset(),
}


@dataclass(frozen=True, slots=True)
class NewCase:
    """An answer as it was handed over or seen on chain.

    Attributes:
        case_id: its name: the digest of the receipt, of the pair of receipts, or the request's id;
            of a lot the digest of the word and that id.
        kind: what is doubted.
        document: the receipts or the claim, whole, as JSON.
        executor: who answers for it.
        version_id: version that was asked.
        expires: last second for a challenge.
        packed_input: that it is about; None while unknown.
        packed_output: that is claimed; None while unknown.
        block: where the chain announced it; 0 for what was handed over.
    """

    case_id: bytes
    kind: CaseKind
    document: str
    executor: str
    version_id: int
    expires: int
    packed_input: bytes | None = None
    packed_output: bytes | None = None
    block: int = 0


@dataclass(frozen=True, slots=True)
class Case:
    """A doubted answer.

    Attributes:
        state: how far the watchtower got.
        reason: code of why it is there; empty while all goes well.
        text: the same in words.
        salt: of the commitment; empty before there is one.
        claim_id: number of the claim at the contract; 0 before there is one.
        bond: what is at the contract for it, in token units.
        deadline: last second for the executor's proof; 0 before it is open.
        reward: what it brought, in token units, by the chain.
        lost: what it cost, in token units, by the chain.
        opened_block: block of the opening; 0 before.
    """

    case_id: bytes
    kind: CaseKind
    document: str
    executor: str
    version_id: int
    expires: int
    packed_input: bytes | None
    packed_output: bytes | None
    block: int
    state: CaseState
    reason: str
    text: str
    salt: bytes
    claim_id: int
    bond: int
    deadline: int
    reward: int
    lost: int
    opened_block: int
    updated_at: float

    @property
    def name(self) -> str:
        """The case's name as people see it."""
        return f"0x{self.case_id.hex()}"


class IntentKind(StrEnum):
    """What a transaction of the watchtower is for."""

    DEPOSIT = "deposit"
    COMMIT = "commit"
    OPEN = "open"
    WITHDRAW = "withdraw"
    SLASH = "slash"
    DRAW_LOT = "draw_lot"
    COLLECT = "collect"
