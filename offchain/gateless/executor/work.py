"""What the journal holds: work, intents, positions on the chain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateless.core.types import TrustMode
from gateless.executor.states import WorkState


@dataclass(frozen=True, slots=True)
class NewWork:
    """A request as its ``RequestCreated`` event announced it."""

    request_id: int
    version_id: int
    requester: str
    mode: TrustMode
    price: int
    collateral: int
    deadline: int
    input_digest: bytes
    input_binding: bytes
    named_executor: str | None
    created_block: int


@dataclass(frozen=True, slots=True)
class Work:
    """A request and how far this executor got with it.

    Attributes:
        reason: code of why it is where it is; empty while all goes well.
        text: the same in words.
        packed_input: kept from the moment it was checked, so that no store is needed again.
        packed_output: the output that ``proof`` proves; kept until the request is final.
        fee: what was paid for it.
    """

    request_id: int
    version_id: int
    requester: str
    mode: TrustMode
    price: int
    collateral: int
    deadline: int
    input_digest: bytes
    input_binding: bytes
    named_executor: str | None
    created_block: int
    state: WorkState
    reason: str
    text: str
    packed_input: bytes | None
    circuit_index: int
    packed_output: bytes | None
    proof: bytes | None
    lock_deadline: int
    fee: int
    updated_at: float

    @property
    def has_proof(self) -> bool:
        """Whether output and proof are kept."""
        return self.proof is not None and self.packed_output is not None


class IntentKind(StrEnum):
    """What a transaction is for."""

    LOCK = "lock"
    FULFILL = "fulfill"
    LOCK_AND_FULFILL = "lock_and_fulfill"
    WITHDRAW = "withdraw"


class IntentState(StrEnum):
    """What became of a transaction. All but ``PENDING`` are final.

    ``PENDING`` says that the bytes were signed; whether they were sent is for the chain to tell.
    """

    PENDING = "pending"
    MINED = "mined"
    REVERTED = "reverted"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Intent:
    """A transaction that was journaled before it was sent."""

    intent_id: int
    kind: IntentKind
    request_id: int | None
    tx_hash: str
    nonce: int
    raw: bytes
    state: IntentState
    block_number: int
    gas_used: int
    text: str


@dataclass(frozen=True, slots=True)
class Position:
    """A block up to which the chain was read."""

    number: int
    hash: str
