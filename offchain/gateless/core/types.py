"""Plain values that the parts hand to each other, named as the contracts name them.

Addresses are EIP-55 strings, amounts are integers in token units, times are Unix seconds. sha256
digests of files are hex without prefix (:mod:`gateless.core.ids`); everything that is a ``bytes32``
of the protocol itself (binding, digest of packed bytes, VKA digest) is ``bytes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NewType

from gateless.core.prices import price_at

Address = NewType("Address", str)

ZERO_ADDRESS = "0x0000000000000000000000000000000000000000"


class TrustMode(IntEnum):
    """How an output becomes final."""

    ZK = 0
    LAZY_ZK = 1
    QUORUM = 2
    ATTESTED = 3

    @property
    def bit(self) -> int:
        """The mode's bit in a mask of modes."""
        return 1 << self.value


class RequestState(IntEnum):
    """Stored life of a request. That it has expired is computed, never stored."""

    NONE = 0
    OPEN = 1
    LOCKED = 2
    PAID = 3
    REFUNDED = 4


class InputBinding(IntEnum):
    """What ties a proof to the input of a request."""

    PACKED = 0
    KZG = 1


class CircuitRole(IntEnum):
    """What a circuit of a version computes."""

    WHOLE = 0


def modes_of(mask: int) -> tuple[TrustMode, ...]:
    """The trust modes in a bitmask."""
    return tuple(mode for mode in TrustMode if mask & mode.bit)


def mask_of(modes: tuple[TrustMode, ...]) -> int:
    """The bitmask of some trust modes."""
    mask = 0
    for mode in modes:
        mask |= mode.bit
    return mask


@dataclass(frozen=True, slots=True)
class Circuit:
    """One proving circuit of a version, as pinned by the registry.

    ``digit_bits`` and ``digits_per_word`` are 0 where each public value is a word of its own.
    """

    vka_digest: bytes
    role: int
    batch_size: int
    proof_length: int
    digit_bits: int = 0
    digits_per_word: int = 0


@dataclass(frozen=True, slots=True)
class VersionParams:
    """Everything that a publisher states about a version.

    ``proof_seconds`` is what proving one inference took on the publisher's machine, rounded up; 0
    exactly where there is no circuit. ``repeatable`` says that the model's outputs were equal to
    the byte under the recorded options of onnxruntime; quorums need it.
    """

    model_digest: str
    manifest_digest: str
    io_schema: bytes
    binding: InputBinding
    modes: int
    royalty_bps: int
    proof_seconds: int
    repeatable: bool
    circuits: tuple[Circuit, ...]
    uri: str


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A published version. ``modes`` is a bitmask, see :func:`modes_of`."""

    version_id: int
    model_id: int
    index: int
    model_digest: str
    manifest_digest: str
    circuits_hash: bytes
    published_at: int
    royalty_bps: int
    modes: int
    binding: InputBinding
    proof_seconds: int
    repeatable: bool
    deprecated: bool
    uri: str
    io_schema: bytes
    circuits: tuple[Circuit, ...]

    def allows(self, mode: TrustMode) -> bool:
        """Whether requests of this version may ask for ``mode``."""
        return bool(self.modes & mode.bit)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model: its token's holder and what the market owes it."""

    model_id: int
    name: str
    holder: str
    version_count: int
    royalties: int


