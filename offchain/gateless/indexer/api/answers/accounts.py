"""What accounts earned, and what happened by day."""

from __future__ import annotations

from gateless.indexer.api.answers.vocabulary import Address, Amount, Answer, Mode, Token


class Earnings(Answer):
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


class EarningsAnswer(Answer):
    """An account's earnings."""

    token: Token
    earnings: Earnings


class Usage(Answer):
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


class UsagePage(Answer):
    """A page of usage, the newest day first."""

    token: Token
    items: list[Usage]
    next_cursor: str | None
