"""Which transaction used a nonce, or waits with it: found in the chain and in pools, not guessed.

A count is a claim, which costs an endpoint nothing. A transaction that was mined is in a block, and
one that waits can be shown.
"""

from __future__ import annotations

import asyncio
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


@dataclass(frozen=True, slots=True)
class _Testimony:
    """What one endpoint says about a nonce.

    Attributes:
        use: what took it, if it can show that.
        is_refuted: whether it counts the nonce as used by a block that does not hold its use.
    """

    use: NonceUse | None = None
    is_refuted: bool = False


async def find_nonce_use(rpc: Rpc, address: str, nonce: int) -> NonceUse | None:
    """The transaction that used a nonce of an account.

    Each endpoint is asked by itself for the account's count at single blocks, back to before the
    nonce was used. Nodes that keep few states answer for the last 128 blocks.

    Returns:
        None where no block shows it (yet): nobody can tell.

    Raises:
        ChainError: no endpoint answered.
    """
    found = [said.use for said in await _hear(rpc, address, nonce) if said.use is not None]
    return next((use for use in found if use.tx_hash), found[0] if found else None)


async def is_refuted(rpc: Rpc, address: str, nonce: int) -> bool:
    """Whether a nonce was certainly not used, although an endpoint counts it as used.

    Who counts it as used is asked for the block in which it was, and that block is looked at.
    False also where nobody can tell.

    Raises:
        ChainError: no endpoint answered.
    """
    heard = await _hear(rpc, address, nonce)
    return any(said.is_refuted for said in heard) and all(said.use is None for said in heard)


async def waiting_nonces(rpc: Rpc, address: str) -> frozenset[int]:
    """The nonces of those transactions of an account that any endpoint shows to be waiting.

    Raises:
        ChainError: no endpoint answered.
    """
    shown = await rpc.everywhere(lambda one: _shown_by(one, address))
    return frozenset().union(*shown)


async def is_known(rpc: Rpc, tx_hash: str) -> bool:
    """Whether any endpoint has a transaction, mined or waiting.

    Raises:
        ChainError: no endpoint answered.
    """

    async def has(one: Rpc) -> bool:
        # Some show what they have mined by its receipt alone.
        waiting, receipt = await asyncio.gather(
            one.request("eth_getTransactionByHash", tx_hash),
            one.request("eth_getTransactionReceipt", tx_hash),
        )
        return waiting is not None or receipt is not None

    return any(await rpc.everywhere(has))


async def _hear(rpc: Rpc, address: str, nonce: int) -> list[_Testimony]:
    return await rpc.everywhere(lambda one: _testimony(one, address, nonce))


async def _testimony(rpc: Rpc, address: str, nonce: int) -> _Testimony:
    head = await rpc.quantity("eth_blockNumber")
    used, step = head, 1
    if not await _is_used(rpc, address, nonce, head):
        return _Testimony()
    while True:
        unused = max(head - step, -1)
        try:
            if unused < 0 or not await _is_used(rpc, address, nonce, unused):
                break
        except RpcError:
            settled = head - used >= _SETTLED_BLOCKS
            return _Testimony(NonceUse("", "nobody remembers by what") if settled else None)
        used, step = unused, step * 2
    while used - unused > 1:
        middle = (used + unused) // 2
        if await _is_used(rpc, address, nonce, middle):
            used = middle
        else:
            unused = middle
    block = await rpc.request("eth_getBlockByNumber", hex(used), True)
    if not block:
        return _Testimony()
    for tx in block["transactions"]:
        if tx["from"].lower() == address.lower() and int(tx["nonce"], 16) == nonce:
            return _Testimony(NonceUse(str(tx["hash"]), _describe(tx, used)))
    return _Testimony(is_refuted=True)


async def _is_used(rpc: Rpc, address: str, nonce: int, block: int) -> bool:
    return await rpc.quantity("eth_getTransactionCount", address, hex(block)) > nonce


async def _shown_by(rpc: Rpc, address: str) -> frozenset[int]:
    """By the node's pool where it shows that, else by the block that it would make now."""
    try:
        pool = await rpc.request("txpool_contentFrom", address)
        return frozenset(int(nonce) for part in pool.values() for nonce in part)
    except (RpcError, AttributeError, TypeError, ValueError):
        pass  # few providers show their pool
    try:
        block = await rpc.request("eth_getBlockByNumber", "pending", True)
    except RpcError:
        return frozenset()
    return frozenset(
        int(tx["nonce"], 16)
        for tx in (block or {}).get("transactions", ())
        if isinstance(tx, Mapping) and str(tx["from"]).lower() == address.lower()
    )


def _describe(tx: Mapping[str, Any], block: int) -> str:
    data = str(tx.get("input", "0x"))
    if data == "0x" and str(tx["to"]).lower() == str(tx["from"]).lower():
        what = "an empty transfer to itself"
    else:
        what = f"a call of {tx['to']} ({data[:_SELECTOR]})"
    return f"{tx['hash']} in block {block}, {what}"
