"""Users find executors on chain, call them, and believe nothing that they say."""

from __future__ import annotations

import json
from dataclasses import replace

import httpx
import pytest
from executor_fixtures import config_of, running
from gateless.adapters.chain import calls
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import GatelessError, InputError, NotFoundError
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor import ReceiptsConfig
from gateless.executor.states import WorkState
from gateless.sdk import PoolTerms
from market_fixtures import LABELS, ROW, MakeAccount, MakeServed, fund, send, with_files

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond, capacity=TERMS.capacity, challenge_bond=TERMS.challenge_bond, epochs_ahead=0
)


async def test_a_direct_answer_is_found_checked_and_paid(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, key = await make_served("asked"), LocalSigner.random()
    executor, user = served.executor, await make_account()
    await fund(isolated_devnet, executor.address, 500)
    await executor.client.back_receipts(TERMS, receipt_key=key.address)
    chain = user.client.chain
    with pytest.raises(GatelessError):  # whoever serves it does not say where
        await user.client.ask_directly(served.name, ROW)
    receipts = replace(RECEIPTS, price=DOLLAR)
    config = config_of(executor, serve_port=0, receipts=receipts)
    async with running(isolated_devnet, executor, config, receipt_key=key) as run:
        await executor.client.stake(0, endpoint=run.executor.serving_at)
        with pytest.raises(InputError) as caught:
            await user.client.ask_directly(served.name, ROW)
        assert caught.value.code == "executor-refused"
        assert caught.value.context["cause"] == "payment-required"
        await send(user, calls.approve(chain.market.address, 5 * DOLLAR))
        await send(user, calls.deposit(5 * DOLLAR))
        answer = await user.client.ask_directly(
            served.name, ROW, max_price=DOLLAR, min_bond=TERMS.bond
        )
        assert answer.executor == executor.address
        assert answer.label in LABELS
        receipt = answer.receipt.receipt
        assert (receipt.price, receipt.beneficiary) == (DOLLAR, user.address)
        with pytest.raises(InputError) as caught:
            await user.client.ask_directly(
                served.name, ROW, max_price=DOLLAR, min_bond=TERMS.bond + 1
            )
        assert caught.value.code == "receipt-bond-too-low"


async def test_a_signed_request_is_handed_over(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("handed")
    executor, user = served.executor, await with_files(await make_account(), served)
    await send(user, calls.approve(user.client.chain.market.address, 5 * DOLLAR))
    await send(user, calls.deposit(5 * DOLLAR))
    made = await user.client.sign(served.name, ROW)
    with pytest.raises(NotFoundError):
        await user.client.hand_over(made)
    async with running(isolated_devnet, executor, config_of(executor, serve_port=0)) as run:
        await executor.client.stake(0, endpoint=run.executor.serving_at)
        handed = await user.client.hand_over(made)
        assert (handed.takers, handed.refusals) == ((executor.address,), {})
        await run.reaches(made.request_id, WorkState.FULFILLED)
        result = await user.client.wait(made.request_id)
        assert result.label in LABELS
        assert (await user.client.request(made.request_id)).state is RequestState.PAID
        forged = replace(made, signature=bytes(65))
        forged = replace(forged, signed=replace(forged.signed, nonce=forged.signed.nonce + 1))
        with pytest.raises(InputError) as caught:
            await user.client.hand_over(forged)
        assert caught.value.context["cause"] == "invalid-signature"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"no json"),
        (200, b"[]"),
        (200, b'{"parameters": {"packed_output": "0x00", "receipt": {}}}'),
        (200, b'{"parameters": {"packed_output": "xyz", "receipt": null}}'),
        (500, b"\xff"),
        (402, json.dumps({"code": "payment-required", "context": {"price": "1"}}).encode()),
    ],
)
async def test_nothing_that_an_executor_says_is_believed(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    status: int,
    body: bytes,
) -> None:
    served, user = await make_served("odd"), await make_account()
    await with_files(user, served)
    key = LocalSigner.random()
    await served.executor.client.stake(0, endpoint="http://odd.example.org")
    await served.executor.client.name_receipt_key(key.address)

    def say(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status, content=body)

    async with httpx.AsyncClient(transport=httpx.MockTransport(say)) as http:
        services = replace(user.client.services, http=http)
        client = type(user.client)(services)
        with pytest.raises(InputError) as caught:
            await client.ask_directly(served.name, ROW, max_price=DOLLAR)
        assert caught.value.code in ("executor-refused", "invalid-receipt")
