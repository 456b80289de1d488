from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from chain_scenarios import FIXTURES, RealModel
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.devnet import Devnet
from rpc_proxy import RpcProxy, rpc_proxy


@pytest.fixture(scope="session")
def model() -> RealModel:
    return RealModel(json.loads((FIXTURES / "packed.json").read_text()))


@pytest_asyncio.fixture
async def proxy(isolated_devnet: Devnet) -> AsyncIterator[RpcProxy]:
    """A proxy in front of the devnet's node, without faults yet."""
    async with rpc_proxy(isolated_devnet.deployment.rpc_url) as running:
        yield running


@pytest_asyncio.fixture
async def behind_proxy(isolated_devnet: Devnet, proxy: RpcProxy) -> AsyncIterator[ChainClient]:
    """A client that sees the chain through the proxy."""
    deployment = replace(isolated_devnet.deployment, rpc_url=proxy.url)
    async with await ChainClient.connect(deployment, request_timeout=10) as client:
        proxy.seen.clear()
        yield client


@pytest.fixture
def proxied_user(isolated_devnet: Devnet, behind_proxy: ChainClient) -> Sender:
    """The user's sender, through the proxy."""
    return Sender(behind_proxy, isolated_devnet.signers["user"], timeout=30)
