"""What the SDK's operations return: plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateless.adapters.chain.offers import Offer
from gateless.adapters.chain.purses import Purse
from gateless.core.manifest import Manifest
from gateless.core.packing import FloatArray
from gateless.core.types import (
    AllocationInfo,
    ExecutorInfo,
    ModelInfo,
    RequestInfo,
    SignedRequest,
    TrustMode,
    VersionInfo,
)


@dataclass(frozen=True, slots=True)
class SentTransaction:
    """A mined transaction, for the books."""

    label: str
    tx_hash: str
    gas_used: int
    fee_wei: int


@dataclass(frozen=True, slots=True)
class ResolvedVersion:
    """The version that a reference means; ``warnings`` are advice, such as a deprecation."""

    model: ModelInfo
    version: VersionInfo
    warnings: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """``name@index``: a reference that always means this version."""
        return f"{self.model.name}@{self.version.index}"


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """A model with all its versions, oldest first, and its aliases (alias to version id)."""

    model: ModelInfo
    versions: tuple[VersionInfo, ...]
    aliases: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PublishResult:
    """A publication. ``already_published`` says that an earlier run had done it."""

    model_id: int
    name: str
    version_id: int
    index: int
    manifest_digest: str
    alias: str | None
    already_published: bool
    transactions: tuple[SentTransaction, ...]


@dataclass(frozen=True, slots=True)
class SubmittedRequest:
    """A request that is on chain and funded."""

    request_id: int
    resolved: ResolvedVersion
    manifest: Manifest
    packed_input: bytes
    price: int
    deadline: int
    transaction: SentTransaction
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedOffer:
    """A signed request, with all that an executor needs to take it on.

    ``request_id`` is its id once it is locked; until then the market does not know it.
    """

    request_id: int
    chain_id: int
    market: str
    signed: SignedRequest
    signature: bytes
    resolved: ResolvedVersion
    manifest: Manifest
    packed_input: bytes
    warnings: tuple[str, ...] = ()

    @property
    def offer(self) -> Offer:
        """What travels to an executor; the input only where no hint says where it is."""
        packed = None if self.signed.input_hint else self.packed_input
        return Offer(self.chain_id, self.market, self.signed, self.signature, packed)


@dataclass(frozen=True, slots=True)
class CallbackOutcome:
    """What the consumer contract did with the output."""

    address: str
    success: bool
    returned: bytes


@dataclass(frozen=True, slots=True)
class InferenceResult:
    """A final output: proven, verified on chain and paid.

    Attributes:
        request_id: id in the market.
        version_id: version that computed the output.
        version_label: ``name@index``.
        requester: who asked and paid.
        executor: who answered.
        mode: trust mode under which the output is final.
        outputs: real numbers per output tensor; read-only arrays.
        integers: fixed-point integers per output tensor, as proven.
        label: the manifest's name of the highest score, where the model is a classifier.
        packed_output: bytes as on chain.
        output_digest: keccak256 of them, hex.
        price: amount paid; ``fee + royalty``.
        fee: part of the executor.
        royalty: part of the model's holder.
        gas_used: gas of the transaction that verified and paid.
        request_tx: transaction that made the request, where known.
        fulfil_tx: transaction that verified and paid.
        block_number: its block.
        callback: outcome of the callback, where the request had one.
        warnings: advice to show.
    """

    request_id: int
    version_id: int
    version_label: str
    requester: str
    executor: str
    mode: TrustMode
    outputs: Mapping[str, FloatArray]
    integers: Mapping[str, tuple[int, ...]]
    label: str | None
    packed_output: bytes
    output_digest: str
    price: int
    fee: int
    royalty: int
    gas_used: int
    request_tx: str | None
    fulfil_tx: str
    block_number: int
    callback: CallbackOutcome | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestSummary:
    """A request as seen in a list."""

    info: RequestInfo
    version_label: str
    request_tx: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money that came back."""

    request_id: int
    requester: str
    amount: int
    slashed: int
    transaction: SentTransaction


@dataclass(frozen=True, slots=True)
class Balances:
    """What an account owns; ``market`` is deposited and can pay requests or be withdrawn."""

    address: str
    native_wei: int
    wallet: int
    market: int


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount that was moved."""

    amount: int
    to: str
    transaction: SentTransaction


@dataclass(frozen=True, slots=True)
class ExecutorState:
    """An executor's stake, profile, earnings and versions.

    Attributes:
        allocation: its stake behind requests for proofs.
        behind: all of its stake that is allocated, by what it is behind.
        earnings: its balance at the market.
        compensations: its credits at the staking contract.
        purses: what other contracts than the market hold for it, the credits among it.
    """

    executor: ExecutorInfo
    allocation: AllocationInfo
    behind: Mapping[str, AllocationInfo]
    earnings: int
    compensations: int
    purses: tuple[Purse, ...]
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StakeResult:
    """What one run of the staking flow did; no ``transactions`` where nothing was left to do."""

    state: ExecutorState
    transactions: tuple[SentTransaction, ...]


@dataclass(frozen=True, slots=True)
class UnstakeResult:
    """How far leaving has come: amounts returned now, amounts that wait, and until when."""

    returned: int
    exiting: int
    exit_ready_at: int
    transactions: tuple[SentTransaction, ...]
