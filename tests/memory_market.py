"""A market in memory behind the Rpc seam: requests are locked, fulfilled and paid by mined calls.

It stands for the chain in tests of the journal: what it does is what the contract would, as far as
one executor's journal can tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from eth_abi.abi import decode
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.core.errors import NotFoundError
from gateless.core.types import Block, Event, RequestInfo, RequestState, TrustMode
from memory_node import BLOCK_SECONDS, MemoryNode, MinedTx

MARKET = "0x" + "11" * 20
REQUESTER = "0x" + "22" * 20
RIVAL = "0x" + "33" * 20
PRICE = 1000
_REVERT = "0x"


def input_of(request_id: int) -> bytes:
    """The packed input of a request."""
    return request_id.to_bytes(4, "big")


def new_request(request_id: int, *, lock_duration: int, deadline: int) -> RequestInfo:
    digest = bytes(keccak(input_of(request_id)))
    return RequestInfo(
        request_id=request_id,
        requester=REQUESTER,
        version_id=1 << 32,
        state=RequestState.OPEN,
        mode=TrustMode.ZK,
        royalty_bps=0,
        input_digest=digest,
        input_binding=digest,
        price=PRICE + request_id,
        collateral=1,
        deadline=deadline,
        lock_deadline=0,
        lock_duration=lock_duration,
        callback_gas=0,
        lock_block=0,
        named_executor=None,
        executor=None,
        callback=None,
        output_digest=bytes(32),
        refundable=False,
        max_price=PRICE + request_id,
        min_price=PRICE + request_id,
    )


_FULFIL = calls.fulfill(1, 0, b"", b"", b"").data[:4]
_LOCK = calls.lock(new_request(1, lock_duration=1, deadline=1)).data[:4]
_LOCK_MANY = calls.lock_many([]).data[:4]
_WITHDRAW = calls.withdraw(1, RIVAL).data[:4]


class RevertedError(Exception):
    """The call reverts."""


@dataclass
class State:
    """What the market stores."""

    requests: dict[int, RequestInfo] = field(default_factory=dict)
    balance: int = 0
    withdrawn: int = 0

    def copy(self) -> State:
        return State(dict(self.requests), self.balance, self.withdrawn)

    def run(self, sender: str, data: bytes, block: int) -> list[tuple[str, dict[str, Any]]]:
        """Does what a call does; returns its events."""
        now, selector, first = timestamp(block), data[:4], int.from_bytes(data[4:36], "big")
        if not data:
            return []
        if selector == _WITHDRAW:
            if first > self.balance:
                raise RevertedError
            self.balance -= first
            self.withdrawn += first
            return []
        if selector == _LOCK_MANY:
            return self._lock_many(sender, data, block)
        if first not in self.requests:  # a fork undid it
            raise RevertedError
        request = self.requests[first]
        if selector == _LOCK:
            if request.state is not RequestState.OPEN or now > request.deadline:
                raise RevertedError
            until = now + request.lock_duration
            self.requests[first] = replace(
                request, state=RequestState.LOCKED, executor=sender, lock_deadline=until
            )
            return [("RequestLocked", {"requestId": first, "lockDeadline": until})]
        assert selector == _FULFIL
        is_mine = request.state is RequestState.LOCKED and request.executor == sender
        if not is_mine or now > request.lock_deadline:
            raise RevertedError
        self.requests[first] = replace(request, state=RequestState.PAID, paid_block=block)
        self.balance += request.price
        return [("RequestFulfilled", {"requestId": first, "fee": request.price})]

    def _lock_many(self, sender: str, data: bytes, block: int) -> list[tuple[str, dict[str, Any]]]:
        """Those that can be locked; reverts where there is none."""
        events: list[tuple[str, dict[str, Any]]] = []
        for index, entry in enumerate(_inner_calls(data)):
            try:
                events += self.run(sender, entry, block)
            except RevertedError:
                events.append(("LockSkipped", {"index": index, "reason": b""}))
        if not any(name == "RequestLocked" for name, _ in events):
            raise RevertedError
        return events


@dataclass
class MemoryMarket(MemoryNode):
    """The chain with a market.

    Attributes:
        state: after the latest block.
        created: block in which a request was made, by its number.
        receipts: status and events of mined transactions by hash.
        past: what was mined and stored after each block.
        branches: how often a block's number was taken anew.
    """

    created: dict[int, int] = field(default_factory=dict)
    state: State = field(default_factory=State)
    receipts: dict[str, tuple[bool, list[Event]]] = field(default_factory=dict)
    past: dict[int, tuple[int, dict[int, int], State]] = field(default_factory=dict)
    branches: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._remember()

    def mine(self) -> None:
        """The next block; the calls in it take effect."""
        known = len(self.mined)
        super().mine()
        for entry in self.mined[known:]:
            self.receipts[entry.tx_hash] = self._apply(self.state, entry)
        self._remember()

    def fork(self, depth: int, *, returning: bool) -> None:
        """Undoes the last blocks; as many others and one more come in their place.

        Args:
            depth: how many, as far as there are so many.
            returning: whether the node takes what was in them back into its mempool.
        """
        first = max(min(self.past) + 1, self.head - depth + 1)
        undone = range(first, self.head + 1)
        for number in undone:
            self.branches[number] = self.branches.get(number, 0) + 1
        self.head = first - 1
        count, created, state = self.past[self.head]
        for entry in self.mined[count:]:
            if returning:
                self.pool[entry.tx.nonce] = (entry.raw, entry.tx)
        self.mined, self.created, self.state = self.mined[:count], dict(created), state.copy()
        for _ in range(len(undone) + 1):
            self.mine()

    def hash_of(self, block: int) -> str:
        """A block's hash on the present branch."""
        return f"0x{self.branches.get(block, 0):032x}{block:032x}"

    def _remember(self) -> None:
        self.past[self.head] = (self.count, dict(self.created), self.state.copy())

    def ask(self, lock_duration: int, deadline: int) -> int:
        """Makes a request, in a block of its own; returns its number."""
        number = len(self.created) + 1
        self.mine()
        self.created[number] = self.head
        self.state.requests[number] = new_request(
            number, lock_duration=lock_duration, deadline=deadline
        )
        self._remember()
        return number

    def lock_by_rival(self, number: int) -> None:
        """Another executor locks a request, for good."""
        request = self.state.requests[number]
        if request.state is RequestState.OPEN:
            self.state.requests[number] = replace(
                request, state=RequestState.LOCKED, executor=RIVAL, lock_deadline=request.deadline
            )

    def mined_calls(self, selector: bytes, request_id: int) -> list[MinedTx]:
        """All mined transactions for one purpose, also those that reverted."""
        start = selector + request_id.to_bytes(32, "big")
        return [entry for entry in self.mined if entry.tx.data.startswith(start)]

    def locks(self, request_id: int) -> list[MinedTx]:
        """All mined transactions that lock a request, or try to."""
        start = _LOCK + request_id.to_bytes(32, "big")
        together = [
            entry
            for entry in self.mined
            if entry.tx.data[:4] == _LOCK_MANY
            and any(inner.startswith(start) for inner in _inner_calls(entry.tx.data))
        ]
        return self.mined_calls(_LOCK, request_id) + together

    def successful(self, entries: Iterable[MinedTx]) -> list[MinedTx]:
        """Those of some transactions that did not revert."""
        return [entry for entry in entries if self.receipts[entry.tx_hash][0]]

    def fulfilments(self, request_id: int) -> list[MinedTx]:
        return self.mined_calls(_FULFIL, request_id)

    def reverted(self) -> list[MinedTx]:
        return [entry for entry in self.mined if not self.receipts[entry.tx_hash][0]]

    def _apply(self, state: State, entry: MinedTx) -> tuple[bool, list[Event]]:
        try:
            events = state.run(entry.tx.sender, entry.tx.data, entry.block)
        except RevertedError:
            return False, []
        return True, [
            Event(
                name, args, entry.block, self.hash_of(entry.block), entry.tx_hash, number, "Market"
            )
            for number, (name, args) in enumerate(events)
        ]

    def _answer(self, method: str, params: tuple[Any, ...], fault: Any) -> Any:
        if method in ("eth_call", "eth_estimateGas"):
            self._simulate(params[0], params[1] if len(params) > 1 else "pending")
        return super()._answer(method, params, fault)

    def _simulate(self, request: dict[str, str], block: str) -> None:
        """Against what is mined and, for the block to come, what waits."""
        state = self.state.copy()
        if block == "pending":
            nonce = self.count
            while nonce in self.pool:
                _, tx = self.pool[nonce]
                with suppress(RevertedError):
                    state.run(tx.sender, tx.data, self.head + 1)
                nonce += 1
        try:
            state.run(request["from"], bytes.fromhex(request["data"][2:]), self.head + 1)
        except RevertedError:
            raise RpcError("eth_call", 3, "execution reverted", _REVERT) from None

    def _receipt(self, tx_hash: str) -> dict[str, Any] | None:
        raw = super()._receipt(tx_hash)
        if raw is None:
            return None
        succeeded, events = self.receipts[tx_hash]
        return raw | {"status": "0x1" if succeeded else "0x0", "logs": events}


