"""JSON-RPC over HTTP: one place that turns transport faults and node errors into our errors."""

from __future__ import annotations

import asyncio
import email.utils
import itertools
import json
from typing import Any, cast

from aiohttp import (
    ClientError,
    ClientResponse,
    ClientResponseError,
    ClientSession,
    ClientTimeout,
    TCPConnector,
)
from pydantic_core import from_json

from gateless.adapters.chain.provider_faults import is_rate_limit
from gateless.adapters.chain.results import is_result
from gateless.adapters.chain.rpc import (
    DEFAULT_TIMEOUT_SECONDS,
    Rpc,
    RpcError,
    invalid,
    is_repeatable,
)
from gateless.adapters.clock import Clock, SystemClock
from gateless.core.errors import ChainError

_RETRIES = 3
_FIRST_PAUSE_SECONDS = 0.1
#: how long closing waits for calls whose callers have gone
_DRAIN_SECONDS = 5.0
_CONNECTIONS = 32
#: Longest answer, in bytes: of calls that return lists, and of all others. What a block can hold is
#: shorter; where logs of many blocks are longer, fewer blocks are asked for.
_MOST_BYTES = 4 * 2**20
_MOST_LIST_BYTES = 32 * 2**20
_LISTS = frozenset({"eth_getLogs", "eth_getBlockByNumber", "txpool_contentFrom"})
#: Longest error text that is kept.
_MOST_TEXT = 2_000
#: HTTP errors that speak of access, whatever else is in their body.
_ABOUT_ACCESS = (401, 403, 429)


class _TooLong(Exception):
    """An answer is longer than any that could be meant."""


