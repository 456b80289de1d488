"""Where answers are challenged: what the watchtower needs to know of a contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from gateless.adapters.chain.calls import Call
from gateless.core.types import Permit, Receipt
from gateless.watchtower.cases import Case
from gateless.watchtower.judging import Statement


@dataclass(frozen=True, slots=True)
class Offer:
    """What a challenge takes and brings, in token units.

    Attributes:
        commit_bond: held from the commitment to the opening.
        bond: held from then on until the claim is final.
        reward: what a challenge brings if no proof comes.
    """

    commit_bond: int
    bond: int
    reward: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a challenge is not to be made.

    Attributes:
        final: whether that can never change.
    """

    code: str
    text: str
    final: bool = True


class Standing(StrEnum):
    """What the chain says about a claim of this watchtower."""

    ABSENT = "absent"
    COMMITTED = "committed"
    OPEN = "open"
    WITHDRAWN = "withdrawn"
    WON = "won"
    LOST = "lost"
    MOOT = "moot"


@dataclass(frozen=True, slots=True)
class Found:
    """A claim as the chain has it.

    Attributes:
        committed_block: of a commitment that is not open.
        deadline: last second for a proof, of an open claim.
        block: in which it ended; 0 while it has not, or not for long enough.
        reward: what it brought.
        lost: what it cost.
    """

    standing: Standing
    committed_block: int = 0
    deadline: int = 0
    block: int = 0
    reward: int = 0
    lost: int = 0


ABSENT = Found(Standing.ABSENT)


@dataclass(frozen=True, slots=True)
class OwnClaim:
    """An open challenge that the watchtower made.

    Attributes:
        claim_id: its number at the contract; 0 where challenges have none.
        bond: what is held for it, in token units.
        deadline: last second for a proof.
    """

    claim_id: int
    bond: int
    deadline: int


class Forum(Protocol):
    """A contract that takes challenges: announced first, opened in a later block."""

    @property
    def address(self) -> str:
        """The contract."""
        ...

    def statement(self, case: Case) -> Statement:
        """What a case's executor said."""
        ...

    async def offer(self, case: Case) -> Offer | Refusal:
        """Whether a challenge could be made now, and what it would take and bring."""
        ...

    async def balance(self) -> int:
        """What the watchtower has at the contract for bonds."""
        ...

    def deposit(self, permit: Permit) -> Call:
        """Puts the permit's value there."""
        ...

    def commitment(self, case: Case) -> bytes:
        """What is committed to, with the case's salt."""
        ...

    def commit(self, commitment: bytes) -> Call:
        """Announces a challenge."""
        ...

    def committed_as(self, receipt: Receipt) -> int:
        """The number that an announcement got."""
        ...

    async def find(self, case: Case) -> int | None:
        """The number of an announcement of the case made earlier; None where there is none."""
        ...

    async def own(self, case: Case) -> OwnClaim | None:
        """An open challenge of the watchtower's own about what a case is about. A journal that was
        put back from a backup need not know of it.
        """
        ...

    async def look(self, case: Case, last_block: int) -> Found:
        """The case's claim; one that ended above ``last_block`` counts as open yet."""
        ...

    def open(self, case: Case) -> Call:
        """Opens the announcement."""
        ...

    def is_too_early(self, code: str) -> bool:
        """Whether a refusal says that a block must pass between announcement and opening."""
        ...

    def withdraw(self, case: Case) -> Call:
        """Takes an announcement back."""
        ...

    def slash(self, case: Case) -> Call:
        """Ends a claim that nobody answered in time."""
        ...
