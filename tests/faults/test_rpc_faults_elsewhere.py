"""Bad endpoints while lazy answers, receipts and quorums are worked on, and for watchtowers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from executor_fixtures import running
from faulty_rpc import FaultyRpc, faulty_rpc
from gateless.core.lazy import LazyState
from gateless.devnet import Devnet
from gateless.watchtower.cases import CaseState
from lazy_serving import LAZY
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from promising import promising
from quorum_fixtures import mining
from rpc_faults import FAULTS
from seated import seated
from tried import PATIENCE_SECONDS, on_trial
from watched import the_case, told_a_lie
from watchtower_fixtures import COMMIT_BOND, signing_executor, watching

KINDS = ("taken-yet-502", "hash-told-and-transaction-lost", "receipts-late")


@pytest.fixture
async def proxy(isolated_devnet: Devnet) -> AsyncIterator[FaultyRpc]:
    async with faulty_rpc(isolated_devnet.deployment.rpc_url) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
async def test_a_lazy_answer_that_is_doubted(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    proxy: FaultyRpc,
    kind: str,
) -> None:
    tried = await on_trial(isolated_devnet, make_served, make_account, "misled-lazily", lazy=LAZY)
    doubter, executor = await make_account(), tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, rpc_url=proxy.url) as run:
        proxy.faults.append(FAULTS[kind]())
        request_id = await tried.asks_lazily()
        await tried.ask.reaches(request_id, LazyState.ANSWERED)
        proxy.faults[:] = [FAULTS[kind]()]
        await tried.ask.doubt(doubter, request_id)
        await tried.at_rest(run.journal)
        assert proxy.struck > 0
    await tried.judged()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_receipt_that_is_challenged(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    proxy: FaultyRpc,
    kind: str,
) -> None:
    tried = await on_trial(isolated_devnet, make_served, make_account, "misled-promises")
    made, doubter, executor = (
        await promising(tried),
        await make_account(),
        tried.ask.served.executor,
    )
    async with running(
        tried.devnet, executor, tried.config, rpc_url=proxy.url, receipt_key=made.key
    ) as run:
        signed = await made.signs()
        proxy.faults.append(FAULTS[kind]())
        await made.is_doubted(signed, doubter)
        await tried.at_rest(run.journal)
        assert proxy.struck > 0
    await tried.judged()


@pytest.mark.xdist_group("quorums")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_quorum(
    isolated_devnet: Devnet,
    make_account: MakeAccount,
    tmp_path: Path,
    proxy: FaultyRpc,
    kind: str,
) -> None:
    """It enrols, sits, and reveals in time; the others see the chain as it is."""
    member = await seated(isolated_devnet, make_account, tmp_path, "quorum-misled", 3)
    async with mining(member.devnet):
        proxy.faults.append(FAULTS[kind]())
        async with (
            member.others(),
            running(member.devnet, member.account, member.config, rpc_url=proxy.url),
        ):
            await eventually("all can be drawn", member.stage.are_awake, PATIENCE_SECONDS)
            proxy.faults.append(FAULTS[kind]())
            await member.asks()
            await eventually("the quorum has ended", member.ended, PATIENCE_SECONDS)
            await member.settled()
        assert proxy.struck > 0
    await member.judged(quorums=[member.asked])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_watchtower(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    proxy: FaultyRpc,
    kind: str,
) -> None:
    says = await signing_executor(isolated_devnet, make_served, "lying-to-the-misled")
    told = await told_a_lie(isolated_devnet, says, make_account)
    behind = replace(
        isolated_devnet, deployment=replace(isolated_devnet.deployment, rpc_url=proxy.url)
    )
    proxy.faults.append(FAULTS[kind]())
    async with watching(behind, told.tower) as watch:
        case = await the_case(watch, CaseState.OPEN)
        proxy.faults.append(FAULTS[kind]())
        await told.passes(case.deadline)
        await the_case(watch, CaseState.WON)
    assert proxy.struck > 0
    assert await says.chain.court.balance_of(told.tower.address) >= COMMIT_BOND
    await told.judged()
