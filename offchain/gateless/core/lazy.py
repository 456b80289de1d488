"""Requests that are answered without a proof, and what becomes of them: the lazy market's values.

Each struct has the members of the contract's, in its order; the market keeps hashes of them only,
so whoever calls it shows the struct that an event told. A request's id is its EIP-712 digest,
whether it was sent or signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from gateless.core.prices import price_at
from gateless.core.structs import Members, Struct
from gateless.core.types import ZERO_ADDRESS, TrustMode


class LazyState(IntEnum):
    """Life of a lazy request. ``FINAL``, ``SLASHED`` and ``REFUNDED`` never change."""

    NONE = 0
    FINAL = 1
    OPEN = 2
    LOCKED = 3
    ANSWERED = 4
    DISPUTED = 5
    SLASHED = 6
    REFUNDED = 7

    @property
    def is_final(self) -> bool:
        """Whether the request will never change any more."""
        return self in (LazyState.FINAL, LazyState.SLASHED, LazyState.REFUNDED)


class Finality(IntEnum):
    """What made an output final; ``NONE`` while it is not."""

    NONE = 0
    PROVEN = 1
    UNCHALLENGED = 2
    QUORUM = 3
    ATTESTED = 4


@dataclass(frozen=True, slots=True)
class LazyRequest(Struct):
    """What a requester asks for.

    Attributes:
        requester: who sends or signs it, and from whose balance it is paid.
        version_id: pinned version; it must allow ``LAZY_ZK``.
        input_digest: keccak256 of the packed input.
        input_binding: what a proof must be tied to.
        max_price: most that is paid, in token units.
        min_price: price until the ramp starts; 0 without a ramp.
        ramp_start: second from which the price rises; 0 without a ramp.
        ramp_length: seconds until it reaches ``max_price``; 0 without a ramp.
        collateral: what a wrong answer costs, in token units.
        deadline: last second at which the request may be locked or answered.
        lock_duration: seconds from the lock within which the executor must answer.
        challenge_window: seconds from the answer within which it may be challenged.
        response_window: seconds for the proof that answers a challenge.
        audit_bps: probability, in basis points, with which a lot obliges the executor to prove.
        executor: only this account may lock; the zero address lets anybody.
        callback: contract that receives the final output; the zero address for none.
        callback_gas: gas given to it.
        nonce: any number that the requester has not used at this market.
        input_hint: where the input can be fetched; may be empty.
    """

    requester: str
    version_id: int
    input_digest: bytes
    input_binding: bytes
    max_price: int
    min_price: int
    ramp_start: int
    ramp_length: int
    collateral: int
    deadline: int
    lock_duration: int
    challenge_window: int
    response_window: int
    audit_bps: int
    executor: str = ZERO_ADDRESS
    callback: str = ZERO_ADDRESS
    callback_gas: int = 0
    nonce: int = 0
    input_hint: str = ""

    MEMBERS: ClassVar[Members] = (
        ("requester", "address"),
        ("versionId", "uint64"),
        ("inputDigest", "bytes32"),
        ("inputBinding", "bytes32"),
        ("maxPrice", "uint128"),
        ("minPrice", "uint128"),
        ("rampStart", "uint64"),
        ("rampLength", "uint32"),
        ("collateral", "uint128"),
        ("deadline", "uint64"),
        ("lockDuration", "uint32"),
        ("challengeWindow", "uint32"),
        ("responseWindow", "uint32"),
        ("auditBps", "uint16"),
        ("executor", "address"),
        ("callback", "address"),
        ("callbackGas", "uint32"),
        ("nonce", "uint256"),
        ("inputHint", "string"),
    )

    @property
    def named_executor(self) -> str | None:
        """The only account that may answer, if there is one."""
        return None if self.executor == ZERO_ADDRESS else self.executor

    def price_at(self, time: int) -> int:
        """What a lock at this second is paid."""
        if self.ramp_length == 0:
            return self.max_price
        return price_at(self.min_price, self.max_price, self.ramp_start, self.ramp_length, time)


@dataclass(frozen=True, slots=True)
class LazyLock(Struct):
    """What a lock fixed.

    Attributes:
        executor: who locked, and must answer.
        price: what he is paid at finality; in escrow.
        royalty_bps: part of it that is the model's.
        lock_block: block of the lock.
        lock_deadline: last second in which he may answer.
    """

    executor: str
    price: int
    royalty_bps: int
    lock_block: int
    lock_deadline: int

    MEMBERS: ClassVar[Members] = (
        ("executor", "address"),
        ("price", "uint128"),
        ("royaltyBps", "uint16"),
        ("lockBlock", "uint64"),
        ("lockDeadline", "uint64"),
    )


@dataclass(frozen=True, slots=True)
class LazyClaim(Struct):
    """An answer: its executor claims that this input to this version gives this output.

    Attributes:
        challenge_deadline: last second in which it may be challenged.
        response_window: seconds for the proof that answers a challenge.
        audit_bps: probability, in basis points, that the lot obliges the executor to prove.
        answered_block: block of the answer; the one after it draws the lot.
    """

    request_id: int
    version_id: int
    requester: str
    executor: str
    input_binding: bytes
    input_digest: bytes
    output_digest: bytes
    price: int
    royalty_bps: int
    collateral: int
    challenge_deadline: int
    response_window: int
    audit_bps: int
    answered_block: int
    callback: str
    callback_gas: int

    MEMBERS: ClassVar[Members] = (
        ("requestId", "uint256"),
        ("versionId", "uint64"),
        ("requester", "address"),
        ("executor", "address"),
        ("inputBinding", "bytes32"),
        ("inputDigest", "bytes32"),
        ("outputDigest", "bytes32"),
        ("price", "uint128"),
        ("royaltyBps", "uint16"),
        ("collateral", "uint128"),
        ("challengeDeadline", "uint64"),
        ("responseWindow", "uint32"),
        ("auditBps", "uint16"),
        ("answeredBlock", "uint64"),
        ("callback", "address"),
        ("callbackGas", "uint32"),
    )

    def hash(self) -> bytes:
        """What the market keeps of it, but for the first byte."""
        return bytes(keccak(encode([kind for _, kind in self.MEMBERS], self._values())))

    @property
    def subject(self) -> tuple[int, bytes, bytes]:
        """What one proof settles: equal for all claims that say the same."""
        return self.version_id, self.input_binding, self.output_digest


@dataclass(frozen=True, slots=True)
class LazyDispute(Struct):
    """Why, and until when, a claim must be proven.

    Attributes:
        challenger: who doubts it, or showed that the lot fell on it.
        bond: what he put up; 0 for an audit by lot.
        deadline: last second for a proof.
        number: counts the market's challenges, from 1; 0 for an audit by lot, which does not queue.
    """

    challenger: str
    bond: int
    deadline: int
    number: int

    MEMBERS: ClassVar[Members] = (
        ("challenger", "address"),
        ("bond", "uint128"),
        ("deadline", "uint64"),
        ("number", "uint64"),
    )


@dataclass(frozen=True, slots=True)
class LazyLimits:
    """Constants fixed when the lazy market was deployed. Times in seconds, amounts in token units.

    Attributes:
        collateral_floor: least collateral of a request.
        min_lock_duration: shortest lock.
        max_lock_duration: longest lock.
        min_challenge_window: shortest time for challenges.
        max_challenge_window: longest time for challenges.
        min_response_window: shortest time for a proof, whatever the version says.
        max_response_window: longest time for a proof.
        max_lifetime: longest time from a request's creation to its deadline.
        max_callback_gas: most gas that a callback may ask for.
        max_input_length: longest packed input in a request.
        max_output_length: longest packed output.
    """

    collateral_floor: int
    min_lock_duration: int
    max_lock_duration: int
    min_challenge_window: int
    max_challenge_window: int
    min_response_window: int
    max_response_window: int
    max_lifetime: int
    max_callback_gas: int
    max_input_length: int
    max_output_length: int


@dataclass(frozen=True, slots=True)
class Backing:
    """What an executor put behind his answers, and what of it is behind unfinished ones."""

    total: int
    used: int

    @property
    def free(self) -> int:
        """What a lock could still use."""
        return self.total - self.used


@dataclass(frozen=True, slots=True)
class FinalResult:
    """A final output, as a market with records keeps it.

    Attributes:
        how: what made it final; ``NONE`` while nothing did.
        final_at: second in which it became final.
        bond: stake that answered for it, in token units.
        output_digest: keccak256 of the packed output.
    """

    version_id: int
    mode: TrustMode
    how: Finality
    final_at: int
    bond: int
    output_digest: bytes


def lazy_commitment(challenger: str, market: str, claim: LazyClaim, salt: bytes) -> bytes:
    """What a challenger commits to before he says which answer he doubts."""
    kinds = ["address", "address", "bytes32", "bytes32"]
    return bytes(keccak(encode(kinds, [challenger, market, claim.hash(), salt])))
