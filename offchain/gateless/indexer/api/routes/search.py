"""Searching."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from gateless.core.types import TrustMode
from gateless.indexer.api import answers, queries, spelling
from gateless.indexer.api.caching import answer
from gateless.indexer.api.routes.paths import CACHED
from gateless.indexer.reader import IndexReader
from gateless.indexer.reputation import SCALE
from gateless.indexer.search import Wanted, search


def add_search(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    """Adds the search."""

    @router.get("/search", response_model=answers.SearchAnswer, responses=CACHED)
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
