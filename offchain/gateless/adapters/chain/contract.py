"""A contract at an address: calls by name, results decoded, reverts as errors."""

from __future__ import annotations

from typing import Any

from gateless.adapters.chain.calls import TOKEN, abi_of
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.errors import from_rpc_error
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError
from gateless.core.types import ZERO_ADDRESS

LATEST = "latest"
#: The block that would be mined now: its number and time are those a transaction sent now will see.
PENDING = "pending"


class BoundContract:
    """Base of the typed readers.

    Args:
        rpc: the node.
        deployment: where the contracts are.
        name: contract name in the deployment, or :data:`~gateless.adapters.chain.calls.TOKEN`.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment, name: str) -> None:
        self._rpc = rpc
        self._token = deployment.token
        self._abi = abi_of(name)
        self.name = name
        self.address = deployment.token.address if name == TOKEN else deployment.address(name)

    async def call(
        self, function: str, *values: Any, block: str = LATEST, gas: int | None = None
    ) -> Any:
        """Result of a view function; structs as mappings by field name.

        Args:
            function: its name.
            *values: its arguments.
            block: as of which block.
            gas: most gas that it may take; None leaves that to the node, which often allows more
                than any transaction could have.

        Raises:
            GatelessError: the decoded revert, or a :class:`ChainError` of the transport.
        """
        item = self._abi.function(function, len(values))
        transaction = {"to": self.address, "data": "0x" + item.encode_call(*values).hex()}
        if gas is not None:
            transaction["gas"] = hex(gas)
        try:
            result = await self._rpc.data("eth_call", transaction, block)
        except RpcError as error:
            raise from_rpc_error(error, self._token) from error
        if not result and item.outputs:
            raise no_contract(self.name, self.address)
        return item.decode_result(result)


def no_contract(name: str, address: str) -> ChainError:
    """There is no code where a contract should be."""
    return ChainError(
        "no-contract",
        f"there is no contract {name} at {address}",
        hint="the chain was reset or the deployments file is of another chain;"
        " start the devnet again, or get the network's file anew",
        contract=name,
        address=address,
    )


def optional(address: str) -> str | None:
    """An address as contracts store it; the zero address means none."""
    return None if address == ZERO_ADDRESS else address
