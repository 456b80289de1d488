"""kill -9 while a challenged receipt is defended; and what was promised by HTTP is kept."""

from __future__ import annotations

import signal
from dataclasses import replace

import pytest
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import PoolState
from gateless.devnet import Devnet
from market_fixtures import MakeAccount, MakeServed, fund, send
from patience import eventually
from promising import DOLLAR, RECEIPTS, TERMS, free_port, posted, promising
from tried import PATIENCE_SECONDS, Tried, on_trial


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(
        isolated_devnet, make_served, make_account, "promising", serve_port=free_port()
    )


@pytest.mark.parametrize("step", ["claim:read", "claim:proved", "intent:respond", "concluding"])
async def test_a_challenged_receipt(tried: Tried, make_account: MakeAccount, step: str) -> None:
    made = await promising(tried)
    async with tried.process(die_at=step, receipt_key=made.key) as process:
        await made.is_doubted(await made.signs(), await make_account())
        assert await process.ended() == -signal.SIGKILL
    await tried.recovers(receipt_key=made.key)


@pytest.mark.parametrize("step", ["intent:open_pools", "intent:release_pool"])
async def test_a_pool(tried: Tried, step: str) -> None:
    """It opens that of the next epoch; when that is over, it lets go of it."""
    executor, key, chain = tried.ask.served.executor, LocalSigner.random(), tried.devnet.client
    await fund(tried.devnet, executor.address, 500)
    opened = await executor.client.back_receipts(TERMS, receipt_key=key.address)
    await send(executor, calls.allocate(chain.court.address, TERMS.bond * TERMS.capacity))
    tried.since = (await chain.block()).number
    tending = replace(RECEIPTS, epochs_ahead=1, tend_seconds=0.2)
    tried.config = replace(tried.config, receipts=tending)
    epoch = opened.first_epoch + 1

    async def is_open() -> bool:
        return (await chain.court.pool(executor.address, epoch)).state is PoolState.OPEN

    async def is_released() -> bool:
        return (await chain.court.pool(executor.address, epoch)).state is PoolState.RELEASED

    if step == "intent:open_pools":
        await tried.dies(step, receipt_key=key)
        assert not await is_open()
        await tried.recovers(is_open, receipt_key=key)
        return
    async with tried.process(receipt_key=key):
        await eventually("the pool is open", is_open, PATIENCE_SECONDS)
    pool = await chain.court.pool(executor.address, epoch)
    await tried.devnet.control.advance(pool.releasable_at - await tried.ask.now() + 1)
    await tried.dies(step, receipt_key=key)
    assert await is_open()
    await tried.recovers(is_released, receipt_key=key)


@pytest.mark.parametrize(
    "step", ["after:seen", "after:locking", "intent:lock", "after:locked", "intent:fulfill"]
)
async def test_a_request_handed_in_by_http(tried: Tried, step: str) -> None:
    user, chain = tried.ask.user, tried.devnet.client
    sender = tried.ask.sender(user)
    await sender.send(calls.approve(chain.market.address, 10 * DOLLAR))
    await sender.send(calls.deposit(10 * DOLLAR))
    made = await user.client.sign(tried.ask.served.name, [0.5, -0.25, 1.0, 0.125])
    offer = Offer(
        chain.chain_id, chain.market.address, made.signed, made.signature, made.packed_input
    )
    async with tried.process(die_at=step) as process:
        taken = await posted(tried, "/v1/requests", content=offer.to_json())
        assert taken.status_code == 202, taken.text
        if step == "after:seen":  # what was taken in is there, whatever came after
            await process.kill()
        else:
            assert await process.ended() == -signal.SIGKILL
    tried.proven.append(made.request_id)
    await tried.recovers()
