"""Killed at any step, an executor keeps what it promised by HTTP: offers and receipts."""

from __future__ import annotations

import json
import socket

import httpx
import pytest
from eth_utils.crypto import keccak
from executor_fixtures import config_of, executor_process, reading
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import ClaimState
from gateless.core.errors import NotFoundError
from gateless.core.receipts import SignedReceipt, parse_receipt
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import ReceiptsConfig
from gateless.sdk import PoolTerms
from gateless.sdk.tensors import pack_inputs
from market_fixtures import ROW, MakeAccount, MakeServed, fund, with_files
from patience import eventually

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond, capacity=TERMS.capacity, challenge_bond=TERMS.challenge_bond, epochs_ahead=0
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def posted(url: str, path: str, **options: object) -> httpx.Response:
    """Posts as soon as somebody listens."""
    found: list[httpx.Response] = []

    async def answered() -> bool:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            try:
                response = await http.post(path, **options)  # type: ignore[arg-type]
            except httpx.TransportError:
                return False
        found.append(response)
        return True

    await eventually(f"{path} is answered", answered)
    return found[-1]


@pytest.mark.parametrize(
    "step", ["after:seen", "after:checked", "after:locking", "intent:lock", "after:locked",
             "after:proved", "intent:fulfill"],
)  # fmt: skip
async def test_an_offer_outlives_its_executor(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, step: str
) -> None:
    served = await make_served("surviving")
    user = await with_files(await make_account(), served)
    chain = user.client.chain
    sender = Sender(chain, user.signer)
    await sender.send(calls.approve(chain.market.address, 10 * DOLLAR))
    await sender.send(calls.deposit(10 * DOLLAR))
    made = await user.client.sign(served.name, ROW)
    offer = Offer(
        chain.chain_id, chain.market.address, made.signed, made.signature, made.packed_input
    )
    port = free_port()
    config = config_of(served.executor, serve_port=port)
    async with executor_process(isolated_devnet, served.executor, config, die_at=step) as process:
        taken = await posted(f"http://127.0.0.1:{port}", "/v1/requests", content=offer.to_json())
        assert taken.status_code == 202, taken.text
        if step == "after:seen":  # what was taken in is there, whatever came after
            await process.kill()
        else:
            await process.ended()
    async with executor_process(isolated_devnet, served.executor, config):

        async def paid() -> bool:
            try:
                return (await user.client.request(made.request_id)).state is RequestState.PAID
            except NotFoundError:
                return False

        await eventually("the request is paid", paid)


@pytest.mark.parametrize("step", ["claim:read", "claim:proved", "intent:respond"])
async def test_a_challenge_is_answered_after_a_crash(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, step: str
) -> None:
    served, doubter = await make_served("crashing"), await make_account()
    key = LocalSigner.random()
    await fund(isolated_devnet, served.executor.address, 500)
    await served.executor.client.back_receipts(TERMS, receipt_key=key.address)
    packed = pack_inputs(served.bundle.manifest, ROW)
    port = free_port()
    config = config_of(served.executor, serve_port=port, receipts=RECEIPTS)
    call = {
        "parameters": {"packed_input": f"0x{packed.hex()}", "question": f"0x{keccak(b'1').hex()}"}
    }
    path = "/v2/models/crashing/versions/0/infer"
    async with executor_process(
        isolated_devnet, served.executor, config, die_at=step, receipt_key=key
    ) as process:
        answer = await posted(f"http://127.0.0.1:{port}", path, json=call)
        assert answer.status_code == 200, answer.text
        signed = _receipt(answer)
        claim = (await doubter.client.challenge_receipt(signed, packed)).claim.claim_id
        await process.ended()
    assert (await doubter.client.claim(claim)).state is ClaimState.OPEN
    async with executor_process(isolated_devnet, served.executor, config, receipt_key=key):

        async def proven() -> bool:
            return (await doubter.client.claim(claim)).state is ClaimState.PROVEN

        await eventually("the challenge is answered", proven)
        # The slot stays taken, and the question keeps its receipt.
        again = await posted(f"http://127.0.0.1:{port}", path, json=call)
        assert _receipt(again) == signed
    async with reading(isolated_devnet, served.executor, config) as journal:
        responses = [e for e in await journal.intents() if e.kind == "respond"]
        assert [e.state for e in responses if e.state is not IntentState.DROPPED] == [
            IntentState.MINED
        ]


def _receipt(answer: httpx.Response) -> SignedReceipt:
    return parse_receipt(json.dumps(answer.json()["parameters"]["receipt"]))
