"""What is sent to an executor over a connection that breaks."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from gateless.sdk.sending import send

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def _server(breaking: int) -> tuple[asyncio.Server, str, list[bytes]]:
    """A server that drops its first so many requests unanswered."""
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got.append(await reader.readexactly(5))
        if len(got) > breaking:
            writer.write(ANSWER)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, f"http://127.0.0.1:{port}/", got


async def test_a_broken_connection_is_tried_once_more() -> None:
    server, url, got = await _server(breaking=1)
    async with server, httpx.AsyncClient() as http:
        answer = await send(http, "PUT", url, b"input", 5)
    assert answer.text == "ok"
    assert got == [b"input", b"input"]


async def test_twice_is_enough() -> None:
    server, url, got = await _server(breaking=2)
    async with server, httpx.AsyncClient() as http:
        with pytest.raises(httpx.RemoteProtocolError):
            await send(http, "PUT", url, b"input", 5)
    assert len(got) == 2
