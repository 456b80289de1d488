"""Where one transaction's attempts go: to everybody, or first to the relay alone."""

from __future__ import annotations

import structlog

from gateless.adapters.chain.lane import Lane, Trouble
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.refusals import Refusal, classify_refusal
from gateless.adapters.chain.relay import Relay, RelayFallback
from gateless.adapters.chain.rpc import RpcError
from gateless.core.errors import ChainError

log = structlog.get_logger(__name__)


class Channel:
    """Hands attempts over. Its patience with the relay counts from the first one.

    Args:
        lane: the account's way to the chain.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._first_block: int | None = None
        self._is_public = lane.relay is None

    async def send(self, attempt: PreparedTx) -> Trouble | None:
        """Hands an attempt over.

        Returns:
            Why the relay may not get it mined; None where nothing speaks against it.

        Raises:
            RpcError: the public node refused it.
            ChainError: nobody knows whether the public node has it.
        """
        relay = self._lane.relay
        if relay is None or not attempt.private or self._is_public:
            await self._lane.show(attempt)
            return None
        head = await self._lane.client.rpc.quantity("eth_blockNumber")
        if self._first_block is None:
            self._first_block = head
        waited = head - self._first_block
        if waited >= relay.policy.patience_blocks:
            if relay.policy.fallback is RelayFallback.PUBLIC:
                log.warning("relay-gave-up", kind=attempt.label, tx_hash=attempt.tx_hash)
                self._is_public = True
                await self._lane.show(attempt)
                return None
            slow = Trouble(
                "relay-slow",
                f"{attempt.label} is not mined after {waited} blocks at the relay",
                "it goes on waiting; see whether the relay works, or allow the public fallback",
            )
            return await self._confide(relay, attempt, head) or slow
        return await self._confide(relay, attempt, head)

    async def _confide(self, relay: Relay, attempt: PreparedTx, head: int) -> Trouble | None:
        """To the relay alone. It may be out of reach, or refuse: blocks count all the same."""
        try:
            await relay.send(attempt.raw, head)
        except ChainError as error:
            if isinstance(error, RpcError) and _is_taken(error):
                return None
            return Trouble(
                "relay-refused",
                f"the relay did not take {attempt.label}: {error.message}",
                "see whether the relay works; the fallback takes effect after its patience",
            )
        return None


def _is_taken(error: RpcError) -> bool:
    return classify_refusal(error.rpc_message) in {Refusal.ALREADY_KNOWN, Refusal.NONCE_USED}
