"""A development network for tests, shared by all tests of a worker process.

``devnet`` is the running network; tests that share it must use names and accounts of their own, or
``isolated_devnet``, which takes the chain back to where it was afterwards.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from gateless.adapters.chain.client import ChainClient
from gateless.devnet import Devnet, running_devnet


@pytest_asyncio.fixture(scope="session")
async def devnet(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Devnet]:
    """One network per worker process: contracts deployed, accounts funded."""
    async with running_devnet(tmp_path_factory.mktemp("devnet")) as network:
        yield network


@pytest_asyncio.fixture
async def isolated_devnet(devnet: Devnet) -> AsyncIterator[Devnet]:
    """The shared network; whatever the test does to the chain is undone.

    The client is the test's own: one that remembers nonces of an undone chain is of no use.
    """
    snapshot = await devnet.control.snapshot()
    try:
        async with await ChainClient.connect(devnet.deployment) as client:
            yield replace(devnet, client=client)
    finally:
        await devnet.control.drop_pending()
        await devnet.control.set_automine(True)
        await devnet.control.revert(snapshot)
        await keep_time(devnet)


async def keep_time(devnet: Devnet) -> None:
    """Lets the chain's clock show ours again: after a revert it goes on from the old block, and
    falls behind by as long as the test took. A deadline would then be over before it is set."""
    behind = int(time.time()) - (await devnet.client.block("pending")).timestamp
    if behind > 0:
        await devnet.control.skip(behind)
