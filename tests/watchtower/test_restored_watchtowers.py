"""Watchtowers that go on from a backup: no second bond for a case, no challenge forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateless import migrations
from gateless.adapters.clock import SystemClock
from gateless.adapters.db import DatabaseUrl
from gateless.core.handovers import Handover
from gateless.daemon.backups import back_up, restore
from gateless.devnet import Devnet
from gateless.watchtower import WatchtowerConfig
from gateless.watchtower.cases import CaseState
from gateless.watchtower.journal import OWNER
from lazy_fixtures import answering_executor, serving_store
from market_fixtures import Account, MakeAccount, MakeServed
from watchtower_fixtures import (
    TERMS,
    put_into,
    reading,
    signing_executor,
    watch_config,
    watching,
    with_bundle,
)


async def gone_back(config: WatchtowerConfig, saved: Path) -> WatchtowerConfig:
    """The journal is lost, and what was saved of it is put back elsewhere."""
    url = DatabaseUrl.of_path(saved.with_name("restored.db"))
    clock = SystemClock()
    await restore(saved, url, migrations=migrations.WATCHTOWER, owner=OWNER, clock=clock)
    return replace(config, database=url)


async def judged_and_saved(
    devnet: Devnet, tower: Account, case_id: bytes, config: WatchtowerConfig
) -> Path:
    """A backup from the moment in which a case was found wrong, and nothing was sent."""
    async with watching(devnet, tower, replace(config, max_at_risk=0)) as watch:
        await watch.reaches(case_id, CaseState.WRONG, reason="budget-used")
    saved = config.data_dir / "saved"
    await back_up(config.journal, saved)
    return saved


async def test_a_challenge_made_since_the_backup_is_followed_to_its_reward(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "restored-tower")
    tower = await with_bundle(await make_account(), says.served)
    config = watch_config(tower)
    assert config.inbox is not None
    lie = await says.receipt(says.lie)
    put_into(config.inbox, "lie", Handover(lie, says.packed).to_json())
    saved = await judged_and_saved(devnet, tower, lie.digest, config)
    async with watching(devnet, tower, config) as watch:
        before = await watch.reaches(lie.digest, CaseState.OPEN)

    restored = await gone_back(config, saved)
    async with watching(devnet, tower, restored) as watch:
        case = await watch.reaches(lie.digest, CaseState.OPEN)
        assert (case.claim_id, case.bond) == (before.claim_id, TERMS.challenge_bond)
        assert (await says.chain.court.queue(says.served.executor.address)).ever_opened == 1
        now = (await says.chain.block("pending")).timestamp
        await devnet.control.advance(case.deadline - now + 1)
        won = await watch.reaches(lie.digest, CaseState.WON)
    assert won.reward == TERMS.bond // 5
    events = await says.chain.events(["ReceiptCourt.Committed"], 0)
    assert len(events) == 1


async def test_what_ended_since_the_backup_is_not_challenged_again(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "restored-late")
    tower = await with_bundle(await make_account(), says.served)
    config = watch_config(tower)
    assert config.inbox is not None
    lie = await says.receipt(says.lie)
    put_into(config.inbox, "lie", Handover(lie, says.packed).to_json())
    saved = await judged_and_saved(devnet, tower, lie.digest, config)
    async with watching(devnet, tower, config) as watch:
        case = await watch.reaches(lie.digest, CaseState.OPEN)
        now = (await says.chain.block("pending")).timestamp
        await devnet.control.advance(case.deadline - now + 1)
        await watch.reaches(lie.digest, CaseState.WON)

    restored = await gone_back(config, saved)
    async with watching(devnet, tower, restored) as watch:
        await watch.reaches(lie.digest, CaseState.LEFT, reason="receipt-slot-slashed")
    async with reading(devnet, tower, restored) as journal:
        assert await journal.at_risk() == 0


async def test_a_doubt_about_a_lazy_answer_is_followed_too(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "restored-lazy")
    tower = await with_bundle(await make_account(), says.served)
    config = watch_config(tower, inbox=None)
    async with serving_store(says.user) as url:
        asked = await says.asks(await says.hint(url))
        lie = await says.answers(asked, says.lie)
        case_id = lie.to_bytes(32, "big")
        saved = await judged_and_saved(devnet, tower, case_id, config)
    async with watching(devnet, tower, config) as watch:
        before = await watch.reaches(case_id, CaseState.OPEN)

    restored = await gone_back(config, saved)
    async with watching(devnet, tower, restored) as watch:
        case = await watch.reaches(case_id, CaseState.OPEN)
        assert (case.deadline, case.bond) == (before.deadline, before.bond)
        now = (await devnet.client.block("pending")).timestamp
        await devnet.control.advance(case.deadline - now + 1)
        won = await watch.reaches(case_id, CaseState.WON)
    assert won.reward > 0
