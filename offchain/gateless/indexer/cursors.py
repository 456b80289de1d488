"""Where a page ends, as text that only the index reads: the values by which the list is ordered.

Pages are cut by those values, not by counting, so that rows that come meanwhile neither repeat nor
hide any other.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, or_
from sqlalchemy.sql.elements import ColumnElement

from gateless.core.errors import InputError

_MAX_LENGTH = 512
#: Columns or expressions by which a list is ordered, and whether downwards. The last one is unique.
Order = Sequence[tuple[ColumnElement[Any], bool]]


def write_cursor(kind: str, values: Sequence[Any]) -> str:
    """The cursor after the row with these values.

    Args:
        kind: the list and its order: a cursor of another is refused.
        values: numbers and texts.
    """
    text = json.dumps([kind, *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(kind: str, cursor: str, types: Sequence[type]) -> list[Any]:
    """The values of a cursor.

    Raises:
        InputError: ``invalid-cursor``.
    """
    values = _decoded(cursor)
    if values is None or values[:1] != [kind] or len(values) != len(types) + 1:
        raise _invalid()
    for value, expected in zip(values[1:], types, strict=True):
        if type(value) is not expected:
            raise _invalid()
        if isinstance(value, int) and not 0 <= value < 1 << 256:
            raise _invalid()
        # Addresses and numbers are: what else JSON can spell, not every database can store.
        if isinstance(value, str) and not (value.isascii() and value.isprintable()):
            raise _invalid()
    return values[1:]


def _decoded(cursor: str) -> list[Any] | None:
    if len(cursor) > _MAX_LENGTH:
        return None
    padded = cursor + "=" * (-len(cursor) % 4)
    try:
        values = json.loads(base64.b64decode(padded.encode("ascii"), b"-_", validate=True))
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, list) else None


def _invalid() -> InputError:
    return InputError(
        "invalid-cursor",
        "this is no cursor of this list in this order",
        hint="take it from next_cursor of the page before, with the same parameters",
    )


def page(
    connection: Connection,
    query: Select[Any],
    order: Order,
    after: Sequence[Any] | None,
    limit: int,
) -> tuple[list[Any], bool]:
    """A page of a list, and whether there is more.

    Args:
        connection: to read from.
        query: the list, not ordered.
        order: its order.
        after: values of the row after which the page begins; None for the first page.
        limit: most rows.
    """
    if after is not None:
        query = query.where(_beyond(order, after))
    ordered = query.order_by(*(key.desc() if down else key.asc() for key, down in order))
    rows = list(connection.execute(ordered.limit(limit + 1)))
    return rows[:limit], len(rows) > limit


def _beyond(order: Order, after: Sequence[Any]) -> ColumnElement[bool]:
    """Rows that come after one in an order: beyond it in one value, equal in those before.

    That the first value is not before its own says nothing new. It lets a database go straight to
    the place in its index, where it would read everything before it: a page deep down costs no more
    than the first.
    """
    first, downwards = order[0]
    reached = first <= after[0] if downwards else first >= after[0]
    cases = []
    for place, (key, down) in enumerate(order):
        equal = [order[i][0] == after[i] for i in range(place)]
        cases.append(and_(*equal, key < after[place] if down else key > after[place]))
    return and_(reached, or_(*cases))
