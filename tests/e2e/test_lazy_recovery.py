"""Killed at any step, an executor answers what it locked, proves what is doubted, and is paid."""

from __future__ import annotations

import pytest
from executor_fixtures import config_of, executor_process, reading
from gateless.core.lazy import Finality, LazyState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from lazy_serving import LAZY, asking
from market_fixtures import MakeAccount, MakeServed


@pytest.mark.parametrize(
    "step",
    ["lazy:checked", "intent:lazy_lock", "lazy:locked", "intent:lazy_answer", "lazy:answered"],
)
async def test_a_lazy_request_is_answered_and_paid_once(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, step: str
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazily-killed")
    executor = ask.served.executor
    config = config_of(executor, lazy=LAZY)
    async with executor_process(isolated_devnet, executor, config, die_at=step) as process:
        request_id = await ask.sent(await ask.request())
        await process.ended()
    async with executor_process(isolated_devnet, executor, config):
        await ask.reaches(request_id, LazyState.ANSWERED)
        claim = await ask.claim_of(request_id)
        await isolated_devnet.control.advance(claim.challenge_deadline - await ask.now() + 1)
        await ask.reaches(request_id, LazyState.FINAL)
    assert (await ask.market.result(request_id)).how is Finality.UNCHALLENGED
    async with reading(isolated_devnet, executor, config) as journal:
        mined = [e.kind for e in await journal.intents(state=IntentState.MINED)]
        assert mined.count("lazy_lock") == mined.count("lazy_answer") == 1


@pytest.mark.parametrize("step", ["lazy:doubted", "claim:proved", "intent:lazy_prove"])
async def test_doubt_is_answered_after_a_crash(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, step: str
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazily-doubted")
    doubter, executor = await make_account(), ask.served.executor
    config = config_of(executor, lazy=LAZY)
    async with executor_process(isolated_devnet, executor, config, die_at=step) as process:
        request_id = await ask.sent(await ask.request())
        await ask.reaches(request_id, LazyState.ANSWERED)
        await ask.doubt(doubter, request_id)
        await process.ended()
    assert await ask.market.state(request_id) is LazyState.DISPUTED
    async with executor_process(isolated_devnet, executor, config):
        await ask.reaches(request_id, LazyState.FINAL)
    assert (await ask.market.result(request_id)).how is Finality.PROVEN
