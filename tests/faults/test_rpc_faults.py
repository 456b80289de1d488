"""Endpoints that time out, lie, refuse, garble, or take a transaction and say that they did not."""

from __future__ import annotations

import pytest
from executor_fixtures import running
from faulty_rpc import Hangup, Status, faulty_rpc
from gateless.devnet import Devnet
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from rpc_faults import FAULTS
from tried import PATIENCE_SECONDS, Tried, on_trial


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(isolated_devnet, make_served, make_account, "misled")


#: Nonces that it gives up: twice a count is told that is three too high.
GIVEN_UP = {"nonces-too-high": 6}


@pytest.mark.parametrize("kind", FAULTS)
async def test_an_endpoint_that(tried: Tried, kind: str) -> None:
    executor = tried.ask.served.executor
    tried.fillers = GIVEN_UP.get(kind, 0)
    async with (
        faulty_rpc(tried.devnet.deployment.rpc_url) as proxy,
        running(tried.devnet, executor, tried.config, rpc_url=proxy.url) as run,
    ):
        await run.has_problems()
        proxy.faults.append(FAULTS[kind]())
        await tried.asks()
        await tried.at_rest(run.journal)
        assert proxy.struck > 0
    await tried.judged()


@pytest.mark.parametrize("calls", [5, 40, 160])
async def test_an_endpoint_that_went_away_after_some_calls(tried: Tried, calls: int) -> None:
    """Every connection breaks from some call on, wherever that is in a request's life."""
    executor = tried.ask.served.executor
    async with (
        faulty_rpc(tried.devnet.deployment.rpc_url) as proxy,
        running(tried.devnet, executor, tried.config, rpc_url=proxy.url) as run,
    ):
        await run.has_problems()
        await tried.asks()
        start = sum(proxy.asked.values())

        async def asked() -> bool:
            return sum(proxy.asked.values()) >= start + calls

        await eventually(f"{calls} more calls were made", asked, PATIENCE_SECONDS)
        proxy.faults.append(Hangup(times=15))
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("kind", ["errors", "connections"])
async def test_half_of_what_the_first_of_two_endpoints_answers_is_a_fault(
    tried: Tried, kind: str
) -> None:
    executor, real = tried.ask.served.executor, tried.devnet.deployment.rpc_url
    async with faulty_rpc(real) as proxy:
        both = tried.reached_by(proxy.url, real)
        async with running(both, executor, tried.config) as run:
            await run.has_problems()
            proxy.faults.append(Status(share=2) if kind == "errors" else Hangup(share=2))
            await tried.asks()
            await tried.at_rest(run.journal)
            assert proxy.struck > 0
    await tried.judged()
