"""A database on SQLite and on PostgreSQL: durable, exclusive, and clear about what is wrong."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest
from database_fixtures import NewDatabase
from gateless.adapters.db import Database, DatabaseUrl, RequestId, Words, open_database, upsert
from gateless.core.errors import ConfigError, DatabaseError, GatelessError
from sqlalchemy import (
    BigInteger,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    func,
    insert,
    select,
    text,
)

metadata = MetaData()
things = Table(
    "things",
    metadata,
    Column("key", RequestId, primary_key=True),
    Column("number", BigInteger, nullable=False),
    Column("words", Words, nullable=False, default=""),
)
counters = Table(
    "counters",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", Integer, nullable=False),
)
OWNER = "the test's journal"


async def with_tables(url: DatabaseUrl) -> Database:
    database = await open_database(url)
    async with database.begin() as connection:
        await connection.run_sync(metadata.create_all)
    return database


async def test_values_come_back_whole(database_url: DatabaseUrl) -> None:
    async with await with_tables(database_url) as database:
        key, number = 2**256 - 1, 2**63 - 1
        words = "naïve \x00 \ud800 \U0001f600"
        async with database.begin() as connection:
            await connection.execute(insert(things).values(key=key, number=number, words=words))
        async with database.connect() as connection:
            row = (await connection.execute(select(things))).one()
        assert tuple(row) == (key, number, "naïve \ufffd \ufffd \U0001f600")


async def test_upserts_mean_the_same_on_both(database_url: DatabaseUrl) -> None:
    async with await with_tables(database_url) as database, database.begin() as connection:
        new = upsert(connection, counters).values(name="a", value=1)
        first = await connection.execute(new.on_conflict_do_nothing())
        second = await connection.execute(new.on_conflict_do_nothing())
        assert (first.rowcount, second.rowcount) == (1, 0)
        added = new.on_conflict_do_update(
            index_elements=["name"], set_={"value": counters.c.value + 10}
        )
        assert (await connection.execute(added.returning(counters.c.value))).scalar_one() == 11


async def test_a_transaction_that_raises_leaves_nothing(database_url: DatabaseUrl) -> None:
    async with await with_tables(database_url) as database:
        with pytest.raises(LookupError):
            async with database.begin() as connection:
                await connection.execute(insert(counters).values(name="a", value=1))
                raise LookupError
        async with database.connect() as connection:
            assert (
                await connection.execute(select(func.count()).select_from(counters))
            ).scalar_one() == 0


async def test_tables_of_a_failed_transaction_are_gone_too(database_url: DatabaseUrl) -> None:
    async with await open_database(database_url) as database:
        with pytest.raises(LookupError):
            async with database.begin() as connection:
                await connection.run_sync(metadata.create_all)
                raise LookupError
        async with database.begin() as connection:
            await connection.run_sync(metadata.create_all, checkfirst=False)


async def test_read_and_write_of_one_transaction_cannot_be_split(database_url: DatabaseUrl) -> None:
    """Two openings of one database count up at once, each by reading first."""
    first, second = await with_tables(database_url), await open_database(database_url)
    async with first, second:
        async with first.begin() as connection:
            await connection.execute(insert(counters).values(name="a", value=0))

        async def count_up(database: Database) -> None:
            for _ in range(20):
                async with database.begin() as connection:
                    query = select(counters.c.value).with_for_update()
                    value = (await connection.execute(query)).scalar_one()
                    await connection.execute(counters.update().values(value=value + 1))

        await asyncio.gather(count_up(first), count_up(second), count_up(first))
        async with second.connect() as connection:
            assert (await connection.execute(select(counters.c.value))).scalar_one() == 60


async def test_one_process_at_a_time(database_url: DatabaseUrl) -> None:
    async with await open_database(database_url, owner=OWNER):
        with pytest.raises(ConfigError) as caught:
            await open_database(database_url, owner=OWNER)
        assert caught.value.code == "already-running"
        # Who only looks is let in, and so is another program.
        async with await open_database(database_url):
            pass
    async with await open_database(database_url, owner=OWNER):
        pass


async def test_a_lock_lost_with_its_connection_is_taken_again_before_anything_is_written(
    new_postgresql: NewDatabase,
) -> None:
    url = new_postgresql()
    database, other = await with_tables(url), await open_database(url, connections=3)
    await database.close()
    async with other, await open_database(url, owner=OWNER) as database:
        await _end_sessions(other)
        async with database.begin() as connection:
            await connection.execute(insert(counters).values(name="a", value=1))
        with pytest.raises(ConfigError):
            await open_database(url, owner=OWNER)
        # A thief takes the lock in the moment without a connection: nothing is written any more.
        await database.engine.dispose()
        async with await open_database(url, owner=OWNER):
            with pytest.raises(ConfigError) as caught:
                async with database.begin() as connection:
                    await connection.execute(insert(counters).values(name="b", value=1))
            assert caught.value.code == "already-running"


async def _end_sessions(database: Database) -> None:
    async with database.begin() as connection:
        query = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
        await connection.execute(text(query))


async def test_a_lost_connection_is_said_and_made_anew(new_postgresql: NewDatabase) -> None:
    url = new_postgresql()
    async with await with_tables(url) as database, await open_database(url) as other:
        with pytest.raises(DatabaseError) as caught:
            async with database.begin() as connection:
                await connection.execute(insert(counters).values(name="a", value=1))
                pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
                async with other.begin() as killer:
                    await killer.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
                await connection.execute(insert(counters).values(name="b", value=1))
        assert caught.value.code == "database-unreachable"
        async with database.begin() as connection:
            assert (
                await connection.execute(select(func.count()).select_from(counters))
            ).scalar_one() == 0


async def test_what_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "j.db"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(ConfigError) as caught:
        await open_database(path)
    assert caught.value.code == "journal-unreadable"


async def test_what_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for text_ in (
        str(tmp_path),
        str(tmp_path / "file" / "j.db"),
        f"postgresql://me:s3cret@/g?host={tmp_path}",
        "postgresql://me:s3cret@127.0.0.1:1/g",
    ):
        with pytest.raises(DatabaseError) as caught:
            await open_database(DatabaseUrl.parse(text_))
        assert caught.value.code == "database-unreachable"
        assert "s3cret" not in str(caught.value.to_dict())


async def test_a_database_that_does_not_exist_is_refused(new_postgresql: NewDatabase) -> None:
    url = new_postgresql()
    for right, wrong in (("/test", "/other"), ("postgres:@", "nobody:@")):
        strange = DatabaseUrl.parse(url.dsn.replace(right, wrong, 1))
        with pytest.raises(ConfigError) as caught:
            await open_database(strange)
        assert caught.value.code == "database-refused"
    with pytest.raises(ConfigError) as caught:
        await open_database(DatabaseUrl.parse(url.dsn + "&sslmode=perhaps"))
    assert caught.value.code == "invalid-database-url"


async def test_a_full_disk_is_said_and_passes(tmp_path: Path) -> None:
    large = insert(things).values(key=1, number=1, words="x" * 100_000)
    async with await with_tables(DatabaseUrl.of_path(tmp_path / "j.db")) as database:
        async with database.connect() as connection:
            pages = (await connection.execute(text("PRAGMA page_count"))).scalar_one()
            await connection.execute(text(f"PRAGMA max_page_count = {pages + 2}"))
        with pytest.raises(DatabaseError) as caught:
            async with database.begin() as connection:
                await connection.execute(large)
        assert caught.value.code == "database-full"
        assert "make room" in caught.value.hint
        async with database.connect() as connection:
            await connection.execute(text("PRAGMA max_page_count = 100000"))
        async with database.begin() as connection:
            await connection.execute(large)


async def test_another_program_that_writes_for_long_is_waited_for_and_named(tmp_path: Path) -> None:
    url = DatabaseUrl.of_path(tmp_path / "j.db")
    async with await with_tables(url) as database:
        async with database.connect() as connection:
            await connection.execute(text("PRAGMA busy_timeout = 10"))
        other = sqlite3.connect(tmp_path / "j.db", isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(GatelessError) as caught:
                async with database.begin() as connection:
                    await connection.execute(text("SELECT 1"))
        finally:
            other.close()
        assert caught.value.code == "database-busy"


async def test_commits_are_told_to_reach_the_disk(database_url: DatabaseUrl) -> None:
    async with await open_database(database_url) as database, database.connect() as connection:
        if database_url.path is None:
            found = [await connection.scalar(text("SHOW synchronous_commit"))]
            assert found == ["on"]
        else:
            found = [
                await connection.scalar(text(f"PRAGMA {name}"))
                for name in ("journal_mode", "synchronous")
            ]
            assert found == ["wal", 2]
