"""What a loss stops, and until when."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from gateless.adapters.db import DatabaseUrl
from gateless.core.types import TrustMode
from gateless.daemon.journals import Position
from gateless.executor import Journal
from gateless.executor.breaker import Breaker
from gateless.executor.halts import Halt, Halted, of_claim
from gateless.executor.journal_claims import ClaimStanding, CourtNews, NewClaim
from gateless.executor.losses import Losses
from gateless.executor.states import UNDELIVERED, Finding, WorkState
from gateless.executor.work import NewWork
from manual_clock import ManualClock

ONE, TWO, THREE = 1 << 32, 2 << 32, 3 << 32
ME = "0x" + "11" * 20
SUBJECT = b"\x07" * 32


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    opened = await Journal.open(database_url, chain_id=31337, market="0xMarket", account=ME)
    yield opened
    await opened.close()


def asked(request_id: int, version_id: int) -> NewWork:
    return NewWork(
        request_id=request_id,
        version_id=version_id,
        requester="0x" + "22" * 20,
        mode=TrustMode.ZK,
        price=1,
        collateral=1,
        deadline=2_000,
        input_digest=b"\x01" * 32,
        input_binding=b"\x01" * 32,
        named_executor=None,
        created_block=1,
    )


def challenged(version_id: int) -> NewClaim:
    return NewClaim(
        claim_id=7,
        subject=SUBJECT,
        version_id=version_id,
        input_binding=b"\x01" * 32,
        output_digest=b"\x02" * 32,
        packed_input=b"in",
        epoch=1,
        slot=1,
        deadline=1_500,
        created_block=1,
    )


def loss(version_id: int, *, is_whole: bool = False) -> Halt:
    return Halt(f"request {version_id}", version_id, is_whole, "lock-missed", "too late")


def breaker() -> Breaker:
    return Breaker(ManualClock(), failures=3, pause_seconds=60)


def test_a_version_is_halted_first_and_everything_after_a_second_one() -> None:
    assert not Halted().of(ONE) and not Halted().everything
    one = Halted((loss(ONE), replace(loss(ONE), cause="request 2")))
    assert one.of(ONE) and not one.of(TWO) and not one.everything
    both = Halted((loss(ONE), loss(TWO)))
    assert both.everything and both.of(THREE)


def test_what_was_not_the_versions_alone_halts_everything() -> None:
    assert Halted((loss(ONE, is_whole=True),)).of(TWO)
    assert of_claim(1, ONE, "response-missed", "", was_proven=True).is_whole
    assert not of_claim(1, ONE, "receipt-indefensible", "", was_proven=False).is_whole


def test_the_breaker_leaves_alone_what_is_halted() -> None:
    kept = breaker()
    assert kept.obstacle(ONE) is None
    kept.halted = Halted((loss(ONE),))
    assert not kept.admits(ONE) and kept.admits(TWO)
    obstacle = kept.obstacle(ONE)
    assert obstacle is not None
    assert obstacle.code == "version-halted" and "gateless executor resume" in obstacle.hint
    kept.succeeded(ONE)
    assert not kept.admits(ONE), "a success does not tell what was lost before"
    kept.halted = Halted((loss(ONE, is_whole=True),))
    whole = kept.obstacle(TWO)
    assert whole is not None and whole.code == "halted"


def test_nothing_is_promised_for_a_version_that_rests() -> None:
    """Also by those who began before it failed again and again."""
    kept = breaker()
    for _ in range(3):
        kept.failed(ONE)
    resting = kept.obstacle(ONE)
    assert resting is not None and resting.code == "version-resting"
    assert kept.obstacle(TWO) is None


async def test_each_loss_halts_once_until_it_is_resumed(journal: Journal) -> None:
    works = [asked(1, ONE), asked(2, TWO), asked(3, ONE)]
    await journal.advance(works, Position(1, "0xone"))
    kept = breaker()
    losses = Losses(journal, kept)
    assert not (await losses.look()).halts
    assert losses.problems == []
    await journal.settle(1, Finding(WorkState.FAILED, "lock-missed", "too late"))
    assert (await losses.look()).versions == {ONE}
    [problem] = losses.problems
    assert problem.code == "version-halted" and problem.hint.count(str(ONE)) == 1
    # Another process, after a restart.
    after = breaker()
    assert (await Losses(journal, after).look()).versions == {ONE}
    assert not after.admits(ONE)

    assert [halt.cause for halt in await journal.resume(TWO)] == []
    assert [halt.cause for halt in await journal.resume(ONE)] == ["request 1"]
    assert not (await losses.look()).halts
    assert kept.admits(ONE)
    await journal.settle(3, Finding(WorkState.FAILED, "lock-missed", "too late"))
    await journal.settle(2, Finding(WorkState.FAILED, "lock-missed", "too late"))
    assert (await losses.look()).everything
    [problem] = losses.problems
    assert problem.code == "halted" and "request 2" in problem.message
    assert [entry.code for entry in losses.obstacles] == ["halted"]
    assert len(await journal.resume()) == 2
    assert not (await losses.look()).everything


async def test_a_proof_that_was_there_was_not_the_versions_fault(journal: Journal) -> None:
    await journal.advance([asked(1, ONE)], Position(1, "0xone"))
    await journal.settle(1, Finding(WorkState.FAILED, UNDELIVERED, "it was proven"))
    assert (await Losses(journal, breaker()).look()).everything


@pytest.mark.parametrize("proven", [False, True])
async def test_lost_bonds_halt_as_well(journal: Journal, proven: bool) -> None:
    await journal.advance([], Position(1, "0xone"), CourtNews(claims=(challenged(ONE),)))
    if proven:
        await journal.keep_proof(SUBJECT, b"out", 0, b"proof")
    await journal.settle_claim(7, ClaimStanding.LOST, reason="response-missed", text="too late")
    halted = await Losses(journal, breaker()).look()
    assert halted.versions == {ONE}
    assert halted.everything == proven
