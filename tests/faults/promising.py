"""Receipts for the fault cases: an executor with a pool, who calls it, and what it signed."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
from eth_utils.crypto import keccak
from gateless.adapters.signer import LocalSigner
from gateless.core.receipts import SignedReceipt, parse_receipt
from gateless.executor import ReceiptsConfig
from gateless.sdk import PoolTerms
from market_fixtures import Account, fund
from patience import eventually
from tried import PATIENCE_SECONDS, Tried

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond, capacity=TERMS.capacity, challenge_bond=TERMS.challenge_bond, epochs_ahead=0
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


async def posted(tried: Tried, path: str, **options: Any) -> httpx.Response:
    """Posts as soon as somebody listens."""
    found: list[httpx.Response] = []
    url = f"http://127.0.0.1:{tried.config.serve_port}"

    async def answered() -> bool:
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            try:
                response = await http.post(path, **options)
            except httpx.TransportError:
                return False
        found.append(response)
        return True

    await eventually(f"{path} is answered", answered, PATIENCE_SECONDS)
    return found[-1]


@dataclass(frozen=True)
class Promising:
    """An executor on trial that signs receipts.

    Attributes:
        key: signs them.
    """

    tried: Tried
    key: LocalSigner

    async def signs(self, question: bytes = b"1") -> SignedReceipt:
        """Calls it directly; the receipt that came with the answer."""
        packed = self.tried.ask.packed
        call: Mapping[str, Any] = {
            "parameters": {
                "packed_input": f"0x{packed.hex()}",
                "question": f"0x{keccak(question).hex()}",
            }
        }
        path = f"/v2/models/{self.tried.ask.served.name}/versions/0/infer"
        answer = await posted(self.tried, path, json=call)
        assert answer.status_code == 200, answer.text
        return parse_receipt(json.dumps(answer.json()["parameters"]["receipt"]))

    async def is_doubted(self, signed: SignedReceipt, doubter: Account) -> int:
        """Somebody challenges a receipt: the claim, which must be proven in the end."""
        done = await doubter.client.challenge_receipt(signed, self.tried.ask.packed)
        self.tried.claims.append(done.claim.claim_id)
        return done.claim.claim_id


async def promising(tried: Tried) -> Promising:
    """Opens a pool; the executor serves from now on."""
    executor, key = tried.ask.served.executor, LocalSigner.random()
    await fund(tried.devnet, executor.address, 500)
    await executor.client.back_receipts(TERMS, receipt_key=key.address)
    tried.since = (await tried.devnet.client.block()).number
    tried.config = replace(tried.config, receipts=RECEIPTS, serve_port=free_port())
    return Promising(tried, key)