def _inner_calls(data: bytes) -> tuple[bytes, ...]:
    """What several locks in one transaction are made of."""
    (inner,) = decode(["bytes[]"], data[4:])
    return tuple(inner)


def timestamp(block: int) -> int:
    """Second of a block."""
    return int(block * BLOCK_SECONDS)


class MemoryClient(ChainConnection):
    """What a journal's recovery asks the chain."""

    def __init__(self, node: MemoryMarket) -> None:
        super().__init__(node, 31337)
        self.node = node
        self.market = self
        self.staking = self
        # Nothing but the market: no other contract holds anything for anybody.
        self.deployment = SimpleNamespace(contracts={})
        self.token_info = None

    def at(self, _rpc: Rpc) -> MemoryClient:
        """There is one node."""
        return self

    async def credit_of(self, _account: str) -> int:
        return 0

    async def block(self, tag: int | str = "latest") -> Block:
        head = int(await self.rpc.request("eth_blockNumber"), 16)
        number = tag if isinstance(tag, int) else head + (tag == "pending")
        return Block(number, timestamp(number), self.node.hash_of(number))

    async def request(self, request_id: int) -> RequestInfo:
        await self.rpc.request("eth_blockNumber")
        if request_id not in self.node.state.requests:
            raise NotFoundError("unknown-request", f"there is no request {request_id}")
        found = self.node.state.requests[request_id]
        if found.state is RequestState.PAID:  # the chain keeps no terms of what is paid
            return replace(found, deadline=0, lock_deadline=0)
        return found

    async def payment(self, request: RequestInfo) -> Event | None:
        await self.rpc.request("eth_blockNumber")
        for entry in self.node.fulfilments(request.request_id):
            for event in self.node.receipts[entry.tx_hash][1]:
                return event
        return None

    def resolve(self, contract: str) -> str:
        return contract if contract.startswith("0x") else MARKET

    def decode_logs(self, logs: Iterable[Any]) -> tuple[Event, ...]:
        return tuple(logs)
