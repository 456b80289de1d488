"""The API's lists and single things."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Annotated, Any

from eth_utils.address import to_checksum_address
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import Connection, select
from sqlalchemy.sql.elements import ColumnElement

from gateless.core.errors import NotFoundError
from gateless.core.types import TrustMode
from gateless.indexer.api import answers, queries, spelling
from gateless.indexer.api.caching import answer
from gateless.indexer.reader import (
    LOOK,
    IndexReader,
    enrolments_of,
    listed,
    model_by_name,
    one,
    pools_of,
    version_row,
    version_rows,
)
from gateless.indexer.reputation import SCALE
from gateless.indexer.schema import disputes, earnings, executors, models, requests, usage
from gateless.indexer.search import Wanted, search

#: Most rows that are shown beside a single thing.
_BESIDE = 100
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": answers.Problem, "description": "A parameter cannot be taken."},
    429: {"model": answers.Problem, "description": "Too many requests: see `Retry-After`."},
    503: {"model": answers.Problem, "description": "The database cannot be read now."},
}
_CACHED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has this answer: `If-None-Match` names its ETag."},
    **_PROBLEMS,
}
_SINGLE: dict[int | str, dict[str, Any]] = {
    404: {"model": answers.Problem, "description": "There is none."},
    **_CACHED,
}

_Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["digits"])]
_VersionId = Annotated[int, Path(ge=0, lt=1 << 64, examples=[4294967296])]
_Address = Annotated[str, Path(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x" + "ab" * 20])]
_RequestId = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", examples=["0x" + "0" * 63 + "1"])]
_Make = Callable[[Connection], Any]


def api_routes(reader: IndexReader, token: answers.Token) -> APIRouter:
    """All that is read from the index.

    Args:
        reader: of the index.
        token: in whose units amounts are.
    """
    router = APIRouter(prefix="/v1")
    _add_search(router, reader, token)
    _add_models(router, reader, token)
    _add_executors(router, reader, token)
    _add_requests(router, reader, token)
    _add_accounts(router, reader, token)
    return router


def _add_search(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    @router.get("/search", response_model=answers.SearchAnswer, responses=_CACHED)
    async def find(request: Request, query: Annotated[queries.SearchQuery, Query()]) -> Response:
        """Finds models by words, tags and what they are worth; each by the version it is shown by.

        Words find what begins with them. Where nothing does, models with similar words are given
        (`fuzzy`), in one page.
        """
        wanted = Wanted(
            text=query.q,
            tags=query.tag,
            task=query.task,
            modes=[TrustMode[name] for name in query.mode],
            max_price=None if query.max_price is None else int(query.max_price),
            min_success=None if query.min_success is None else round(query.min_success * SCALE),
            max_latency=query.max_latency,
            min_executors=query.min_executors,
            status=query.status,
            sort=query.sort,
            limit=query.limit,
            cursor=query.cursor,
        )

        def make(connection: Connection) -> answers.SearchAnswer:
            found = search(connection, wanted)
            return answers.SearchAnswer(
                token=token,
                items=[spelling.listing(row) for row in found.rows],
                fuzzy=found.fuzzy,
                next_cursor=found.next_cursor,
            )

        return await answer(reader, request, make)


def _add_models(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    @router.get("/models", response_model=answers.ModelPage, responses=_CACHED)
    async def list_models(
        request: Request, query: Annotated[queries.ModelQuery, Query()]
    ) -> Response:
        """Models in the order of their making."""
        where = _equal((models.c.holder, _checksummed(query.holder)))

        def make(connection: Connection) -> answers.ModelPage:
            order = [(models.c.model_id, False)]
            page = listed(connection, models, order, where, query.limit, query.cursor)
            items = [spelling.model(row) for row in page.rows]
            return answers.ModelPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/models/{name}", response_model=answers.ModelAnswer, responses=_SINGLE)
    async def get_model(request: Request, name: _Name) -> Response:
        """A model with its newest versions, a hundred at most."""

        def make(connection: Connection) -> answers.ModelAnswer:
            found = model_by_name(connection, name)
            rows = version_rows(connection, found["model_id"])[:_BESIDE]
            return answers.ModelAnswer(
                token=token,
                model=spelling.model(found),
                versions=[spelling.version(row) for row in rows],
            )

        return await answer(reader, request, make)

    @router.get("/versions/{version_id}", response_model=answers.VersionAnswer, responses=_SINGLE)
    async def get_version(request: Request, version_id: _VersionId) -> Response:
        """A version and who serves it, a hundred enrolments at most."""

        def make(connection: Connection) -> answers.VersionAnswer:
            found = version_row(connection, version_id)
            serving = enrolments_of(connection, "version_id", version_id, _BESIDE)
            return answers.VersionAnswer(
                token=token,
                version=spelling.version(found),
                executors=[spelling.enrolment(row) for row in serving],
            )

        return await answer(reader, request, make)


def _add_executors(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    @router.get("/executors", response_model=answers.ExecutorPage, responses=_CACHED)
    async def list_executors(
        request: Request, query: Annotated[queries.PageQuery, Query()]
    ) -> Response:
        """Executors by their score, the best first."""

        def make(connection: Connection) -> answers.ExecutorPage:
            order = [(executors.c.score, True), (executors.c.address, False)]
            page = listed(connection, executors, order, [], query.limit, query.cursor)
            items = [spelling.executor(row) for row in page.rows]
            return answers.ExecutorPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/executors/{address}", response_model=answers.ExecutorAnswer, responses=_SINGLE)
    async def get_executor(request: Request, address: _Address) -> Response:
        """An executor, what it serves, and its newest pools, a hundred of each at most."""
        account = to_checksum_address(address)

        def make(connection: Connection) -> answers.ExecutorAnswer:
            missing = NotFoundError(
                "unknown-executor", f"there is no executor {account} here", hint=LOOK
            )
            found = one(connection, executors, missing, address=account)
            serves = enrolments_of(connection, "executor", account, _BESIDE)
            own_pools = pools_of(connection, account, _BESIDE)
            return answers.ExecutorAnswer(
                token=token,
                executor=spelling.executor(found),
                enrolments=[spelling.enrolment(row) for row in serves],
                pools=[spelling.pool(row) for row in own_pools],
            )

        return await answer(reader, request, make)


def _add_requests(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    @router.get("/requests", response_model=answers.RequestPage, responses=_CACHED)
    async def list_requests(
        request: Request, query: Annotated[queries.RequestQuery, Query()]
    ) -> Response:
        """Requests of all modes, the newest first."""
        where = _equal(
            (requests.c.version_id, query.version),
            (requests.c.requester, _checksummed(query.requester)),
            (requests.c.executor, _checksummed(query.executor)),
            (requests.c.mode, None if query.mode is None else int(TrustMode[query.mode])),
            (requests.c.state, query.state),
        )

        def make(connection: Connection) -> answers.RequestPage:
            order = [(requests.c.requested_at, True), (requests.c.request_id, False)]
            page = listed(connection, requests, order, where, query.limit, query.cursor)
            items = [spelling.request(row) for row in page.rows]
            return answers.RequestPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/requests/{request_id}", response_model=answers.RequestAnswer, responses=_SINGLE)
    async def get_request(request: Request, request_id: _RequestId) -> Response:
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

    @router.get("/results", response_model=answers.ResultPage, responses=_CACHED)
    async def list_results(
        request: Request, query: Annotated[queries.ResultQuery, Query()]
    ) -> Response:
        """Final outputs, the newest first. `topic` says under which the board has one."""
        where = [
            requests.c.state == "final",
            *_equal(
                (requests.c.version_id, query.version),
                (requests.c.input_binding, query.input),
                (requests.c.how, query.how),
            ),
        ]

        def make(connection: Connection) -> answers.ResultPage:
            order = [(requests.c.ended_at, True), (requests.c.request_id, False)]
            page = listed(connection, requests, order, where, query.limit, query.cursor)
            items = [spelling.result(row) for row in page.rows]
            return answers.ResultPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/disputes", response_model=answers.DisputePage, responses=_CACHED)
    async def list_disputes(
        request: Request, query: Annotated[queries.DisputeQuery, Query()]
    ) -> Response:
        """Doubts about lazy answers and receipts, the newest first."""
        where = _equal(
            (disputes.c.kind, query.kind),
            (disputes.c.state, query.state),
            (disputes.c.executor, _checksummed(query.executor)),
            (disputes.c.challenger, _checksummed(query.challenger)),
        )
        if query.state is None:
            where.append(disputes.c.state.not_in(["committed", "withdrawn", "reported"]))

        def make(connection: Connection) -> answers.DisputePage:
            order = [
                (disputes.c.opened_at, True),
                (disputes.c.dispute_id, False),
                (disputes.c.kind, False),
            ]
            page = listed(connection, disputes, order, where, query.limit, query.cursor)
            items = [spelling.dispute(row) for row in page.rows]
            return answers.DisputePage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)


def _add_accounts(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    @router.get("/earnings/{address}", response_model=answers.EarningsAnswer, responses=_CACHED)
    async def get_earnings(request: Request, address: _Address) -> Response:
        """What an account earned and lost at all contracts. Royalties count for whoever held the
        model when they were credited."""
        account = to_checksum_address(address)

        def make(connection: Connection) -> answers.EarningsAnswer:
            query = select(earnings).where(earnings.c.address == account)
            row = connection.execute(query).mappings().first()
            return answers.EarningsAnswer(token=token, earnings=spelling.earnings(account, row))

        return await answer(reader, request, make)

    @router.get("/usage", response_model=answers.UsagePage, responses=_CACHED)
    async def list_usage(
        request: Request, query: Annotated[queries.UsageQuery, Query()]
    ) -> Response:
        """What happened by day, version and mode, the newest day first."""
        where = _equal((usage.c.version_id, query.version))
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


def _equal(*pairs: tuple[Any, Any]) -> list[ColumnElement[bool]]:
    """Conditions for the parameters that were given."""
    return [column == value for column, value in pairs if value is not None]


def _checksummed(address: str | None) -> str | None:
    return None if address is None else str(to_checksum_address(address))


def _day(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 86_400
