"""Requests on whose answer a quorum of executors agrees: the quorum market's values."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from gateless.core.structs import Members, Struct
from gateless.core.types import ZERO_ADDRESS


class QuorumState(IntEnum):
    """Life of a quorum request. ``FINAL`` and ``REFUNDED`` never change."""

    NONE = 0
    FINAL = 1
    OPEN = 2
    DRAWN = 3
    REFUNDED = 4

    @property
    def is_final(self) -> bool:
        """Whether the request will never change any more."""
        return self in (QuorumState.FINAL, QuorumState.REFUNDED)


class SeatState(IntEnum):
    """What the holder of a seat has done in a round that is not settled."""

    SILENT = 0
    COMMITTED = 1
    REVEALED = 2


class RefundReason(IntEnum):
    """Why a quorum request was refunded."""

    NOT_ENOUGH_MEMBERS = 0
    SEED_MISSED = 1
    NO_QUORUM = 2


@dataclass(frozen=True, slots=True)
class QuorumRequest(Struct):
    """What a requester asks a quorum for.

    Attributes:
        requester: who sends or signs it, and from whose balance it is paid.
        version_id: pinned version; it must allow ``QUORUM``.
        runtime_class: members enrolled for it are drawn.
        input_digest: keccak256 of the packed input.
        input_binding: the same.
        price: what is paid for an answer, royalty included.
        members: how many are drawn.
        threshold: how many of them must agree; more than half.
        min_eligible: least stake that could have been drawn.
        deadline: last second in which the request can be opened.
        commit_window: seconds from the draw in which members may commit.
        reveal_window: seconds after that in which they may reveal.
        callback: contract that receives the output; the zero address for none.
        callback_gas: gas given to it.
        nonce: any number that the requester has not used at this market.
        input_hint: where the input can be fetched by whoever opens a signed request.
    """

    requester: str
    version_id: int
    runtime_class: bytes
    input_digest: bytes
    input_binding: bytes
    price: int
    members: int
    threshold: int
    min_eligible: int
    deadline: int
    commit_window: int
    reveal_window: int
    callback: str = ZERO_ADDRESS
    callback_gas: int = 0
    nonce: int = 0
    input_hint: str = ""

    MEMBERS: ClassVar[Members] = (
        ("requester", "address"),
        ("versionId", "uint64"),
        ("runtimeClass", "bytes32"),
        ("inputDigest", "bytes32"),
        ("inputBinding", "bytes32"),
        ("price", "uint128"),
        ("members", "uint8"),
        ("threshold", "uint8"),
        ("minEligible", "uint128"),
        ("deadline", "uint64"),
        ("commitWindow", "uint32"),
        ("revealWindow", "uint32"),
        ("callback", "address"),
        ("callbackGas", "uint32"),
        ("nonce", "uint256"),
        ("inputHint", "string"),
    )


@dataclass(frozen=True, slots=True)
class QuorumRound(Struct):
    """A request whose members are drawn; a member's seat is its place among ``members``.

    Attributes:
        commit_deadline: last second for commitments.
        reveal_deadline: last second for reveals.
    """

    request_id: int
    requester: str
    version_id: int
    runtime_class: bytes
    input_digest: bytes
    price: int
    threshold: int
    commit_deadline: int
    reveal_deadline: int
    callback: str
    callback_gas: int
    members: tuple[str, ...]

    MEMBERS: ClassVar[Members] = (
        ("requestId", "uint256"),
        ("requester", "address"),
        ("versionId", "uint64"),
        ("runtimeClass", "bytes32"),
        ("inputDigest", "bytes32"),
        ("price", "uint128"),
        ("threshold", "uint8"),
        ("commitDeadline", "uint64"),
        ("revealDeadline", "uint64"),
        ("callback", "address"),
        ("callbackGas", "uint32"),
        ("members", "address[]"),
    )

    def seat_of(self, account: str) -> int | None:
        """The seat of an account; None where it has none."""
        return self.members.index(account) if account in self.members else None


@dataclass(frozen=True, slots=True)
class MemberTerms(Struct):
    """What a member works for.

    Attributes:
        capacity: most rounds in which it sits at once.
        min_price: least that a seat must pay when all members agree.
        min_seconds: least time from the draw to the end of the commitments.
    """

    capacity: int
    min_price: int = 0
    min_seconds: int = 0

    MEMBERS: ClassVar[Members] = (
        ("capacity", "uint16"),
        ("minPrice", "uint72"),
        ("minSeconds", "uint24"),
    )


@dataclass(frozen=True, slots=True)
class QuorumMember:
    """An account's enrolment for one version and runtime class; ``capacity`` is 0 without one.

    Attributes:
        stake: what it has at stake there.
        open_seats: rounds in which it sits.
        is_awake: whether it is drawn.
    """

    stake: int
    capacity: int
    open_seats: int
    min_price: int
    min_seconds: int
    is_awake: bool

    @property
    def is_enrolled(self) -> bool:
        """Whether there is an enrolment."""
        return self.capacity > 0


@dataclass(frozen=True, slots=True)
class QuorumLimits:
    """Constants fixed when the quorum market was deployed. Times in seconds, amounts in units.

    Attributes:
        min_members: fewest members of a round.
        max_members: most.
        seed_delay: blocks from a request to the block whose hash is its seed.
        min_window: shortest time to commit, and to reveal.
        max_window: longest.
        max_lifetime: longest time to a request's deadline.
        max_callback_gas: most gas that a callback may ask for.
        max_input_length: longest packed input.
        max_output_length: longest packed output.
        min_stake: least stake of an enrolment.
        seat_bond: what a silent member loses.
        outlier_slash: what an outvoted member loses.
    """

    min_members: int
    max_members: int
    seed_delay: int
    min_window: int
    max_window: int
    max_lifetime: int
    max_callback_gas: int
    max_input_length: int
    max_output_length: int
    min_stake: int
    seat_bond: int
    outlier_slash: int


def quorum_commitment(member: str, request_id: int, salt: bytes, output_digest: bytes) -> bytes:
    """What a member commits to before anybody sees an output."""
    kinds = ["address", "uint256", "bytes32", "bytes32"]
    return bytes(keccak(encode(kinds, [member, request_id, salt, output_digest])))
