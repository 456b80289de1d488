"""The chain's node is stopped and started again, with what it had or with an older state."""

from __future__ import annotations

import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from executor_fixtures import running
from gateless.adapters.chain.client import ChainClient
from gateless.devnet import Devnet, running_devnet
from gateless.devnet.anvil import start_anvil
from gateless.devnet.anvil_control import AnvilControl
from gateless.executor.states import WorkState
from gateless_proofs import KeyCache
from held_prover import HeldProver
from market_fixtures import MakeAccount, MakeServed
from tried import Tried, on_trial, rows


@dataclass
class Node:
    """An anvil that keeps its chain in a file."""

    home: Path
    port: int
    running: AsyncExitStack

    @property
    def state(self) -> Path:
        return self.home / "chain.json"

    async def start(self) -> None:
        log = self.home / "logs" / "anvil.log"
        await self.running.enter_async_context(start_anvil(log, port=self.port, state=self.state))

    async def stop(self) -> None:
        await self.running.aclose()


@pytest_asyncio.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    node = Node(tmp_path / "node", port, AsyncExitStack())
    yield node
    await node.stop()


@pytest_asyncio.fixture
async def devnet(node: Node) -> AsyncIterator[Devnet]:
    """A network of this case alone."""
    async with running_devnet(node.home, port=node.port, state=node.state) as made:
        pass
    await node.start()
    async with await ChainClient.connect(made.deployment) as client:
        yield replace(made, client=client, control=await AnvilControl.of(client.rpc))


@pytest_asyncio.fixture
async def tried(devnet: Devnet, make_served: MakeServed, make_account: MakeAccount) -> Tried:
    return await on_trial(devnet, make_served, make_account, "restarted")


@pytest.mark.parametrize("moment", ["idle", "while-it-is-proven"])
async def test_the_node_is_stopped_and_started(tried: Tried, node: Node, moment: str) -> None:
    executor = tried.ask.served.executor
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    await tried.knows_its_speed()
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        if moment == "while-it-is-proven":
            await run.reaches(await tried.asks(), WorkState.PROVING)
        await node.stop()
        await run.shows_problem("rpc-unreachable")
        prover.let_go.set()
        await node.start()
        await tried.asks(rows(1)[0])
        await tried.at_rest(run.journal)
    await tried.judged()


async def test_the_node_is_stopped_and_the_executor_killed(tried: Tried, node: Node) -> None:
    await tried.asks()
    await tried.dies("intent:fulfill")
    await node.stop()
    await node.start()
    await tried.recovers()


async def test_the_node_comes_back_with_an_older_chain(tried: Tried, node: Node) -> None:
    """What was paid is gone again: the lock and the fulfilment, but not the request."""
    executor = tried.ask.served.executor
    tried.forked = True
    await tried.asks()
    await node.stop()
    older = node.state.with_suffix(".older")
    shutil.copy(node.state, older)
    await node.start()
    async with running(tried.devnet, executor, tried.config) as run:
        await tried.at_rest(run.journal)
    await node.stop()
    shutil.copy(older, node.state)
    await node.start()
    await tried.devnet.control.mine(2)
    async with running(tried.devnet, executor, tried.config) as run:
        await tried.at_rest(run.journal)
    await tried.judged()
