"""What the API answers: amounts are decimal strings of token units, times Unix seconds.

Text in ``name``, ``description``, ``tags``, ``task``, ``license``, ``labels``, ``uri``,
``endpoint`` and ``reason`` was written by strangers: it is text, never markup.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[
    str, Field(pattern=r"^-?[0-9]{1,78}$", description="Token units.", examples=["1500000"])
]
Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
Word = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$", description="256 bits in hex.")]
Seconds = Annotated[int, Field(description="Seconds; Unix time where it is a moment.")]
Rate = Annotated[float, Field(ge=0, le=1)]
Mode = Literal["ZK", "LAZY_ZK", "QUORUM", "ATTESTED"]
Status = Literal["served", "unserved", "deprecated"]
RequestState = Literal[
    "open", "locked", "answered", "disputed", "drawn", "final", "refunded", "slashed"
]
DisputeState = Literal["committed", "withdrawn", "reported", "open", "failed", "won", "moot"]
DisputeKind = Literal["lazy", "receipt", "equivocation"]
How = Literal["proven", "unchallenged", "quorum", "attested"]


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Token(_Answer):
    """The token in whose units amounts are."""

    address: Address
    symbol: str
    decimals: int


class Problem(_Answer):
    """What went wrong: a code for programs, words and a hint for people (docs/errors.md)."""

    error: str
    code: str
    message: str
    hint: str
    context: dict[str, Any]


class Latency(_Answer):
    """Times between blocks, in seconds, rounded up to the classes that are counted."""

    p50: Seconds
    p90: Seconds
    p99: Seconds


class Record(_Answer):
    """What the chain says about promises kept and broken, and the score that follows from it."""

    score: Rate
    success_rate: Rate | None
    fulfilled: int
    expired: int
    slashed: int
    challenges_won: int
    self_dealt: int
    volume: Amount
    to_lock: Latency | None
    to_answer: Latency | None
    request_to_answer: Latency | None


class Tensor(_Answer):
    """An input or output as the manifest states it."""

    name: str
    shape: list[int]
    dtype: str


class Manifest(_Answer):
    """What the publisher says. ``wanted`` until it was fetched; ``refused`` if it is none."""

    state: Literal["wanted", "here", "refused"]
    description: str
    task: str
    license: str
    tags: list[str]
    labels: list[str]
    inputs: list[Tensor]
    outputs: list[Tensor]


class Listing(_Answer):
    """A found model, by the version that it is shown by."""

    name: str
    model_id: int
    version_id: int
    holder: Address
    status: Status
    modes: list[Mode]
    price: Amount | None = Field(description="The least that one of its executors asks for.")
    executors: int
    success_rate: Rate | None
    latency: Seconds | None = Field(description="Median time from request to answer.")
    score: Rate
    royalty_bps: int
    proof_seconds: int
    published_at: Seconds
    description: str
    task: str
    license: str
    tags: list[str]


class SearchAnswer(_Answer):
    """A page of found models. ``fuzzy``: none has these words, these have similar ones."""

    token: Token
    items: list[Listing]
    fuzzy: bool
    next_cursor: str | None


class Model(_Answer):
    """A model."""

    model_id: int
    name: str
    creator: Address
    holder: Address
    created_at: Seconds
    versions: int
    latest: int
    aliases: dict[str, int]
    royalties: Amount
    royalties_withdrawn: Amount


class ModelPage(_Answer):
    """A page of models."""

    token: Token
    items: list[Model]
    next_cursor: str | None


class Enrolment(_Answer):
    """An executor that serves a version; with a runtime class as a member of quorums."""

    version_id: int
    executor: Address
    runtime_class: str
    stake: Amount


class Circuit(_Answer):
    """A circuit as the registry pins it."""

    vka_digest: Word
    batch_size: int
    proof_length: int


class Version(_Answer):
    """A version."""

    version_id: int
    model_id: int
    index: int
    name: str
    publisher: Address
    model_digest: str
    manifest_digest: str
    modes: list[Mode]
    royalty_bps: int
    proof_seconds: int
    repeatable: bool
    circuits: list[Circuit]
    uri: str
    published_at: Seconds
    deprecated: bool
    deprecation_reason: str
    requests: int
    record: Record
    manifest: Manifest


class ModelAnswer(_Answer):
    """A model with its newest versions."""

    token: Token
    model: Model
    versions: list[Version]


class VersionAnswer(_Answer):
    """A version and who serves it."""

    token: Token
    version: Version
    executors: list[Enrolment]


class Executor(_Answer):
    """An executor."""

    address: Address
    endpoint: str
    receipt_key: str
    min_price: Amount
    capacity: int
    stake: Amount
    allocations: dict[str, Amount]
    slashed_amount: Amount
    seen_at: Seconds
    record: Record


class ExecutorPage(_Answer):
    """A page of executors."""

    token: Token
    items: list[Executor]
    next_cursor: str | None


class Pool(_Answer):
    """A pool of bonded receipts."""

    pool_id: Word
    epoch: int
    bond: Amount
    capacity: int
    state: Literal["", "open", "released", "forfeited"]


class ExecutorAnswer(_Answer):
    """An executor, what it serves, and its newest pools."""

    token: Token
    executor: Executor
    enrolments: list[Enrolment]
    pools: list[Pool]


class LargeBytes(_Answer):
    """Bytes that are too long to be kept here: the chain has them."""

    length: int
    keccak256: Word


class Seat(_Answer):
    """A drawn member of a quorum, and what it did."""

    member: Address
    committed_at: Seconds | None = None
    revealed_at: Seconds | None = None
    output_digest: Word | None = None


class Request(_Answer):
    """A request, from its making to its end."""

    request_id: Word
    market: str
    mode: Mode
    version_id: int
    requester: Address
    executor: Address | None
    named_executor: Address | None
    state: RequestState
    reason: str
    max_price: Amount
    price: Amount | None
    fee: Amount | None
    royalty: Amount | None
    collateral: Amount
    deadline: Seconds
    missed_locks: int
    input_digest: str
    input_binding: str
    input_hint: str
    output_digest: Word | None
    how: How | None
    seats: list[Seat]
    requested_at: Seconds
    locked_at: Seconds | None
    answered_at: Seconds | None
    ended_at: Seconds | None
    requested_tx: str
    ended_tx: str


class RequestPage(_Answer):
    """A page of requests, the newest first."""

    token: Token
    items: list[Request]
    next_cursor: str | None


class RequestAnswer(_Answer):
    """A request, its output and the dispute about it."""

    token: Token
    request: Request
    output: str | LargeBytes | None
    dispute: Dispute | None


class Result(_Answer):
    """A final output. ``output`` is empty where it is too long to be kept here."""

    request_id: Word
    market: str
    mode: Mode
    how: How
    version_id: int
    input_binding: str
    output_digest: Word
    output: str | LargeBytes | None
    executor: Address | None
    requester: Address
    final_at: Seconds
    topic: str | None
    board_index: int | None


class ResultPage(_Answer):
    """A page of final outputs, the newest first."""

    token: Token
    items: list[Result]
    next_cursor: str | None


class Dispute(_Answer):
    """A doubt. ``failed``: the executor was right; ``won``: the challenger was."""

    kind: DisputeKind
    dispute_id: Word
    state: DisputeState
    executor: Address | None
    challenger: Address | None
    beneficiary: Address | None
    version_id: int | None
    bond: Amount
    compensation: Amount
    reward: Amount
    burned: Amount
    deadline: Seconds
    opened_at: Seconds
    ended_at: Seconds | None


class DisputePage(_Answer):
    """A page of disputes, the newest first."""

    token: Token
    items: list[Dispute]
    next_cursor: str | None


class Earnings(_Answer):
    """What an account earned and lost, over all time; all zero for one that never did."""

    address: Address
    fees: Amount
    answers: int
    royalties: Amount
    rewards: Amount
    bonds_won: Amount
    bonds_lost: Amount
    compensation: Amount
    spent: Amount
    asked: int


class EarningsAnswer(_Answer):
    """An account's earnings."""

    token: Token
    earnings: Earnings


class Usage(_Answer):
    """What happened on a day (UTC)."""

    date: str
    version_id: int
    mode: Mode
    requests: int
    fulfilled: int
    refunded: int
    slashed: int
    fees: Amount
    royalties: Amount


class UsagePage(_Answer):
    """A page of usage, the newest day first."""

    token: Token
    items: list[Usage]
    next_cursor: str | None


class Block(_Answer):
    """A block."""

    number: int
    hash: str


class StatusAnswer(_Answer):
    """How far the index is, and what keeps it."""

    network: str
    chain_id: int
    token: Token
    contracts: dict[str, str]
    revision: str
    indexed: Block | None
    head: int | None
    blocks_behind: int | None
    confirmations: int
    problem: Problem | None
    counts: dict[str, int]


class Health(_Answer):
    """Whether the process lives."""

    status: Literal["ok"]


class Ready(_Answer):
    """Whether the index is up with the chain, and if not, why."""

    ready: bool
    reason: str


RequestAnswer.model_rebuild()
