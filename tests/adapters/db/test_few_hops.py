"""What SQLAlchemy does in many calls, and a thread in one, means the same."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from gateless.adapters.db import Database, open_database
from gateless.core.errors import GatelessError
from sqlalchemy import text

#: Takes some tenths of a second.
SLOW = """
INSERT INTO entries
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 1000000)
SELECT max(n) FROM numbers
"""
ADD = "INSERT INTO entries VALUES (1)"


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with await open_database(tmp_path / "entries.db") as database:
        async with database.begin() as connection:
            await connection.execute(text("CREATE TABLE entries (n INTEGER UNIQUE)"))
        yield database


async def held(database: Database) -> list[int]:
    async with database.connect() as connection:
        return list((await connection.execute(text("SELECT n FROM entries"))).scalars())


@pytest.mark.parametrize("statements", [(SLOW,), (ADD, SLOW)])
async def test_what_was_cancelled_is_undone_although_it_ran_to_its_end(
    database: Database, statements: tuple[str, ...]
) -> None:
    began = asyncio.Event()

    async def write() -> None:
        async with database.begin() as connection:
            for statement in statements[:-1]:
                await connection.execute(text(statement))
            began.set()
            await connection.execute(text(statements[-1]))

    task = asyncio.create_task(write())
    await began.wait()
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await held(database) == []
    async with database.begin() as connection:
        await connection.execute(text(ADD))
    assert await held(database) == [1]


async def test_nothing_is_written_outside_a_transaction_that_could_not_begin(
    database: Database, tmp_path: Path
) -> None:
    async with database.connect() as connection:
        await connection.execute(text("PRAGMA busy_timeout = 10"))
    other = sqlite3.connect(tmp_path / "entries.db", isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GatelessError, match="database-busy"):
            async with database.begin() as connection:
                with pytest.raises(Exception, match="locked"):
                    await connection.execute(text(ADD))
                await connection.execute(text(ADD))
        other.execute("COMMIT")
        with pytest.raises(RuntimeError, match="second thoughts"):
            async with database.begin() as connection:
                await connection.execute(text(ADD))
                raise RuntimeError("second thoughts")
    finally:
        other.close()
    assert await held(database) == []


async def test_what_follows_a_refused_statement_is_in_the_same_transaction(
    database: Database,
) -> None:
    with pytest.raises(RuntimeError, match="second thoughts"):
        async with database.begin() as connection:
            await connection.execute(text(ADD))
            with pytest.raises(Exception, match="UNIQUE"):
                await connection.execute(text(ADD))
            await connection.execute(text("INSERT INTO entries VALUES (2)"))
            raise RuntimeError("second thoughts")
    assert await held(database) == []


async def test_reads_of_one_transaction_see_one_moment(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "entries.db", isolation_level=None)
    try:
        async with database.connect() as connection:
            count = text("SELECT count(*) FROM entries")
            assert await connection.scalar(count) == 0
            other.execute(ADD)
            assert await connection.scalar(count) == 0
    finally:
        other.close()
    assert await held(database) == [1]


async def test_rows_counts_and_ids_are_told(database: Database) -> None:
    async with database.begin() as connection:
        added = await connection.execute(
            text("INSERT INTO entries VALUES (:n)"), [{"n": 3}, {"n": 4}, {"n": 5}]
        )
        assert added.rowcount == 3
        changed = await connection.execute(text("UPDATE entries SET n = n + 10 WHERE n > 3"))
        assert changed.rowcount == 2
        gone = await connection.execute(text("DELETE FROM entries WHERE n > 3 RETURNING n"))
        assert sorted(gone.scalars()) == [14, 15]
    assert await held(database) == [3]
