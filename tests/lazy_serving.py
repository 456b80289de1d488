"""Lazy requests for tests of executors: who asks, who doubts, and what the chain is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.lazy import DisputeReader, LazyReader
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.adapters.chain.lazy_requests import LazyOffer, sign_lazy_request
from gateless.adapters.chain.sender import Sender
from gateless.adapters.chain.signed_requests import random_nonce
from gateless.core.lazy import LazyClaim, LazyRequest, LazyState, lazy_commitment
from gateless.core.types import ZERO_ADDRESS
from gateless.devnet import Devnet
from gateless.executor import LazyConfig
from gateless.sdk.tensors import pack_inputs
from market_fixtures import ROW, Account, MakeAccount, MakeServed, Served, fund
from patience import eventually

DOLLAR = 1_000_000
COLLATERAL, BACKING = 10 * DOLLAR, 60 * DOLLAR
LAZY = LazyConfig(backing=BACKING, finalize_seconds=0.2)


@dataclass(frozen=True)
class Asking:
    """A version that an executor with stake for lazy answers serves, and a user with a deposit."""

    devnet: Devnet
    served: Served
    user: Account
    market: LazyReader
    court: DisputeReader

    @property
    def packed(self) -> bytes:
        return pack_inputs(self.served.bundle.manifest, ROW)

    def sender(self, account: Account) -> Sender:
        return Sender(account.client.chain, account.signer)

    async def deposit_for(self, account: Account) -> None:
        """Fifty dollars at the lazy market."""
        sender = self.sender(account)
        await sender.send(calls.approve(self.market.address, 50 * DOLLAR))
        await sender.send(lazy_calls.deposit(50 * DOLLAR))

    async def now(self) -> int:
        return (await self.user.client.chain.block("pending")).timestamp

    async def request(self, **changes: Any) -> LazyRequest:
        """A request that any executor may take."""
        request = LazyRequest(
            requester=self.user.address,
            version_id=self.served.published.version_id,
            input_digest=keccak(self.packed),
            input_binding=keccak(self.packed),
            max_price=DOLLAR,
            min_price=0,
            ramp_start=0,
            ramp_length=0,
            collateral=COLLATERAL,
            deadline=await self.now() + 3600,
            lock_duration=120,
            challenge_window=600,
            response_window=600,
            audit_bps=0,
            executor=ZERO_ADDRESS,
            nonce=random_nonce(),
        )
        return replace(request, **changes)

    async def signed(self, request: LazyRequest, *, with_input: bool = True) -> LazyOffer:
        offer = await sign_lazy_request(self.user.signer, request, 31337, self.market.address)
        return replace(offer, packed_input=self.packed) if with_input else offer

    async def sent(self, request: LazyRequest) -> int:
        """Sends a request on chain; returns its id."""
        await self.sender(self.user).send(lazy_calls.request(request, self.packed))
        return await self.market.id_of(request)

    async def reaches(self, request_id: int, state: LazyState) -> None:
        async def reached() -> bool:
            return await self.market.state(request_id) is state

        await eventually(f"lazy request {request_id:x} is {state.name}", reached)

    async def claim_of(self, request_id: int) -> LazyClaim:
        """Its claim, as its event tells; states are told of the block to come, too."""
        found: list[LazyClaim] = []

        async def is_told() -> bool:
            events = await self.user.client.chain.events([f"{LAZY_MARKET}.Answered"], 0)
            found.extend(
                LazyClaim.of_struct(event.args["claim"])
                for event in events
                if event.args["requestId"] == request_id
            )
            return bool(found)

        await eventually(f"the answer to {request_id:x} is told", is_told)
        return found[0]

    async def doubt(self, doubter: Account, request_id: int) -> None:
        """Challenges an answer: commits, and opens in the next block."""
        claim, salt = await self.claim_of(request_id), keccak(text="salt")
        sender = self.sender(doubter)
        bond = await self.court.challenge_bond()
        await sender.send(calls.approve(self.court.address, bond))
        await sender.send(lazy_calls.deposit(bond, DISPUTE_COURT))
        made = lazy_commitment(doubter.address, self.market.address, claim, salt)
        await sender.send(lazy_calls.commit_challenge(made))
        await sender.send(lazy_calls.challenge(self.market.address, claim, salt))


async def asking(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, name: str
) -> Asking:
    """Everything that lazy requests take, but for a running executor."""
    served, user = await make_served(name), await make_account()
    chain = user.client.chain
    market = LazyReader(chain.rpc, devnet.deployment)
    court = DisputeReader(chain.rpc, devnet.deployment)
    found = Asking(devnet, served, user, market, court)
    executor = served.executor
    await fund(devnet, executor.address, 200)
    sender = found.sender(executor)
    await sender.send(calls.approve(chain.staking.address, 200 * DOLLAR))
    await sender.send(calls.stake(200 * DOLLAR))
    await sender.send(calls.allocate(market.address, 100 * DOLLAR))
    await found.deposit_for(user)
    return found
