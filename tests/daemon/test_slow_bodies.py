"""Bodies that trickle in: no connection is held for longer than a body may take."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from gateless.adapters.clock import SystemClock
from gateless.daemon.limits import Limited, Rates
from gateless.daemon.statuses import public, status_of
from patience import PATIENCE_SECONDS
from starlette.responses import JSONResponse
from starlette.types import Message, Receive, Scope, Send


async def swallow(_scope: Scope, receive: Receive, send: Send) -> None:
    """Reads all of a body, then answers."""
    while (await receive()).get("more_body"):
        pass
    await JSONResponse({})(_scope, receive, send)


@pytest.mark.parametrize("path", ["/v1/inputs", "/v1/requests"])
async def test_a_body_that_trickles_is_refused(path: str) -> None:
    limited = Limited(
        swallow,
        rates=Rates(SystemClock(), per_second=1, burst=1),
        max_body_bytes=1 << 30,
        own_limit=lambda where: where == "/v1/inputs",
        answer=lambda error: JSONResponse(public(error), status_of(error)),
        body_seconds=0.5,
    )
    told: list[Message] = []

    async def trickling() -> Message:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    async def send(message: Message) -> None:
        told.append(message)

    scope: dict[str, Any] = {"type": "http", "path": path, "client": ("192.0.2.1", 1)}
    await asyncio.wait_for(limited(scope, trickling, send), PATIENCE_SECONDS)
    assert told[0]["status"] == 408
