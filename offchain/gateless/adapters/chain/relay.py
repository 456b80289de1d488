"""Private relays: block builders that take a transaction without showing it to the mempool.

Whoever sees a proof or an output in the mempool can copy it. Contracts make most copies worthless;
a relay keeps them from being made. Two methods are spoken by relays and providers:

- ``eth_sendRawTransaction`` at a private endpoint, as Flashbots Protect takes it
  (https://docs.flashbots.net/flashbots-protect/overview),
- ``eth_sendPrivateTransaction`` with ``tx`` and ``maxBlockNumber``
  (https://docs.flashbots.net/flashbots-protect/additional-documentation/eth-sendPrivateTransaction).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.chain.rpc import Rpc


class RelayMethod(StrEnum):
    """How a relay is spoken to."""

    RAW = "eth_sendRawTransaction"
    PRIVATE = "eth_sendPrivateTransaction"


class RelayFallback(StrEnum):
    """What follows when a relay does not get a transaction mined."""

    PUBLIC = "public"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class RelayPolicy:
    """Where private transactions go.

    Attributes:
        url: JSON-RPC endpoint of the relay.
        method: what it is asked.
        patience_blocks: blocks after which the fallback takes effect; Flashbots gives up after 25.
        fallback: to show the transaction to everybody, or to go on with the relay alone.
    """

    url: str
    method: RelayMethod = RelayMethod.RAW
    patience_blocks: int = 25
    fallback: RelayFallback = RelayFallback.PUBLIC


class Relay:
    """A connection to a relay.

    Args:
        rpc: its endpoint.
        policy: how to use it.
    """

    def __init__(self, rpc: Rpc, policy: RelayPolicy) -> None:
        self._rpc = rpc
        self.policy = policy

    async def send(self, raw: bytes, head: int) -> None:
        """Hands a transaction over.

        Args:
            raw: signed bytes.
            head: number of the latest block.

        Raises:
            RpcError: the relay refused it.
            ChainError: those of the transport.
        """
        tx = "0x" + raw.hex()
        if self.policy.method is RelayMethod.RAW:
            await self._rpc.request(self.policy.method, tx)
            return
        last = hex(head + self.policy.patience_blocks)
        await self._rpc.request(self.policy.method, {"tx": tx, "maxBlockNumber": last})


@asynccontextmanager
async def open_relay(policy: RelayPolicy | None) -> AsyncIterator[Relay | None]:
    """The relay of a policy; None where there is none."""
    if policy is None:
        yield None
        return
    rpc = HttpRpc(policy.url)
    try:
        yield Relay(rpc, policy)
    finally:
        await rpc.close()
