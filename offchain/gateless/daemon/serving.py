"""Serving HTTP to strangers: one server for all programs, and what nobody may take of it.

Uvicorn gives a connection all the time of the world to send a request's head and to read an answer.
Whoever opens many and is slow then keeps everybody else out ("slowloris"), so here a connection has
a time for each, there is a number of them for one address and for all, and the idle one gives way
to the new one. Times for bodies and rates of requests are :mod:`gateless.daemon.limits`'.

Who asks is the address at the other end of the connection. ``X-Forwarded-For`` is anybody's text
and counts only where a proxy that the operator named sent it.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, overload

import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from gateless.core.errors import ConfigError, NotFoundError
from gateless.daemon.limits import party_of


@overload
def listen(host: str, port: int) -> socket.socket: ...
@overload
def listen(host: str, port: int | None) -> socket.socket | None: ...
def listen(host: str, port: int | None) -> socket.socket | None:
    """A socket to serve on: a port of 0 takes a free one, None serves nothing.

    Raises:
        ConfigError: ``port-taken``.
    """
    if port is None:
        return None
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            "port-taken",
            f"cannot serve on {host}:{port}: {error.strerror}",
            hint="choose another port; 0 takes a free one",
        ) from error


def base_url(listening: socket.socket | None) -> str:
    """Where a socket is reached; empty where nothing is served."""
    if listening is None:
        return ""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What all connections together, and each of them, may take.

    Attributes:
        connections: at once; each has one request at a time. Where there are more, the one that has
            been idle for longest is closed.
        per_address: of one address at once; an IPv6 network of 64 bits counts as one.
        head_seconds: longest time from the beginning of a connection, or the end of an answer,
            until the head of the next request is there.
        idle_seconds: how long a connection is kept after an answer for the next request.
        stall_seconds: longest time for which an answer may wait for its reader.
        head_bytes: largest head of a request of which the rest is waited for.
        trusted_proxies: addresses of proxies whose ``X-Forwarded-For`` says who asks;
            ``per_address`` does not count for them.
    """

    connections: int = 512
    per_address: int = 128
    head_seconds: float = 15.0
    idle_seconds: float = 5.0
    stall_seconds: float = 30.0
    head_bytes: int = 16 << 10
    trusted_proxies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """How a program is reached, beside its host and port.

    Attributes:
        metrics_port: what is the operator's alone (:data:`OPERATORS`) is served here and not at the
            program's own port; 0 takes a free one, None serves it there too.
        metrics_host: address for that.
        limits: of connections.
    """

    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    limits: ServerLimits = field(default_factory=ServerLimits)


#: Paths that are nobody else's business, where the operator gave them a port of their own.
OPERATORS = frozenset({"/metrics", "/ready"})
#: And of programs whose status tells of stakes, balances and plans.
WITH_STATUS = OPERATORS | {"/v1/status"}
_ALIVE = "/health"


class Connections:
    """The open connections of a server, the oldest first."""

    def __init__(self, limits: ServerLimits) -> None:
        self.limits = limits
        self._open: dict[GuardedProtocol, str] = {}

    def admit(self, connection: GuardedProtocol, address: str) -> bool:
        """Whether a connection may stay; makes room for it where others do nothing."""
        party = party_of(address)
        if address not in self.limits.trusted_proxies:
            theirs = [each for each, whose in self._open.items() if whose == party]
            if len(theirs) >= self.limits.per_address and not _evict(theirs):
                return False
        if len(self._open) >= self.limits.connections and not _evict(list(self._open)):
            return False
        self._open[connection] = party
        return True

    def drop(self, connection: GuardedProtocol) -> None:
        """A connection has ended."""
        self._open.pop(connection, None)


def _evict(connections: list[GuardedProtocol]) -> bool:
    """Ends the oldest connection without a request; whether there was one."""
    for each in connections:
        if each.is_idle:
            each.abort()
            return True
    return False


