"""Which positions a journal remembers, on both databases."""

from __future__ import annotations

from gateless.adapters.db import DatabaseUrl, open_database
from gateless.daemon.journals import (
    REMEMBERED_BLOCKS,
    Position,
    blocks_table,
    forget_above,
    read_positions,
    write_position,
)
from sqlalchemy import MetaData


async def test_newest_positions_are_dense_and_older_ones_spread(database_url: DatabaseUrl) -> None:
    metadata = MetaData()
    blocks = blocks_table(metadata)
    async with await open_database(database_url) as database, database.begin() as connection:
        await connection.run_sync(metadata.create_all)
        for number in range(0, 40_000, 50):  # long ago, in bulk
            await write_position(connection, blocks, Position(number, f"old{number}"))
        for number in range(40_000, 40_300):  # live
            await write_position(connection, blocks, Position(number, f"new{number}"))
        numbers = [entry.number for entry in await read_positions(connection, blocks)]
        assert numbers[:128] == list(range(40_299, 40_171, -1))
        assert len(numbers) <= REMEMBERED_BLOCKS
        assert numbers == sorted(numbers, reverse=True)
        older = numbers[128:]
        assert [entry // 1024 for entry in older] == list(range(39, -1, -1))
        assert older[-1] == 1000  # the highest of the first 1,024 blocks that was a position
        # A branch that has one of the numbers again.
        await write_position(connection, blocks, Position(40_299, "other"))
        assert (await read_positions(connection, blocks, 1))[0].hash == "other"
        await forget_above(connection, blocks, 1000)
        assert [entry.number for entry in await read_positions(connection, blocks)] == [1000]
