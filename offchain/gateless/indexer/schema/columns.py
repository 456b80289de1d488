"""Columns of the index: amounts and numbers of the chain as every database takes them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import BigInteger, Column, MetaData, String, Text
from sqlalchemy.types import TypeDecorator

from gateless.adapters.db.columns import Words

#: Digits of the largest uint256: amounts are text of this length, so that text sorts as numbers do.
_DIGITS = 78
#: The largest number of a column that is one; ids of versions stay below it.
LARGEST = (1 << 63) - 1
#: And of one whose numbers are all small, such as scores, days and modes.
LARGEST_SMALL = (1 << 31) - 1


class Units(TypeDecorator[int]):
    """An amount in token units as decimal text with leading zeros."""

    impl = String(_DIGITS)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> str | None:
        """What is stored for an amount."""
        return None if value is None else f"{value:0{_DIGITS}d}"

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:
        """The amount again."""
        return None if value is None else int(value)


class Json(TypeDecorator[Any]):
    """A list or mapping as JSON text, keys sorted: equal values are equal text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        """What is stored for a value. ASCII, so that every text can be stored everywhere."""
        return None if value is None else json.dumps(value, sort_keys=True, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Any) -> Any:
        """The value again."""
        return None if value is None else json.loads(value)


class Count(TypeDecorator[int]):
    """A number of at most 63 bits; what the chain has larger, some deadlines, is cut to that."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> int | None:
        """What is stored for a number."""
        return None if value is None else min(value, LARGEST)


metadata = MetaData()


def amount(name: str) -> Column[int]:
    """An amount in token units."""
    return Column(name, Units, nullable=False, default=0)


def number(name: str) -> Column[int]:
    """A number of at most 63 bits."""
    return Column(name, Count, nullable=False, default=0)


def text(name: str) -> Column[str]:
    """Text, of whomever."""
    return Column(name, Words, nullable=False, default="")


def record() -> list[Column[Any]]:
    """What counts for reputation (:mod:`gateless.indexer.reputation`)."""
    return [
        number("fulfilled"),
        number("expired"),
        number("slashed"),
        number("defended"),
        number("self_dealt"),
        number("score"),
        amount("volume"),
        Column("lock_times", Json, nullable=False, default={}),
        Column("work_times", Json, nullable=False, default={}),
        Column("total_times", Json, nullable=False, default={}),
        Column("latency", BigInteger),
    ]
