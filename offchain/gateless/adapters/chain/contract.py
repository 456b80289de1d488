"""A contract at an address: calls by name, results decoded, reverts as errors."""

from __future__ import annotations

import copy
from typing import Any, Self

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

    def at(self, rpc: Rpc) -> Self:
        """The same, through another connection: for reads that belong together."""
        other = copy.copy(self)
        other._rpc = rpc
        return other

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
            GatelessError: the decoded revert, or a :class:`ChainError` of the transport;
                ``rpc-invalid`` too where a node answers with nothing, or with what does not fit.
        """
        item = self._abi.function(function, len(values))
        transaction = {"to": self.address, "data": "0x" + item.encode_call(*values).hex()}
        if gas is not None:
            transaction["gas"] = hex(gas)

        async def asked(one: Rpc) -> Any:
            result = await one.data("eth_call", transaction, block)
            if not result and item.outputs:
                raise self._no_result(one, function, "with nothing")
            try:
                return item.decode_result(result)
            except ChainError as error:
                raise self._no_result(one, function, "with bytes that do not fit") from error

        try:
            return await self._rpc.together(asked)
        except RpcError as error:
            raise from_rpc_error(error, self._token) from error

    def _no_result(self, rpc: Rpc, function: str, what: str) -> ChainError:
        """There was a contract when the connection was made: so it is the node that lacks it now.

        A pruned node answers so for old blocks, one that catches up for all.
        """
        return ChainError(
            "rpc-invalid",
            f"{rpc.name} answered a call of {self.name}.{function} {what}",
            hint="the node may not have caught up, or lack old states; if it stays so, the chain"
            " was reset or the deployments file is of another release",
            contract=self.name,
            address=self.address,
        )


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
