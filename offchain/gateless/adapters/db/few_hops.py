"""SQLite with one hop to its thread for each statement.

aiosqlite runs every call of a connection in a thread. SQLAlchemy makes five calls for a statement
and three more to begin a transaction, each of which takes longer than most statements do. Here a
statement, its rows and the beginning of its transaction are one call, and nothing is rolled back
that was committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import aiosqlite

#: Rows that aiosqlite would fetch at a time; here all are fetched.
_CHUNK = 64


class _Done(NamedTuple):
    """What is left of a statement when its cursor is closed."""

    description: Any
    rowcount: int
    lastrowid: int | None
    rows: list[Any]


class FewHops(aiosqlite.Connection):
    """A connection as SQLAlchemy's dialect for aiosqlite uses it."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, _CHUNK)
        self._thread.daemon = True  # as SQLAlchemy has it: a program may end without closing
        self._to_begin: str | None = None
        self._only_reads = False
        #: Whether nothing was done since the last transaction ended.
        self._has_ended = True

    def begin(self, *, only_reads: bool) -> None:
        """Begins a transaction together with its first statement.

        Whoever will write says so at once: to become a writer later fails where another one wrote.
        """
        self._to_begin = "BEGIN" if only_reads else "BEGIN IMMEDIATE"
        self._only_reads = only_reads

    def cursor(self) -> OneHopCursor:  # type: ignore[override]
        """A cursor that needs no closing."""
        return OneHopCursor(self)

    async def commit(self) -> None:
        """Ends a transaction."""
        if not self._has_ended:
            await super().commit()
            self._has_ended = True
        self._to_begin = None

    async def rollback(self) -> None:
        """Undoes a transaction, after what of it still runs because its caller was cancelled."""
        if not self._has_ended:
            if self._only_reads:  # what comes next waits for its turn in the thread
                self._tx.put_nowait((None, self._conn.rollback))
            else:
                await super().rollback()
            self._has_ended = True
        self._to_begin = None

    async def run(self, call: Callable[[sqlite3.Cursor], Any]) -> _Done:
        """Runs a statement to its last row."""
        self._has_ended = False
        done: _Done = await self._execute(self._run, call)  # type: ignore[no-untyped-call]
        return done

    def _run(self, call: Callable[[sqlite3.Cursor], Any]) -> _Done:
        """In the thread."""
        cursor = self._conn.cursor()
        try:
            if self._to_begin is not None:
                cursor.execute(self._to_begin)
                self._to_begin = None
            call(cursor)
            rows = cursor.fetchall() if cursor.description else []
            return _Done(cursor.description, cursor.rowcount, cursor.lastrowid, rows)
        finally:
            cursor.close()


class OneHopCursor:
    """What SQLAlchemy asks of a cursor."""

    def __init__(self, connection: FewHops) -> None:
        self._connection = connection
        self._done = _Done(None, -1, None, [])
        self.arraysize = 1

    @property
    def description(self) -> Any:
        """Columns of the result; None where there is none (PEP 249)."""
        return self._done.description

    @property
    def rowcount(self) -> int:
        """How many rows were changed (PEP 249)."""
        return self._done.rowcount

    @property
    def lastrowid(self) -> int | None:
        """Id of the last row that was added."""
        return self._done.lastrowid

    async def __aenter__(self) -> OneHopCursor:
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """Runs a statement."""
        self._done = await self._connection.run(
            lambda cursor: cursor.execute(sql, parameters)  # type: ignore[arg-type]
        )

    async def executemany(self, sql: str, parameters: Iterable[Any]) -> None:
        """Runs a statement once for each set of parameters."""
        self._done = await self._connection.run(lambda cursor: cursor.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        """All rows."""
        return self._done.rows

    async def close(self) -> None:
        """Does nothing: it is closed."""


def connect(path: str, **options: Any) -> FewHops:
    """A connection to be awaited.

    Args:
        path: the database's file.
        options: those of :func:`sqlite3.connect`.
    """
    return FewHops(partial(sqlite3.connect, path, **options))
