"""Reorgs that undo the challenge of a receipt, with its proof or before there is one."""

from __future__ import annotations

import pytest
from executor_fixtures import running
from gateless.core.claims import ClaimState
from gateless.devnet import Devnet
from gateless_proofs import KeyCache
from held_prover import HeldProver
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from promising import promising
from tried import PATIENCE_SECONDS, Tried, on_trial


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    tried = await on_trial(isolated_devnet, make_served, make_account, "forked-promises")
    tried.forked = True
    return tried


@pytest.mark.parametrize("proven", [True, False], ids=["with-its-proof", "before-its-proof"])
@pytest.mark.parametrize("deeper", [0, 4])
async def test_a_challenge_of_a_receipt_is_undone_and_made_again(
    tried: Tried, make_account: MakeAccount, proven: bool, deeper: int
) -> None:
    """``deeper`` blocks before the challenge are undone as well: the pool and receipt are older."""
    made = await promising(tried)
    executor, chain = tried.ask.served.executor, tried.devnet.client
    doubter, again = await make_account(), await make_account()
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    prover.let_go.set()
    async with running(
        tried.devnet, executor, tried.config, prover=prover, receipt_key=made.key
    ) as run:
        signed = await made.signs()
        await tried.devnet.control.mine()  # or else the receipt is dated after all that is left
        before = (await chain.block()).number
        await tried.devnet.control.mine(deeper)
        if not proven:
            prover.let_go.clear()
        claim = await made.is_doubted(signed, doubter)

        async def as_far_as_it_goes() -> bool:
            state = (await chain.court.claim(claim)).state
            return state is (ClaimState.PROVEN if proven else ClaimState.OPEN)

        await eventually("the receipt is doubted", as_far_as_it_goes, PATIENCE_SECONDS)
        head = (await chain.block()).number
        await chain.rpc.request("anvil_reorg", head - before, [])
        assert await chain.court.claim_count() == 0
        tried.claims.clear()
        await tried.devnet.control.mine()
        prover.let_go.set()
        await made.is_doubted(signed, again)
        await tried.at_rest(run.journal)
    await tried.judged()
