"""A chain without contracts: blocks, balances and nonces. What a sender needs, and a deployment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateless.adapters.chain.account_turns import AccountTurns
from gateless.adapters.chain.deployment import TokenInfo
from gateless.adapters.chain.headers import read_header
from gateless.adapters.chain.nonces import NonceBook
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError, ConfigError
from gateless.core.types import Block, Event


class ChainConnection:
    """One chain through one node.

    Attributes:
        rpc: the node, for calls that have no typed form here.
        chain_id: EIP-155 chain id, which signatures carry.
        token_info: how amounts in errors are written; None where no token is known yet.
        turns_folder: holds the locks of accounts from which other processes send as well; None
            where none does.
    """

    def __init__(self, rpc: Rpc, chain_id: int, token: TokenInfo | None = None) -> None:
        self.rpc = rpc
        self.chain_id = chain_id
        self.token_info = token
        self.turns_folder: Path | None = None
        self._nonces: dict[str, NonceBook] = {}

    async def block(self, tag: int | str = "latest") -> Block:
        """A block's header: a number, ``latest``, ``safe``, ``finalized`` or ``pending``.

        Raises:
            ChainError: ``unknown-block``.
        """
        return (await self.rpc.together(lambda one: read_header(one, tag))).block

    async def native_balance(self, address: str) -> int:
        """Balance of the chain's own currency, in wei: what gas is paid from."""
        return await self.rpc.quantity("eth_getBalance", address, "latest")

    def resolve(self, contract: str) -> str:
        """Address of a call's target. Without a deployment only addresses have one.

        Raises:
            ConfigError: ``unknown-contract``.
        """
        if not contract.startswith("0x"):
            raise ConfigError("unknown-contract", f"no deployment says where {contract} is")
        return contract

    def decode_logs(self, logs: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
        """Events of known contracts among raw logs; without a deployment there are none."""
        return ()

    def nonces(self, address: str) -> NonceBook:
        """The nonce book of an account: one, however many senders share the connection."""
        found = self._nonces.get(address)
        if found is None:
            turns = None
            if self.turns_folder is not None:
                name = f"{self.chain_id}-{address.lower()}.lock"
                turns = AccountTurns(self.turns_folder / name)
            found = self._nonces[address] = NonceBook(self.rpc, address, turns)
        return found

    async def close(self) -> None:
        """Closes the connection."""
        await self.rpc.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()


async def require_chain_id(rpc: Rpc, expected: int, network: str) -> None:
    """Refuses a node of another chain.

    Raises:
        ChainError: ``wrong-chain-id``, and those of the transport.
    """
    found = await rpc.quantity("eth_chainId")
    if found != expected:
        raise ChainError(
            "wrong-chain-id",
            f"{rpc.name} is chain {found}, network {network!r} is on chain {expected}",
            hint="check the rpc_url, or choose another network with --network",
            expected=expected,
            found=found,
        )
