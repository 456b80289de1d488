"""Requests, results and disputes."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, select

from gateless.core.errors import NotFoundError
from gateless.core.types import TrustMode
from gateless.indexer.api import answers, queries, spelling
from gateless.indexer.api.caching import answer
from gateless.indexer.api.routes.paths import CACHED, SINGLE, RequestPath, checksummed, equal
from gateless.indexer.reader import LOOK, IndexReader, listed, one
from gateless.indexer.schema import disputes, requests


def add_requests(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    """Adds what was asked, answered and doubted."""

    @router.get("/requests", response_model=answers.RequestPage, responses=CACHED)
    async def list_requests(
        request: Request, query: Annotated[queries.RequestQuery, Query()]
    ) -> Response:
        """Requests of all modes, the newest first."""
        where = equal(
            (requests.c.version_id, query.version),
            (requests.c.requester, checksummed(query.requester)),
            (requests.c.executor, checksummed(query.executor)),
            (requests.c.mode, None if query.mode is None else int(TrustMode[query.mode])),
            (requests.c.state, query.state),
        )

        def make(connection: Connection) -> answers.RequestPage:
            order = [(requests.c.requested_at, True), (requests.c.request_id, True)]
            page = listed(connection, requests, order, where, query.limit, query.cursor)
            items = [spelling.request(row) for row in page.rows]
            return answers.RequestPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/requests/{request_id}", response_model=answers.RequestAnswer, responses=SINGLE)
    async def get_request(request: Request, request_id: RequestPath) -> Response:
        """A request with its output, where it is short, and the dispute about it."""
        number = int(request_id, 16)

        def make(connection: Connection) -> answers.RequestAnswer:
            missing = NotFoundError(
                "unknown-request", f"there is no request {request_id} here", hint=LOOK
            )
            found = one(connection, requests, missing, request_id=number)
            about = select(disputes).where(
                disputes.c.kind == "lazy", disputes.c.dispute_id == number
            )
            doubt = connection.execute(about).mappings().first()
            return answers.RequestAnswer(
                token=token,
                request=spelling.request(found),
                output=found["output"],
                dispute=None if doubt is None else spelling.dispute(doubt),
            )

        return await answer(reader, request, make)

    @router.get("/results", response_model=answers.ResultPage, responses=CACHED)
    async def list_results(
        request: Request, query: Annotated[queries.ResultQuery, Query()]
    ) -> Response:
        """Final outputs, the newest first. `topic` says under which the board has one."""
        where = [
            requests.c.state == "final",
            *equal(
                (requests.c.version_id, query.version),
                (requests.c.input_binding, query.input),
                (requests.c.how, query.how),
            ),
        ]

        def make(connection: Connection) -> answers.ResultPage:
            order = [(requests.c.ended_at, True), (requests.c.request_id, True)]
            page = listed(connection, requests, order, where, query.limit, query.cursor)
            items = [spelling.result(row) for row in page.rows]
            return answers.ResultPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/disputes", response_model=answers.DisputePage, responses=CACHED)
    async def list_disputes(
        request: Request, query: Annotated[queries.DisputeQuery, Query()]
    ) -> Response:
        """Doubts about lazy answers and receipts, the newest first."""
        where = equal(
            (disputes.c.kind, query.kind),
            (disputes.c.state, query.state),
            (disputes.c.executor, checksummed(query.executor)),
            (disputes.c.challenger, checksummed(query.challenger)),
        )
        if query.state is None:
            where.append(disputes.c.state.not_in(["committed", "withdrawn", "reported"]))

        def make(connection: Connection) -> answers.DisputePage:
            order = [
                (disputes.c.opened_at, True),
                (disputes.c.dispute_id, True),
                (disputes.c.kind, True),
            ]
            page = listed(connection, disputes, order, where, query.limit, query.cursor)
            items = [spelling.dispute(row) for row in page.rows]
            return answers.DisputePage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)
