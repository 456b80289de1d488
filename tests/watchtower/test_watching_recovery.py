"""A watchtower that dies at any step, or whose chain forks: one bond for each claim, and an end."""

from __future__ import annotations

from typing import Any

import pytest
from gateless.adapters.chain.prepared import PreparedTx
from gateless.core.handovers import Handover
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.watchtower import Journal, open_watchtower
from gateless.watchtower.cases import Case, CaseState, IntentKind
from gateless.watchtower.journal_intents import Intent
from market_fixtures import Account, MakeAccount, MakeServed
from patience import eventually
from watchtower_fixtures import (
    COMMIT_BOND,
    Signing,
    put_into,
    signing_executor,
    watch_config,
    watching,
    with_bundle,
)


class Killed(Exception):
    """In place of a kill -9: nothing after it is done."""


def dying_at(step: str) -> type[Journal]:
    """A journal that writes, then ends its watchtower."""

    class Dying(Journal):
        async def move(self, case_id: bytes, to: CaseState, **facts: Any) -> Case:
            case = await super().move(case_id, to, **facts)
            self._die(f"moved:{to}")
            return case

        async def intend(
            self, kind: IntentKind, prepared: PreparedTx, case_id: bytes | None = None
        ) -> Intent:
            intent = await super().intend(kind, prepared, case_id)
            self._die(f"intended:{kind}")
            return intent

        async def conclude(self, intent_id: int, state: IntentState, **facts: Any) -> None:
            await super().conclude(intent_id, state, **facts)
            kinds = {intent.intent_id: intent.kind for intent in await self.intents()}
            self._die(f"{state}:{kinds[intent_id]}")

        def _die(self, at: str) -> None:
            if at == step:
                raise Killed(at)

    return Dying


async def commitments(says: Signing, tower: Account) -> int:
    events = await says.chain.events(["ReceiptCourt.Committed"], 0)
    return sum(event.args["challenger"] == tower.address for event in events)


async def prepared(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, name: str
) -> tuple[Signing, Account, bytes]:
    """A lie that lies in a watchtower's inbox."""
    says = await signing_executor(devnet, make_served, name)
    tower = await with_bundle(await make_account(), says.served)
    lie = await says.receipt(says.lie)
    inbox = watch_config(tower).inbox
    assert inbox is not None
    put_into(inbox, "lie", Handover(lie, says.packed).to_json())
    return says, tower, lie.digest


STEPS = (
    "moved:wrong",
    "intended:deposit",
    "mined:deposit",
    "moved:committing",
    "intended:commit",
    "mined:commit",
    "moved:committed",
    "intended:open",
    "mined:open",
    "moved:open",
)


@pytest.mark.parametrize("step", STEPS)
async def test_no_step_is_lost_and_none_is_done_twice(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, step: str
) -> None:
    devnet = isolated_devnet
    name = step.replace(":", "-")
    says, tower, lie = await prepared(devnet, make_served, make_account, name)
    async with open_watchtower(
        watch_config(tower),
        deployment=devnet.deployment,
        signer=tower.signer,
        journal_type=dying_at(step),
    ) as first:
        with pytest.raises(Killed, match=step):
            await first.run()
    async with watching(devnet, tower) as watch:
        case = await watch.reaches(lie, CaseState.OPEN)
    assert await commitments(says, tower) == 1
    assert (await says.chain.court.queue(says.served.executor.address)).ever_opened == 1
    held = await says.chain.court.balance_of(tower.address)
    assert held + case.bond == COMMIT_BOND


async def test_a_challenge_that_a_fork_undid_is_made_again(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says, tower, lie = await prepared(devnet, make_served, make_account, "forked")
    before = await devnet.control.snapshot()
    async with watching(devnet, tower) as watch:
        first = await watch.reaches(lie, CaseState.OPEN)
    await devnet.control.revert(before)
    assert await says.chain.court.claim_count() == 0
    async with watching(devnet, tower) as watch:

        async def shown() -> bool:
            return (await says.chain.court.queue(says.served.executor.address)).open == 1

        await eventually("the challenge is on the new branch", shown)
        again = await watch.reaches(lie, CaseState.OPEN)
    assert (again.salt, again.bond) == (first.salt, first.bond)
    assert await commitments(says, tower) == 1


async def test_nothing_is_final_before_its_confirmations(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says, tower, lie = await prepared(devnet, make_served, make_account, "confirmed")
    async with watching(devnet, tower, confirmations=3) as watch:
        await watch.reaches(lie, CaseState.COMMITTED)
        await devnet.control.mine(4)
        case = await watch.reaches(lie, CaseState.OPEN)
        await devnet.control.advance(case.deadline - (await says.chain.block()).timestamp + 1)

        async def slashed() -> bool:
            return (await says.chain.court.claim(case.claim_id)).state.is_final

        await eventually("it is slashed", slashed)
        assert (await watch.journal.get(lie)).state is CaseState.OPEN
        await devnet.control.mine(4)
        await watch.reaches(lie, CaseState.WON)
