"""The seam to a chain's nodes: one request, one result, and our errors for what goes wrong.

:class:`~gateless.adapters.chain.http_rpc.HttpRpc` is one endpoint,
:class:`~gateless.adapters.chain.rpc_pool.RpcPool` several of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from gateless.adapters.chain.log_range import LogRange
from gateless.core.errors import ChainError
from gateless.core.urls import shown

DEFAULT_TIMEOUT_SECONDS = 20.0

_REPEATABLE = ("eth_", "net_", "web3_", "txpool_", "debug_")

_T = TypeVar("_T")


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


@dataclass(frozen=True, slots=True)
class EndpointHealth:
    """What is known of an endpoint, as plain data for metrics and status.

    Attributes:
        name: scheme, host and port; the rest of a URL may be a credential.
        state: ``ok``, ``behind``, ``resting`` after a fault, or ``wrong-chain``.
        head: the latest block seen; None before the first look.
        lag: blocks behind the best endpoint at the last comparison.
        faults: consecutive ones.
        requests: how often it was asked.
        latency_seconds: moving average over its answers.
        resting_seconds: until it is asked again.
        last_error: code of the last fault; empty without one.
        last_message: its text.
    """

    name: str
    state: str
    head: int | None
    lag: int
    faults: int
    requests: int
    latency_seconds: float | None
    resting_seconds: float
    last_error: str
    last_message: str


class Rpc(ABC):
    """A connection to a chain.

    Attributes:
        url: of the endpoint, or of the first of several. May hold a credential: show ``name``.
        log_range: how many blocks' logs are asked for at a time.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.log_range = LogRange()

    @property
    def name(self) -> str:
        """The endpoint, fit to be shown: providers put their keys into paths and queries."""
        return shown(self.url)

    @property
    def health(self) -> tuple[EndpointHealth, ...]:
        """Of each endpoint, where that is followed."""
        return ()

    @abstractmethod
    async def request(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC call.

        Raises:
            RpcError: the node answered with an error.
            ChainError: ``rpc-unreachable``, ``rpc-timeout``, ``rpc-rate-limited``, ``rpc-refused``,
                ``rpc-invalid``.
        """

    @abstractmethod
    async def close(self) -> None:
        """Lets the calls that are still running end, and closes the connections."""

    async def together(self, read: Callable[[Rpc], Awaitable[_T]]) -> _T:
        """Several reads that must see one chain: all of them from one endpoint.

        Args:
            read: reads from the endpoint that it is given. Where several endpoints are known it is
                called again with another one after a fault, so it must change nothing.
        """
        return await read(self)

    async def everywhere(self, read: Callable[[Rpc], Awaitable[_T]]) -> list[_T]:
        """What each endpoint says that answers in time; the most trusted one first.

        Args:
            read: reads from the endpoint that it is given; must change nothing.

        Raises:
            ChainError: none answered.
        """
        return [await read(self)]

    def distrust(self, error: ChainError) -> bool:
        """Leaves the endpoint alone for a while that is asked first: what it said is not true.

        Args:
            error: what it said.

        Returns:
            whether there is another one, which is asked meanwhile.
        """
        return False

    async def quantity(self, method: str, *params: Any) -> int:
        """A call whose result is a hex quantity."""
        result = await self.request(method, *params)
        try:
            return int(result, 16)
        except (TypeError, ValueError) as error:
            raise invalid(self, method) from error

    async def data(self, method: str, *params: Any) -> bytes:
        """A call whose result is hex data."""
        result = await self.request(method, *params)
        try:
            return bytes.fromhex(result.removeprefix("0x"))
        except (AttributeError, ValueError) as error:
            raise invalid(self, method) from error

    async def code(self, address: str, block: str = "latest") -> bytes:
        """Runtime code at an address; empty where there is none."""
        return await self.data("eth_getCode", address, block)


def is_repeatable(method: str) -> bool:
    """Whether a call may be sent again, or to another node: it changes nothing, or once at most."""
    return method.startswith(_REPEATABLE) and method != "eth_sendTransaction"


def invalid(rpc: Rpc, method: str) -> ChainError:
    """An answer that is none."""
    return ChainError(
        "rpc-invalid",
        f"what {rpc.name} answered to {method} is no JSON-RPC",
        hint="check that the network's RPC URL is an Ethereum JSON-RPC endpoint",
        method=method,
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
