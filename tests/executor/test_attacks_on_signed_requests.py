"""What strangers try with signed requests for proofs: places that cost them nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx
from eth_utils.crypto import keccak
from executor_fixtures import config_of, running
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer
from gateless.adapters.chain.sender import Sender
from gateless.adapters.chain.signed_requests import sign_request
from gateless.devnet import Devnet
from gateless.executor import IntakeConfig
from gateless.executor.states import GAVE_WAY, WorkState
from market_fixtures import PRICE, ROW, Account, MakeAccount, MakeServed, Served, with_files
from patience import eventually

DOLLAR = 1_000_000


async def with_deposit(account: Account, served: Served, amount: int = 50 * DOLLAR) -> Account:
    chain = account.client.chain
    sender = Sender(chain, account.signer)
    await sender.send(calls.approve(chain.market.address, amount))
    await sender.send(calls.deposit(amount))
    return await with_files(account, served)


async def offer(
    account: Account, served: Served, price: int = PRICE, packed: bytes | None = None, **terms: Any
) -> Offer:
    """A signed request with its input."""
    chain = account.client.chain
    made = await account.client.sign(served.name, ROW, price=price)
    signed = replace(made.signed, params=replace(made.signed.params, **terms))
    _, signature = await sign_request(chain, account.signer, signed)
    return Offer(
        chain.chain_id, chain.market.address, signed, signature, packed or made.packed_input
    )


async def rising(account: Account, served: Served, price: int = DOLLAR) -> Offer:
    """Nothing is paid for it yet, and its price only rises in most of its life."""
    now = (await account.client.chain.block("pending")).timestamp
    ramp = {"min_price": 0, "ramp_start": now + 3000, "ramp_length": 500}
    return await offer(account, served, price, deadline=now + 3600, **ramp)


async def test_places_filled_with_proofs_that_nobody_pays_for_yet(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("places-for-proofs")
    users = [await with_deposit(await make_account(), served) for _ in range(3)]
    config = config_of(
        served.executor, serve_port=0, intake=IntakeConfig(max_offers=4), retry_seconds=0.5
    )
    async with (
        running(isolated_devnet, served.executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):

        async def handed(handed: Offer) -> tuple[int, str]:
            answer = await http.post("/v1/requests", content=handed.to_json())
            return answer.status_code, str(answer.json().get("code", ""))

        # One of four places is one requester's share.
        for user in users:
            assert await handed(await rising(user, served)) == (202, "")
            assert await handed(await rising(user, served)) == (503, "intake-full")
        poorest = await with_deposit(await make_account(), served)
        least = await rising(poorest, served, PRICE)
        assert await handed(least) == (202, "")
        # What cannot be locked now displaces nobody.
        honest = await with_deposit(await make_account(), served)
        assert await handed(await rising(honest, served)) == (503, "intake-full")
        # What can be locked now gets the place of one that cannot.
        waiting = {work.request_id for work in await run.journal.waiting_offers()}
        for request_id in waiting:
            await run.waits_for(request_id, "price-rising")
        paying = await offer(honest, served)
        assert await handed(paying) == (202, "")
        await run.reaches(paying.request_id, WorkState.FULFILLED)
        works = [await run.work(request_id) for request_id in waiting]
        (gone,) = [work.request_id for work in works if work.reason == GAVE_WAY]
        # It stays away.
        await run.journal.reconsider([WorkState.SKIPPED], 0)
        assert (await run.work(gone)).state is WorkState.SKIPPED

        async def is_forgotten() -> bool:
            problems = (await run.executor.status()).problems
            return gone not in {entry.request_id for entry in problems}

        await eventually("it is no problem any more", is_forgotten)


async def test_more_promised_than_the_deposit_holds(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("deposits-for-proofs")
    user = await with_deposit(await make_account(), served)
    config = config_of(served.executor, serve_port=0, intake=IntakeConfig(max_offers=16))
    async with (
        running(isolated_devnet, served.executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):
        # Fifty dollars pay for one of these, not for two.
        first = await rising(user, served, 30 * DOLLAR)
        second = await rising(user, served, 30 * DOLLAR)
        answer = await http.post("/v1/requests", content=first.to_json())
        assert answer.status_code == 202, answer.text
        answer = await http.post("/v1/requests", content=second.to_json())
        assert (answer.status_code, answer.json()["code"]) == (402, "deposit-too-low")
        assert answer.json()["context"]["missing"] == 10 * DOLLAR
        # Handed in again it is the same work, and counts once.
        answer = await http.post("/v1/requests", content=first.to_json())
        assert answer.status_code == 202, answer.text
        assert [work.request_id for work in await run.journal.waiting_offers()] == [
            first.request_id
        ]


async def test_inputs_of_another_length_than_the_version_takes(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("lengths-for-proofs")
    user = await with_deposit(await make_account(), served)
    config = config_of(served.executor, serve_port=0)
    async with (
        running(isolated_devnet, served.executor, config) as run,
        httpx.AsyncClient(base_url=run.executor.serving_at, timeout=60) as http,
    ):
        good = await offer(user, served)
        answer = await http.post("/v1/requests", content=good.to_json())
        assert answer.status_code == 202, answer.text
        await run.reaches(good.request_id, WorkState.FULFILLED)  # the version is prepared
        packed = bytes(1000)
        digest = keccak(packed)
        long = await offer(user, served, packed=packed, input_digest=digest, input_binding=digest)
        answer = await http.post("/v1/requests", content=long.to_json())
        assert (answer.status_code, answer.json()["code"]) == (400, "wrong-length")
        assert await run.journal.waiting_offers() == []
