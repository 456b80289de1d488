"""A lying executor is caught by the watchtower and slashed; a false challenger pays: through a
receipt and at the lazy market. Executors, watchtower, proofs and HTTP are real."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from executor_fixtures import Running, config_of, running
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import ClaimState
from gateless.core.handovers import Handover
from gateless.core.lazy import Finality, LazyState
from gateless.core.receipts import SignedReceipt, parse_receipt
from gateless.devnet import Devnet
from gateless.executor import ReceiptsConfig
from gateless.sdk import PoolTerms
from gateless.sdk.handing import hand_over
from gateless.watchtower.cases import CaseState
from gateless.watchtower.earnings import read_earnings
from gateless_proofs import KeyCache, Prover
from lazy_fixtures import BACKING, CHALLENGE_BOND, COLLATERAL
from lying_prover import LyingProver
from market_fixtures import PRICE, ROW, Account, MakeAccount, MakeServed, Served, fund
from patience import eventually
from watchtower_fixtures import DOLLAR, watching, with_bundle

BOND, DOUBT = 10 * DOLLAR, 2 * DOLLAR
POOL = PoolTerms(bond=BOND, capacity=4, challenge_bond=DOUBT)
RECEIPTS = ReceiptsConfig(
    bond=BOND, capacity=4, challenge_bond=DOUBT, epochs_ahead=0, tend_seconds=0.2
)


@asynccontextmanager
async def executing(
    devnet: Devnet, served: Served, prover: Prover, *, receipts: ReceiptsConfig | None = None
) -> AsyncIterator[Running]:
    """Runs an executor that serves its files and takes calls and signed requests."""
    config = config_of(served.executor, serve_port=0, receipts=receipts)
    key = None
    if receipts is not None:
        key = LocalSigner.random()
        await served.executor.client.back_receipts(POOL, receipt_key=key.address)
    async with running(devnet, served.executor, config, prover=prover, receipt_key=key) as run:
        await served.executor.client.stake(0, endpoint=run.executor.serving_at)
        yield run


async def called(run: Running, served: Served, user: Account) -> tuple[SignedReceipt, Handover]:
    """What a direct call brings, checked as a client checks it."""
    asked = {
        "inputs": [{"name": "x", "shape": [1, 4], "datatype": "FP32", "data": ROW}],
        "parameters": {"beneficiary": user.address},
    }
    path = f"/v2/models/{served.name}/versions/0/infer"
    async with httpx.AsyncClient(base_url=run.executor.serving_at, timeout=120) as http:
        answer = await http.post(path, json=asked)
    assert answer.status_code == 200, answer.text
    said = answer.json()["parameters"]
    signed = parse_receipt(json.dumps(said["receipt"]))
    packed, output = (bytes.fromhex(said[name][2:]) for name in ("packed_input", "packed_output"))
    await user.client.check_receipt(
        signed, served.name, packed, output, executor=served.executor.address, min_bond=BOND
    )
    return signed, Handover(signed, packed, output)


async def test_through_a_receipt(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    served = await make_served("e2e-receipt")
    await fund(devnet, served.executor.address, 500)
    user, rash = await with_bundle(await make_account(), served), await make_account()
    tower = await make_account()  # has no files: it fetches them from the executor
    prover = LyingProver(KeyCache(served.executor.home / "cache"))
    prover.lying = False
    chain = user.client.chain
    async with (
        executing(devnet, served, prover, receipts=RECEIPTS) as run,
        watching(devnet, tower, serve_port=0) as watch,
    ):
        true, given = await called(run, served, user)
        await hand_over(given, watch.watchtower.serving_at)
        await watch.reaches(true.digest, CaseState.RIGHT)
        assert given.packed_input is not None
        doubted = (await rash.client.challenge_receipt(true, given.packed_input)).claim

        async def proven() -> bool:
            return (await chain.court.claim(doubted.claim_id)).state is ClaimState.PROVEN

        await eventually("the executor has proven it by itself", proven, 120)
        paid = await read_earnings(chain, rash.address)
        assert (paid.lost, paid.bonds_lost, paid.rewards) == (1, DOUBT, 0)

        prover.lying = True
        lie, given = await called(run, served, user)
        await hand_over(given, watch.watchtower.serving_at)
        case = await watch.reaches(lie.digest, CaseState.OPEN)
        await devnet.control.advance(case.deadline - (await chain.block()).timestamp + 1)
        await watch.reaches(lie.digest, CaseState.WON)
        earned = await read_earnings(chain, tower.address)
        assert (earned.won, earned.rewards, earned.bonds_lost) == (1, BOND // 5, 0)


async def test_at_the_lazy_market(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    served = await make_served("e2e-lazy")
    await fund(devnet, served.executor.address, 500)
    await served.executor.client.back_lazily(BACKING)
    user, rash = await with_bundle(await make_account(), served), await make_account()
    tower = await make_account()
    prover = LyingProver(KeyCache(served.executor.home / "cache"))
    prover.lying = False
    chain = user.client.chain
    async with executing(devnet, served, prover), watching(devnet, tower) as watch:
        true = (await user.client.ask_lazily(served.name, ROW, collateral=COLLATERAL)).request_id
        await user.client.wait_lazily(true, patience=120)
        await watch.reaches(true.to_bytes(32, "big"), CaseState.RIGHT)
        await rash.client.challenge_lazily(true)
        answer = await user.client.wait_lazily(true, final=True, patience=120)
        assert answer.result.how is Finality.PROVEN
        assert answer.result.bond == COLLATERAL
        paid = await read_earnings(chain, rash.address)
        assert (paid.lost, paid.bonds_lost, paid.rewards) == (1, CHALLENGE_BOND, 0)

        prover.lying = True
        before = await user.client.lazy.balance_of(user.address)
        lie = (await user.client.ask_lazily(served.name, ROW, collateral=COLLATERAL)).request_id
        case = await watch.reaches(lie.to_bytes(32, "big"), CaseState.OPEN)
        await devnet.control.advance(case.deadline - (await chain.block()).timestamp + 1)
        await watch.reaches(lie.to_bytes(32, "big"), CaseState.WON)
        assert await user.client.lazy.state(lie) is LazyState.SLASHED
        earned = await read_earnings(chain, tower.address)
        assert (earned.won, earned.rewards, earned.bonds_lost) == (1, COLLATERAL // 5, 0)
        # The requester has the price back, and as much again as compensation.
        assert await user.client.lazy.balance_of(user.address) == before + PRICE
        assert (await user.client.withdraw_compensations()).amount == PRICE
