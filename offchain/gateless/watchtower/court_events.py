"""Follows the court for bonded receipts: who challenged which slot, each challenge once."""

from __future__ import annotations

from sqlalchemy import delete, select

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.db import Database, upsert
from gateless.core.receipts import Receipt
from gateless.core.types import Event
from gateless.daemon.follower import Follower, Stretch
from gateless.daemon.journals import (
    REMEMBERED_BLOCKS,
    Position,
    forget_above,
    read_positions,
    write_position,
)
from gateless.watchtower import schema

_EVENTS = (f"{COURT}.ReceiptChallenged",)
_challenges = schema.court_challenges


def place_of(executor: str, epoch: int, slot: int) -> str:
    """A slot as one word: its numbers are larger than databases' integers."""
    return f"{executor.lower()}:{epoch}:{slot}"


class CourtBook:
    """The challenges that were read, in the journal's database.

    Args:
        database: the journal's.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def positions(self, limit: int = REMEMBERED_BLOCKS) -> list[Position]:
        """The last blocks that were read, the cursor first."""
        async with self._database.connect() as connection:
            return await read_positions(connection, schema.court_blocks, limit)

    async def advance(self, stretch: Stretch) -> None:
        """Adds challenges and moves the cursor: all or nothing."""
        rows = [_row(event) for event in stretch.events]
        async with self._database.begin() as connection:
            if rows:
                await connection.execute(
                    upsert(connection, _challenges).on_conflict_do_nothing(), rows
                )
            await write_position(connection, schema.court_blocks, stretch.last)

    async def rewind(self, ancestor: int) -> None:
        """Forgets what was read above a block that is still part of the chain."""
        async with self._database.begin() as connection:
            await forget_above(connection, schema.court_blocks, ancestor)
            await connection.execute(delete(_challenges).where(_challenges.c.block > ancestor))

    async def claims_on(self, receipt: Receipt) -> list[int]:
        """Claims about a receipt's slot, whatever became of them."""
        place = place_of(receipt.executor, receipt.epoch, receipt.slot)
        query = select(_challenges.c.claim_id).where(_challenges.c.place == place)
        async with self._database.connect() as connection:
            found = await connection.execute(query.order_by(_challenges.c.claim_id))
            return list(found.scalars())


class CourtEvents:
    """Keeps the book of challenges up with the chain.

    Args:
        client: the chain; its network has a court.
        book: holds the cursor.
    """

    def __init__(self, client: ChainClient, book: CourtBook) -> None:
        self._book = book
        # Without confirmations: a rival's challenge that may come to nothing is one for now.
        self._follower = Follower(client, _EVENTS, book, start_block=client.deployment.start_block)

    async def poll(self) -> None:
        """Reads everything up to the head.

        Raises:
            ChainError: the chain cannot be read now; what was read stays journaled.
        """
        async for stretch in self._follower.poll():
            await self._book.advance(stretch)


def _row(event: Event) -> dict[str, object]:
    receipt = event.args["receipt"]
    return {
        "claim_id": int(event.args["claimId"]),
        "place": place_of(str(receipt["executor"]), int(receipt["epoch"]), int(receipt["slot"])),
        "block": event.block_number,
    }
