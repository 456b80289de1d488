"""Column types that mean the same in SQLite and in PostgreSQL.

SQLite's integers have 64 bits, PostgreSQL's ``Integer`` has 32: whatever is not small by its nature
is a :class:`~sqlalchemy.BigInteger`. Numbers of more than 63 bits are decimal or hex text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Integer, String, Text
from sqlalchemy.types import TypeDecorator

#: A number that the database gives. SQLite counts rows only in a column of exactly this type.
RowId = BigInteger().with_variant(Integer, "sqlite")


class RequestId(TypeDecorator[int]):
    """A request's id as text: those of signed requests have 256 bits.

    64 hex digits each, so that the order of the text is that of the numbers.
    """

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Any) -> str | None:
        """What is stored for an id."""
        return None if value is None else f"{value:064x}"

    def process_result_value(self, value: str | None, dialect: Any) -> int | None:
        """The id again."""
        return None if value is None else int(value, 16)


class Words(TypeDecorator[str]):
    """Text that may quote strangers.

    PostgreSQL takes no NUL in text and neither database takes lone surrogates: both become U+FFFD,
    so that nothing a stranger writes keeps a row from being stored.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """What is stored for a text."""
        if value is None:
            return None
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\x00", "\ufffd")
