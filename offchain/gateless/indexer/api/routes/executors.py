"""Executors, what they serve, and their pools of receipts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from eth_utils.address import to_checksum_address
from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection
from sqlalchemy.sql.elements import ColumnElement

from gateless.core.errors import NotFoundError
from gateless.indexer.api import answers, queries, spelling
from gateless.indexer.api.caching import answer
from gateless.indexer.api.routes.paths import (
    BESIDE,
    CACHED,
    SINGLE,
    AddressPath,
    checksummed,
    equal,
)
from gateless.indexer.reader import LOOK, IndexReader, Page, listed, one
from gateless.indexer.schema import enrolments, executors, pools


def add_executors(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    """Adds executors and what belongs to them."""

    @router.get("/executors", response_model=answers.ExecutorPage, responses=CACHED)
    async def list_executors(
        request: Request, query: Annotated[queries.PageQuery, Query()]
    ) -> Response:
        """Executors by their score, the best first."""

        def make(connection: Connection) -> answers.ExecutorPage:
            order = [(executors.c.score, True), (executors.c.address, True)]
            page = listed(connection, executors, order, [], query.limit, query.cursor)
            items = [spelling.executor(row) for row in page.rows]
            return answers.ExecutorPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/executors/{address}", response_model=answers.ExecutorAnswer, responses=SINGLE)
    async def get_executor(request: Request, address: AddressPath) -> Response:
        """An executor, what it serves, and its newest pools, a hundred of each at most."""
        account = to_checksum_address(address)

        def make(connection: Connection) -> answers.ExecutorAnswer:
            missing = NotFoundError(
                "unknown-executor", f"there is no executor {account} here", hint=LOOK
            )
            found = one(connection, executors, missing, address=account)
            served = _enrolments(connection, [enrolments.c.executor == account], BESIDE, None)
            newest = _pools(connection, [pools.c.executor == account], BESIDE, None)
            return answers.ExecutorAnswer(
                token=token,
                executor=spelling.executor(found),
                enrolments=[spelling.enrolment(row) for row in served.rows],
                pools=[spelling.pool(row) for row in newest.rows],
            )

        return await answer(reader, request, make)

    @router.get("/enrolments", response_model=answers.EnrolmentPage, responses=CACHED)
    async def list_enrolments(
        request: Request, query: Annotated[queries.EnrolmentQuery, Query()]
    ) -> Response:
        """Who serves what now, by version and executor."""
        where = equal(
            (enrolments.c.version_id, query.version),
            (enrolments.c.executor, checksummed(query.executor)),
        )

        def make(connection: Connection) -> answers.EnrolmentPage:
            page = _enrolments(connection, where, query.limit, query.cursor)
            items = [spelling.enrolment(row) for row in page.rows]
            return answers.EnrolmentPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/pools", response_model=answers.PoolPage, responses=CACHED)
    async def list_pools(
        request: Request, query: Annotated[queries.PoolQuery, Query()]
    ) -> Response:
        """Pools of bonded receipts, the newest first."""
        where = equal((pools.c.executor, checksummed(query.executor)), (pools.c.state, query.state))

        def make(connection: Connection) -> answers.PoolPage:
            page = _pools(connection, where, query.limit, query.cursor)
            items = [spelling.pool(row) for row in page.rows]
            return answers.PoolPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)


def _enrolments(
    connection: Connection, where: Sequence[ColumnElement[bool]], limit: int, cursor: str | None
) -> Page:
    order = [
        (enrolments.c.version_id, False),
        (enrolments.c.executor, False),
        (enrolments.c.runtime_class, False),
    ]
    return listed(connection, enrolments, order, [*where, enrolments.c.active], limit, cursor)


def _pools(
    connection: Connection, where: Sequence[ColumnElement[bool]], limit: int, cursor: str | None
) -> Page:
    return listed(connection, pools, [(pools.c.pool_id, True)], where, limit, cursor)
