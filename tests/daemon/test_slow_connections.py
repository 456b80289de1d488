"""Connections that give nothing and take all: ended, so that others are served."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from gateless.daemon.limits import party_of
from gateless.daemon.serving import ServerLimits, serve
from patience import PATIENCE_SECONDS, eventually
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

HALF_A_HEAD = b"GET / HTTP/1.1\r\nHost: here\r\n"
WHOLE_HEAD = HALF_A_HEAD + b"\r\n"
#: Far more than kernels and transports hold for a reader who does not read.
MUCH = 256 << 20


class Application:
    """Answers at once, at length, or when it is let."""

    def __init__(self) -> None:
        self.working = 0
        self.let_go = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.working += 1
        try:
            if scope["path"] == "/much":
                response: Any = StreamingResponse(self._much())
            else:
                if scope["path"] == "/later":
                    await self.let_go.wait()
                response = PlainTextResponse(scope["client"][0])
            await response(scope, receive, send)
        finally:
            self.working -= 1

    async def _much(self) -> AsyncIterator[bytes]:
        for _ in range(MUCH >> 16):
            yield bytes(1 << 16)


class Peer:
    """A client that says what it is told to, byte by byte if need be."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def say(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):
            self._writer.write(data)
            await self._writer.drain()

    async def hear(self) -> bytes:
        """The next that comes; nothing where the connection was ended."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            try:
                return await self._reader.read(1 << 16)
            except ConnectionError:
                return b""

    async def ask(self, path: str = "/", *headers: str) -> bytes:
        lines = (f"GET {path} HTTP/1.1", "Host: here", *headers, "", "")
        await self.say("\r\n".join(lines).encode())
        return await self.hear()


class Served:
    """A server, and peers of it."""

    def __init__(self, app: Application, port: int, stack: contextlib.AsyncExitStack) -> None:
        self.app = app
        self._port = port
        self._stack = stack

    async def peer(self, address: str = "127.0.0.1") -> Peer:
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self._port, local_addr=(address, 0)
        )

        async def close() -> None:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

        self._stack.push_async_callback(close)
        return Peer(reader, writer)


@asynccontextmanager
async def served(**limits: Any) -> AsyncIterator[Served]:
    app = Application()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with (
            serve(app, listening, ServerLimits(**limits)),
            contextlib.AsyncExitStack() as stack,
        ):
            try:
                yield Served(app, listening.getsockname()[1], stack)
            finally:
                app.let_go.set()


@pytest.mark.parametrize("said", [b"", HALF_A_HEAD])
async def test_a_head_that_does_not_come_ends_the_connection(said: bytes) -> None:
    async with served(head_seconds=0.2) as server:
        peer = await server.peer()
        await peer.say(said)
        assert await peer.hear() == b""


async def test_a_head_that_trickles_does_too() -> None:
    async with served(head_seconds=0.2) as server:
        peer = await server.peer()
        await peer.say(HALF_A_HEAD)
        ended = asyncio.create_task(peer.hear())
        while not ended.done():
            await peer.say(b"x")
            await asyncio.sleep(0.02)
        assert ended.result() == b""


async def test_who_has_his_answer_is_not_kept() -> None:
    async with served(head_seconds=0.2, idle_seconds=PATIENCE_SECONDS) as server:
        peer = await server.peer()
        assert b"200 OK" in await peer.ask()
        await peer.say(b"G")  # a byte ends uvicorn's own wait for the next request
        assert await peer.hear() == b""


async def test_a_request_that_takes_long_is_answered() -> None:
    async with served(head_seconds=0.1) as server:
        peer = await server.peer()
        answer = asyncio.create_task(peer.ask("/later"))
        await asyncio.sleep(0.3)
        server.app.let_go.set()
        assert b"200 OK" in await answer


async def test_who_does_not_read_is_not_waited_for() -> None:
    async with served(stall_seconds=0.2) as server:
        peer = await server.peer()
        await peer.say(WHOLE_HEAD.replace(b"GET /", b"GET /much"))

        async def at_work() -> bool:
            return server.app.working == 1

        async def over() -> bool:
            return server.app.working == 0

        await eventually("it is answered", at_work)
        await eventually("nobody is answered", over)


async def test_who_does_nothing_gives_way_to_who_comes() -> None:
    async with served(connections=3, head_seconds=PATIENCE_SECONDS) as server:
        idle = [await server.peer() for _ in range(3)]
        await idle[0].say(HALF_A_HEAD)
        assert b"200 OK" in await idle[2].ask()
        for number in (0, 1):
            assert b"200 OK" in await (await server.peer()).ask()
            assert await idle[number].hear() == b""


async def test_nobody_gives_way_while_all_are_answered() -> None:
    async with served(connections=2) as server:
        answers = [asyncio.create_task((await server.peer()).ask("/later")) for _ in range(2)]

        async def at_work() -> bool:
            return server.app.working == 2

        await eventually("both are answered", at_work)
        assert await (await server.peer()).ask() == b""
        server.app.let_go.set()
        assert all(b"200 OK" in answer for answer in await asyncio.gather(*answers))


async def test_one_address_does_not_take_the_room_of_others() -> None:
    async with served(connections=100, per_address=1) as server:
        asked = asyncio.create_task((await server.peer()).ask("/later"))

        async def at_work() -> bool:
            return server.app.working == 1

        await eventually("it is answered", at_work)
        assert await (await server.peer()).ask() == b""
        assert b"127.0.0.2" in await (await server.peer("127.0.0.2")).ask()
        server.app.let_go.set()
        await asked


async def test_a_head_may_be_so_long() -> None:
    async with served(head_bytes=4096) as server:
        peer = await server.peer()
        await peer.say(HALF_A_HEAD + b"X-Long: " + b"x" * 8192)
        assert b"400 Bad Request" in await peer.hear()


async def test_who_asks_is_not_what_he_says() -> None:
    forwarded = "X-Forwarded-For: 203.0.113.7"
    async with served() as server:
        assert b"127.0.0.1" in await (await server.peer()).ask("/", forwarded)


async def test_a_named_proxy_says_who_asks() -> None:
    forwarded = "X-Forwarded-For: 198.51.100.1, 203.0.113.7"
    async with served(trusted_proxies=("127.0.0.1",), per_address=1) as server:
        first, second = await server.peer(), await server.peer()
        # What comes before the last address, anybody may have written.
        for peer in (first, second):
            assert b"203.0.113.7" in await peer.ask("/", forwarded)
        assert b"127.0.0.2" in await (await server.peer("127.0.0.2")).ask("/", forwarded)


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_network_is_one_party(address: str, party: str) -> None:
    assert party_of(address) == party
