"""Asking an indexer by HTTP. What it answers is a stranger's word: the chain decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from gateless.cli.urls import http_url
from gateless.core.errors import InputError, StorageError

_TIMEOUT_SECONDS = 20.0
_MAX_ANSWER_BYTES = 16 << 20

IndexerOption = Annotated[
    str, typer.Option("--indexer", metavar="URL", help="Address of an indexer's API.")
]


async def ask_index(base: str, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """An indexer's answer.

    Args:
        base: its address.
        path: what is asked for.
        parameters: of the query; None is left out, lists are given several times.

    Raises:
        InputError: ``invalid-url``, ``index-refused``.
        StorageError: ``indexer-unreachable``.
    """
    import httpx
    from pydantic_core import from_json

    from gateless.adapters.bounded_http import request_bounded

    http_url(base, "the indexer")
    given = {name: value for name, value in (parameters or {}).items() if value is not None}
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            response = await request_bounded(
                client, "GET", base.rstrip("/") + path, most=_MAX_ANSWER_BYTES, params=given
            )
            told = from_json(response.content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise _unreachable(base) from error
    if response.status_code == 200 and isinstance(told, dict):
        return told
    if isinstance(told, dict) and isinstance(told.get("code"), str):
        raise InputError(
            "index-refused",
            str(told.get("message", "")),
            hint=str(told.get("hint", "")),
            refusal=told["code"],
        )
    raise _unreachable(base)


def _unreachable(base: str) -> StorageError:
    return StorageError(
        "indexer-unreachable",
        f"no indexer answers at {base}",
        hint="start one: gateless indexer run; or name another by --indexer",
    )
