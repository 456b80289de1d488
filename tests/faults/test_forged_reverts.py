"""A node that says of calls which only read that they reverted: nothing ends for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from executor_fixtures import config_of, running
from faulty_rpc import Fault, FaultyRpc, Refusal, faulty_rpc
from gateless.devnet import Devnet
from gateless.executor.states import WorkState
from gateless.indexer import IndexerConfig, open_indexer
from market_fixtures import PRICE, ROW, MakeAccount, MakeServed, with_files
from patience import eventually
from watchtower_fixtures import watching


def forged() -> Fault:
    return Refusal(frozenset({"eth_call"}), code=3, message="execution reverted: no")


@pytest.fixture
async def proxy(isolated_devnet: Devnet) -> AsyncIterator[FaultyRpc]:
    async with faulty_rpc(isolated_devnet.deployment.rpc_url) as found:
        yield found


async def test_an_executor_goes_on(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, proxy: FaultyRpc
) -> None:
    served = await make_served("told-of-reverts")
    user = await with_files(await make_account(), served)
    config = config_of(served.executor)
    async with running(isolated_devnet, served.executor, config, rpc_url=proxy.url) as run:
        proxy.faults.append(forged())
        await run.shows_problem("execution-reverted")
        assert not run.task.done()
        proxy.faults.clear()
        asked = await user.client.submit(served.name, ROW, price=PRICE)
        await run.reaches(asked.request_id, WorkState.FULFILLED)
        await run.has_problems()


async def test_a_watchtower_goes_on(
    isolated_devnet: Devnet, make_account: MakeAccount, proxy: FaultyRpc
) -> None:
    behind = replace(
        isolated_devnet, deployment=replace(isolated_devnet.deployment, rpc_url=proxy.url)
    )
    async with watching(behind, await make_account()) as watch:
        proxy.faults.append(forged())

        async def has_problem() -> bool:
            return bool((await watch.watchtower.status()).problems)

        await eventually("it is a problem", has_problem)
        assert not watch.task.done()
        proxy.faults.clear()

        async def is_well() -> bool:
            return not (await watch.watchtower.obstacles())

        await eventually("it is none any more", is_well)


async def test_an_indexer_goes_on(
    isolated_devnet: Devnet, tmp_path: Path, proxy: FaultyRpc
) -> None:
    config = IndexerConfig(data_dir=tmp_path / "index", content_dir=tmp_path, poll_seconds=0.1)
    behind = replace(isolated_devnet.deployment, rpc_url=proxy.url)
    async with open_indexer(config, deployment=behind) as indexer:
        task = asyncio.create_task(indexer.run())
        try:
            # It calls no contract: all that it asks is refused.
            proxy.faults.append(Refusal(code=3, message="execution reverted: no"))

            async def has_problem() -> bool:
                return (await indexer.status()).problem is not None

            await eventually("it is a problem", has_problem)
            assert not task.done()
            proxy.faults.clear()

            async def is_well() -> bool:
                return indexer.ready().ready

            await eventually("it is none any more", is_well)
        finally:
            indexer.stop()
            await task
