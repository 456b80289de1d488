"""The journal's part about halts: what was missed, and what is not worked on for it until somebody
says so. It outlives restarts: a machine that starts again by itself has found no cause.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, upsert
from gateless.executor import schema
from gateless.executor.halts import Halt


class HaltBook:
    """Halts, in the journal's database."""

    _database: Database
    _clock: Clock

    async def halted_for(self) -> frozenset[str]:
        """Everything that ever halted anything, by its name."""
        async with self._database.connect() as connection:
            rows = await connection.execute(select(schema.halts.c.cause))
            return frozenset(str(cause) for (cause,) in rows)

    async def open_halts(self) -> list[Halt]:
        """Halts that nobody has ended, the oldest first."""
        table = schema.halts.c
        query = select(schema.halts).where(table.ended_at.is_(None))
        async with self._database.connect() as connection:
            rows = await connection.execute(query.order_by(table.since, table.cause))
            return [
                Halt(row.cause, row.version_id, bool(row.is_whole), row.reason, row.text)
                for row in rows
            ]

    async def halt(self, found: Iterable[Halt]) -> None:
        """Writes halts down; what halted something before does not do so again."""
        for entry in found:
            values: dict[str, Any] = {
                "cause": entry.cause,
                "version_id": entry.version_id,
                "is_whole": int(entry.is_whole),
                "reason": entry.reason,
                "text": entry.text,
                "since": self._clock.now(),
            }
            async with self._database.begin() as connection:
                query = upsert(connection, schema.halts).values(values)
                await connection.execute(query.on_conflict_do_nothing())

    async def resume(self, version_id: int | None = None) -> list[Halt]:
        """Ends halts, all of them or those of one version; returns them."""
        ended = [
            entry
            for entry in await self.open_halts()
            if version_id is None or entry.version_id == version_id
        ]
        causes = [entry.cause for entry in ended]
        table = schema.halts.c
        query = update(schema.halts).where(table.cause.in_(causes), table.ended_at.is_(None))
        async with self._database.begin() as connection:
            await connection.execute(query.values(ended_at=self._clock.now()))
        return ended
