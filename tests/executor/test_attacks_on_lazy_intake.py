"""What strangers try with signed lazy requests: places for nothing, and work for nothing."""

from __future__ import annotations

from dataclasses import replace

import httpx
import pytest
from executor_fixtures import config_of, running
from gateless.core.errors import StorageError
from gateless.core.lazy import LazyRequest, LazyState
from gateless.core.types import ZERO_ADDRESS
from gateless.devnet import Devnet
from gateless.executor.config import IntakeConfig
from gateless.executor.intake.slots import Slots
from gateless.executor.lazy.states import LazyWork, LazyWorkState
from lazy_serving import DOLLAR, LAZY, Asking, asking
from market_fixtures import MakeAccount, MakeServed
from patience import eventually

NOW = 1_000


async def rising(ask: Asking, price: int = DOLLAR) -> LazyRequest:
    """Nothing is paid for it yet, and its price only rises in most of an hour."""
    start = await ask.now() + 3000
    return await ask.request(min_price=0, max_price=price, ramp_start=start, ramp_length=500)


async def test_places_filled_with_prices_that_rise_later(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "places")
    executor = ask.served.executor
    honest = replace(ask, user=await make_account())
    await ask.deposit_for(honest.user)
    config = config_of(
        executor, serve_port=0, lazy=LAZY, intake=IntakeConfig(max_offers=8), retry_seconds=0.5
    )
    async with (
        running(isolated_devnet, executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):

        async def backed() -> bool:
            return (await ask.market.backing(executor.address)).total > 0

        await eventually("there is backing", backed)

        async def handed(by: Asking, request: LazyRequest) -> tuple[int, str]:
            offer = await by.signed(request)
            answer = await http.post("/v1/requests", content=offer.to_json())
            return answer.status_code, str(answer.json().get("code", ""))

        # The deposit of 50 dollars pays for one of these, not for two.
        assert await handed(ask, await rising(ask, 30 * DOLLAR)) == (202, "")
        assert await handed(ask, await rising(ask, 30 * DOLLAR)) == (402, "deposit-too-low")
        # Two of eight places are one requester's share.
        assert await handed(ask, await rising(ask)) == (202, "")
        assert await handed(ask, await rising(ask)) == (503, "intake-full")
        # And whoever pays now is served now.
        offer = await honest.signed(await honest.request())
        taken = await http.post("/v1/requests", content=offer.to_json())
        assert taken.status_code == 202, taken.text
        await honest.reaches(offer.request_id, LazyState.ANSWERED)


def waiting(number: int, *, reason: str = "price-rising", **changes: int) -> LazyWork:
    request = LazyRequest(
        requester=ZERO_ADDRESS,
        version_id=1,
        input_digest=bytes(32),
        input_binding=bytes(32),
        max_price=DOLLAR,
        min_price=0,
        ramp_start=NOW,
        ramp_length=100,
        collateral=0,
        deadline=NOW + 3600,
        lock_duration=60,
        challenge_window=60,
        response_window=60,
        audit_bps=0,
        executor=ZERO_ADDRESS,
        nonce=number,
    )
    return LazyWork(number, replace(request, **changes), b"signed", reason=reason)


def test_what_pays_least_and_longest_gives_way_to_what_can_be_done_now() -> None:
    slots = Slots[LazyWork](3, lambda work: work.request)
    soon, late = waiting(1), waiting(2, ramp_length=3000)
    works = waiting(3, reason="")
    assert slots.place([soon, late], now=NOW, at_once=True) is None
    assert slots.place([soon, late, works], now=NOW, at_once=True) == late
    pays = waiting(4, min_price=DOLLAR // 2, ramp_length=3000)
    assert slots.place([soon, pays, works], now=NOW, at_once=True) == soon
    with pytest.raises(StorageError):
        slots.place([soon, late, works], now=NOW, at_once=False)
    with pytest.raises(StorageError):
        slots.place([works, works, works], now=NOW, at_once=True)


async def test_keys_and_proofs_made_for_a_price_of_nothing(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "for-nothing")
    executor = ask.served.executor
    version_id = ask.served.published.version_id
    async with running(isolated_devnet, executor, config_of(executor, lazy=LAZY)) as run:
        number = await ask.sent(await ask.request(max_price=1))

        async def skipped() -> bool:
            try:
                return (await run.journal.lazy(number)).state is LazyWorkState.SKIPPED
            except LookupError:
                return False

        await eventually("it is left alone", skipped)
        assert (await run.journal.lazy(number)).reason == "price-too-low"
        # Not even a trial proof was made.
        assert await run.journal.timing(version_id, 0) is None
