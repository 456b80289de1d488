"""Which transaction used a nonce: found in the chain, not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateless.adapters.chain.rpc import Rpc, RpcError

#: Where a nonce was used so many blocks ago, it was, even if no node can say by what.
_SETTLED_BLOCKS = 32
_SELECTOR = 10


@dataclass(frozen=True, slots=True)
class NonceUse:
    """What took a nonce. ``tx_hash`` is empty where nodes forgot what it was."""

    tx_hash: str
    text: str


async def find_nonce_use(rpc: Rpc, address: str, nonce: int) -> NonceUse | None:
    """The transaction that used a nonce of an account.

    Asks for the account's count at single blocks, back to before the nonce was used. Nodes that
    keep few states answer for the last 128 blocks.

    Returns:
        None where no block shows it (yet): nobody can tell.
    """
    head = await rpc.quantity("eth_blockNumber")
    used, step = head, 1
    if not await _is_used(rpc, address, nonce, head):
        return None
    while True:
        unused = max(head - step, -1)
        try:
            if unused < 0 or not await _is_used(rpc, address, nonce, unused):
                break
        except RpcError:
            if head - used >= _SETTLED_BLOCKS:
                return NonceUse("", "nobody remembers by what")
            return None
        used, step = unused, step * 2
    while used - unused > 1:
        middle = (used + unused) // 2
        if await _is_used(rpc, address, nonce, middle):
            used = middle
        else:
            unused = middle
    block = await rpc.request("eth_getBlockByNumber", hex(used), True)
    for tx in block["transactions"] if block else ():
        if tx["from"].lower() == address.lower() and int(tx["nonce"], 16) == nonce:
            return NonceUse(str(tx["hash"]), _describe(tx, used))
    return None


async def _is_used(rpc: Rpc, address: str, nonce: int, block: int) -> bool:
    return await rpc.quantity("eth_getTransactionCount", address, hex(block)) > nonce


def _describe(tx: Mapping[str, Any], block: int) -> str:
    data = str(tx.get("input", "0x"))
    if data == "0x" and str(tx["to"]).lower() == str(tx["from"]).lower():
        what = "an empty transfer to itself"
    else:
        what = f"a call of {tx['to']} ({data[:_SELECTOR]})"
    return f"{tx['hash']} in block {block}, {what}"