@dataclass(frozen=True, slots=True)
class RequestParams:
    """What a requester asks for.

    ``max_price`` is the price, unless there is a ramp: then it rises from ``min_price``, from
    second ``ramp_start`` on and for ``ramp_length`` seconds.
    """

    version_id: int
    mode: TrustMode
    input_digest: bytes
    input_binding: bytes
    max_price: int
    collateral: int
    deadline: int
    lock_duration: int
    executor: str | None = None
    callback: str | None = None
    callback_gas: int = 0
    min_price: int = 0
    ramp_start: int = 0
    ramp_length: int = 0


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that its requester signs instead of sending it.

    ``nonce`` is any number that the requester has not used; ``input_hint`` says where the input's
    bytes can be fetched.
    """

    requester: str
    params: RequestParams
    nonce: int
    input_hint: str = ""


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """A request as stored, and whether it can be refunded now.

    ``price`` is what is in escrow: ``max_price`` while the request is open, the first lock's price
    from then on. Of a paid request the chain keeps the price if it rose, but no royalty, deadlines
    or lock: they read as 0, and ``paid_block`` is the first of the 256 blocks in which
    ``RequestFulfilled`` tells what was paid.
    """

    request_id: int
    requester: str
    version_id: int
    state: RequestState
    mode: TrustMode
    royalty_bps: int
    input_digest: bytes
    input_binding: bytes
    price: int
    collateral: int
    deadline: int
    lock_deadline: int
    lock_duration: int
    callback_gas: int
    lock_block: int
    named_executor: str | None
    executor: str | None
    callback: str | None
    output_digest: bytes
    refundable: bool
    paid_block: int = 0
    max_price: int = 0
    min_price: int = 0
    ramp_start: int = 0
    ramp_length: int = 0

    def price_at(self, time: int) -> int:
        """What a lock at this second is paid."""
        if self.state is not RequestState.OPEN or self.ramp_length == 0:
            return self.price
        ramp = (self.min_price, self.max_price, self.ramp_start, self.ramp_length)
        return price_at(*ramp, time)


@dataclass(frozen=True, slots=True)
class MarketLimits:
    """Bounds fixed when the market was deployed."""

    collateral_floor: int
    max_lifetime: int
    min_lock: int
    max_lock: int
    max_callback_gas: int
    max_input_length: int


@dataclass(frozen=True, slots=True)
class StakingLimits:
    """Constants fixed when the staking contract was deployed."""

    exit_delay: int
    min_stake: int
    burn_address: str


@dataclass(frozen=True, slots=True)
class ExecutorProfile:
    """What an executor says of itself on chain."""

    endpoint: str = ""
    receipt_key: str | None = None
    min_price: int = 0
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class ExecutorInfo:
    """An executor: stake and profile. ``total`` is free plus allocated stake."""

    address: str
    free: int
    total: int
    endpoint: str
    receipt_key: str | None
    min_price: int
    capacity: int


@dataclass(frozen=True, slots=True)
class AllocationInfo:
    """Stake allocated to one slasher; ``available`` can still be locked."""

    allocated: int
    locked: int
    exiting: int
    exit_ready_at: int
    available: int


@dataclass(frozen=True, slots=True)
class Permit:
    """A signed ERC-2612 permit."""

    value: int
    deadline: int
    v: int
    r: bytes
    s: bytes


@dataclass(frozen=True, slots=True)
class Block:
    """A block header as far as anyone here needs it."""

    number: int
    timestamp: int
    hash: str


@dataclass(frozen=True, slots=True)
class Event:
    """A decoded log. ``contract`` is the name of the contract that emitted it."""

    name: str
    args: Mapping[str, Any]
    block_number: int
    block_hash: str
    tx_hash: str
    log_index: int
    contract: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction; ``logs`` are those of the deployment's contracts, decoded."""

    tx_hash: str
    block_number: int
    gas_used: int
    status: int
    effective_gas_price: int
    logs: tuple[Event, ...] = field(default=())

    @property
    def fee(self) -> int:
        """What the transaction cost its sender, in wei."""
        return self.gas_used * self.effective_gas_price

    def event(self, name: str) -> Event:
        """The first log with this event name.

        Raises:
            LookupError: the transaction emitted no such event.
        """
        for entry in self.logs:
            if entry.name == name:
                return entry
        raise LookupError(f"transaction {self.tx_hash} emitted no {name}")


@dataclass(frozen=True, slots=True)
class TypedData:
    """EIP-712 typed data, ready for a signer. ``types`` has no ``EIP712Domain`` entry."""

    domain: Mapping[str, Any]
    types: Mapping[str, Any]
    primary_type: str
    message: Mapping[str, Any]
