"""What all answers are made of."""

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


class Answer(BaseModel):
    """Anything that is answered."""

    model_config = ConfigDict(extra="forbid")


class Token(Answer):
    """The token in whose units amounts are."""

    address: Address
    symbol: str
    decimals: int


class Problem(Answer):
    """What went wrong: a code for programs, words and a hint for people (docs/errors.md)."""

    error: str
    code: str
    message: str
    hint: str
    context: dict[str, Any]


class Latency(Answer):
    """Times between blocks, in seconds, rounded up to the classes that are counted."""

    p50: Seconds
    p90: Seconds
    p99: Seconds


class Record(Answer):
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


class LargeBytes(Answer):
    """Bytes that are too long to be kept here: the chain has them."""

    length: int
    keccak256: Word
