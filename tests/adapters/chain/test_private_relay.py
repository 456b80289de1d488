"""What others could copy goes to a relay; what the relay does not get mined, by the rule chosen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio
from gateless.adapters.chain import calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.relay import (
    RelayFallback,
    RelayMethod,
    RelayPolicy,
    open_relay,
)
from gateless.adapters.chain.sender import Sender
from gateless.devnet import Devnet
from patience import eventually
from relay_server import RelayServer, relay_server
from rpc_proxy import RpcProxy, rpc_proxy

#: Never replaces anything; looks and sends again at once.
CALM = SendingPolicy(stuck_seconds=600.0, look_seconds=0.05)


class FastClock:
    """Time runs sixty times as fast, so that what is sent again is sent soon."""

    def now(self) -> float:
        return 0.0

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time() * 60

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 60)


@pytest_asyncio.fixture
async def relay(isolated_devnet: Devnet) -> AsyncIterator[RelayServer]:
    async with relay_server(isolated_devnet.deployment.rpc_url) as running:
        yield running


@pytest_asyncio.fixture
async def public(isolated_devnet: Devnet) -> AsyncIterator[RpcProxy]:
    """What everybody sees: a proxy in front of the node."""
    async with rpc_proxy(isolated_devnet.deployment.rpc_url) as running:
        yield running


@asynccontextmanager
async def sending(net: Devnet, public: RpcProxy, policy: RelayPolicy) -> AsyncIterator[Sender]:
    deployment = replace(net.deployment, rpc_url=public.url)
    async with (
        await ChainClient.connect(deployment) as client,
        open_relay(policy) as opened,
    ):
        yield Sender(
            client,
            net.signers["user"],
            clock=FastClock(),
            policy=CALM,
            relay=opened,
            timeout=3600,
        )


@pytest.mark.parametrize("method", list(RelayMethod))
async def test_private_transactions_are_shown_to_the_relay_alone(
    isolated_devnet: Devnet, relay: RelayServer, public: RpcProxy, method: RelayMethod
) -> None:
    net = isolated_devnet
    async with sending(net, public, RelayPolicy(relay.url, method)) as sender:
        call = calls.mint(sender.address, 7)
        assert (await sender.send(call, private=True)).status == 1
        assert public.count("eth_sendRawTransaction") == 0
        assert {asked for asked, _ in relay.asked} == {method}
        if method is RelayMethod.PRIVATE:
            last = int(relay.asked[0][1]["maxBlockNumber"], 16)
            assert last >= (await net.client.block()).number
        # Everything else is for everybody.
        assert (await sender.send(call)).status == 1
        assert public.count("eth_sendRawTransaction") == 1


@pytest.mark.parametrize("refusal", ["", "not today"])
async def test_after_its_patience_everybody_sees_it(
    isolated_devnet: Devnet, relay: RelayServer, public: RpcProxy, refusal: str
) -> None:
    net = isolated_devnet
    relay.works, relay.refusal = False, refusal
    async with sending(net, public, RelayPolicy(relay.url, patience_blocks=3)) as sender:
        prepared = await sender.prepare(calls.mint(sender.address, 7), private=True)
        waiting = asyncio.create_task(sender.submit(prepared, fresh=True))
        try:

            async def asked_again() -> bool:
                return len(relay.asked) > 1

            await eventually("it is handed to the relay again", asked_again)
            assert public.count("eth_sendRawTransaction") == 0
            if refusal:
                assert [trouble.code for trouble in sender.troubles] == ["relay-refused"]
            await net.control.mine(3)
            assert (await waiting).tx_hash == prepared.tx_hash
        finally:
            waiting.cancel()
        assert public.count("eth_sendRawTransaction") >= 1
        assert relay.handed == {"0x" + prepared.raw.hex()}


async def test_who_chose_to_wait_waits(
    isolated_devnet: Devnet, relay: RelayServer, public: RpcProxy
) -> None:
    net = isolated_devnet
    relay.works = False
    policy = RelayPolicy(relay.url, patience_blocks=2, fallback=RelayFallback.WAIT)
    async with sending(net, public, policy) as sender:
        prepared = await sender.prepare(calls.mint(sender.address, 7), private=True)
        waiting = asyncio.create_task(sender.submit(prepared, fresh=True))
        try:

            async def handed() -> bool:
                return bool(relay.asked)

            async def says_so() -> bool:
                return [trouble.code for trouble in sender.troubles] == ["relay-slow"]

            await eventually("the relay has it", handed)
            await net.control.mine(3)
            await eventually("it says that the relay is slow", says_so)
            assert public.count("eth_sendRawTransaction") == 0
            relay.works = True
            assert (await waiting).tx_hash == prepared.tx_hash
        finally:
            waiting.cancel()
        assert public.count("eth_sendRawTransaction") == 0


async def test_no_relay_there(isolated_devnet: Devnet, public: RpcProxy) -> None:
    net = isolated_devnet
    policy = RelayPolicy("http://127.0.0.1:9", patience_blocks=1)
    async with sending(net, public, policy) as sender:
        prepared = await sender.prepare(calls.mint(sender.address, 7), private=True)
        waiting = asyncio.create_task(sender.submit(prepared, fresh=True))
        try:

            async def says_so() -> bool:
                return [trouble.code for trouble in sender.troubles] == ["relay-refused"]

            await eventually("it says that the relay did not take it", says_so)
            await net.control.mine(2)
            assert (await waiting).status == 1
        finally:
            waiting.cancel()
