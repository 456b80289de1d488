"""What journals share: they know whose they are, and which blocks they have read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import MetaData, Table, delete, insert, select
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.db import open_sqlite
from gateless.core.errors import ChainError, ConfigError

#: Blocks remembered below the cursor: reorganisations this deep are found to the block.
REMEMBERED_BLOCKS = 256


@dataclass(frozen=True, slots=True)
class Position:
    """A block up to which the chain was read."""

    number: int
    hash: str


async def open_journal(path: Path, metadata: MetaData, identity: Mapping[str, str]) -> AsyncEngine:
    """Opens or makes a journal's database. Its table ``meta`` says what it belongs to.

    Args:
        path: database file.
        metadata: its tables.
        identity: what it must belong to: schema version, chain, contracts, account.

    Raises:
        ConfigError: ``journal-of-another``, ``journal-unreadable``.
    """
    engine = open_sqlite(path)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            await _check_identity(connection, metadata.tables["meta"], path, identity)
    except DatabaseError as error:
        await engine.dispose()
        raise ConfigError(
            "journal-unreadable",
            f"{path} is no journal: {error.orig}",
            hint="restore it from a backup; without it, start with another data folder",
        ) from error
    except BaseException:
        await engine.dispose()
        raise
    return engine


async def _check_identity(
    connection: AsyncConnection, meta: Table, path: Path, identity: Mapping[str, str]
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
                f"{path} is a journal for {key} {stored.get(key)}, not {value}",
                hint="give each network and account a data folder of its own; after a devnet was"
                " started afresh, remove the old folder",
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
    """Moves the cursor on; forgets what no reorganisation can need."""
    await connection.execute(
        upsert(blocks)
        .values(number=position.number, hash=position.hash)
        .on_conflict_do_update(index_elements=["number"], set_={"hash": position.hash})
    )
    oldest = position.number - REMEMBERED_BLOCKS
    await connection.execute(delete(blocks).where(blocks.c.number < oldest))


async def forget_above(connection: AsyncConnection, blocks: Table, ancestor: int) -> None:
    """Takes the cursor back to a block that is still part of the chain."""
    await connection.execute(delete(blocks).where(blocks.c.number > ancestor))


async def fork_point(
    client: ChainConnection, positions: Sequence[Position], before_first: int
) -> int | None:
    """The last block read that is still part of the chain, if the cursor is not; else None.

    Args:
        client: the chain.
        positions: blocks that were read, the cursor first.
        before_first: where no position holds any more.
    """
    if not positions or await _holds(client, positions[0]):
        return None
    for position in positions[1:]:
        if await _holds(client, position):
            return position.number
    return before_first


async def _holds(client: ChainConnection, position: Position) -> bool:
    try:
        return (await client.block(position.number)).hash == position.hash
    except ChainError as error:
        if error.code == "unknown-block":  # the new branch is shorter
            return False
        raise
