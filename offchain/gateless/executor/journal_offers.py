"""The journal's part about what is handed in by HTTP: signed requests and inputs."""

from __future__ import annotations

import dataclasses

from sqlalchemy import delete, func, select

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database, upsert
from gateless.executor import schema
from gateless.executor.states import UNCOMMITTED, WorkState
from gateless.executor.work import NewWork, WaitingOffer


class OfferBook:
    """Signed requests and inputs, in the journal's database."""

    _database: Database
    _clock: Clock

    async def take_offer(self, entry: NewWork, offer: str, packed_input: bytes | None) -> bool:
        """Adds a signed request that no transaction has made yet; False where it is known."""
        values = dataclasses.asdict(entry) | {
            "mode": int(entry.mode),
            "price": str(entry.price),
            "collateral": str(entry.collateral),
            "state": WorkState.SEEN,
            "offer": offer,
            "packed_input": packed_input,
            "updated_at": self._clock.now(),
        }
        query = upsert(self._database, schema.work).values(values).on_conflict_do_nothing()
        async with self._database.begin() as connection:
            return bool((await connection.execute(query)).rowcount)

    async def waiting_offers(self) -> list[WaitingOffer]:
        """Signed requests that are not locked yet."""
        table = schema.work.c
        query = (
            select(table.request_id, table.requester, table.price, table.reason, table.offer)
            .where(table.offer.is_not(None), table.state.in_(list(UNCOMMITTED)))
            .order_by(table.deadline, table.request_id)
        )
        async with self._database.connect() as connection:
            return [
                WaitingOffer(row.request_id, row.requester, int(row.price), row.reason, row.offer)
                for row in await connection.execute(query)
            ]

    # --- inputs ---

    async def keep_input(self, digest: bytes, sha256: str, size: int) -> None:
        """Remembers under which name the content store holds an input."""
        values = {
            "digest": digest,
            "sha256": sha256,
            "size": size,
            "stored_at": self._clock.now(),
        }
        query = upsert(self._database, schema.inputs).values(values).on_conflict_do_nothing()
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def input_of(self, digest: bytes) -> str | None:
        """sha256 of an input that was handed in; None where it was not."""
        query = select(schema.inputs.c.sha256).where(schema.inputs.c.digest == digest)
        async with self._database.connect() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        return None if found is None else str(found)

    async def stored_input_bytes(self) -> int:
        """Size of all inputs that were handed in."""
        query = select(func.coalesce(func.sum(schema.inputs.c.size), 0))
        async with self._database.connect() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def drop_input(self, digest: bytes) -> None:
        """Forgets an input."""
        async with self._database.begin() as connection:
            await connection.execute(delete(schema.inputs).where(schema.inputs.c.digest == digest))

    async def oldest_input(self, before: float) -> tuple[bytes, str] | None:
        """Digest and sha256 of what was handed in first, if that was before a point of time."""
        table = schema.inputs.c
        query = (
            select(table.digest, table.sha256)
            .where(table.stored_at < before)
            .order_by(table.stored_at)
            .limit(1)
        )
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        return None if row is None else (bytes(row.digest), str(row.sha256))
