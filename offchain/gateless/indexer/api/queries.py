"""What may be asked for: query parameters, checked before anything is read."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from gateless.indexer.api.answers import (
    DisputeKind,
    DisputeState,
    How,
    Mode,
    PoolState,
    RequestState,
    Status,
)
from gateless.indexer.search import SortBy

MAX_LIMIT = 100

AddressText = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x" + "ab" * 20])]
VersionNumber = Annotated[int, Field(ge=0, lt=1 << 63, examples=[4294967296])]
AmountText = Annotated[str, Field(pattern=r"^[0-9]{1,39}$", examples=["1500000"])]
Words = Annotated[str, Field(max_length=200, examples=["digits classifier"])]
Tag = Annotated[str, Field(min_length=1, max_length=40)]
Cursor = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9_-]{1,512}$", description="`next_cursor` of the page before."),
]
InputBinding = Annotated[
    str,
    Field(
        pattern=r"^0x[0-9a-f]{64}$",
        description="What requests bind: of packed inputs the keccak256.",
    ),
]


class PageQuery(BaseModel):
    """Parameters of every list."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    cursor: Cursor | SkipJsonSchema[None] = None


class SearchQuery(PageQuery):
    """Parameters of a search."""

    q: Words = ""
    tag: list[Tag] = Field([], max_length=8)
    task: Annotated[str, Field(max_length=80)] | SkipJsonSchema[None] = None
    mode: list[Mode] = Field([], max_length=4)
    max_price: AmountText | SkipJsonSchema[None] = None
    min_success: Annotated[float, Field(ge=0, le=1)] | SkipJsonSchema[None] = None
    max_latency: Annotated[int, Field(ge=0, le=10**9)] | SkipJsonSchema[None] = None
    min_executors: Annotated[int, Field(ge=0, le=10**6)] | SkipJsonSchema[None] = None
    status: Status | SkipJsonSchema[None] = None
    sort: SortBy = SortBy.RELEVANCE


class ModelQuery(PageQuery):
    """Parameters of the list of models."""

    holder: AddressText | SkipJsonSchema[None] = None


class EnrolmentQuery(PageQuery):
    """Parameters of the list of who serves what."""

    version: VersionNumber | SkipJsonSchema[None] = None
    executor: AddressText | SkipJsonSchema[None] = None


class PoolQuery(PageQuery):
    """Parameters of the list of pools of receipts."""

    executor: AddressText | SkipJsonSchema[None] = None
    state: PoolState | SkipJsonSchema[None] = None


class RequestQuery(PageQuery):
    """Parameters of the list of requests."""

    version: VersionNumber | SkipJsonSchema[None] = None
    requester: AddressText | SkipJsonSchema[None] = None
    executor: AddressText | SkipJsonSchema[None] = None
    mode: Mode | SkipJsonSchema[None] = None
    state: RequestState | SkipJsonSchema[None] = None


class ResultQuery(PageQuery):
    """Parameters of the list of results."""

    version: VersionNumber | SkipJsonSchema[None] = None
    input: InputBinding | SkipJsonSchema[None] = None
    how: How | SkipJsonSchema[None] = None


class DisputeQuery(PageQuery):
    """Parameters of the list of disputes; without a state, commitments are left out."""

    kind: DisputeKind | SkipJsonSchema[None] = None
    state: DisputeState | SkipJsonSchema[None] = None
    executor: AddressText | SkipJsonSchema[None] = None
    challenger: AddressText | SkipJsonSchema[None] = None


class UsageQuery(PageQuery):
    """Parameters of usage; days are in UTC."""

    version: VersionNumber | SkipJsonSchema[None] = None
    since: date | SkipJsonSchema[None] = None
    until: date | SkipJsonSchema[None] = None
