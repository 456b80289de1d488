"""A client for stores that strangers name: it cannot be led into this machine's own network."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from gateless.adapters.storage.addresses import is_permitted, parse_address
from gateless.adapters.storage.http import RefusedAddressError

#: Addresses of a host and port, as text.
Resolve = Callable[[str, int], Awaitable[list[str]]]

_SCHEMES = {"http": 80, "https": 443}
_RESOLVE_SECONDS = 10.0

#: The system's resolver blocks its thread, a hostile name server for as long as it likes: these
#: threads are for nothing else, so that files and databases never wait for strangers' names.
_LOOKUPS = ThreadPoolExecutor(32, thread_name_prefix="resolver")

_Origin = tuple[str, str, int]


async def resolve(
    host: str, port: int, lookup: Callable[..., Any] = socket.getaddrinfo
) -> list[str]:
    """Asks the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.run_in_executor(_LOOKUPS, lookup, host, port, 0, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Resolves a name once, judges every address, connects to one that is permitted.

    Names are resolved for each request, and no connection is used for two, so that nobody's answer
    about one name can serve another. A redirect would be judged the same way; no store follows any.

    Args:
        trusted: base URLs that may be anywhere: those that the operator has configured.
        loopback: whether strangers' stores may be on this machine.
        resolver: finds the addresses of a name.
    """

    def __init__(
        self, *, trusted: Iterable[str] = (), loopback: bool = False, resolver: Resolve = resolve
    ) -> None:
        self._trusted = frozenset(_origin(httpx.URL(url)) for url in trusted)
        self._loopback = loopback
        self._resolve = resolver
        self._inner = httpx.AsyncHTTPTransport(
            trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends a request to where it may go.

        Raises:
            RefusedAddressError: it may go to none of its addresses.
            httpx.TransportError: there is no answer.
        """
        scheme, host, port = origin = _origin(request.url)
        if scheme not in _SCHEMES:
            raise RefusedAddressError(f"{scheme!r} is no way to fetch files")
        if origin in self._trusted:
            return await self._inner.handle_async_request(request)
        failure: httpx.TransportError | None = None
        for address in await self._permitted(host, port):
            try:
                return await self._inner.handle_async_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = error
        raise failure or RefusedAddressError(
            f"{host} is at no address of the public internet", request=request
        )

    async def aclose(self) -> None:
        """Closes what is open."""
        await self._inner.aclose()

    async def _permitted(self, host: str, port: int) -> list[str]:
        try:
            async with asyncio.timeout(_RESOLVE_SECONDS):
                found = await self._resolve(host, port)
        except (OSError, UnicodeError) as error:  # TimeoutError is one of the former
            raise httpx.ConnectError(f"{host} cannot be resolved: {error}") from error
        return [
            address
            for address in found
            if is_permitted(parse_address(address), loopback=self._loopback)
        ]


def guarded_client(
    *, trusted: Iterable[str] = (), loopback: bool = False, resolver: Resolve = resolve
) -> httpx.AsyncClient:
    """A client with a :class:`GuardedTransport`. Proxies that the environment names are not used:
    they would resolve names themselves."""
    transport = GuardedTransport(trusted=trusted, loopback=loopback, resolver=resolver)
    return httpx.AsyncClient(transport=transport, trust_env=False)


def _origin(url: httpx.URL) -> _Origin:
    return url.scheme, url.host.lower(), url.port or _SCHEMES.get(url.scheme, 0)


def _pinned(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """The same request, to an address. The server is still asked for the host, and its certificate
    must still be the host's."""
    extensions = request.extensions
    if request.url.scheme == "https":
        extensions = {**extensions, "sni_hostname": host}
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions=extensions,
    )
