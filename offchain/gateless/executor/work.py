"""What the journal holds: work and intents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from gateless.core.types import TrustMode
from gateless.daemon.intents import KeptIntent
from gateless.executor.states import WorkState

#: The block of a request whose creation was undone, until it is read again on another branch.
NO_BLOCK = (1 << 63) - 1


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
    callback_gas: int = 0


@dataclass(frozen=True, slots=True)
class Work:
    """A request and how far this executor got with it.

    Attributes:
        reason: code of why it is where it is; empty while all goes well.
        text: the same in words.
        packed_input: kept from the moment it was checked, so that no store is needed again.
        packed_output: the output that was proven; kept until the request is final.
        proof: of this request alone.
        batch_id: the proof that it shares with others, in place of ``proof``.
        callback_gas: gas that its callback was promised.
        fee: what was paid for it.
        offer: the request as its requester signed it, where it was handed in instead of sent.
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
    batch_id: int | None
    callback_gas: int
    lock_deadline: int
    fee: int
    offer: str | None
    updated_at: float

    @property
    def has_proof(self) -> bool:
        """Whether output and proof are kept, its own or a shared one."""
        return self.packed_output is not None and (
            self.proof is not None or self.batch_id is not None
        )


@dataclass(frozen=True, slots=True)
class WaitingOffer:
    """A signed request that is not locked yet, as far as it is asked who may wait here.

    Attributes:
        price: the highest that it offers.
        reason: why it cannot be locked now; empty where nothing is known to keep it.
        offer: as its requester signed it.
    """

    request_id: int
    requester: str
    price: int
    reason: str
    offer: str


@dataclass(frozen=True, slots=True)
class NewBatch:
    """A proof for several requests, before it is journaled.

    Attributes:
        request_ids: row i answers the i-th.
        packed_inputs: all rows of the circuit, padding included.
        packed_outputs: their outputs.
    """

    version_id: int
    circuit_index: int
    request_ids: tuple[int, ...]
    packed_inputs: tuple[bytes, ...]
    packed_outputs: tuple[bytes, ...]
    proof: bytes


@dataclass(frozen=True, slots=True)
class Batch:
    """A proof for several requests; inputs and outputs of all rows in one piece each.

    They and the proof are empty once no request waits for it any more.
    """

    batch_id: int
    version_id: int
    circuit_index: int
    request_ids: tuple[int, ...]
    packed_inputs: bytes
    packed_outputs: bytes
    proof: bytes


class IntentKind(StrEnum):
    """What a transaction is for."""

    LOCK = "lock"
    LOCK_MANY = "lock_many"
    FULFILL = "fulfill"
    FULFILL_BATCH = "fulfill_batch"
    LOCK_AND_FULFILL = "lock_and_fulfill"
    WITHDRAW = "withdraw"
    COLLECT = "collect"
    OPEN_POOLS = "open_pools"
    RELEASE_POOL = "release_pool"
    RESPOND = "respond"
    LAZY_LOCK = "lazy_lock"
    LAZY_TAKE_OVER = "lazy_take_over"
    LAZY_ANSWER = "lazy_answer"
    LAZY_LOCK_AND_ANSWER = "lazy_lock_and_answer"
    LAZY_BATCH = "lazy_batch"
    LAZY_PROVE = "lazy_prove"
    LAZY_FINALIZE = "lazy_finalize"
    LAZY_BACK = "lazy_back"
    QUORUM_ENROLL = "quorum_enroll"
    QUORUM_TERMS = "quorum_terms"
    QUORUM_WAKE = "quorum_wake"
    QUORUM_SLEEP = "quorum_sleep"
    QUORUM_ALLOCATE = "quorum_allocate"
    QUORUM_DRAW = "quorum_draw"
    QUORUM_COMMIT = "quorum_commit"
    QUORUM_REVEAL = "quorum_reveal"
    QUORUM_SETTLE = "quorum_settle"
    QUORUM_REFUND = "quorum_refund"

    @property
    def is_of_work(self) -> bool:
        """Whether it is about one request for a proof, and means nothing without it."""
        return self in (IntentKind.LOCK, IntentKind.FULFILL, IntentKind.LOCK_AND_FULFILL)

    @property
    def is_settled_with_work(self) -> bool:
        """Whether what became of it is found out when its requests for proofs are looked at."""
        return self.is_of_work or self in (IntentKind.LOCK_MANY, IntentKind.FULFILL_BATCH)

    @property
    def is_withdrawal(self) -> bool:
        """Whether it takes earnings out, and what became of it is found out before the next one."""
        return self in (IntentKind.WITHDRAW, IntentKind.COLLECT)

    @property
    def is_of_quorums(self) -> bool:
        """Whether it is about a request to a quorum, which is no work of its own."""
        return self.value.startswith("quorum_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(KeptIntent):
    """What was journaled before it was sent: for a request, a batch or neither.

    Of several requests that it locks the journal keeps a list, see
    :class:`~gateless.executor.journal_locks.LockBook`.
    """

    kind: IntentKind
    request_id: int | None = None
    batch_id: int | None = None

    @property
    def label(self) -> str:
        """What it is for."""
        return self.kind.value

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the log says about it."""
        # Without one of its own, that of the task that sends it stays in the line.
        request = {} if self.request_id is None else {"request_id": self.request_id}
        batch = {} if self.batch_id is None else {"batch_id": self.batch_id}
        return {**request, **batch}
