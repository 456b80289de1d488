"""A running executor serves lazy requests: answers at once, proves where doubted, is paid."""

from __future__ import annotations

from dataclasses import replace

import httpx
from executor_fixtures import config_of, running
from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.lazy_requests import LazyOffer
from gateless.core.lazy import Finality, LazyState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.lazy.states import LazyWorkState
from lazy_serving import BACKING, DOLLAR, LAZY, asking
from market_fixtures import MakeAccount, MakeServed
from patience import eventually


async def test_a_signed_request_is_answered_at_once_and_paid_after_its_window(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-signed")
    executor = ask.served.executor
    config = config_of(executor, serve_port=0, lazy=LAZY)
    async with (
        running(isolated_devnet, executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):

        async def backed() -> bool:
            return (await ask.market.backing(executor.address)).total == BACKING

        await eventually("the stake that is configured is behind its answers", backed)
        request = await ask.request(executor=executor.address)
        offer = await ask.signed(request)
        taken = await http.post("/v1/requests", content=offer.to_json())
        assert taken.status_code == 202, taken.text
        await ask.reaches(offer.request_id, LazyState.ANSWERED)
        # One transaction: nobody else could lock.
        kinds = [entry.kind for entry in await run.journal.intents()]
        assert kinds.count("lazy_lock_and_answer") == 1 and "lazy_lock" not in kinds

        async def told() -> bool:
            shown = (await http.get(f"/v1/requests/0x{offer.request_id:064x}")).json()
            return bool(shown["state"] == "answered" and shown["output"])

        await eventually("whoever asks is told the output", told)
        claim = await ask.claim_of(offer.request_id)
        await isolated_devnet.control.advance(claim.challenge_deadline - await ask.now() + 1)
        await ask.reaches(offer.request_id, LazyState.FINAL)
        result = await ask.market.result(offer.request_id)
        assert (result.how, result.output_digest) == (Finality.UNCHALLENGED, claim.output_digest)
        fee = DOLLAR * 95 // 100
        assert await ask.market.balance_of(executor.address) == fee

        async def written_down() -> bool:
            work = await run.journal.lazy(offer.request_id)
            return work.state is LazyWorkState.FINAL and work.fee == fee

        await eventually("the journal says so", written_down)
        assert (await ask.market.backing(executor.address)).used == 0


async def test_doubt_and_lots_are_answered_by_one_proof(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-doubted")
    doubter = await make_account()
    executor = ask.served.executor
    async with running(isolated_devnet, executor, config_of(executor, lazy=LAZY)):
        first, second, third = [
            await ask.sent(replace(await ask.request(), audit_bps=lot)) for lot in (0, 10_000, 0)
        ]
        for request_id in (first, second, third):
            await ask.reaches(request_id, LazyState.ANSWERED)
    # Nobody is there while they are doubted; whoever comes back finds it.
    await ask.doubt(doubter, first)
    claim = await ask.claim_of(second)
    assert await ask.court.is_drawn(claim)
    await ask.sender(doubter).send(lazy_calls.draw_lot(ask.market.address, claim))
    async with running(isolated_devnet, executor, config_of(executor, lazy=LAZY)) as run:
        # One proof is for all that say the same, doubted or not.
        for request_id in (first, second, third):
            await ask.reaches(request_id, LazyState.FINAL)
            assert (await ask.market.result(request_id)).how is Finality.PROVEN
        proofs = [e for e in await run.journal.intents() if e.kind == "lazy_prove"]
        assert len(proofs) == 1
    # Who doubted in vain paid for the proof.
    assert await ask.court.balance_of(executor.address) == 3 * DOLLAR
    # It is fetched with everything else where that is worth a transaction.
    held = await isolated_devnet.client.token.balance_of(executor.address)
    threshold = 2 * DOLLAR
    config = config_of(executor, lazy=LAZY, withdraw_threshold=threshold)
    async with running(isolated_devnet, executor, config) as run:

        async def fetched() -> bool:
            now = await isolated_devnet.client.token.balance_of(executor.address)
            paid = now == held + 3 * DOLLAR + 3 * DOLLAR * 95 // 100
            return paid and not (await run.executor.status()).winnings

        await eventually("the court and the lazy market have paid", fetched)
        collected = [e for e in await run.journal.intents() if e.kind == "collect"]
        assert len(collected) == 2


async def test_steps_that_wait_for_a_block_share_the_next_transaction(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-batched")
    executor, control = ask.served.executor, isolated_devnet.control
    config = config_of(executor, serve_port=0, lazy=LAZY, policy=PolicyConfig(max_concurrent=4))
    rpc = isolated_devnet.client.rpc
    async with (
        running(isolated_devnet, executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):

        async def backed() -> bool:
            return (await ask.market.backing(executor.address)).total == BACKING

        await eventually("it has its backing", backed)
        offers = [await ask.signed(await ask.request(executor=executor.address)) for _ in range(6)]
        await control.set_automine(False)

        async def one_waits() -> bool:
            return int((await rpc.request("txpool_status"))["pending"], 16) == 1

        async def handed(*made: LazyOffer) -> None:
            for offer in made:
                taken = await http.post("/v1/requests", content=offer.to_json())
                assert taken.status_code == 202, taken.text

        await handed(offers[0])
        await eventually("the first waits for a block", one_waits)
        await handed(*offers[1:])

        async def all_decided() -> bool:
            desk = run.executor._sides.lazy
            return desk is not None and desk.waiting_steps == len(offers) - 1

        await eventually("the others wait for the transaction before them", all_decided)

        async def all_answered() -> bool:
            if await one_waits():
                await control.mine()
            states = [await ask.market.state(offer.request_id) for offer in offers]
            return all(state is LazyState.ANSWERED for state in states)

        await eventually("all are answered", all_answered)
        kinds = [entry.kind for entry in await run.journal.intents()]
        # How many of the others were ready when the first was mined is a matter of moments.
        assert kinds.count("lazy_batch") >= 1
        assert kinds.count("lazy_batch") + kinds.count("lazy_lock_and_answer") < len(offers)
        await control.set_automine(True)


async def test_what_is_none_of_its_business_is_left_alone(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-choosy")
    executor = ask.served.executor
    async with running(isolated_devnet, executor, config_of(executor, lazy=LAZY)) as run:
        cheap = await ask.sent(await ask.request(max_price=1))
        other = await ask.sent(await ask.request(executor=ask.user.address))
        hasty = await ask.sent(await ask.request(response_window=10, lock_duration=5))
        dear = await ask.sent(await ask.request(collateral=1_000 * DOLLAR))

        async def judged() -> bool:
            try:
                works = [await run.journal.lazy(entry) for entry in (cheap, other, hasty, dear)]
            except LookupError:
                return False
            return [work.reason for work in works] in (
                ["price-too-low", "named-another", "", "backing-too-low"],
                ["price-too-low", "named-another", "too-little-time", "backing-too-low"],
            )

        await eventually("each is judged", judged)
