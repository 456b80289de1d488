"""kill -9 while a challenged receipt is defended; and what was promised by HTTP is kept."""

from __future__ import annotations

import json
import socket
from dataclasses import replace

import httpx
import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer
from gateless.adapters.signer import LocalSigner
from gateless.core.receipts import parse_receipt
from gateless.devnet import Devnet
from gateless.executor import ReceiptsConfig
from gateless.sdk import PoolTerms
from market_fixtures import MakeAccount, MakeServed, fund
from patience import eventually
from tried import PATIENCE_SECONDS, Tried, on_trial

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond, capacity=TERMS.capacity, challenge_bond=TERMS.challenge_bond, epochs_ahead=0
)


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(
        isolated_devnet, make_served, make_account, "promising", serve_port=free_port()
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def posted(tried: Tried, path: str, **options: object) -> httpx.Response:
    """Posts as soon as somebody listens."""
    found: list[httpx.Response] = []
    url = f"http://127.0.0.1:{tried.config.serve_port}"

    async def answered() -> bool:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            try:
                response = await http.post(path, **options)  # type: ignore[arg-type]
            except httpx.TransportError:
                return False
        found.append(response)
        return True

    await eventually(f"{path} is answered", answered, PATIENCE_SECONDS)
    return found[-1]


@pytest.mark.parametrize("step", ["claim:read", "claim:proved", "intent:respond", "concluding"])
async def test_a_challenged_receipt(tried: Tried, make_account: MakeAccount, step: str) -> None:
    executor, doubter, key = tried.ask.served.executor, await make_account(), LocalSigner.random()
    await fund(tried.devnet, executor.address, 500)
    await executor.client.back_receipts(TERMS, receipt_key=key.address)
    tried.since = (await tried.devnet.client.block()).number
    tried.config = replace(tried.config, receipts=RECEIPTS)
    packed = tried.ask.packed
    call = {
        "parameters": {"packed_input": f"0x{packed.hex()}", "question": f"0x{keccak(b'1').hex()}"}
    }
    async with tried.process(die_at=step, receipt_key=key) as process:
        answer = await posted(tried, "/v2/models/promising/versions/0/infer", json=call)
        assert answer.status_code == 200, answer.text
        signed = parse_receipt(json.dumps(answer.json()["parameters"]["receipt"]))
        done = await doubter.client.challenge_receipt(signed, packed)
        tried.claims.append(done.claim.claim_id)
        await process.ended()
    await tried.recovers(receipt_key=key)


@pytest.mark.parametrize(
    "step", ["after:seen", "after:locking", "intent:lock", "after:locked", "intent:fulfill"]
)
async def test_a_request_handed_in_by_http(tried: Tried, step: str) -> None:
    user, chain = tried.ask.user, tried.devnet.client
    sender = tried.ask.sender(user)
    await sender.send(calls.approve(chain.market.address, 10 * DOLLAR))
    await sender.send(calls.deposit(10 * DOLLAR))
    made = await user.client.sign(tried.ask.served.name, [0.5, -0.25, 1.0, 0.125])
    offer = Offer(
        chain.chain_id, chain.market.address, made.signed, made.signature, made.packed_input
    )
    async with tried.process(die_at=step) as process:
        taken = await posted(tried, "/v1/requests", content=offer.to_json())
        assert taken.status_code == 202, taken.text
        if step == "after:seen":  # what was taken in is there, whatever came after
            await process.kill()
        else:
            await process.ended()
    tried.proven.append(made.request_id)
    await tried.recovers()
