"""Models and versions."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateless.indexer.api.answers.executors import Enrolment
from gateless.indexer.api.answers.vocabulary import (
    Address,
    Amount,
    Answer,
    Mode,
    Rate,
    Record,
    Seconds,
    Status,
    Token,
    Word,
)


class Tensor(Answer):
    """An input or output as the manifest states it."""

    name: str
    shape: list[int]
    dtype: str


class Manifest(Answer):
    """What the publisher says. ``wanted`` until it was fetched; ``refused`` if it is none."""

    state: Literal["wanted", "here", "refused"]
    description: str
    task: str
    license: str
    tags: list[str]
    labels: list[str]
    inputs: list[Tensor]
    outputs: list[Tensor]


class Listing(Answer):
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


class SearchAnswer(Answer):
    """A page of found models. ``fuzzy``: none has these words, these have similar ones."""

    token: Token
    items: list[Listing]
    fuzzy: bool
    next_cursor: str | None


class Model(Answer):
    """A model."""

    model_id: int
    name: str
    creator: Address
    holder: Address
    created_at: Seconds
    versions: int
    latest: int
    stable: int | None = Field(description="Where the alias `stable` points to.")
    royalties: Amount
    royalties_withdrawn: Amount


class ModelPage(Answer):
    """A page of models."""

    token: Token
    items: list[Model]
    next_cursor: str | None


class Circuit(Answer):
    """A circuit as the registry pins it."""

    vka_digest: Word
    batch_size: int
    proof_length: int


class Version(Answer):
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


class VersionLine(Answer):
    """A version in short: `/v1/versions/{version_id}` has the rest."""

    version_id: int
    index: int
    publisher: Address
    manifest_digest: str
    modes: list[Mode]
    royalty_bps: int
    published_at: Seconds
    deprecated: bool
    requests: int
    fulfilled: int
    success_rate: Rate | None
    score: Rate


class VersionPage(Answer):
    """A page of a model's versions, the newest first."""

    token: Token
    items: list[VersionLine]
    next_cursor: str | None


class Alias(Answer):
    """A pointer that a model's holder moves."""

    alias: str
    version_id: int
    set_at: Seconds


class AliasPage(Answer):
    """A page of a model's aliases."""

    token: Token
    items: list[Alias]
    next_cursor: str | None


class ModelAnswer(Answer):
    """A model, its newest versions and its first aliases."""

    token: Token
    model: Model
    versions: list[VersionLine]
    aliases: list[Alias]


class VersionAnswer(Answer):
    """A version, and who serves it, the best records first."""

    token: Token
    version: Version
    executors: list[Enrolment]
