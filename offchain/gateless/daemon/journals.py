"""What journals share: they know whose they are, and which blocks they have read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
    Select,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless.adapters.db import Database, DatabaseUrl, migrate, open_database, upsert
from gateless.core.errors import ConfigError

#: Positions remembered at most.
REMEMBERED_BLOCKS = 256
#: The newest ones are all kept: reorganisations as deep are found to the block.
_DENSE_POSITIONS = 128
#: Of older ones, the highest of each so many blocks.
_SPREAD_BLOCKS = 1024


@dataclass(frozen=True, slots=True)
class Position:
    """A block up to which the chain was read."""

    number: int
    hash: str


def meta_table(metadata: MetaData) -> Table:
    """What a journal belongs to: chain, contracts, account."""
    return Table(
        "meta",
        metadata,
        Column("key", String, primary_key=True),
        Column("value", Text, nullable=False),
    )


def blocks_table(metadata: MetaData, name: str = "blocks") -> Table:
    """The last blocks that were read, to find the fork point of a reorganisation; the highest one
    is the cursor.
    """
    return Table(
        name,
        metadata,
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("hash", String, nullable=False),
    )


async def open_journal(
    url: DatabaseUrl | Path,
    meta: Table,
    identity: Mapping[str, str],
    *,
    migrations: Path,
    owner: str | None = None,
) -> Database:
    """Opens or makes a journal's database. Its table ``meta`` says what it belongs to.

    Args:
        url: the database.
        meta: that table.
        identity: what it must belong to: chain, contracts, account.
        migrations: how its tables are made.
        owner: what uses it alone; None where it is only looked at.

    Raises:
        ConfigError: ``already-running``, ``journal-of-another``, ``journal-unreadable``,
            ``database-newer``, ``database-refused``.
        DatabaseError: ``database-unreachable``, ``database-full``, ``database-busy``.
    """
    database = await open_database(url, owner=owner)
    try:
        await migrate(database, migrations)
        async with database.begin() as connection:
            await _check_identity(connection, meta, database.url, identity)
    except BaseException:
        await database.close()
        raise
    return database


async def _check_identity(
    connection: AsyncConnection, meta: Table, url: DatabaseUrl, identity: Mapping[str, str]
) -> None:
    """Writes into a new journal what it belongs to; refuses one that belongs to something else."""
    stored = {row.key: row.value for row in await connection.execute(select(meta))}
    if not stored:
        for key, value in identity.items():
            await connection.execute(insert(meta).values(key=key, value=value))
        return
    for key, value in identity.items():
        if stored.get(key) != value:
            raise ConfigError(
                "journal-of-another",
                f"{url} is a journal for {key} {stored.get(key)}, not {value}",
                hint="give each network and account a data folder or database of its own; after a"
                " devnet was started afresh, remove the old one",
                key=key,
                expected=value,
                found=stored.get(key),
            )


# --- positions on the chain ---


async def read_positions(
    connection: AsyncConnection, blocks: Table, limit: int = REMEMBERED_BLOCKS
) -> list[Position]:
    """The last blocks that were read, the cursor first."""
    query = select(blocks).order_by(blocks.c.number.desc()).limit(limit)
    return [Position(row.number, row.hash) for row in await connection.execute(query)]


async def write_position(connection: AsyncConnection, blocks: Table, position: Position) -> None:
    """Moves the cursor on; keeps the newest positions, and of those before one in many blocks: a
    deep reorganisation costs the reading of some blocks again, not of all.
    """
    await connection.execute(
        _new_position(connection.dialect.name, blocks),
        {"number": position.number, "hash": position.hash},
    )
    number = blocks.c.number
    dense = await connection.scalar(_last_dense(blocks))
    if dense is None:
        return
    spread = (
        select(func.max(number))
        .where(number < dense)
        .group_by(number // _SPREAD_BLOCKS)
        .order_by(func.max(number).desc())
        .limit(REMEMBERED_BLOCKS - _DENSE_POSITIONS)
    )
    await connection.execute(delete(blocks).where(number < dense, number.not_in(spread)))


@cache
def _new_position(dialect: str, blocks: Table) -> Insert:
    statement = upsert(dialect, blocks)
    return statement.on_conflict_do_update(
        index_elements=["number"], set_={"hash": statement.excluded.hash}
    )


@cache
def _last_dense(blocks: Table) -> Select[int]:
    newest = select(blocks.c.number).order_by(blocks.c.number.desc())
    return newest.offset(_DENSE_POSITIONS - 1).limit(1)


async def forget_above(connection: AsyncConnection, blocks: Table, ancestor: int) -> None:
    """Takes the cursor back to a block that is still part of the chain."""
    await connection.execute(delete(blocks).where(blocks.c.number > ancestor))


async def require_writable(database: Database, meta: Table) -> None:
    """Writes what is there already once more: shows whether anything can be written.

    Raises:
        GatelessError: it cannot, as :meth:`Database.begin` says.
    """
    async with database.begin() as connection:
        await connection.execute(update(meta).values(value=meta.c.value))
