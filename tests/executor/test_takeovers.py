"""What another executor locked and did not deliver is taken over, while the request lives."""

from __future__ import annotations

from executor_fixtures import config_of, running
from gateless.adapters.chain import calls
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor.states import LOCKED_BY_ANOTHER, WorkState
from market_fixtures import PRICE, ROW, MakeAccount, MakeServed, send, with_files


async def test_a_missed_lock_is_taken_over(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("missed")
    user, rival = await with_files(await make_account(), served), await make_account()
    await rival.client.stake(50_000_000, serve=[served.name])
    asked = await user.client.submit(served.name, ROW, price=PRICE, lock_duration=60, timeout=3600)
    request_id = asked.request_id
    await send(rival, calls.lock(await user.client.request(request_id)))
    async with running(isolated_devnet, served.executor, config_of(served.executor)) as run:
        lost = await run.reaches(request_id, WorkState.LOST)
        assert lost.reason == LOCKED_BY_ANOTHER
        await isolated_devnet.control.advance(62)
        await run.reaches(request_id, WorkState.FULFILLED)
    found = await user.client.request(request_id)
    assert (found.state, found.executor) == (RequestState.PAID, served.executor.address)
