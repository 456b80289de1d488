"""JSON-RPC over HTTP: one place that turns transport faults and node errors into our errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, cast

from aiohttp import ClientError, ClientResponseError, ClientSession, ClientTimeout, TCPConnector
from eth_typing import URI
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.exceptions import Web3Exception
from web3.providers.rpc.utils import ExceptionRetryConfiguration
from web3.types import RPCEndpoint

from gateless.adapters.chain.log_range import LogRange
from gateless.core.errors import ChainError

_T = TypeVar("_T")

DEFAULT_TIMEOUT_SECONDS = 20.0
_RETRIES = 3
#: how long closing waits for calls whose callers have gone
_DRAIN_SECONDS = 5.0
_CONNECTIONS = 32


class RpcError(ChainError):
    """The node answered a call with a JSON-RPC error.

    Attributes:
        rpc_code: the node's error code.
        rpc_message: its text.
        data: its ``data`` field, revert data for calls that reverted.
    """

    def __init__(self, method: str, rpc_code: int, rpc_message: str, data: Any) -> None:
        super().__init__(
            "rpc-error",
            f"the node refused {method}: {rpc_message}",
            method=method,
            rpc_code=rpc_code,
        )
        self.rpc_code = rpc_code
        self.rpc_message = rpc_message
        self.data = data

    def __reduce__(self) -> tuple[Any, ...]:
        method = str(self.context["method"])
        return (RpcError, (method, self.rpc_code, self.rpc_message, self.data))


class Rpc:
    """A connection to one node.

    Args:
        url: HTTP or HTTPS endpoint.
        timeout: seconds for one request.

    Attributes:
        log_range: how many blocks' logs it is asked for at a time.
    """

    def __init__(self, url: str, *, timeout: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self.url = url
        self.log_range = LogRange()
        self._provider = AsyncHTTPProvider(
            URI(url),
            request_kwargs={"timeout": ClientTimeout(total=timeout)},
            # Refused and broken connections are tried again; a timeout is not, it took long enough.
            exception_retry_configuration=ExceptionRetryConfiguration(
                errors=(ClientError,), retries=_RETRIES, backoff_factor=0.1
            ),
        )
        self._session: ClientSession | None = None
        self._calls: set[asyncio.Future[Any]] = set()
        self._opening = asyncio.Lock()
        self.w3: AsyncWeb3[AsyncHTTPProvider] = AsyncWeb3(self._provider)

    async def request(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC call.

        Raises:
            RpcError: the node answered with an error.
            ChainError: ``rpc-unreachable``, ``rpc-timeout``, ``rpc-rate-limited``, ``rpc-refused``,
                ``rpc-invalid``.
        """
        await self._open()
        call = asyncio.ensure_future(self._provider.make_request(RPCEndpoint(method), list(params)))
        self._calls.add(call)
        call.add_done_callback(self._ended)
        try:
            # web3 guards its sessions by a lock that a thread takes for it: a call cancelled in
            # that moment leaves the lock taken for ever. So every call runs to its end.
            response = await asyncio.shield(call)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Not the caller was cancelled but the call alone: by close().
            raise ChainError(
                "rpc-closed",
                f"the connection to {self.url} was closed during {method}",
                hint="let calls end before the client is closed",
                method=method,
            ) from None
        except ClientResponseError as error:
            raise self._http_fault(method, error.status) from error
        except TimeoutError as error:
            raise ChainError(
                "rpc-timeout",
                f"the RPC endpoint {self.url} did not answer {method} in time",
                hint="try again, or use another RPC endpoint",
                method=method,
            ) from error
        except (ClientError, OSError) as error:
            raise ChainError(
                "rpc-unreachable",
                f"cannot reach the RPC endpoint {self.url}",
                hint="check that the node runs and that the network's rpc_url is right;"
                " `gateless devnet up` starts a local one",
                method=method,
                cause=str(error),
            ) from error
        except (Web3Exception, json.JSONDecodeError, UnicodeDecodeError) as error:
            raise self._invalid(method) from error
        if not isinstance(response, dict):
            raise self._invalid(method)
        fault = cast(Any, response.get("error"))
        if fault is not None:
            raise _rpc_error(method, fault)
        if "result" not in response:
            raise self._invalid(method)
        return response["result"]

    async def together(self, read: Callable[[Rpc], Awaitable[_T]]) -> _T:
        """Several reads that must see one chain: all of them from one endpoint.

        Args:
            read: reads from the endpoint that it is given. Where several endpoints are known it is
                called again with another one after a fault, so it must change nothing.
        """
        return await read(self)

    async def quantity(self, method: str, *params: Any) -> int:
        """A call whose result is a hex quantity."""
        result = await self.request(method, *params)
        try:
            return int(result, 16)
        except (TypeError, ValueError) as error:
            raise self._invalid(method) from error

    async def data(self, method: str, *params: Any) -> bytes:
        """A call whose result is hex data."""
        result = await self.request(method, *params)
        try:
            return bytes.fromhex(result.removeprefix("0x"))
        except (AttributeError, ValueError) as error:
            raise self._invalid(method) from error

    async def code(self, address: str, block: str = "latest") -> bytes:
        """Runtime code at an address; empty where there is none."""
        return await self.data("eth_getCode", address, block)

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
            await self._provider.disconnect()
            if self._session is not None:
                await self._session.close()
            self._session = None

    def _ended(self, call: asyncio.Future[Any]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            call.exception()  # seen, even where the caller has gone

    async def _open(self) -> None:
        """Hands web3 our own session: its own closes the connection after each request."""
        async with self._opening:
            if self._session is None:
                self._session = ClientSession(connector=TCPConnector(limit=_CONNECTIONS))
                await self._provider.cache_async_session(self._session)

    def _http_fault(self, method: str, status: int) -> ChainError:
        if status == 429:
            return ChainError(
                "rpc-rate-limited",
                f"the RPC endpoint {self.url} limits the rate of requests",
                hint="wait a little, or use another RPC endpoint",
                method=method,
                status=status,
            )
        if status >= 500:
            return ChainError(
                "rpc-unreachable",
                f"the RPC endpoint {self.url} fails with HTTP {status}",
                hint="try again later, or use another RPC endpoint",
                method=method,
                status=status,
            )
        return ChainError(
            "rpc-refused",
            f"the RPC endpoint {self.url} refused {method} with HTTP {status}",
            hint="check the network's rpc_url and that it needs no other credentials",
            method=method,
            status=status,
        )

    def _invalid(self, method: str) -> ChainError:
        return ChainError(
            "rpc-invalid",
            f"what {self.url} answered to {method} is no JSON-RPC",
            hint="check that the network's rpc_url is an Ethereum JSON-RPC endpoint",
            method=method,
        )


def _rpc_error(method: str, fault: Any) -> RpcError:
    if not isinstance(fault, dict):
        return RpcError(method, 0, str(fault), None)
    code = fault.get("code")
    return RpcError(
        method,
        code if isinstance(code, int) else 0,
        str(fault.get("message", "")),
        fault.get("data"),
    )


def revert_data(error: RpcError) -> bytes | None:
    """Revert data in a node's error, in whichever of the usual places it is; None for no revert.

    geth and anvil put hex into ``data``; others nest it, or prefix it with ``Reverted``.
    """
    candidate: Any = error.data
    while isinstance(candidate, dict):
        candidate = candidate.get("data", candidate.get("result"))
    if isinstance(candidate, str):
        text = candidate.removeprefix("Reverted ").removeprefix("0x")
        try:
            return bytes.fromhex(text)
        except ValueError:
            pass
    if error.rpc_code == 3 or "revert" in error.rpc_message.lower():
        return b""
    return None
