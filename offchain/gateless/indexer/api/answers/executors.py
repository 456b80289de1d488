"""Executors: what they serve, and their pools of bonded receipts."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gateless.indexer.api.answers.vocabulary import (
    Address,
    Amount,
    Answer,
    Record,
    Seconds,
    Token,
    Word,
)

PoolState = Literal["open", "released", "forfeited"]


class Enrolment(Answer):
    """An executor that serves a version; with a runtime class as a member of quorums."""

    version_id: int
    executor: Address
    runtime_class: str
    stake: Amount


class EnrolmentPage(Answer):
    """A page of who serves what."""

    token: Token
    items: list[Enrolment]
    next_cursor: str | None


class Executor(Answer):
    """An executor."""

    address: Address
    endpoint: str
    receipt_key: str
    min_price: Amount
    capacity: int
    stake: Amount
    allocations: dict[str, Amount] = Field(
        description="Stake by the contract that may slash it; `others` are not the network's."
    )
    slashed_amount: Amount
    seen_at: Seconds
    record: Record


class ExecutorPage(Answer):
    """A page of executors."""

    token: Token
    items: list[Executor]
    next_cursor: str | None


class Pool(Answer):
    """A pool of bonded receipts."""

    pool_id: Word
    executor: Address
    epoch: int
    bond: Amount
    capacity: int
    state: PoolState


class PoolPage(Answer):
    """A page of pools, the newest first."""

    token: Token
    items: list[Pool]
    next_cursor: str | None


class ExecutorAnswer(Answer):
    """An executor, some of what it serves, and its newest pools."""

    token: Token
    executor: Executor
    enrolments: list[Enrolment]
    pools: list[Pool]
