"""How much one client may ask by HTTP: a rate, a size and a time for each body."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, ip_address, ip_network

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError, InputError

#: Clients that are remembered; of those who stay away longest, the first are forgotten.
_MAX_CLIENTS = 10_000
#: Longest time that a body may take to come in.
BODY_SECONDS = 30.0


def party_of(address: str) -> str:
    """Who an address stands for: whoever has one of an IPv6 network of 64 bits has all of them."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv4Address):
        return address
    mapped = parsed.ipv4_mapped
    return str(mapped or ip_network((int(parsed), 64), strict=False))


class Rates:
    """A bucket of tokens for each client: it fills at a rate, and a request takes one out.

    Args:
        clock: what time it is.
        per_second: tokens that come in.
        burst: tokens that a bucket holds.
    """

    def __init__(self, clock: Clock, *, per_second: float, burst: int) -> None:
        self._clock = clock
        self._per_second = per_second
        self._burst = burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> float:
        """Takes a token; returns 0, or the seconds until there is one."""
        now = self._clock.monotonic()
        tokens, at = self._buckets.pop(client, (float(self._burst), now))
        tokens = min(float(self._burst), tokens + (now - at) * self._per_second)
        missing = max(0.0, 1.0 - tokens)
        self._buckets[client] = (tokens if missing else tokens - 1.0, now)
        while len(self._buckets) > _MAX_CLIENTS:
            self._buckets.popitem(last=False)
        return missing / self._per_second


class Limited:
    """ASGI middleware that refuses what is too much, before anything is done for it.

    Content is served without a rate: it costs nothing but the line.

    Args:
        app: the application.
        rates: of clients, by address.
        max_body_bytes: largest body; those of inputs have a limit of their own.
        own_limit: whether a path looks after its body's size itself.
        answer: how a refusal is spelled.
        body_seconds: longest time that a body may take to come in, all of it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        rates: Rates,
        max_body_bytes: int,
        own_limit: Callable[[str], bool],
        answer: Callable[[GatelessError], JSONResponse],
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._rates = rates
        self._max_body_bytes = max_body_bytes
        self._own_limit = own_limit
        self._answer = answer
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        if scope["type"] != "http" or scope["path"].startswith("/v1/content/"):
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        pause = self._rates.take("" if client is None else party_of(str(client[0])))
        if pause:
            response = self._answer(
                InputError(
                    "rate-limited",
                    "too many requests from this address",
                    hint=f"wait {pause:.1f} s",
                )
            )
            response.headers["Retry-After"] = str(int(pause) + 1)
            await response(scope, receive, send)
            return
        most = None if self._own_limit(scope["path"]) else self._max_body_bytes
        body = _Body(receive, most, self._body_seconds)
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, body.receive, sending)
        except BodyRefused as refused:
            if started:
                raise
            await self._answer(refused.error)(scope, receive, send)


class BodyRefused(Exception):
    """A body is too large or too slow."""

    def __init__(self, error: GatelessError) -> None:
        super().__init__(str(error))
        self.error = error


class _Body:
    """Counts what comes in."""

    def __init__(self, receive: Receive, most: int | None, seconds: float) -> None:
        self._receive: Callable[[], Awaitable[Message]] = receive
        self._most = most
        self._seconds = seconds
        self._end: float | None = None
        self._size = 0
        self._done = False

    async def receive(self) -> Message:
        """The next piece."""
        if self._done:  # what is waited for now is the end of the connection
            return await self._receive()
        loop = asyncio.get_running_loop()
        # For all of it: who sends a byte now and then would hold a connection for ever.
        self._end = self._end or loop.time() + self._seconds
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError:
            raise BodyRefused(
                InputError(
                    "body-too-slow",
                    f"it was not there after {self._seconds:g} s",
                    hint="send the body at once",
                )
            ) from None
        self._size += len(message.get("body", b""))
        self._done = not message.get("more_body", False)
        if self._most is not None and self._size > self._most:
            raise BodyRefused(body_too_large(self._most))
        return message


def body_too_large(most: int) -> InputError:
    """``body-too-large``."""
    return InputError(
        "body-too-large",
        f"the body has more than the {most} bytes that are taken here",
        hint="hand a large input in by itself, and name it by its digest",
    )