class GuardedProtocol(H11Protocol):
    """Uvicorn's protocol for a connection, with times and numbers."""

    guarding: Connections

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._waiting: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def abort(self) -> None:
        """Ends the connection at once, whatever was not sent yet."""
        self.guarding.drop(self)
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Takes a connection, or ends it."""
        super().connection_made(transport)
        address = "" if self.client is None else self.client[0]
        if not self.guarding.admit(self, address):
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets a connection."""
        self.guarding.drop(self)
        for timer in (self._waiting, self._stalled):
            if timer is not None:
                timer.cancel()
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Waits for the next request, but not for ever."""
        self._await_head()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The other end does not read as fast as it is written to."""
        super().pause_writing()
        seconds = self.guarding.limits.stall_seconds
        self._stalled = self.loop.call_later(seconds, self.abort)

    def resume_writing(self) -> None:
        """It has read on."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _await_head(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
        seconds = self.guarding.limits.head_seconds
        self._waiting = self.loop.call_later(seconds, self._head_is_due)

    def _head_is_due(self) -> None:
        # Also where it is being closed and the other end does not take what was written.
        if self.is_idle:
            self.abort()


class Server(uvicorn.Server):
    """A server that leaves signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


def server_for(
    app: ASGIApp, limits: ServerLimits | None = None, *, shutdown_seconds: int | None = None
) -> Server:
    """A server of an application, within limits.

    Args:
        app: the application.
        limits: what it may be asked; the usual where None.
        shutdown_seconds: longest time for open transfers when it is told to stop.
    """
    limits = limits or ServerLimits()
    protocol = type("Protocol", (GuardedProtocol,), {"guarding": Connections(limits)})
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="error",  # what strangers send wrongly is no news
        access_log=False,
        server_header=False,
        proxy_headers=bool(limits.trusted_proxies),
        forwarded_allow_ips=list(limits.trusted_proxies),
        timeout_keep_alive=limits.idle_seconds,  # type: ignore[arg-type]  # it takes any number
        timeout_graceful_shutdown=shutdown_seconds,
        h11_max_incomplete_event_size=limits.head_bytes,
    )
    return Server(config)


class Restricted:
    """ASGI application: some paths of another one; the rest is not there.

    Args:
        app: the other one.
        has: whether a path is there.
    """

    def __init__(self, app: ASGIApp, has: Callable[[str], bool]) -> None:
        self._app = app
        self._has = has

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on."""
        if scope["type"] == "http" and not self._has(scope["path"]):
            told = NotFoundError("unknown-path", "there is nothing here", hint="ask another port")
            await JSONResponse(told.to_dict(), 404)(scope, receive, send)
            return
        await self._app(scope, receive, send)


@asynccontextmanager
async def serve_parted(
    app: ASGIApp,
    listening: socket.socket | None,
    config: ServerConfig,
    operators: Collection[str] = OPERATORS,
) -> AsyncIterator[str]:
    """Serves a program for the length of the block; gives the address for its operator.

    Args:
        app: all that it serves.
        listening: for everybody; None for nobody.
        config: where its operator asks, and limits.
        operators: paths that are for the operator.

    Raises:
        ConfigError: ``port-taken``.
    """
    async with contextlib.AsyncExitStack() as stack:
        apart = listen(config.metrics_host, config.metrics_port)
        public = app
        if apart is not None:
            stack.enter_context(contextlib.closing(apart))
            inside = Restricted(app, lambda path: path in operators or path == _ALIVE)
            public = Restricted(app, lambda path: path not in operators)
            await stack.enter_async_context(serve(inside, apart, config.limits))
        if listening is not None:
            await stack.enter_async_context(serve(public, listening, config.limits))
        yield base_url(apart or listening)


@asynccontextmanager
async def serve(
    app: ASGIApp, listening: socket.socket, limits: ServerLimits | None = None
) -> AsyncIterator[None]:
    """Serves an application for the length of the block."""
    server = server_for(app, limits)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        # Downloads that are under way may not hold up a shutdown.
        server.force_exit = True
        await task
