"""A deposit for a bond that is not mined in time is waited for, and never sent a second time."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Any

from gateless.adapters.clock import SystemClock
from gateless.core.handovers import Handover
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.watchtower import Journal, open_watchtower
from gateless.watchtower.cases import IntentKind
from gateless.watchtower.journal_intents import Intent
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from watchtower_fixtures import put_into, signing_executor, watch_config, with_bundle

_SPEED = 40


class FastClock(SystemClock):
    """Patience runs out forty times as fast."""

    def monotonic(self) -> float:
        return time.monotonic() * _SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / _SPEED)


async def test_a_deposit_that_is_not_mined_in_time_is_the_only_one(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "slow-deposit")
    tower = await with_bundle(await make_account(), says.served)
    now = (await says.chain.block("pending")).timestamp
    lie = await says.receipt(says.lie, slot=0, expires=now + 7000)
    put_into(watch_config(tower).inbox, "lie", Handover(lie, says.packed).to_json())
    kept: list[Journal] = []

    class Kept(Journal):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            kept.append(self)

    async def deposits() -> list[Intent]:
        return await kept[0].intents(kind=IntentKind.DEPOSIT) if kept else []

    async with open_watchtower(
        watch_config(tower),
        deployment=devnet.deployment,
        signer=tower.signer,
        journal_type=Kept,
        clock=FastClock(),
    ) as watchtower:
        await devnet.control.set_automine(False)
        task = asyncio.create_task(watchtower.run())

        async def sent() -> bool:
            return bool(await deposits())

        await eventually("a deposit was sent", sent)
        # Several times as long as a transaction is waited for.
        await asyncio.sleep(4 * 180 / _SPEED)
        assert [entry.state for entry in await deposits()] == [IntentState.PENDING]
        await devnet.control.set_automine(True)
        await devnet.control.mine(2)

        async def announced() -> bool:
            return any(
                entry.kind is IntentKind.COMMIT and entry.state is IntentState.MINED
                for entry in await kept[0].intents()
            )

        await eventually("the challenge is announced", announced)
        assert [entry.state for entry in await deposits()] == [IntentState.MINED]
        watchtower.abort()
        with suppress(asyncio.CancelledError):
            await task
