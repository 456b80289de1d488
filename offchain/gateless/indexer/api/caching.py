"""Answers that a client has already: strong ETags from what the index shows and what was asked."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from gateless import __version__
from gateless.indexer.reader import IndexReader, revision

#: Seconds for which an answer is used without asking again.
_MAX_AGE = 2
_A = TypeVar("_A", bound=BaseModel)


async def answer(
    reader: IndexReader, request: Request, run: Callable[[Connection], BaseModel]
) -> Response:
    """The answer to a request: 304 where the client has it.

    The revision is read first and in the same transaction, so an ETag never names a later state
    than the one that the body shows.

    Args:
        reader: of the index.
        request: as it came.
        run: makes the body.
    """

    def read(connection: Connection) -> tuple[str, BaseModel | None]:
        tag = _tag(revision(connection), request)
        named = _named(request)
        if tag in named:
            return tag, None
        body = run(connection)  # where there is nothing, that says so
        return tag, None if named == {"*"} else body

    tag, body = await reader.read(read)
    headers = {"ETag": tag, "Cache-Control": f"public, max-age={_MAX_AGE}"}
    if body is None:
        return Response(status_code=304, headers=headers)
    return Response(body.model_dump_json(), media_type="application/json", headers=headers)


def _tag(state: str, request: Request) -> str:
    """The same for the same question at the same revision, however its parameters are ordered.

    Another release may spell the same rows otherwise.
    """
    asked = sorted(request.query_params.multi_items())
    text = repr((__version__, state, request.url.path, asked))
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _named(request: Request) -> set[str]:
    """The tags that ``If-None-Match`` names. RFC 9110, section 13.1.2: compared weakly."""
    header = ",".join(request.headers.getlist("if-none-match"))
    return {part.strip().removeprefix("W/") for part in header.split(",")} - {""}
