"""What only a development chain can do: make money, mine blocks, move the clock."""

from __future__ import annotations

from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ConfigError


class AnvilControl:
    """Anvil's own methods. Made by :meth:`of`, which refuses every other node."""

    def __init__(self, rpc: Rpc) -> None:
        self._rpc = rpc

    @classmethod
    async def of(cls, rpc: Rpc) -> AnvilControl:
        """Control of a development chain.

        Raises:
            ConfigError: ``not-a-devnet`` on any other chain, and on any other node.
        """
        chain_id = await rpc.quantity("eth_chainId")
        try:
            version = str(await rpc.request("web3_clientVersion"))
        except RpcError:
            version = "an unknown node"
        if chain_id != DEVELOPMENT_CHAIN_ID or not version.startswith("anvil/"):
            raise ConfigError(
                "not-a-devnet",
                f"{rpc.name} is chain {chain_id} by {version}: nothing can be funded or moved"
                " there",
                hint="test money exists on the development chain alone: gateless devnet up",
                chain_id=chain_id,
            )
        return cls(rpc)

    async def set_native_balance(self, address: str, wei: int) -> None:
        """Gives an account that much of the chain's currency."""
        await self._rpc.request("anvil_setBalance", address, hex(wei))

    async def mine(self, blocks: int = 1) -> None:
        """Mines empty blocks."""
        await self._rpc.request("anvil_mine", hex(blocks))

    async def advance(self, seconds: int) -> None:
        """Moves the chain's clock forward and mines a block at the new time."""
        await self.skip(seconds)
        await self.mine()

    async def skip(self, seconds: int) -> None:
        """Moves the chain's clock forward; the next block shows it."""
        await self._rpc.request("evm_increaseTime", hex(seconds))

    async def set_automine(self, enabled: bool) -> None:
        """Whether each transaction is mined at once."""
        await self._rpc.request("evm_setAutomine", enabled)

    async def drop_pending(self) -> None:
        """Forgets all transactions that are not mined yet."""
        await self._rpc.request("anvil_dropAllTransactions")

    async def snapshot(self) -> str:
        """Remembers the state; for :meth:`revert`."""
        return str(await self._rpc.request("evm_snapshot"))

    async def revert(self, snapshot: str) -> None:
        """Goes back to a remembered state, once."""
        await self._rpc.request("evm_revert", snapshot)
