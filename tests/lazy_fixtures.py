"""The lazy market for tests: an executor with backing that answers what it is told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import Any

from eth_utils.crypto import keccak
from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.lazy import LazyReader
from gateless.adapters.chain.lazy_requests import LazyOffer, sign_lazy_request
from gateless.adapters.chain.sender import Sender
from gateless.adapters.chain.signed_requests import random_nonce
from gateless.adapters.storage import content_hint, create_app
from gateless.core.lazy import LazyRequest
from gateless.daemon.serving import base_url, listen, serve
from gateless.devnet import Devnet
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import KeyCache, Proof, Prover
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served, fund
from watchtower_fixtures import with_bundle

DOLLAR = 1_000_000
PRICE, COLLATERAL, BACKING = 250_000, 10 * DOLLAR, 100 * DOLLAR
CHALLENGE_BOND = 4 * DOLLAR


@dataclass(frozen=True)
class Answering:
    """An executor whose answers the lazy market takes, right or wrong, and who asks it."""

    served: Served
    user: Account
    packed: bytes
    truth: Proof

    @property
    def executor(self) -> Account:
        return self.served.executor

    @property
    def lie(self) -> bytes:
        """An output that the circuit does not give."""
        return bytes(len(self.truth.packed_output))

    @property
    def lazy(self) -> LazyReader:
        return self.user.client.lazy

    async def now(self) -> int:
        return (await self.user.client.chain.block("pending")).timestamp

    async def asks(self, hint: str = "", **changes: Any) -> LazyOffer:
        """A request that names the executor, signed."""
        request = LazyRequest(
            requester=self.user.address,
            version_id=self.served.published.version_id,
            input_digest=keccak(self.packed),
            input_binding=keccak(self.packed),
            max_price=PRICE,
            min_price=0,
            ramp_start=0,
            ramp_length=0,
            collateral=COLLATERAL,
            deadline=await self.now() + 600,
            lock_duration=60,
            challenge_window=600,
            response_window=600,
            audit_bps=0,
            executor=self.executor.address,
            nonce=random_nonce(),
            input_hint=hint,
        )
        chain = self.user.client.chain
        return await sign_lazy_request(
            self.user.signer, replace(request, **changes), chain.chain_id, self.lazy.address
        )

    async def answers(self, offer: LazyOffer, output: bytes) -> int:
        """Locks and answers a signed request; returns its id."""
        sender = Sender(self.executor.client.chain, self.executor.signer)
        await sender.send(
            lazy_calls.lock_signed_and_fulfill(offer.request, offer.signature, output)
        )
        return offer.request_id

    async def hint(self, url: str) -> str:
        """Puts the input into the user's store, which ``url`` serves."""
        return content_hint(await self.user.client.services.store.put(self.packed), url)


async def answering_executor(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, name: str
) -> Answering:
    """Serves the tiny model lazily; the user has a deposit."""
    served, user = await make_served(name), await make_account()
    await fund(devnet, served.executor.address, 200)
    await served.executor.client.back_lazily(BACKING)
    await with_bundle(user, served)
    await user.client.deposit_lazily(100 * DOLLAR)
    packed = pack_inputs(served.bundle.manifest, ROW)
    truth = await Prover(KeyCache(served.executor.home / "cache")).prove(served.bundle, packed)
    return Answering(served, user, packed, truth)


@asynccontextmanager
async def serving_store(account: Account) -> AsyncIterator[str]:
    """Serves an account's content store."""
    listening = listen("127.0.0.1", 0)
    assert listening is not None
    with closing(listening):
        async with serve(create_app(account.client.services.store), listening):
            yield base_url(listening)
