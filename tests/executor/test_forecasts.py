"""What a further lock would mean, by measurements of this run and of those before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from gateless.adapters.db import DatabaseUrl
from gateless.core.lazy import LazyClaim, LazyRequest
from gateless.core.types import InputBinding, TrustMode
from gateless.daemon.journals import Position
from gateless.executor import Journal, PolicyConfig
from gateless.executor.journal_claims import ClaimStanding, CourtNews, NewClaim
from gateless.executor.lazy.states import LazyWork, LazyWorkState
from gateless.executor.owed import Owed
from gateless.executor.policy import Answer, Policy, Verdict
from gateless.executor.states import WorkState
from gateless.executor.work import NewWork
from manual_clock import ManualClock

OURS, OTHER = 1 << 32, 2 << 32
NOW, DUE = 1_000.0, 1_060.0
HEAD = 5_000
ME = "0x" + "11" * 20


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    opened = await Journal.open(database_url, chain_id=31337, market="0xMarket", account=ME)
    yield opened
    await opened.close()


LAZY = LazyRequest(
    requester="0x" + "22" * 20,
    version_id=OTHER,
    input_digest=bytes(32),
    input_binding=bytes(32),
    max_price=1,
    min_price=0,
    ramp_start=0,
    ramp_length=0,
    collateral=1,
    deadline=int(NOW) + 1_000,
    lock_duration=60,
    challenge_window=600,
    response_window=100,
    audit_bps=0,
)


def announced(request_id: int, version_id: int) -> NewWork:
    return NewWork(
        request_id=request_id,
        version_id=version_id,
        requester="0x" + "22" * 20,
        mode=TrustMode.ZK,
        price=1,
        collateral=1,
        deadline=int(DUE) + 1_000,
        input_digest=b"\x01" * 32,
        input_binding=b"\x01" * 32,
        named_executor=None,
        created_block=1,
    )


def owed(journal: Journal, *known: int, now: float = NOW) -> tuple[Owed, Any]:
    """What is owed by a journal, where some versions are prepared; and one that is: ours."""

    def ready(version_id: int) -> Any:
        return SimpleNamespace(
            info=SimpleNamespace(version_id=version_id, binding=InputBinding.KZG),
            bundle=SimpleNamespace(schema=SimpleNamespace(inputs=(), outputs=())),
            circuit_index=0,
            batch_circuits=(),
        )

    clock = ManualClock()
    clock.time = NOW
    config = PolicyConfig()
    parts: Any = SimpleNamespace(
        journal=journal,
        versions=SimpleNamespace(known={entry: ready(entry) for entry in known}.get),
        policy=Policy(replace(config, time_factor=1.0, margin_seconds=0.0), ME),
        config=SimpleNamespace(policy=config),
        clock=clock,
        time=SimpleNamespace(now=now, height=HEAD),
    )
    return Owed(parts), ready(OURS)


async def locked(journal: Journal, request_id: int, due: float) -> None:
    await journal.move(request_id, WorkState.CHECKED, packed_input=b"in", circuit_index=1)
    await journal.move(request_id, WorkState.LOCKING)
    await journal.move(request_id, WorkState.LOCKED, lock_deadline=int(due))


def challenge(version_id: int, deadline: float) -> NewClaim:
    return NewClaim(
        claim_id=7,
        subject=b"\x07" * 32,
        version_id=version_id,
        input_binding=b"\x01" * 32,
        output_digest=b"\x02" * 32,
        packed_input=b"in",
        epoch=1,
        slot=1,
        deadline=int(deadline),
        created_block=1,
    )


async def test_promises_of_an_earlier_run_count_before_their_version_is_prepared(
    journal: Journal,
) -> None:
    """After a start the first version that is ready would be promised the time of the others."""
    works = [announced(1, OTHER), announced(2, OTHER), announced(3, OURS)]
    await journal.advance(works, Position(1, "0xone"))
    for number in (1, 2):
        await locked(journal, number, DUE - 10)
    await journal.measured(OTHER, 1, 25.0)
    await journal.measured(OURS, 0, 5.0)
    found, ready = owed(journal, OURS)
    outlook = await found.forecast(await journal.get(3), ready, due=DUE, now=NOW)
    assert (outlook.before, outlook.own) == (50.0, 5.0)


async def test_doubt_about_a_version_that_is_not_prepared_counts(journal: Journal) -> None:
    """Its circuit is not known before that: the slowest of the version is what it may take."""
    news = CourtNews(claims=(challenge(OTHER, DUE - 10),))
    await journal.advance([announced(3, OURS)], Position(1, "0xone"), news)
    await journal.measured(OTHER, 0, 20.0)
    await journal.measured(OTHER, 2, 30.0)
    await journal.measured(OURS, 0, 5.0)
    found, ready = owed(journal, OURS)
    outlook = await found.forecast(await journal.get(3), ready, due=DUE, now=NOW)
    assert (outlook.before, outlook.own) == (30.0, 5.0)
    assert await found.presses(), "it takes more than half of what is left"
    prepared, ready = owed(journal, OURS, OTHER)
    outlook = await prepared.forecast(await journal.get(3), ready, due=DUE, now=NOW)
    assert outlook.before == 20.0
    assert not await prepared.presses()


async def test_nothing_is_promised_beside_what_was_never_measured(journal: Journal) -> None:
    news = CourtNews(claims=(challenge(OTHER, DUE + 500),))
    works = [announced(1, OTHER), announced(3, OURS)]
    await journal.advance(works, Position(1, "0xone"), news)
    await journal.measured(OURS, 0, 5.0)
    found, ready = owed(journal, OURS)

    async def verdict() -> Verdict | None:
        outlook = await found.forecast(await journal.get(3), ready, due=DUE, now=NOW)
        return Policy(PolicyConfig(), ME).judge_queue(DUE - NOW, outlook)

    doubt = await verdict()
    assert doubt is not None
    assert (doubt.answer, doubt.reason) == (Answer.WAIT, "busy")
    assert "never measured" in doubt.text
    await journal.settle_claim(7, ClaimStanding.PROVEN)
    assert await verdict() is None
    await locked(journal, 1, DUE + 500)
    assert await verdict() is not None, "a promise likewise"
    await journal.measured(OTHER, 1, 1.0)
    assert await verdict() is None


async def test_a_proof_for_doubt_that_is_begun_comes_first(journal: Journal) -> None:
    """Whatever its deadline: what runs is not interrupted."""
    news = CourtNews(claims=(challenge(OTHER, DUE + 500),))
    await journal.advance([announced(3, OURS)], Position(1, "0xone"), news)
    await journal.measured(OTHER, 0, 30.0)
    await journal.measured(OURS, 0, 5.0)
    found, ready = owed(journal, OURS)
    work = await journal.get(3)
    assert (await found.forecast(work, ready, due=DUE, now=NOW)).before == 0.0
    with found.making(OTHER, DUE + 500):
        assert (await found.forecast(work, ready, due=DUE, now=NOW)).before == 30.0
    assert (await found.forecast(work, ready, due=DUE, now=NOW)).before == 0.0


async def test_deadlines_are_in_the_time_of_the_chain(journal: Journal) -> None:
    await journal.advance([announced(1, OTHER), announced(3, OURS)], Position(1, "0xone"))
    await locked(journal, 1, NOW + 1_010)
    await journal.measured(OTHER, 1, 10.0)
    await journal.measured(OURS, 0, 5.0)
    found, _ = owed(journal, OURS)
    assert not await found.presses()
    found, ready = owed(journal, OURS, now=NOW + 1_000)
    await found.forecast(await journal.get(3), ready, due=NOW + 2_000, now=NOW + 1_000)
    assert await found.presses(), "this machine's clock is behind"


async def test_lots_that_may_fall_count_as_if_they_fell_now(journal: Journal) -> None:
    """They do not queue: a lock beside them must leave time for all of them."""
    await journal.advance([announced(3, OURS)], Position(1, "0xone"))
    await journal.measured(OURS, 0, 5.0)
    await journal.measured(OTHER, 0, 20.0)
    found, ready = owed(journal, OURS)

    async def answered(number: int, audit_bps: int, block: int) -> None:
        asked = replace(LAZY, nonce=number, audit_bps=audit_bps)
        claim = LazyClaim(
            request_id=number,
            version_id=OTHER,
            requester=asked.requester,
            executor=ME,
            input_binding=asked.input_binding,
            input_digest=asked.input_digest,
            output_digest=b"\x02" * 32,
            price=1,
            royalty_bps=0,
            collateral=1,
            challenge_deadline=int(NOW) + 600,
            response_window=asked.response_window,
            audit_bps=audit_bps,
            answered_block=block,
            callback=asked.callback,
            callback_gas=0,
        )
        state = LazyWorkState.ANSWERED
        assert await journal.take_lazy(
            LazyWork(number, asked, state=state, claim=claim, changed_block=block)
        )

    async def before(due: float) -> float:
        outlook = await found.forecast(await journal.get(3), ready, due=due, now=NOW)
        return outlook.before

    await answered(11, audit_bps=0, block=HEAD)
    await answered(12, audit_bps=1, block=HEAD - 300)  # its lot is over
    assert await before(DUE + 500) == 0.0
    await answered(13, audit_bps=1, block=HEAD)
    await answered(14, audit_bps=1, block=HEAD)
    assert await before(DUE + 500) == 40.0
    assert await before(DUE) == 0.0, "it comes before them"
    outlook = await found.forecast(await journal.get(3), ready, due=DUE, now=NOW)
    assert outlook.endangered == 0.0
    await answered(15, audit_bps=1, block=HEAD)
    await answered(16, audit_bps=1, block=HEAD)
    await answered(17, audit_bps=1, block=HEAD)
    outlook = await found.forecast(await journal.get(3), ready, due=DUE, now=NOW)
    assert outlook.endangered == 5.0, "their windows have 100 s"
    assert not await found.presses(), "nothing of it is owed yet"
