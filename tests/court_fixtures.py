"""The network with a court, an executor whose pool backs receipts, and whoever doubts them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest_asyncio
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, court_calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import PoolInfo
from gateless.core.receipts import ZERO_BYTES32, Receipt, SignedReceipt
from gateless.core.types import ExecutorProfile
from gateless.devnet import Devnet
from market_fixtures import fund

DOLLAR = 1_000_000
SALT = keccak(text="salt")
BOND, CHALLENGE_BOND, CAPACITY, STAKE = 10 * DOLLAR, 4 * DOLLAR, 5, 200 * DOLLAR
PRICE = DOLLAR
HOUR = 3600


@dataclass(frozen=True)
class CourtNetwork:
    """A devnet with a court; one executor with a pool for this epoch and the next.

    Its profile names a receipt key that is not its account, as a careful executor's does.
    """

    devnet: Devnet
    deployment: Deployment
    client: ChainClient
    executor: LocalSigner
    receipt_key: LocalSigner
    challenger: LocalSigner
    epoch: int

    def sender(self, signer: LocalSigner) -> Sender:
        return Sender(self.client, signer)

    async def now(self) -> int:
        return (await self.client.block("pending")).timestamp

    async def pool(self) -> PoolInfo:
        return await self.client.court.pool(self.executor.address, self.epoch)

    async def receipt(self, **changes: Any) -> Receipt:
        """A receipt that is worth its bond."""
        now = await self.now()
        receipt = Receipt(
            version_id=1 << 32,
            input_binding=keccak(b"input"),
            input_digest=ZERO_BYTES32,
            output_digest=keccak(b"output"),
            executor=self.executor.address,
            beneficiary=self.challenger.address,
            price=PRICE,
            bond=BOND,
            issued=now,
            expires=now + 12 * HOUR,
            epoch=self.epoch,
            slot=0,
        )
        return replace(receipt, **changes)

    async def signed(self, **changes: Any) -> SignedReceipt:
        receipt = await self.receipt(**changes)
        return await SignedReceipt.sign(self.client.court.court, receipt, self.receipt_key)

    async def allocate(self, signer: LocalSigner, amount: int) -> None:
        """Stakes tokens and allocates them to the court."""
        sender = self.sender(signer)
        await sender.send(calls.approve(self.client.staking.address, amount))
        await sender.send(calls.stake(amount))
        await sender.send(calls.allocate(self.client.court.address, amount))

    async def deposit(self, signer: LocalSigner, amount: int) -> None:
        """Puts tokens into the court."""
        sender = self.sender(signer)
        await sender.send(calls.approve(self.client.court.address, amount))
        await sender.send(court_calls.deposit(amount))


@pytest_asyncio.fixture
async def court_network(isolated_devnet: Devnet) -> AsyncIterator[CourtNetwork]:
    """The shared network with a court; whatever the test does to the chain is undone."""
    deployment = isolated_devnet.deployment
    signers = [LocalSigner.random() for _ in range(3)]
    for signer in signers:
        await fund(isolated_devnet, signer.address, 500)
    async with await ChainClient.connect(deployment) as client:
        limits = await client.court.limits()
        # The first second of an epoch, so that there is room for everything inside it.
        now = (await client.block("pending")).timestamp
        await isolated_devnet.control.advance(limits.epoch_length - now % limits.epoch_length)
        epoch = limits.epoch_at((await client.block()).timestamp)
        network = CourtNetwork(isolated_devnet, deployment, client, *signers, epoch)
        await network.allocate(network.executor, STAKE)
        sender = network.sender(network.executor)
        profile = ExecutorProfile(receipt_key=network.receipt_key.address, capacity=1)
        await sender.send(calls.set_profile(profile))
        terms = {"bond": BOND, "capacity": CAPACITY, "challenge_bond": CHALLENGE_BOND}
        await sender.send(court_calls.open_pools(epoch, 2, **terms))
        yield network
