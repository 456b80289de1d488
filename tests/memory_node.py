"""A node in memory behind the Rpc seam: one account, a mempool, blocks, and faults on demand.

Deterministic: time passes only while somebody sleeps on its clock, and blocks come with time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from eth_utils.crypto import keccak
from gateless.adapters.chain.prepared import DecodedTx, decode_transaction
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import ChainError

BLOCK_SECONDS = 2.0
GWEI = 10**9


class Fault(Enum):
    """What goes wrong with one request."""

    NONE = "none"
    #: The connection breaks before the node has read it,
    LOST = "lost"
    #: or after the node has acted on it.
    LOST_AFTER = "lost after"
    #: The node refuses what it would take, or says that it refused what it took.
    REFUSED = "refused"
    REFUSED_AFTER = "refused after"
    #: It takes a transaction and forgets it.
    FORGOTTEN = "forgotten"
    #: It counts one transaction too few or too many.
    FEWER = "fewer"
    MORE = "more"


@dataclass
class MinedTx:
    raw: bytes
    tx: DecodedTx
    tx_hash: str
    block: int
    price: int


@dataclass
class MemoryNode(Rpc):
    """One account's chain.

    Attributes:
        base_fees: of the blocks to come; the last one stays.
        faults: of the questions to come; afterwards there are none.
        send_faults: of the transactions to come.
        shown: called with each transaction that reaches it.
        before: called before each request: a process may die there.
        strangers: whether the blocks to come are made by somebody whose node never forgot, and
            never heard of replacements.
        lag: blocks after which a receipt is shown.
    """

    url = "memory"
    base_fees: list[int] = field(default_factory=lambda: [GWEI])
    faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    send_faults: Iterator[Fault] = field(default_factory=lambda: iter(()))
    before: Callable[[str], None] = lambda _method: None
    shown: Callable[[str, DecodedTx], None] = lambda _hash, _tx: None
    strangers: Iterator[bool] = field(default_factory=lambda: iter(()))
    lag: int = 0
    balance: int = 10**20
    head: int = 10
    pool: dict[int, tuple[bytes, DecodedTx]] = field(default_factory=dict)
    elsewhere: dict[int, list[tuple[bytes, DecodedTx]]] = field(default_factory=dict)
    mined: list[MinedTx] = field(default_factory=list)
    seen: list[DecodedTx] = field(default_factory=list)

    async def request(self, method: str, *params: Any) -> Any:
        self.before(method)
        await asyncio.sleep(0)
        is_sent = method == "eth_sendRawTransaction"
        fault = next(self.send_faults if is_sent else self.faults, Fault.NONE)
        if fault is Fault.LOST:
            raise ChainError("rpc-timeout", "the node did not answer")
        if is_sent:
            return self._send(bytes.fromhex(params[0][2:]), fault)
        answer = self._answer(method, params, fault)
        if fault is Fault.LOST_AFTER:
            raise ChainError("rpc-unreachable", "the connection broke")
        return answer

    async def close(self) -> None:
        """There is nothing to close."""

    def mine(self) -> None:
        """The next block, of all that can be mined in it."""
        base_fee = self.base_fee
        self.head += 1
        if len(self.base_fees) > 1:
            self.base_fees.pop(0)
        is_strange = next(self.strangers, False)
        while (entry := self._next(is_strange, base_fee)) is not None:
            raw, tx = entry
            self.pool.pop(tx.nonce, None)
            price = tx.fees.price_at(base_fee)
            self.mined.append(MinedTx(raw, tx, _hash(raw), self.head, price))

    def _next(self, is_strange: bool, base_fee: int) -> tuple[bytes, DecodedTx] | None:
        """What can be mined next; strangers prefer what came first."""
        known = self.elsewhere.get(self.count, []) if is_strange else []
        own = self.pool.get(self.count)
        found = [*known, *([] if own is None else [own])]
        return next((entry for entry in found if entry[1].fees.per_gas >= base_fee), None)

    def restart(self) -> None:
        """Nodes keep no mempool."""
        self.pool.clear()

    @property
    def base_fee(self) -> int:
        """Of the block to come."""
        return self.base_fees[0]

    @property
    def count(self) -> int:
        """Mined transactions of the account."""
        return len(self.mined)

    # --- methods ---

    def _send(self, raw: bytes, fault: Fault) -> str:
        tx = decode_transaction(raw)
        self.seen.append(tx)
        self.shown(_hash(raw), tx)
        if fault is Fault.REFUSED:
            raise RpcError("eth_sendRawTransaction", -32000, "transaction underpriced", None)
        if any(entry.tx_hash == _hash(raw) for entry in self.mined):
            raise RpcError("eth_sendRawTransaction", -32000, "already known", None)
        if tx.nonce < self.count:
            raise RpcError("eth_sendRawTransaction", -32000, "nonce too low", None)
        held = self.pool.get(tx.nonce)
        if held is not None and held[0] == raw:
            raise RpcError("eth_sendRawTransaction", -32000, "already known", None)
        if held is not None and not _outbids(tx, held[1]):
            text = "replacement transaction underpriced"
            raise RpcError("eth_sendRawTransaction", -32000, text, None)
        self.elsewhere.setdefault(tx.nonce, []).append((raw, tx))
        if fault is not Fault.FORGOTTEN:
            self.pool[tx.nonce] = (raw, tx)
        if fault is Fault.LOST_AFTER:
            raise ChainError("rpc-timeout", "the node did not answer")
        if fault is Fault.REFUSED_AFTER:
            raise RpcError("eth_sendRawTransaction", -32000, "internal error", None)
        return _hash(raw)

    def _answer(self, method: str, params: tuple[Any, ...], fault: Fault) -> Any:
        match method:
            case "eth_blockNumber":
                return hex(self.head)
            case "eth_getTransactionCount":
                lie = {Fault.FEWER: -1, Fault.MORE: 1}.get(fault, 0)
                return hex(max(0, self._count_at(params[1]) + lie))
            case "eth_getBlockByNumber":
                return self._block(params[0])
            case "txpool_contentFrom":
                return {"pending": {str(nonce): {} for nonce in self.pool}, "queued": {}}
            case "eth_maxPriorityFeePerGas":
                return hex(GWEI)
            case "eth_estimateGas":
                return hex(21_000)
            case "eth_call":
                return "0x"
            case "eth_getBalance":
                return hex(self.balance)
            case "eth_getTransactionReceipt":
                return self._receipt(params[0])
            case "eth_getTransactionByHash":
                waiting = any(_hash(raw) == params[0] for raw, _ in self.pool.values())
                return {} if waiting or self._mined(params[0]) is not None else None
            case _:
                raise AssertionError(f"nobody should ask {method}")

    def _count_at(self, block: str) -> int:
        if block == "pending":
            count = self.count
            while count in self.pool:
                count += 1
            return count
        if block == "latest":
            return self.count
        return sum(entry.block <= int(block, 16) for entry in self.mined)

    def _block(self, block: str) -> dict[str, Any]:
        number = self.head if block == "latest" else int(block, 16)
        return {
            "number": hex(number),
            "hash": self.hash_of(number),
            "parentHash": self.hash_of(number - 1),
            "timestamp": hex(int(number * BLOCK_SECONDS)),
            "gasLimit": hex(30_000_000),
            "baseFeePerGas": hex(self.base_fee),
            "transactions": [
                {
                    "hash": entry.tx_hash,
                    "from": entry.tx.sender,
                    "to": entry.tx.to,
                    "nonce": hex(entry.tx.nonce),
                    "input": "0x" + entry.tx.data.hex(),
                }
                for entry in self.mined
                if entry.block == number
            ],
        }

    def hash_of(self, block: int) -> str:
        """A block's hash."""
        return f"0x{block:064x}"

    def _receipt(self, tx_hash: str) -> dict[str, Any] | None:
        entry = self._mined(tx_hash)
        if entry is None or self.head < entry.block + self.lag:
            return None
        return {
            "transactionHash": tx_hash,
            "blockNumber": hex(entry.block),
            "gasUsed": hex(21_000),
            "status": "0x1",
            "effectiveGasPrice": hex(entry.price),
            "logs": [],
        }

    def _mined(self, tx_hash: str) -> MinedTx | None:
        return next((entry for entry in self.mined if entry.tx_hash == tx_hash), None)


class MemoryClock:
    """Time that passes only while somebody sleeps; blocks come with it."""

    def __init__(self, node: MemoryNode) -> None:
        self._node = node
        self._now = 1000.0

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        before = self._now
        self._now += seconds
        for _ in range(int(self._now // BLOCK_SECONDS) - int(before // BLOCK_SECONDS)):
            self._node.mine()
        await asyncio.sleep(0)


def _outbids(tx: DecodedTx, held: DecodedTx) -> bool:
    """geth's rule: both fields 10 % higher."""
    return (
        tx.fees.per_gas * 10 >= held.fees.per_gas * 11
        and (tx.fees.priority or 0) * 10 >= (held.fees.priority or 0) * 11
    )


def _hash(raw: bytes) -> str:
    return "0x" + keccak(raw).hex()
