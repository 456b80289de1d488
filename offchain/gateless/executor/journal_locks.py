"""The journal's part about requests that one transaction locks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless.adapters.db import Database, upsert
from gateless.executor import schema
from gateless.executor.journal_rows import work_of
from gateless.executor.work import Work


class LockBook:
    """Which requests a transaction is about, in the journal's database."""

    _database: Database

    async def keep_locked_together(
        self, connection: AsyncConnection, intent_id: int, request_ids: Iterable[int]
    ) -> None:
        """Writes down what a transaction locks, in the database transaction that journals it."""
        rows = [{"intent_id": intent_id, "request_id": entry} for entry in request_ids]
        if rows:
            query = upsert(connection, schema.intent_requests).on_conflict_do_nothing()
            await connection.execute(query, rows)

    async def locked_together(self, intent_id: int) -> list[Work]:
        """The requests that a transaction locks, as far as they are still in the journal."""
        table = schema.intent_requests.c
        query = (
            select(schema.work)
            .join(schema.intent_requests, table.request_id == schema.work.c.request_id)
            .where(table.intent_id == intent_id)
            .order_by(schema.work.c.request_id)
        )
        async with self._database.connect() as connection:
            return [work_of(row._mapping) for row in await connection.execute(query)]


def intents_locking(request_id: int) -> Select[Any]:
    """Numbers of the transactions that lock a request together with others."""
    table = schema.intent_requests.c
    return select(table.intent_id).where(table.request_id == request_id)
