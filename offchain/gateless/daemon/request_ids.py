"""A name for each HTTP request: in its answer, in errors, and in every line of the log about it.

Whoever asks may give it as ``X-Request-ID``; otherwise one is made. Tasks that a request starts
inherit it, so what it set going can be found by it later. The log calls it ``http_request_id``:
``request_id`` is that of a request to the market.
"""

from __future__ import annotations

import re
import secrets
from typing import Any

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER = "X-Request-ID"
_KEY = "http_request_id"
#: What others give may go into logs as it is: a name, nothing that a terminal or a query minds.
_WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIds:
    """ASGI middleware, outside of all others."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Names a request, for as long as it is worked on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        name = _name_of(scope)

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = name
            await send(message)

        with structlog.contextvars.bound_contextvars(**{_KEY: name}):
            await self._app(scope, receive, sending)


def named(told: dict[str, Any]) -> dict[str, Any]:
    """An error as it is answered, with the name of the request that it answers."""
    name = structlog.contextvars.get_contextvars().get(_KEY)
    return told if name is None else told | {_KEY: name}


def _name_of(scope: Scope) -> str:
    for key, value in scope["headers"]:
        if key == HEADER.lower().encode():
            given = value.decode("latin-1")
            if _WELL_FORMED.fullmatch(given):
                return str(given)
    return secrets.token_hex(8)
