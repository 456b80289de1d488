"""What accounts earned, and what happened by day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated

from eth_utils.address import to_checksum_address
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, select

from gateless.indexer.api import answers, queries, spelling
from gateless.indexer.api.caching import answer
from gateless.indexer.api.routes.paths import CACHED, AddressPath, equal
from gateless.indexer.reader import IndexReader, listed
from gateless.indexer.schema import earnings, usage


def add_accounts(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    """Adds sums."""

    @router.get("/earnings/{address}", response_model=answers.EarningsAnswer, responses=CACHED)
    async def get_earnings(request: Request, address: AddressPath) -> Response:
        """What an account earned and lost at all contracts. Royalties count for whoever held the
        model when they were credited."""
        account = to_checksum_address(address)

        def make(connection: Connection) -> answers.EarningsAnswer:
            query = select(earnings).where(earnings.c.address == account)
            row = connection.execute(query).mappings().first()
            return answers.EarningsAnswer(token=token, earnings=spelling.earnings(account, row))

        return await answer(reader, request, make)

    @router.get("/usage", response_model=answers.UsagePage, responses=CACHED)
    async def list_usage(
        request: Request, query: Annotated[queries.UsageQuery, Query()]
    ) -> Response:
        """What happened by day, version and mode, the newest day first."""
        where = equal((usage.c.version_id, query.version))
        if query.since is not None:
            where.append(usage.c.day >= _day(query.since))
        if query.until is not None:
            where.append(usage.c.day <= _day(query.until))

        def make(connection: Connection) -> answers.UsagePage:
            order = [(usage.c.day, True), (usage.c.version_id, False), (usage.c.mode, False)]
            page = listed(connection, usage, order, where, query.limit, query.cursor)
            items = [spelling.usage(row) for row in page.rows]
            return answers.UsagePage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)


def _day(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 86_400
