"""What comes in by HTTP: signed requests are served, calls answered, everything else refused."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
from eth_utils.crypto import keccak
from executor_fixtures import Running, config_of, running
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import ClaimState
from gateless.core.receipts import SignedReceipt, parse_receipt
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor import IntakeConfig, PolicyConfig, ReceiptsConfig
from gateless.executor.states import WorkState
from gateless.sdk import PoolTerms, SignedOffer
from gateless.sdk.tensors import pack_inputs
from market_fixtures import PRICE, ROW, Account, MakeAccount, MakeServed, Served, fund, with_files
from patience import eventually

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond,
    capacity=TERMS.capacity,
    challenge_bond=TERMS.challenge_bond,
    epochs_ahead=0,
    tend_seconds=0.2,
)


@dataclass(frozen=True)
class Reached:
    """A running executor, and a client of its HTTP side."""

    run: Running
    http: httpx.AsyncClient

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.post(path, **options)

    async def refused(self, status: int, code: str, response: httpx.Response) -> dict[str, Any]:
        assert (response.status_code, response.json()["code"]) == (status, code), response.text
        assert response.headers["access-control-allow-origin"] == "*"
        found: dict[str, Any] = response.json()
        return found

    async def hand_in(self, offer: Offer) -> httpx.Response:
        return await self.post("/v1/requests", content=offer.to_json())


@asynccontextmanager
async def reached(
    devnet: Devnet, served: Served, key: LocalSigner | None = None, **changes: Any
) -> AsyncIterator[Reached]:
    config = config_of(served.executor, serve_port=0, **changes)
    async with (
        running(devnet, served.executor, config, receipt_key=key) as run,
        httpx.AsyncClient(
            base_url=run.executor.serving_at,
            timeout=60,
            headers={"origin": "https://page.example.org"},
        ) as http,
    ):
        yield Reached(run, http)


async def deposited(account: Account, amount: int = 10 * DOLLAR) -> Account:
    chain = account.client.chain
    sender = Sender(chain, account.signer)
    await sender.send(calls.approve(chain.market.address, amount))
    await sender.send(calls.deposit(amount))
    return account


def offer_of(account: Account, made: SignedOffer, *, with_input: bool = True) -> Offer:
    chain = account.client.chain
    packed = made.packed_input if with_input else None
    return Offer(chain.chain_id, chain.market.address, made.signed, made.signature, packed)


async def test_a_signed_request_from_end_to_end(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("offered")
    user = await with_files(await deposited(await make_account()), served)
    made = await user.client.sign(served.name, ROW)
    gas_before = await user.client.chain.native_balance(user.address)
    async with reached(devnet, served) as up:
        taken = await up.hand_in(offer_of(user, made))
        assert taken.status_code == 202, taken.text
        assert int(taken.json()["requestId"], 16) == made.request_id
        assert await up.run.journal.input_of(made.signed.params.input_digest) is not None
        work = await up.run.reaches(made.request_id, WorkState.FULFILLED)
        assert work.fee > 0
        # Handed in again it is the same work.
        again = await up.hand_in(offer_of(user, made))
        assert (again.status_code, again.json()["state"]) == (202, "fulfilled")
        shown = (await up.http.get(f"/v1/requests/0x{made.request_id:064x}")).json()
        assert shown == again.json()
    request = await user.client.request(made.request_id)
    assert request.state is RequestState.PAID
    assert request.executor == served.executor.address
    # The requester sent nothing.
    assert await user.client.chain.native_balance(user.address) == gas_before


async def test_a_named_executor_locks_and_answers_at_once(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("offered-by-name")
    user = await with_files(await deposited(await make_account()), served)
    made = await user.client.sign(served.name, ROW, executor=served.executor.address)
    async with reached(devnet, served) as up:
        # The input comes first, by the digest that the request names.
        digest = made.signed.params.input_digest
        path = f"/v1/inputs/0x{digest.hex()}"
        held = await up.http.put(path, content=made.packed_input)
        assert held.status_code == 201, held.text
        assert held.json()["digest"] == f"0x{digest.hex()}"
        # Other executors find it by the hint.
        content = await up.http.get(f"/v1/content/{held.json()['sha256']}")
        assert content.content == made.packed_input
        taken = await up.hand_in(offer_of(user, made, with_input=False))
        assert taken.status_code == 202, taken.text
        await up.run.reaches(made.request_id, WorkState.FULFILLED)
        kinds = [entry.kind for entry in await up.run.journal.intents(made.request_id)]
        assert kinds == ["lock_and_fulfill"]


async def test_what_cannot_be_served_is_not_taken_in(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("choosy")
    user = await with_files(await deposited(await make_account(), DOLLAR), served)
    sign = user.client.sign
    good = offer_of(user, await sign(served.name, ROW, nonce=1))
    cheap = offer_of(user, await sign(served.name, ROW, nonce=2, price=PRICE - 1))
    spent = offer_of(user, await sign(served.name, ROW, nonce=3))
    await user.client.cancel_signed([3])
    async with reached(devnet, served) as up:
        changed = replace(good, signed=replace(good.signed, nonce=4))
        await up.refused(400, "invalid-signature", await up.hand_in(changed))
        await up.refused(400, "other-market", await up.hand_in(replace(good, chain_id=1)))
        found = await up.refused(422, "request-not-served", await up.hand_in(cheap))
        assert found["context"]["reason"] == "price-too-low"
        await up.refused(409, "nonce-spent", await up.hand_in(spent))
        wrong = replace(good, packed_input=bytes(16))
        await up.refused(400, "input-digest-mismatch", await up.hand_in(wrong))
        await up.refused(400, "no-input", await up.hand_in(replace(good, packed_input=None)))
        broken = await up.post("/v1/requests", content=b"{}")
        await up.refused(400, "invalid-signed-request", broken)
        await user.client.withdraw()
        poor = await up.refused(402, "deposit-too-low", await up.hand_in(good))
        assert poor["context"]["missing"] == good.signed.params.max_price
        assert await up.run.journal.waiting_offers() == []
        unknown = await up.http.get(f"/v1/requests/0x{1 << 200:064x}")
        await up.refused(404, "unknown-request", unknown)


async def test_a_call_is_answered_with_a_receipt_that_holds(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, user, doubter = await make_served("called"), await make_account(), await make_account()
    key = LocalSigner.random()
    await fund(isolated_devnet, served.executor.address, 500)
    await served.executor.client.back_receipts(TERMS, receipt_key=key.address)
    packed = pack_inputs(served.bundle.manifest, ROW)
    tensor = {"name": "x", "shape": [1, 4], "datatype": "FP32", "data": ROW}
    asked = {
        "id": "one",
        "inputs": [tensor],
        "parameters": {"beneficiary": user.address, "question": f"0x{keccak(b'q').hex()}"},
    }
    path = f"/v2/models/{served.name}/versions/0/infer"
    async with reached(isolated_devnet, served, key, receipts=RECEIPTS) as up:
        # Users find its files, and its calls, by its profile.
        await served.executor.client.stake(0, endpoint=up.run.executor.serving_at)
        answer = await up.post(path, json=asked)
        assert answer.status_code == 200, answer.text
        said = answer.json()
        assert (said["id"], said["model_name"], said["model_version"]) == ("one", "called", "0")
        (output,) = said["outputs"]
        assert (output["name"], output["datatype"], output["shape"]) == ("scores", "FP64", [1, 2])
        assert said["parameters"]["price"] == "0"
        packed_output = bytes.fromhex(said["parameters"]["packed_output"][2:])
        signed: SignedReceipt = parse_receipt(json.dumps(said["parameters"]["receipt"]))
        checked = await user.client.check_receipt(
            signed,
            served.name,
            packed,
            packed_output,
            executor=served.executor.address,
            price=0,
            min_bond=TERMS.bond,
        )
        assert checked.signed.receipt.slot == 0
        # The same question, packed this time: the same receipt.
        repeated = asked | {
            "inputs": [],
            "parameters": asked["parameters"] | {"packed_input": f"0x{packed.hex()}"},  # type: ignore[operator]
        }
        again = (await up.post(path, json=repeated)).json()
        assert again["parameters"]["receipt"] == said["parameters"]["receipt"]
        info = (await up.http.get("/v1/info")).json()
        assert info["directCalls"]["freeSlots"] == TERMS.capacity - 1
        assert info["versions"][0]["directPrice"] == "0"
        assert info["versions"][0]["audited"]
        ready = await up.http.get(f"/v2/models/{served.name}/versions/0/ready")
        assert ready.json()["ready"]

        claim = (await doubter.client.challenge_receipt(signed, packed)).claim.claim_id

        async def answered() -> bool:
            return (await doubter.client.claim(claim)).state is ClaimState.PROVEN

        await eventually("the challenge is answered", answered)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid-body"),
        (b'{"surprise": 1}', "invalid-body"),
        (b'{"inputs": []}', "missing-input"),
        (b'{"parameters": {"packed_input": "0x00"}}', "wrong-length"),
        (b'{"parameters": {"beneficiary": "0x12", "packed_input": "0x00"}}', "invalid-address"),
        (
            b'{"inputs": [{"name": "x", "shape": [2], "datatype": "FP32", "data": [1]}]}',
            "wrong-shape",
        ),
        (
            b'{"inputs": [{"name": "x", "shape": [4], "datatype": "FP32", "data": [1,2,3,1e9]}]}',
            "out-of-range",
        ),
    ],
)
async def test_mistakes_in_calls_have_codes(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    body: bytes,
    code: str,
) -> None:
    served, key = await make_served("mistaken"), LocalSigner.random()
    await fund(isolated_devnet, served.executor.address, 500)
    await served.executor.client.back_receipts(TERMS, receipt_key=key.address)
    async with reached(isolated_devnet, served, key, receipts=RECEIPTS) as up:
        answer = await up.post("/v2/models/mistaken/versions/0/infer", content=body)
        await up.refused(400, code, answer)
        nowhere = await up.post("/v2/models/nowhere/versions/0/infer", json={})
        await up.refused(404, "unknown-model", nowhere)


async def test_without_a_receipt_key_no_calls_are_answered(
    devnet: Devnet, make_served: MakeServed
) -> None:
    served = await make_served("uncalled")
    async with reached(devnet, served) as up:
        answer = await up.post("/v2/models/uncalled/versions/0/infer", json={"inputs": []})
        await up.refused(503, "receipts-closed", answer)
        assert (await up.http.get("/v1/info")).json()["directCalls"] is None


async def test_too_much_is_refused(devnet: Devnet, make_served: MakeServed) -> None:
    served = await make_served("flooded")
    intake = IntakeConfig(
        max_body_bytes=1000, max_input_bytes=100, max_stored_bytes=150, rate_per_second=0.001,
        burst=6,
    )  # fmt: skip
    async with reached(devnet, served, intake=intake) as up:
        large = await up.post("/v1/requests", content=bytes(1001))
        await up.refused(413, "body-too-large", large)
        await up.refused(413, "body-too-large", await up.post("/v1/inputs", content=bytes(101)))
        await up.refused(400, "no-input", await up.post("/v1/inputs", content=b""))
        wrong = await up.http.put(f"/v1/inputs/0x{5:064x}", content=b"input")
        await up.refused(400, "input-digest-mismatch", wrong)
        assert (await up.post("/v1/inputs", content=b"1" * 100)).status_code == 201
        await up.refused(503, "intake-full", await up.post("/v1/inputs", content=b"2" * 100))
        limited = await up.http.get("/v1/status")
        await up.refused(429, "rate-limited", limited)
        assert int(limited.headers["retry-after"]) > 0


async def test_a_call_is_paid_by_a_signed_request(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served, key = await make_served("paid"), LocalSigner.random()
    user = await with_files(await deposited(await make_account()), served)
    await fund(isolated_devnet, served.executor.address, 500)
    await served.executor.client.back_receipts(TERMS, receipt_key=key.address)
    mine = {"executor": served.executor.address}
    made = await user.client.sign(served.name, ROW, price=DOLLAR, **mine)  # type: ignore[arg-type]
    cheap = await user.client.sign(served.name, ROW, price=PRICE, **mine)  # type: ignore[arg-type]
    anybodys = await user.client.sign(served.name, ROW, price=DOLLAR)
    packed = f"0x{made.packed_input.hex()}"
    path = "/v2/models/paid/versions/0/infer"

    def call(offer: SignedOffer | None) -> dict[str, Any]:
        parameters: dict[str, Any] = {"packed_input": packed, "beneficiary": user.address}
        if offer is not None:
            spelled = offer_of(user, offer, with_input=False).to_json()
            parameters["payment"] = json.loads(spelled)
        return {"parameters": parameters}

    receipts = replace(RECEIPTS, price=DOLLAR // 2)
    # Ten dollars for half a day at this yield cost 0.80; the royalty comes on top.
    policy = PolicyConfig(margin_seconds=1.0, capital_bps=584_000)
    async with reached(isolated_devnet, served, key, receipts=receipts, policy=policy) as up:
        unpaid = await up.refused(402, "payment-required", await up.post(path, json=call(None)))
        assert unpaid["context"]["price"] == pytest.approx(800_000 / 0.95, abs=2)
        for offer in (cheap, anybodys):
            await up.refused(400, "payment-mismatch", await up.post(path, json=call(offer)))
        answer = await up.post(path, json=call(made))
        assert answer.status_code == 200, answer.text
        # What the receipt promises is what was signed for, and that is taken.
        receipt = parse_receipt(json.dumps(answer.json()["parameters"]["receipt"])).receipt
        assert receipt.price == DOLLAR
        await up.run.reaches(made.request_id, WorkState.FULFILLED)
