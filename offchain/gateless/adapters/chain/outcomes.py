"""What became of a mined transaction, and why it reverted if it did."""

from __future__ import annotations

from typing import Any

from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.errors import from_rpc_error
from gateless.adapters.chain.prepared import PreparedTx, decode_transaction
from gateless.adapters.chain.rpc import RpcError
from gateless.core.errors import ChainError, ContractError
from gateless.core.types import Receipt


async def require_success(
    client: ChainConnection, attempt: PreparedTx, receipt: Receipt
) -> Receipt:
    """The receipt, if the transaction did what it was for.

    Raises:
        ContractError: ``transaction-reverted``, with the decoded reason.
        ChainError: ``transaction-cancelled``: an empty transfer was mined in its place.
    """
    if attempt.cancels:
        raise ChainError(
            "transaction-cancelled",
            f"{attempt.label or 'the transaction'} was not wanted any more: an empty transfer"
            " took its nonce",
            hint="nothing is lost but the gas of a transfer",
            tx_hash=receipt.tx_hash,
            block_number=receipt.block_number,
            gas_used=receipt.gas_used,
        )
    if receipt.status == 1:
        return receipt
    raise await _why_reverted(client, attempt, receipt)


async def _why_reverted(
    client: ChainConnection, attempt: PreparedTx, receipt: Receipt
) -> ContractError:
    """The reason of a mined revert: the call again, on the state before its block."""
    facts: dict[str, Any] = {
        "tx_hash": receipt.tx_hash,
        "block_number": receipt.block_number,
        "gas_used": receipt.gas_used,
    }
    sent = decode_transaction(attempt.raw)
    request = {
        "from": sent.sender,
        "to": sent.to,
        "data": "0x" + sent.data.hex(),
        "value": hex(sent.value),
        "gas": hex(sent.gas),
    }
    try:
        await client.rpc.data("eth_call", request, hex(receipt.block_number - 1))
    except RpcError as error:
        decoded = from_rpc_error(error, client.token_info)
        return ContractError(
            "transaction-reverted",
            f"{attempt.label or 'the transaction'} was mined and reverted: {decoded.message}",
            hint=decoded.hint,
            reason=decoded.code,
            **{**decoded.context, **facts},
        )
    return ContractError(
        "transaction-reverted",
        f"{attempt.label or 'the transaction'} was mined and reverted; others changed the"
        " state before it",
        hint="look at the state again and decide anew",
        **facts,
    )