class HttpRpc(Rpc):
    """One endpoint. What it answers is a stranger's: bounded in length, and checked by method.

    Args:
        url: HTTP or HTTPS endpoint.
        timeout: seconds for one request.
        retries: how often a request is sent where connections are refused or break. A timeout is
            not tried again: it took long enough.
        clock: what time it is, for answers that say when to come back.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        retries: int = _RETRIES,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(url)
        self._timeout = ClientTimeout(total=timeout)
        self._retries = retries
        self._clock = clock or SystemClock()
        self._numbers = itertools.count()
        self._session: ClientSession | None = None
        self._calls: set[asyncio.Future[Any]] = set()
        self._opening = asyncio.Lock()

    async def request(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC call.

        Raises:
            RpcError: the node answered with an error.
            ChainError: ``rpc-unreachable``, ``rpc-timeout``, ``rpc-rate-limited``, ``rpc-refused``,
                ``rpc-invalid``; ``rpc-closed`` for calls that closing cut off.
        """
        call = asyncio.ensure_future(self._post(method, params))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        try:
            # A call runs to its end whoever waits for it: what was sent may have taken effect.
            response = await asyncio.shield(call)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not the caller was cancelled but the call alone: by close().
            raise ChainError(
                "rpc-closed",
                f"the connection to {self.name} was closed during {method}",
                hint="let calls end before the client is closed",
                method=method,
            ) from None
        except ClientResponseError as error:
            # Without its cause, which spells the whole URL: that may be a credential.
            raise self._http_fault(method, error) from None
        except TimeoutError as error:
            raise ChainError(
                "rpc-timeout",
                f"the RPC endpoint {self.name} did not answer {method} in time",
                hint="try again, or use another RPC endpoint",
                method=method,
            ) from error
        except (ClientError, OSError) as error:
            raise ChainError(
                "rpc-unreachable",
                f"cannot reach the RPC endpoint {self.name}",
                hint="check that the node runs and that the network's RPC URL is right;"
                " `gateless devnet up` starts a local one",
                method=method,
                # An invalid URL is spelled by its error.
                cause=type(error).__name__ if isinstance(error, ValueError) else str(error),
            ) from None
        except _TooLong as error:
            raise ChainError(
                "rpc-invalid",
                f"{self.name} answers {method} with more than {_most_bytes(method):,} bytes",
                hint="use another RPC endpoint",
                method=method,
                too_long=True,
            ) from error
        except ValueError as error:
            raise invalid(self, method) from error
        if not isinstance(response, dict):
            raise invalid(self, method)
        fault = cast(Any, response.get("error"))
        if fault is not None:
            raise self._rpc_fault(method, fault)
        if "result" not in response or not is_result(method, response["result"]):
            raise invalid(self, method)
        return response["result"]

    async def close(self) -> None:
        """Lets the calls that are still running end, and closes the connections.

        Calls may outlive their caller: it was cancelled, or of several gathered ones one failed.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + _DRAIN_SECONDS
        while self._calls and loop.time() < end:
            await asyncio.wait(self._calls, timeout=end - loop.time())
            await asyncio.sleep(0)  # a caller that nobody waits for may make its next call now
        for call in self._calls:
            call.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)
        async with self._opening:
            if self._session is not None:
                await self._session.close()
            self._session = None

    def _ended(self, call: asyncio.Future[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # seen, even where the caller has gone

    async def _post(self, method: str, params: tuple[Any, ...]) -> Any:
        """Sends a call, again where the connection broke, and decodes the answer."""
        number = next(self._numbers)
        call = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        body = json.dumps(call).encode()
        attempts = self._retries if is_repeatable(method) else 1
        for attempt in range(1, attempts + 1):
            try:
                return from_json(await self._post_once(body, _most_bytes(method)))
            except ClientResponseError:
                raise  # the endpoint is there and said what it thinks
            except ClientError:
                if attempt == attempts:
                    raise
                await asyncio.sleep(_FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
        raise AssertionError("unreachable")

    async def _post_once(self, body: bytes, most: int) -> bytes:
        session = await self._opened()
        headers = {"Content-Type": "application/json"}
        async with session.post(
            self.url, data=body, headers=headers, timeout=self._timeout
        ) as response:
            raw = await _read(response, most)
            # Providers refuse what is too large by an HTTP error that carries the JSON-RPC one.
            is_about_call = 400 <= response.status < 500 and response.status not in _ABOUT_ACCESS
            if not (is_about_call and _is_rpc_error(raw)):
                response.raise_for_status()
            return raw

    async def _opened(self) -> ClientSession:
        async with self._opening:
            if self._session is None:
                self._session = ClientSession(connector=TCPConnector(limit=_CONNECTIONS))
            return self._session

    def _http_fault(self, method: str, error: ClientResponseError) -> ChainError:
        status = error.status
        after = self._retry_after(
            None if error.headers is None else error.headers.get("Retry-After")
        )
        when = {} if after is None else {"retry_after": after}
        if status == 429:
            return ChainError(
                "rpc-rate-limited",
                f"the RPC endpoint {self.name} limits the rate of requests",
                hint="wait a little, or use another RPC endpoint",
                method=method,
                status=status,
                **when,
            )
        if status >= 500:
            return ChainError(
                "rpc-unreachable",
                f"the RPC endpoint {self.name} fails with HTTP {status}",
                hint="try again later, or use another RPC endpoint",
                method=method,
                status=status,
                **when,
            )
        return ChainError(
            "rpc-refused",
            f"the RPC endpoint {self.name} refused {method} with HTTP {status}",
            hint="check the network's RPC URL and that it needs no other credentials",
            method=method,
            status=status,
        )

    def _retry_after(self, value: str | None) -> float | None:
        """Seconds (RFC 9110, section 10.2.3: a number of seconds, or a date)."""
        if value is None:
            return None
        try:
            return max(0.0, float(value))
        except ValueError:
            pass
        try:
            date = email.utils.parsedate_to_datetime(value)
        except ValueError:
            return None
        return max(0.0, date.timestamp() - self._clock.now())

    def _rpc_fault(self, method: str, fault: Any) -> ChainError:
        error = _rpc_error(method, fault)
        if not is_rate_limit(error):
            return error
        return ChainError(
            "rpc-rate-limited",
            f"the RPC endpoint {self.name} limits requests: {error.rpc_message}",
            hint="wait a little, or use another RPC endpoint",
            method=method,
        )


def _most_bytes(method: str) -> int:
    return _MOST_LIST_BYTES if method in _LISTS else _MOST_BYTES


async def _read(response: ClientResponse, most: int) -> bytes:
    """The body, decompressed; no more of it than may be meant is ever held.

    Raises:
        _TooLong: it is longer.
    """
    raw = bytearray()
    async for chunk in response.content.iter_any():
        raw += chunk
        if len(raw) > most:
            raise _TooLong
    return bytes(raw)


def _is_rpc_error(raw: bytes) -> bool:
    try:
        answer = from_json(raw)
    except ValueError:
        return False
    return isinstance(answer, dict) and isinstance(answer.get("error"), dict)


def _rpc_error(method: str, fault: Any) -> RpcError:
    if not isinstance(fault, dict):
        return RpcError(method, 0, str(fault)[:_MOST_TEXT], None)
    code = fault.get("code")
    return RpcError(
        method,
        code if isinstance(code, int) else 0,
        str(fault.get("message", ""))[:_MOST_TEXT],
        fault.get("data"),
    )
