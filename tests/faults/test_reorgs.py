"""Reorgs of depth 1 to 10 that undo a lock, a fulfilment, or the proof that answers a challenge."""

from __future__ import annotations

from dataclasses import replace

import pytest
from executor_fixtures import Running, running
from gateless.core.lazy import LazyState
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.states import WorkState
from gateless_proofs import KeyCache
from held_prover import HeldProver
from lazy_serving import LAZY
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from tried import Tried, on_trial

DEPTHS = range(1, 11)


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    tried = await on_trial(isolated_devnet, make_served, make_account, "forked")
    tried.forked = True
    return tried


async def undo(tried: Tried, block: int, depth: int) -> None:
    """Mines until ``block`` is ``depth`` blocks deep, then replaces these by empty ones."""
    head = (await tried.devnet.client.block()).number
    if block + depth - 1 > head:
        await tried.devnet.control.mine(block + depth - 1 - head)
    await tried.devnet.client.rpc.request("anvil_reorg", depth, [])


async def block_of(tried: Tried, name: str) -> int:
    events = await tried.devnet.client.events([name], tried.since)
    return events[-1].block_number


@pytest.mark.parametrize("depth", DEPTHS)
async def test_a_lock_is_undone(tried: Tried, depth: int) -> None:
    await tried.knows_its_speed()
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        request_id = await tried.asks()
        await run.reaches(request_id, WorkState.PROVING)
        await undo(tried, await block_of(tried, "InferenceMarket.RequestLocked"), depth)
        prover.let_go.set()
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("depth", DEPTHS)
async def test_a_fulfilment_is_undone(tried: Tried, depth: int) -> None:
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        request_id = await tried.asks()
        await run.reaches(request_id, WorkState.FULFILLED)
        await undo(tried, await block_of(tried, "InferenceMarket.RequestFulfilled"), depth)
        info = await tried.devnet.client.market.request(request_id)
        assert info.state in (RequestState.LOCKED, RequestState.PAID)
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("depth", DEPTHS)
async def test_the_answer_to_a_challenge_is_undone(
    tried: Tried, make_account: MakeAccount, depth: int
) -> None:
    tried.config = replace(tried.config, lazy=LAZY)
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        request_id = await tried.asks_lazily()
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        await tried.ask.doubt(await make_account(), request_id)
        await tried.ask.reaches(request_id, LazyState.FINAL)
        await undo(tried, await block_of(tried, "LazyMarket.Finalized"), depth)
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("depth", [1, 5, 10])
async def test_a_challenge_is_undone_with_its_answer_and_made_again(
    tried: Tried, make_account: MakeAccount, depth: int
) -> None:
    """``depth`` blocks before the challenge go as well, and with them none of the answer."""
    tried.config = replace(tried.config, lazy=LAZY)
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        request_id = await tried.asks_lazily()
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        await tried.devnet.control.mine(depth)
        doubter = await make_account()
        before = (await tried.devnet.client.block()).number
        await tried.ask.doubt(doubter, request_id)
        await tried.ask.reaches(request_id, LazyState.FINAL)
        head = (await tried.devnet.client.block()).number
        await tried.devnet.client.rpc.request("anvil_reorg", head - before, [])
        assert await tried.ask.market.state(request_id) is LazyState.ANSWERED
        again = await make_account()
        await tried.ask.doubt(again, request_id)
        await tried.ask.reaches(request_id, LazyState.FINAL)
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("depth", [1, 3, 6])
async def test_the_answer_to_a_challenge_is_undone_before_it_is_read(
    tried: Tried, make_account: MakeAccount, depth: int
) -> None:
    """Blocks are read when others follow them: what a receipt told may be undone before that."""
    tried.config = replace(tried.config, lazy=LAZY, confirmations=8)
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        request_id = await tried.asks_lazily()
        await tried.devnet.control.mine(8)
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        await tried.ask.doubt(await make_account(), request_id)
        await tried.devnet.control.mine(8)
        await tried.ask.reaches(request_id, LazyState.FINAL)
        await run_journals(run, request_id)
        await undo(tried, await block_of(tried, "LazyMarket.Finalized"), depth)
        await tried.devnet.control.mine(8)
        await tried.at_rest(run.journal)
    await tried.judged()


async def run_journals(run: Running, request_id: int) -> None:
    """Waits until the journal says that a lazy request is final."""

    async def final() -> bool:
        return (await run.journal.lazy(request_id)).state is LazyWorkState.FINAL

    await eventually("the journal says that it is final", final)


@pytest.mark.parametrize("depth", [1, 3, 6])
async def test_a_fulfilment_is_undone_before_it_is_read(tried: Tried, depth: int) -> None:
    tried.config = replace(tried.config, confirmations=8)
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        request_id = await tried.asks()
        await tried.devnet.control.mine(8)
        await run.reaches(request_id, WorkState.FULFILLED)
        await undo(tried, await block_of(tried, "InferenceMarket.RequestFulfilled"), depth)
        await tried.devnet.control.mine(8)
        await tried.at_rest(run.journal)
    await tried.judged()
