"""Three executors, one of whom lies: the quorum agrees without him, and he loses a little."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

import numpy as np
import pytest
from executor_fixtures import config_of, executor_process, reading, running
from gateless.core.errors import ChainError, NotFoundError
from gateless.core.lazy import Finality
from gateless.core.quorums import QuorumState
from gateless.devnet import Devnet
from gateless_proofs import Bundle, KeyCache, Prover
from market_fixtures import MakeAccount
from patience import eventually
from quorum_fixtures import (
    LIMITS,
    ROW,
    SEAT_PRICE,
    STAKE,
    LyingProver,
    QuorumStage,
    mining,
    quorum_stage,
)

pytestmark = pytest.mark.xdist_group("quorums")
WINDOW = 900


def prover_of(stage: QuorumStage, place: int, *, lies: bool) -> Prover:
    kind = LyingProver if lies else Prover
    return kind(KeyCache(stage.executors[place].home / "cache", LIMITS), LIMITS)


async def test_a_quorum_is_reached_against_a_liar(
    devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "quorum-liar")
    liar, honest = stage.executors[2], stage.executors[:2]
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(mining(devnet))
        for place, account in enumerate(stage.executors):
            config = config_of(account, quorum=stage.config)
            prover = prover_of(stage, place, lies=account is liar)
            await stack.enter_async_context(running(devnet, account, config, prover=prover))
        await eventually("all three can be drawn", stage.are_awake)

        asked = await stage.user.client.ask_quorum(
            "quorum-liar", ROW, commit_window=WINDOW, reveal_window=WINDOW
        )
        fees = 3 * SEAT_PRICE
        assert asked.request.price == -(-fees * 10_000 // 9_000)
        answer = await stage.user.client.wait_quorum(asked.request_id, patience=120)

        assert answer.state is QuorumState.FINAL
        assert answer.agreed == 2
        assert answer.outputs is not None
        assert answer.outputs.reals["y"].tolist() == [[2 * value for value in ROW]]
        assert answer.outputs.packed == (2 * np.array(ROW, dtype="<f4")).tobytes()
        assert answer.result.how is Finality.QUORUM
        limits = await stage.market.limits()
        assert answer.result.bond == 2 * limits.outlier_slash

        # The liar lost a little, the honest shared the price.
        assert (await stage.member(liar)).stake == STAKE - limits.outlier_slash
        assert await stage.market.balance_of(liar.address) == 0
        earned = [await stage.market.balance_of(account.address) for account in honest]
        royalty = asked.request.price // 10
        assert sum(earned) == asked.request.price - royalty
        assert max(earned) - min(earned) <= 1
        for account in honest:
            assert (await stage.member(account)).stake == STAKE
            assert (await stage.member(account)).open_seats == 0


async def test_without_an_agreement_the_price_comes_back(
    devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "quorum-split")

    class OtherLie(Prover):
        async def answer(self, bundle: Bundle, packed_input: bytes) -> bytes:
            return b"\1" * 16

    lies = (Prover, LyingProver, OtherLie)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(mining(devnet))
        runs = []
        for account, kind in zip(stage.executors, lies, strict=True):
            prover = kind(KeyCache(account.home / "cache", LIMITS), LIMITS)
            config = config_of(account, quorum=stage.config)
            run = await stack.enter_async_context(running(devnet, account, config, prover=prover))
            runs.append(run)
        await eventually("all three can be drawn", stage.are_awake)
        for run in runs:  # that they serve no version of the market of proofs is as they want it
            await run.has_problems()
        asked = await stage.user.client.ask_quorum(
            "quorum-split", ROW, commit_window=WINDOW, reveal_window=WINDOW
        )
        with pytest.raises(ChainError) as caught:
            await stage.user.client.wait_quorum(asked.request_id, patience=120)
        assert caught.value.code == "request-refunded"
        assert "agreed" in caught.value.message
        answer = await stage.user.client.quorum_answer(asked.request_id)
        assert answer.state is QuorumState.REFUNDED
        assert answer.outputs is None
        # Nobody knows who was right: all revealed, so nobody pays.
        for account in stage.executors:
            assert (await stage.member(account)).stake == STAKE
        assert await stage.market.balance_of(stage.user.address) == asked.request.price


async def test_a_restarted_member_commits_and_reveals_what_it_had_journaled(
    devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    """Salt and output are journaled before the commitment is sent: a crash in between loses
    nothing, and whatever the member runs from then on, what it journaled is what it reveals."""
    stage = await quorum_stage(devnet, make_account, tmp_path, "quorum-restart")
    first = stage.executors[0]
    config = config_of(first, quorum=stage.config)
    async with contextlib.AsyncExitStack() as others:
        await others.enter_async_context(mining(devnet))
        async with executor_process(devnet, first, config, die_at="intent:quorum_commit") as dying:
            for place, account in enumerate(stage.executors[1:], start=1):
                other = config_of(account, quorum=stage.config)
                prover = prover_of(stage, place, lies=False)
                await others.enter_async_context(running(devnet, account, other, prover=prover))
            await eventually("all three can be drawn", stage.are_awake)
            asked = await stage.user.client.ask_quorum(
                "quorum-restart", ROW, commit_window=WINDOW, reveal_window=WINDOW
            )
            assert await dying.ended() == -signal.SIGKILL
        async with reading(devnet, first, config) as journal:
            kept = await journal.quorums.get(asked.request_id)
        assert kept.salt is not None
        assert kept.packed_output == (2 * np.array(ROW, dtype="<f4")).tobytes()
        events = await devnet.client.events(["QuorumMarket.QuorumCommitted"], asked.opened_block)
        mine = [event for event in events if event.args["requestId"] == asked.request_id]
        assert first.address not in {event.args["member"] for event in mine}

        again = prover_of(stage, 0, lies=True)
        async with running(devnet, first, config, prover=again):
            answer = await stage.user.client.wait_quorum(asked.request_id, patience=120)
    assert answer.agreed == 3
    assert (await stage.member(first)).stake == STAKE


async def test_who_stops_in_good_order_is_not_drawn_any_more(
    devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    """Otherwise it would be drawn, stay silent and lose a bond; a restart wakes it up."""
    stage = await quorum_stage(devnet, make_account, tmp_path, "quorum-stop", executors=1)
    (account,) = stage.executors
    config = config_of(account, quorum=stage.config)
    for _ in range(2):
        prover = prover_of(stage, 0, lies=False)
        async with running(devnet, account, config, prover=prover) as executor:

            async def is_awake() -> bool:
                return (await stage.member(account)).is_awake

            await eventually("it can be drawn", is_awake)
            executor.executor.stop()
            await executor.task
        member = await stage.member(account)
        assert not member.is_awake
        assert (member.stake, member.open_seats) == (STAKE, 0)


async def test_nobody_to_draw(devnet: Devnet, make_account: MakeAccount, tmp_path: Path) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "quorum-nobody", executors=0)
    with pytest.raises(NotFoundError) as caught:
        await stage.user.client.ask_quorum("quorum-nobody", ROW)
    assert caught.value.code == "no-quorum"
