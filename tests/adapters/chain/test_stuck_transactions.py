"""A real chain that leaves transactions out, forgets them, or asks for more than they offer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from gateless.adapters.chain import calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.prepared import PreparedTx, decode_transaction
from gateless.adapters.chain.sender import Sender
from gateless.core.errors import ChainError
from gateless.core.types import Receipt
from gateless.devnet import Devnet
from patience import eventually

GWEI = 10**9
IMPATIENT = SendingPolicy(
    FeePolicy(priority_fee=GWEI), stuck_seconds=0.2, stuck_blocks=1, look_seconds=0.05
)


@pytest_asyncio.fixture
async def net(isolated_devnet: Devnet) -> AsyncIterator[Devnet]:
    """A chain of its own. Going back to a snapshot does not take the next base fee back."""
    before = await isolated_devnet.client.rpc.request("eth_getBlockByNumber", "latest", False)
    yield isolated_devnet
    await base_fee(isolated_devnet, int(before["baseFeePerGas"], 16))


@dataclass
class Kept:
    """Attempts in the order in which they were kept, and whether the node knew them then."""

    net: Devnet
    attempts: list[PreparedTx] = field(default_factory=list)
    known_before: list[bool] = field(default_factory=list)

    async def keep(self, attempt: PreparedTx) -> None:
        known = await self.net.client.rpc.request("eth_getTransactionByHash", attempt.tx_hash)
        self.known_before.append(known is not None)
        self.attempts.append(attempt)


def sender_of(net: Devnet, policy: SendingPolicy = IMPATIENT) -> Sender:
    return Sender(net.client, net.signers["user"], policy=policy, timeout=60)


def mint(net: Devnet) -> Call:
    return calls.mint(net.signers["user"].address, 7)


async def balance(net: Devnet) -> int:
    return await net.client.token.balance_of(net.signers["user"].address)


async def base_fee(net: Devnet, wei: int) -> None:
    """Of the next block."""
    await net.client.rpc.request("anvil_setNextBlockBaseFeePerGas", hex(wei))


async def knows(net: Devnet, tx_hash: str) -> bool:
    return await net.client.rpc.request("eth_getTransactionByHash", tx_hash) is not None


async def until_known(net: Devnet, attempt: PreparedTx) -> None:
    async def known() -> bool:
        return await knows(net, attempt.tx_hash)

    await eventually("the node has it", known)


@asynccontextmanager
async def blocks(net: Devnet, wei: int | None = None) -> AsyncIterator[None]:
    """Blocks come, without automine; with this base fee where one is given."""
    await net.control.set_automine(False)

    async def mining() -> None:
        while True:
            if wei is not None:
                await base_fee(net, wei)
            await net.control.mine()
            await asyncio.sleep(0.05)

    task = asyncio.create_task(mining())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_more_is_offered_for_what_the_base_fee_left_behind(net: Devnet) -> None:
    kept = Kept(net)
    sender, before = sender_of(net), await balance(net)
    await net.control.set_automine(False)
    first = await sender.prepare(mint(net))
    fee = decode_transaction(first.raw).fees.per_gas
    waiting = asyncio.create_task(sender.pursue([first], keep=kept.keep, fresh=True).run(60))
    await until_known(net, first)
    async with blocks(net, 3 * fee):
        receipt = await waiting
    assert receipt.tx_hash in {attempt.tx_hash for attempt in kept.attempts}
    assert not any(kept.known_before)
    assert await balance(net) == before + 7
    previous = decode_transaction(first.raw)
    for attempt in kept.attempts:
        said = decode_transaction(attempt.raw)
        assert (said.nonce, said.to, said.data, said.gas) == (
            previous.nonce,
            previous.to,
            previous.data,
            previous.gas,
        )
        assert said.fees.per_gas * 8 >= previous.fees.per_gas * 9
        assert (said.fees.priority or 0) * 8 >= (previous.fees.priority or 0) * 9
        previous = said


async def test_without_blocks_nothing_more_is_offered(net: Devnet) -> None:
    kept = Kept(net)
    sender = sender_of(net)
    await net.control.set_automine(False)
    prepared = await sender.prepare(mint(net))
    with pytest.raises(ChainError) as info:
        await sender.pursue([prepared], keep=kept.keep, fresh=True).run(1.5)
    assert info.value.code == "transaction-timeout"
    assert kept.attempts == []


async def test_at_the_cap_it_waits_and_says_so(net: Devnet) -> None:
    kept = Kept(net)
    fee = 5 * GWEI
    capped = SendingPolicy(
        FeePolicy(priority_fee=GWEI, max_fee_per_gas=fee),
        stuck_seconds=0.2,
        stuck_blocks=1,
        look_seconds=0.05,
    )
    sender = sender_of(net, capped)
    await net.control.set_automine(False)
    prepared = await sender.prepare(mint(net))
    waiting = asyncio.create_task(sender.pursue([prepared], keep=kept.keep, fresh=True).run(60))
    await until_known(net, prepared)
    async with blocks(net, 20 * GWEI):

        async def told() -> bool:
            return [trouble.code for trouble in sender.troubles] == ["fee-at-cap"]

        await eventually("it says that the cap holds it up", told)
    async with blocks(net, GWEI):
        assert (await waiting).effective_gas_price <= fee
    assert sender.troubles == ()
    for attempt in kept.attempts:
        assert decode_transaction(attempt.raw).fees.per_gas <= fee


async def test_a_nonce_that_was_given_up_holds_up_nobody(net: Devnet) -> None:
    sender, before = sender_of(net), await balance(net)
    first, second = await sender.prepare(mint(net)), await sender.prepare(mint(net))
    sender.discard(first)
    assert (await sender.submit(second, fresh=True)).status == 1
    assert await balance(net) == before + 7
    # Something else took the first nonce: only the second one minted.
    assert second.nonce == first.nonce + 1
    count = await net.client.rpc.quantity("eth_getTransactionCount", sender.address, "latest")
    assert count == second.nonce + 1


async def test_what_the_node_forgot_is_shown_to_it_again(net: Devnet) -> None:
    sender = sender_of(net)
    await net.control.set_automine(False)
    first = await sender.prepare(mint(net))
    with pytest.raises(ChainError, match="no receipt"):
        await sender.pursue([first], fresh=True).run(0.5)
    await net.client.rpc.request("anvil_dropTransaction", first.tx_hash)
    assert not await knows(net, first.tx_hash)
    # Nobody waits for it any more; the next one finds that it is in its way.
    second = await sender.prepare(mint(net))
    assert second.nonce == first.nonce + 1
    async with blocks(net):
        assert (await sender.submit(second, fresh=True)).status == 1
    assert await sender.receipt(first.tx_hash) is not None


async def test_what_another_process_left_is_gone_on_with(net: Devnet) -> None:
    """After a restart: the journal knows what was signed, the node does not."""
    kept = Kept(net)
    first = await sender_of(net).prepare(mint(net))
    async with await ChainClient.connect(net.deployment) as fresh:
        sender = Sender(fresh, net.signers["user"], policy=IMPATIENT, timeout=60)
        sender.adopt([first], kept.keep)
        second = await sender.prepare(mint(net))
        assert second.nonce == first.nonce + 1
        assert (await sender.submit(second, fresh=True)).status == 1
        assert await sender.receipt(first.tx_hash) is not None


async def unwanted() -> bool:
    return False


async def given_up(sender: Sender, prepared: PreparedTx, kept: Kept) -> Receipt | ChainError:
    try:
        return await sender.pursue([prepared], keep=kept.keep, still_wanted=unwanted).run(60)
    except ChainError as error:
        return error


async def test_what_is_not_wanted_and_costs_calldata_is_cancelled(net: Devnet) -> None:
    kept = Kept(net)
    sender = sender_of(net)
    await net.control.set_automine(False)
    proof = Call(net.client.token.address, mint(net).data + b"\x01" * 4096, "fulfil")
    prepared = await sender.prepare(proof)
    with pytest.raises(ChainError, match="no receipt"):
        await sender.pursue([prepared], fresh=True).run(0.3)
    assert await knows(net, prepared.tx_hash)
    ending = asyncio.create_task(given_up(sender, prepared, kept))

    async def cancelled() -> bool:
        return bool(kept.attempts) and await knows(net, kept.attempts[0].tx_hash)

    await eventually("the node has the empty transfer", cancelled)
    async with blocks(net):
        end = await ending
    assert isinstance(end, ChainError)
    assert end.code == "transaction-cancelled"
    assert end.context["gas_used"] == 21_000
    (cancel,) = kept.attempts
    said = decode_transaction(cancel.raw)
    assert cancel.cancels
    assert (said.nonce, said.to, said.data, said.value) == (prepared.nonce, sender.address, b"", 0)
    assert await sender.receipt(prepared.tx_hash) is None


async def test_what_costs_no_more_than_a_cancel_is_left_to_be_mined(net: Devnet) -> None:
    kept = Kept(net)
    calm = SendingPolicy(FeePolicy(priority_fee=GWEI), look_seconds=0.05)
    sender = sender_of(net, calm)
    await net.control.set_automine(False)
    prepared = await sender.prepare(mint(net))
    with pytest.raises(ChainError, match="no receipt"):
        await sender.pursue([prepared], fresh=True).run(0.3)
    async with blocks(net):
        end = await given_up(sender, prepared, kept)
    assert isinstance(end, Receipt)
    assert (end.tx_hash, kept.attempts) == (prepared.tx_hash, [])


async def test_what_no_node_has_is_not_sent_to_be_cancelled(net: Devnet) -> None:
    kept = Kept(net)
    sender = sender_of(net)
    prepared = await sender.prepare(mint(net))
    end = await given_up(sender, prepared, kept)
    assert isinstance(end, ChainError)
    assert end.code == "transaction-cancelled"
    assert await sender.receipt(prepared.tx_hash) is None
    assert not await knows(net, prepared.tx_hash)


async def test_who_used_a_nonce_is_told(net: Devnet) -> None:
    sender = sender_of(net)
    prepared = await sender.prepare(mint(net))
    async with await ChainClient.connect(net.deployment) as other:
        theirs = calls.mint(sender.address, 9)
        foreign = await Sender(other, net.signers["user"]).send(theirs)
    await net.control.mine(3)
    with pytest.raises(ChainError) as info:
        await sender.submit(prepared)
    assert info.value.code == "nonce-used"
    assert info.value.context["by"] == foreign.tx_hash
    assert f"block {foreign.block_number}" in info.value.message
    assert net.client.token.address.lower() in info.value.message
