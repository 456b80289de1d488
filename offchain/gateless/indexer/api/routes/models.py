"""Models, their versions and aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from gateless.indexer.api import answers, queries, spelling
from gateless.indexer.api.caching import answer
from gateless.indexer.api.routes.paths import (
    BESIDE,
    CACHED,
    SINGLE,
    NamePath,
    VersionPath,
    checksummed,
    equal,
)
from gateless.indexer.reader import (
    IndexReader,
    Page,
    listed,
    model_by_name,
    of_model,
    serving,
    version_row,
)
from gateless.indexer.schema import aliases, models, versions


def add_models(router: APIRouter, reader: IndexReader, token: answers.Token) -> None:
    """Adds models and what belongs to them."""

    @router.get("/models", response_model=answers.ModelPage, responses=CACHED)
    async def list_models(
        request: Request, query: Annotated[queries.ModelQuery, Query()]
    ) -> Response:
        """Models in the order of their making."""
        where = equal((models.c.holder, checksummed(query.holder)))

        def make(connection: Connection) -> answers.ModelPage:
            order = [(models.c.model_id, False)]
            page = listed(connection, models, order, where, query.limit, query.cursor)
            items = [spelling.model(row) for row in page.rows]
            return answers.ModelPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/models/{name}", response_model=answers.ModelAnswer, responses=SINGLE)
    async def get_model(request: Request, name: NamePath) -> Response:
        """A model with its newest versions and first aliases, a hundred of each at most."""

        def make(connection: Connection) -> answers.ModelAnswer:
            found = model_by_name(connection, name)
            newest = _versions(connection, found["model_id"], BESIDE, None)
            first = _aliases(connection, found["model_id"], BESIDE, None)
            return answers.ModelAnswer(
                token=token,
                model=spelling.model(found),
                versions=[spelling.version_line(row) for row in newest.rows],
                aliases=[spelling.alias(row) for row in first.rows],
            )

        return await answer(reader, request, make)

    @router.get("/models/{name}/versions", response_model=answers.VersionPage, responses=SINGLE)
    async def list_versions(
        request: Request, name: NamePath, query: Annotated[queries.PageQuery, Query()]
    ) -> Response:
        """A model's versions in short, the newest first."""

        def make(connection: Connection) -> answers.VersionPage:
            found = model_by_name(connection, name)
            page = _versions(connection, found["model_id"], query.limit, query.cursor)
            items = [spelling.version_line(row) for row in page.rows]
            return answers.VersionPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/models/{name}/aliases", response_model=answers.AliasPage, responses=SINGLE)
    async def list_aliases(
        request: Request, name: NamePath, query: Annotated[queries.PageQuery, Query()]
    ) -> Response:
        """A model's aliases by name."""

        def make(connection: Connection) -> answers.AliasPage:
            found = model_by_name(connection, name)
            page = _aliases(connection, found["model_id"], query.limit, query.cursor)
            items = [spelling.alias(row) for row in page.rows]
            return answers.AliasPage(token=token, items=items, next_cursor=page.next_cursor)

        return await answer(reader, request, make)

    @router.get("/versions/{version_id}", response_model=answers.VersionAnswer, responses=SINGLE)
    async def get_version(request: Request, version_id: VersionPath) -> Response:
        """A version and who serves it, the hundred with the best records at most;
        `/v1/enrolments` has all."""

        def make(connection: Connection) -> answers.VersionAnswer:
            found = version_row(connection, version_id)
            best = serving(connection, version_id, BESIDE)
            return answers.VersionAnswer(
                token=token,
                version=spelling.version(found),
                executors=[spelling.enrolment(row) for row in best],
            )

        return await answer(reader, request, make)


def _versions(connection: Connection, model_id: int, limit: int, cursor: str | None) -> Page:
    order = [(versions.c.version_id, True)]
    return listed(connection, versions, order, of_model(model_id), limit, cursor)


def _aliases(connection: Connection, model_id: int, limit: int, cursor: str | None) -> Page:
    where = [aliases.c.model_id == model_id]
    return listed(connection, aliases, [(aliases.c.alias, False)], where, limit, cursor)
