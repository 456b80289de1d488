"""Following a real node through real reorganisations."""

from __future__ import annotations

import pytest
from gateless.adapters.chain import calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import ChainError
from gateless.daemon.follower import Follower
from gateless.devnet import Devnet
from kept_events import Row, Store, follow, row_of
from patience import eventually

NAMES = [f"{calls.TOKEN}.Transfer", "InferenceMarket.Deposited"]


def store_of(net: Devnet) -> Store:
    return Store(max(1, net.deployment.start_block))


def follower_of(net: Devnet, store: Store, **options: int) -> Follower:
    return Follower(net.client, NAMES, store, start_block=store.start, **options)


async def truth(net: Devnet) -> list[Row]:
    events = await net.client.events(NAMES, net.deployment.start_block)
    return [row_of(event) for event in events]


async def mint(net: Devnet, amount: int) -> int:
    sender = net.sender("user")
    return (await sender.send(calls.mint(sender.address, amount))).block_number


@pytest.mark.parametrize("depth", range(1, 11))
async def test_reorganisations_are_followed(isolated_devnet: Devnet, depth: int) -> None:
    net = isolated_devnet
    store = store_of(net)
    for amount in range(1, 13):
        await mint(net, amount)
        if amount % 3 == 0:
            await follow(follower_of(net, store), store)
    follower = follower_of(net, store)
    await follow(follower, store)
    assert store.all_rows == await truth(net)
    before = store.all_rows
    # All that happened in the last blocks happens no more; the new ones are empty.
    await net.client.rpc.request("anvil_reorg", depth, [])
    await follow(follower, store)
    assert len(store.rewinds) == 1
    assert store.all_rows == before[: len(before) - depth]
    assert store.all_rows == await truth(net)
    await mint(net, 100)
    await follow(follower, store)
    assert store.all_rows == await truth(net)
    whole = store_of(net)
    await follow(follower_of(net, whole), whole)
    assert whole.all_rows == store.all_rows


async def test_a_branch_that_has_other_events(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    store = store_of(net)
    follower = follower_of(net, store)
    await mint(net, 1)
    await follow(follower, store)
    fork = await net.control.snapshot()
    for amount in range(2, 6):
        await mint(net, amount)
        await follow(follower, store)
    await net.control.revert(fork)
    for amount in range(12, 18):
        await mint(net, amount)
    await follow(follower, store)
    assert [row[-1] for row in store.all_rows][-7:] == [1, 12, 13, 14, 15, 16, 17]
    assert store.all_rows == await truth(net)


@pytest.mark.parametrize("linked", [0, 4])
async def test_catching_up_in_bulk_and_in_links(isolated_devnet: Devnet, linked: int) -> None:
    net = isolated_devnet
    for amount in range(1, 6):
        await mint(net, amount)
        await net.control.mine(4)
    store = store_of(net)
    await follow(follower_of(net, store, linked=linked, span=7), store)
    assert store.all_rows == await truth(net)
    assert store.read[-1].number == (await net.client.block()).number


async def test_the_headers_of_a_real_node_let_expect_its_logs(isolated_devnet: Devnet) -> None:
    """A node that leaves out the logs of whole ranges, but knows them by block."""

    class Forgetful(Rpc):
        def __init__(self, inner: Rpc) -> None:
            super().__init__(inner.url)
            self.inner = inner
            self.asked: list[str] = []

        async def request(self, method: str, *params: object) -> object:
            self.asked.append(method)
            if method == "eth_getLogs" and "blockHash" not in str(params[0]):
                return []
            return await self.inner.request(method, *params)

        async def close(self) -> None:
            pass

    net = isolated_devnet
    store = store_of(net)
    await mint(net, 1)
    await follow(follower_of(net, store), store)
    empty = await net.client.block()
    await net.control.mine(3)
    await mint(net, 2)
    forgetful = Forgetful(net.client.rpc)
    chain = ChainClient(net.deployment, forgetful)
    await follow(Follower(chain, NAMES, store, start_block=store.start), store)
    assert store.all_rows == await truth(net)
    # One range, and one block whose header says that something is missing.
    assert forgetful.asked.count("eth_getLogs") == 2
    assert store.read[-1].number == empty.number + 4


async def test_a_node_that_is_behind_is_waited_for(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    store = store_of(net)
    await mint(net, 1)
    fork = await net.control.snapshot()
    follower = follower_of(net, store)
    await mint(net, 2)
    await follow(follower, store)
    read = store.all_rows
    await net.control.revert(fork)
    with pytest.raises(ChainError) as info:
        await follow(follower, store)
    assert info.value.code == "rpc-behind"
    assert store.all_rows == read
    assert store.rewinds == []

    async def believed() -> bool:
        try:
            await follow(follower, store)
        except ChainError as error:
            assert error.code == "rpc-behind"
        return bool(store.rewinds)

    await eventually("the chain is believed to be shorter", believed)
    assert store.all_rows == read[:-1]
