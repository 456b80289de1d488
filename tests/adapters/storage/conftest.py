"""Servers that behave and servers that do not: real sockets, no patching."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]
ServeRaw = Callable[[Respond], AbstractAsyncContextManager[str]]


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
def serve_raw() -> ServeRaw:
    """A TCP server on a free port that writes whatever it is told to whoever asks."""

    @asynccontextmanager
    async def serve(respond: Respond) -> AsyncIterator[str]:
        tasks: set[asyncio.Task[None]] = set()

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await reader.readuntil(b"\r\n\r\n")
                await respond(writer)
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()
        try:
            yield f"http://{host}:{port}"
        finally:
            server.close()
            for task in list(tasks):
                task.cancel()
            await server.wait_closed()

    return serve


@pytest.fixture
def dead_url() -> Iterator[str]:
    """An address where a connection is refused for as long as the test runs."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # bound but not listening: nobody else can take the port
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
