"""How the indexer itself is."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateless.indexer.api.answers.vocabulary import Answer, Token


class Block(Answer):
    """A block."""

    number: int
    hash: str


class StatusAnswer(Answer):
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
    problem: str | None = Field(description="Code of what keeps it from going on.")
    counts: dict[str, int]


class Health(Answer):
    """Whether the process lives."""

    status: Literal["ok"]


class Ready(Answer):
    """Whether the index is up with the chain, and if not, why."""

    ready: bool
    reason: str
