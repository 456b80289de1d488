"""Warns where a development chain mines too seldom for what is asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateless.cli.context import Cli

if TYPE_CHECKING:
    from gateless.sdk.client import AsyncGateless


async def warn_of_idle_chain(cli: Cli, gateless: AsyncGateless) -> None:
    """Quorums are drawn by a later block: on a chain that mines by transaction none may come."""
    from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

    from gateless.adapters.chain.rpc import RpcError

    if gateless.chain.chain_id != DEVELOPMENT_CHAIN_ID:
        return
    try:
        by_transaction = await gateless.chain.rpc.request("anvil_getAutomine")
    except RpcError:  # another node than anvil
        return
    if by_transaction is True:
        cli.output.warn(
            "this chain makes blocks for transactions only, so members may not be counted or drawn"
            " until somebody sends something; start it by: gateless devnet up --block-time 2"
        )
