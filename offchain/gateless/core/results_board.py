"""Final results on the board: what others asked, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.core.lazy import Finality
from gateless.core.types import ZERO_ADDRESS, TrustMode

#: bond that the board shows for what was proven, and for nothing else
PROVEN_BOND = (1 << 88) - 1


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What a reader of results believes.

    Attributes:
        modes: trust modes.
        min_bond: least stake that must have answered for an output; proven outputs pass any.
        runtime_class: where ``QUORUM`` is among the modes: whose quorums count.
        verifier: where ``ATTESTED`` is among the modes: the contract that accepted the evidence.
        policy: by what it decided.
    """

    modes: tuple[TrustMode, ...]
    min_bond: int = 0
    runtime_class: bytes = bytes(32)
    verifier: str = ZERO_ADDRESS
    policy: bytes = bytes(32)


@dataclass(frozen=True, slots=True)
class BoardResult:
    """A result on the board.

    Attributes:
        market: where the request was made, under ``request_id``.
        how: what made the output final.
        final_at: second in which it became final, or, of mode ``ZK``, in which it was published.
        bond: stake that answered for it; :data:`PROVEN_BOND` where it was proven.
        output_digest: keccak256 of the packed output.
    """

    market: str
    request_id: int
    mode: TrustMode
    how: Finality
    final_at: int
    bond: int
    output_digest: bytes
