"""Steps at the lazy market that share a transaction: none is left out for want of gas."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from executor_fixtures import config_of, reading
from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.prepared import decode_transaction
from gateless.core.errors import ContractError
from gateless.core.lazy import LazyState
from gateless.core.types import Receipt
from gateless.devnet import Devnet
from gateless.executor import Journal
from gateless.executor.batching import parts_within
from gateless.executor.lazy.outbox import Outbox
from gateless.executor.transactions import Transactions
from gateless.executor.work import IntentKind
from lazy_serving import BACKING, Asking, asking
from market_fixtures import MakeAccount, MakeServed


async def always() -> bool:
    return True


async def gas_limit() -> int:
    return 30_000_000


@asynccontextmanager
async def outbox_of(ask: Asking) -> AsyncIterator[tuple[Outbox, Journal]]:
    """The steps of an executor that does nothing else."""
    executor = ask.served.executor
    async with reading(ask.devnet, executor, config_of(executor)) as journal:
        sender = ask.sender(executor)
        await sender.send(lazy_calls.back(BACKING))
        outbox = Outbox(Transactions(sender, journal), gas_limit, most=16)
        yield outbox, journal
        await outbox.stop()


async def send(outbox: Outbox, call: Call) -> Receipt:
    kind = IntentKind.LAZY_LOCK_AND_ANSWER
    return await outbox.send(kind, call, always, request_id=1, told=lambda _: None)


async def test_an_answer_that_needs_most_gas_and_comes_last_is_not_left_out(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    """What a node estimates for a batch is enough for one of its steps, whichever that is."""
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-gas")
    offers = [
        await ask.signed(await ask.request(executor=ask.served.executor.address)) for _ in range(4)
    ]
    steps = [
        lazy_calls.lock_signed_and_fulfill(offer.request, offer.signature, bytes(64 << index))
        for index, offer in enumerate(offers)
    ]
    async with outbox_of(ask) as (outbox, journal):
        await asyncio.gather(*(send(outbox, step) for step in steps))
        for offer in offers:
            assert await ask.market.state(offer.request_id) is LazyState.ANSWERED
        (batch,) = [e for e in await journal.intents() if e.kind is IntentKind.LAZY_BATCH]
    skipped = await isolated_devnet.client.events(["LazyMarket.CallSkipped"], 0)
    assert skipped == []
    assert decode_transaction(batch.attempts[0].raw).gas > batch.gas_used


async def test_a_step_that_would_revert_is_told_why_and_the_others_go_on(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    ask = await asking(isolated_devnet, make_served, make_account, "lazy-reverting")
    offers = [
        await ask.signed(await ask.request(executor=ask.served.executor.address)) for _ in range(2)
    ]
    steps = [
        lazy_calls.lock_signed_and_fulfill(offer.request, offer.signature, b"out")
        for offer in offers
    ]
    doomed = lazy_calls.finalize_many([])
    async with outbox_of(ask) as (outbox, _):
        ends = await asyncio.gather(
            *(send(outbox, step) for step in (steps[0], doomed, steps[1])), return_exceptions=True
        )
    assert isinstance(ends[0], Receipt) and isinstance(ends[2], Receipt)
    assert isinstance(ends[1], ContractError)
    for offer in offers:
        assert await ask.market.state(offer.request_id) is LazyState.ANSWERED


@pytest.mark.parametrize(
    ("gas", "parts"),
    [([], []), ([4], [[4]]), ([4, 6, 1], [[4, 6], [1]]), ([20, 1], [[20], [1]])],
)
def test_parts_have_the_gas_of_a_transaction(gas: list[int], parts: list[list[int]]) -> None:
    divided = parts_within(((needed, needed) for needed in gas), 10)
    assert [[needed for _, needed in part] for part in divided] == parts
