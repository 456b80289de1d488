"""What another executor locked and did not deliver is taken over, while the request lives."""

from __future__ import annotations

from executor_fixtures import config_of, running
from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.lazy import locked
from gateless.adapters.chain.lazy_calls import LAZY_MARKET
from gateless.core.lazy import LazyState
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.states import LOCKED_BY_ANOTHER, WorkState
from gateless.executor.work import IntentKind
from lazy_serving import DOLLAR, LAZY, asking
from market_fixtures import PRICE, ROW, MakeAccount, MakeServed, send, with_files
from patience import eventually


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


async def test_a_missed_lazy_lock_is_taken_over_at_its_price(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazily-missed")
    executor, rival = ask.served.executor, await make_account()
    await rival.client.back_lazily(50 * DOLLAR)
    control = isolated_devnet.control
    now = await ask.now()
    request = await ask.request(
        lock_duration=60, min_price=DOLLAR // 2, ramp_start=now + 60, ramp_length=1
    )
    request_id = await ask.sent(request)
    await send(rival, lazy_calls.lock(request))
    async with running(isolated_devnet, executor, config_of(executor, lazy=LAZY)) as run:

        async def lost() -> bool:
            try:
                work = await run.journal.lazy(request_id)
            except LookupError:
                return False
            return (work.state, work.reason) == (LazyWorkState.LOST, LOCKED_BY_ANOTHER)

        await eventually("the executor saw the other's lock", lost)
        await control.advance(62)
        await ask.reaches(request_id, LazyState.ANSWERED)

        async def written_down() -> bool:
            return (await run.journal.lazy(request_id)).state is LazyWorkState.ANSWERED

        await eventually("the journal says so", written_down)
        kinds = [intent.kind for intent in await run.journal.intents()]
        assert kinds.count(IntentKind.LAZY_TAKE_OVER) == 1
        assert IntentKind.LAZY_LOCK not in kinds
        claim = await ask.claim_of(request_id)
        assert (claim.executor, claim.price) == (executor.address, request.min_price)
        await control.advance(claim.challenge_deadline - await ask.now() + 1)
        await ask.reaches(request_id, LazyState.FINAL)
    # What was missed paid for it: as much as the price, on top of it.
    staking = isolated_devnet.client.staking
    assert await staking.credit_of(executor.address) == request.min_price
    events = await isolated_devnet.client.events([f"{LAZY_MARKET}.Locked"], 0)
    assert [locked(event)[1].executor for event in events] == [rival.address, executor.address]
