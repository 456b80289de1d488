"""Requests, results and disputes."""

from __future__ import annotations

from gateless.indexer.api.answers.vocabulary import (
    Address,
    Amount,
    Answer,
    DisputeKind,
    DisputeState,
    How,
    LargeBytes,
    Mode,
    RequestState,
    Seconds,
    Token,
    Word,
)


class Seat(Answer):
    """A drawn member of a quorum, and what it did."""

    member: Address
    committed_at: Seconds | None = None
    revealed_at: Seconds | None = None
    output_digest: Word | None = None


class Request(Answer):
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


class RequestPage(Answer):
    """A page of requests, the newest first."""

    token: Token
    items: list[Request]
    next_cursor: str | None


class Result(Answer):
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


class ResultPage(Answer):
    """A page of final outputs, the newest first."""

    token: Token
    items: list[Result]
    next_cursor: str | None


class Dispute(Answer):
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


class DisputePage(Answer):
    """A page of disputes, the newest first."""

    token: Token
    items: list[Dispute]
    next_cursor: str | None


class RequestAnswer(Answer):
    """A request, its output and the dispute about it."""

    token: Token
    request: Request
    output: str | LargeBytes | None
    dispute: Dispute | None
