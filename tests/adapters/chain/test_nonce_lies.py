"""Endpoints that count too many transactions of an account: sending goes on at the right nonce."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.adapters.chain.rpc_pool import RpcPool
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import ChainError
from memory_node import MemoryClock, MemoryNode
from sending_world import CHAIN_ID, POLICY, SIGNER, TARGET


@dataclass
class Liar(Rpc):
    """A node's endpoint that counts ``more`` transactions than there are.

    Attributes:
        blocks: about which it lies; None for all.
        shows_pool: whether it answers for what waits.
    """

    node: MemoryNode
    more: int = 0
    blocks: frozenset[str] | None = None
    shows_pool: bool = True
    log_range: Any = field(default=None)

    url = "http://liar.example"

    async def request(self, method: str, *params: Any) -> Any:
        if method == "eth_chainId":
            return hex(CHAIN_ID)
        if method == "txpool_contentFrom" and not self.shows_pool:
            raise RpcError(method, -32601, "the method txpool_contentFrom does not exist", None)
        if method == "eth_getBlockByNumber" and params[0] == "pending":
            return {
                "transactions": [
                    {"from": tx.sender, "nonce": hex(nonce)}
                    for nonce, (_, tx) in self.node.pool.items()
                ]
            }
        answer = await self.node.request(method, *params)
        if method != "eth_getTransactionCount":
            return answer
        lies = self.blocks is None or params[-1] in self.blocks
        return hex(int(answer, 16) + self.more) if lies else answer

    async def close(self) -> None:
        """There is nothing to close."""


@dataclass
class Lane:
    """One process that sends through some endpoints."""

    node: MemoryNode
    clock: MemoryClock
    sender: Sender
    endpoints: list[Liar]

    async def send(self, number: int) -> int:
        """Sends something; returns the nonce under which it was mined."""
        receipt = await self.sender.send(Call(TARGET, bytes([number + 1]) * 8, f"thing {number}"))
        return next(e.tx.nonce for e in self.node.mined if e.tx_hash == receipt.tx_hash)

    @property
    def empty(self) -> int:
        """Transactions that did nothing but take a nonce."""
        return sum(not entry.tx.data for entry in self.node.mined)


@asynccontextmanager
async def lane(*more: int, **options: Any) -> AsyncIterator[Lane]:
    node = MemoryNode()
    clock = MemoryClock(node)
    endpoints = [Liar(node, count, **options) for count in more]
    pool = RpcPool(endpoints, CHAIN_ID, clock=clock)
    sender = Sender(
        ChainConnection(pool, CHAIN_ID), SIGNER, clock=clock, policy=POLICY, timeout=900
    )
    try:
        yield Lane(node, clock, sender, endpoints)
    finally:
        await pool.close()


PENDING = frozenset({"pending"})


@pytest.mark.parametrize("blocks", [None, PENDING], ids=["of-all-blocks", "of-what-waits"])
@pytest.mark.parametrize(
    "more", [(1, 0), (64, 0), (0, 64), (0, 64, 0), (64, 0, 0), (0, 10**6, 0), (64, 63, 0)]
)
async def test_one_endpoint_of_several_that_counts_too_many_for_ever_stops_nobody(
    more: tuple[int, ...], blocks: frozenset[str] | None
) -> None:
    async with lane(*more, blocks=blocks) as sending:
        assert [await sending.send(number) for number in range(3)] == [0, 1, 2]
        together = await asyncio.gather(*(sending.send(number) for number in range(3, 6)))
        assert sorted(together) == [3, 4, 5]
        assert sending.empty == 0


@pytest.mark.parametrize("blocks", [None, PENDING], ids=["of-all-blocks", "of-what-waits"])
@pytest.mark.parametrize("shows_pool", [True, False])
async def test_a_single_endpoint_that_begins_to_count_too_many_is_not_believed(
    blocks: frozenset[str] | None, shows_pool: bool
) -> None:
    async with lane(0, blocks=blocks, shows_pool=shows_pool) as sending:
        await sending.send(0)
        sending.endpoints[0].more = 64
        assert [await sending.send(number) for number in range(1, 4)] == [1, 2, 3]
        assert sending.empty == 0


async def test_a_single_endpoint_is_not_believed_against_the_journal() -> None:
    async with lane(0) as sending:
        await sending.send(0)
        again = Sender(
            ChainConnection(Liar(sending.node, 64), CHAIN_ID),
            SIGNER,
            clock=sending.clock,
            policy=POLICY,
        )
        again.used(0)
        assert (await again.prepare(Call(TARGET, b"\x01", "more"))).nonce == 1


async def test_what_a_single_endpoint_misled_from_the_start_goes_on_when_it_stops_lying() -> None:
    """Nothing contradicts it: what is signed waits behind a gap, which is filled afterwards."""
    async with lane(40) as sending:
        prepared = await sending.sender.prepare(Call(TARGET, b"\x01", "misled"))
        assert prepared.nonce == 40
        sending.endpoints[0].more = 0
        await sending.sender.submit(prepared, fresh=True)
        assert sending.empty == 40
        assert await sending.send(1) == 41


@pytest.mark.parametrize("shows_pool", [True, False])
async def test_what_another_process_sent_and_a_node_shows_keeps_its_nonce(
    shows_pool: bool,
) -> None:
    async with lane(0, 0, shows_pool=shows_pool) as sending:
        theirs = Sender(ChainConnection(sending.node, CHAIN_ID), SIGNER, clock=sending.clock)
        foreign = await theirs.prepare(Call(TARGET, b"\x07", "theirs"))
        await sending.node.request("eth_sendRawTransaction", "0x" + foreign.raw.hex())
        ours = await sending.sender.prepare(Call(TARGET, b"\x08", "ours"))
        assert (foreign.nonce, ours.nonce) == (0, 1)


async def test_what_another_process_got_mined_is_believed() -> None:
    async with lane(0, 64) as sending:
        await sending.send(0)
        theirs = Sender(ChainConnection(sending.node, CHAIN_ID), SIGNER, clock=sending.clock)
        await theirs.send(Call(TARGET, b"\x07", "theirs"))
        assert await sending.send(1) == 2


async def test_without_an_answer_no_nonce_is_given_out() -> None:
    async with lane(0) as sending:
        sending.endpoints[0].node.faults = iter(())
        sending.endpoints[0].node.before = _refuse_counts
        with pytest.raises(ChainError):
            await sending.sender.prepare(Call(TARGET, b"\x01", "nothing"))


def _refuse_counts(method: str) -> None:
    if method == "eth_getTransactionCount":
        raise ChainError("rpc-refused", "no counts for you")
