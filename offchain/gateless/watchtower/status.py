"""What a watchtower says of itself: to its operator, over HTTP and in logs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gateless_proofs.backend import ProvingStatus

from gateless.adapters.chain.rpc import EndpointHealth


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a wrong answer from being challenged, and what to do about it."""

    code: str
    message: str
    hint: str
    case: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot. Amounts are in token units.

    Attributes:
        phase: ``starting``, ``running``, ``stopping`` or ``stopped``.
        head: number of the latest block; None before the chain was reached.
        cursor: last block whose answers are in the journal; None where none was read.
        counts: cases by state.
        active: cases with a bond at risk, and those that wait for one.
        at_risk: bonds at the contracts.
        rewards: of the cases in the journal that were won.
        bonds_lost: of those that were lost.
        rpc: the endpoints of the chain.
        winnings: what contracts hold for it, by their names: rewards, bonds that came back.
        proving: the machine that computes answers, and what keeps models apart there.
        serving_at: base URL of the inbox; empty where nothing is served.
        problems: what keeps wrong answers from being challenged.
    """

    phase: str
    address: str
    network: str
    head: int | None
    cursor: int | None
    counts: dict[str, int]
    active: tuple[dict[str, Any], ...]
    at_risk: int
    rewards: int
    bonds_lost: int
    rpc: tuple[EndpointHealth, ...]
    winnings: dict[str, int]
    proving: ProvingStatus
    serving_at: str
    problems: tuple[Problem, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)
