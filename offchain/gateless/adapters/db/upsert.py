"""The one statement that SQLite and PostgreSQL share without SQLAlchemy's core having it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless.adapters.db.engine import Database

_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def upsert(where: AsyncConnection | Database | str, table: Table) -> postgresql.Insert:
    """An ``INSERT`` that may say what is done ``on_conflict``, for the database at hand.

    Both dialects' statements have the methods of PostgreSQL's, as far as SQLite can do the same.

    Args:
        where: the database, or the name of its dialect.
        table: where to insert.
    """
    dialect = where if isinstance(where, str) else where.dialect.name
    statement: postgresql.Insert = _INSERTS[dialect](table)
    return statement
