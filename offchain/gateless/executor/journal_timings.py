"""The journal's part about time: how long proofs take on this machine, by its own measurements."""

from __future__ import annotations

from functools import cached_property

from sqlalchemy import select

from gateless.adapters.db import Database, upsert
from gateless.executor import schema


class TimingBook:
    """Measured times of proofs, in the journal's database."""

    _database: Database

    @cached_property
    def _timed(self) -> dict[tuple[int, int], float]:
        """What was read or written, by version and circuit. Nobody else writes it: a journal has
        one owner.
        """
        return {}

    async def timing(self, version_id: int, circuit_index: int) -> float | None:
        """Seconds that a proof takes here, by measurement; None before the first."""
        known = self._timed.get((version_id, circuit_index))
        if known is not None:
            return known
        table = schema.timings.c
        query = select(table.seconds).where(
            table.version_id == version_id, table.circuit_index == circuit_index
        )
        async with self._database.connect() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        if found is not None:
            self._timed[version_id, circuit_index] = float(found)
        return None if found is None else float(found)

    async def timings(self, version_id: int) -> dict[int, float]:
        """Seconds that proofs of a version take here, by circuit, as far as they were measured."""
        table = schema.timings.c
        query = select(table.circuit_index, table.seconds).where(table.version_id == version_id)
        async with self._database.connect() as connection:
            rows = await connection.execute(query)
            return {int(index): float(seconds) for index, seconds in rows}

    async def measured(self, version_id: int, circuit_index: int, seconds: float) -> None:
        """Takes a measurement in. Slower ones count at once, faster ones by and by."""
        before = await self.timing(version_id, circuit_index)
        value = seconds if before is None else max(seconds, 0.7 * before + 0.3 * seconds)
        table = schema.timings
        query = upsert(self._database, table).values(
            version_id=version_id, circuit_index=circuit_index, seconds=value, samples=1
        )
        query = query.on_conflict_do_update(
            index_elements=["version_id", "circuit_index"],
            set_={"seconds": value, "samples": table.c.samples + 1},
        )
        async with self._database.begin() as connection:
            await connection.execute(query)
        self._timed[version_id, circuit_index] = value
