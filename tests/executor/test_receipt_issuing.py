"""Receipts that an executor issues are worth their bond to the court, or they are not issued."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from court_fixtures import BOND, CAPACITY, DOLLAR, CourtNetwork
from eth_utils.crypto import keccak
from gateless.adapters.chain import calls, court_calls
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import ReceiptFlaw
from gateless.core.errors import ConfigError, FundsError, GatelessError, InputError
from gateless.executor import Journal
from gateless.executor.issuing import ReceiptIssuer, backing_of
from gateless.executor.journal_receipts import Answer

HOUR = 3600
Make = Callable[..., ReceiptIssuer]


@pytest_asyncio.fixture
async def make_issuer(court_network: CourtNetwork, tmp_path: Path) -> AsyncIterator[Make]:
    net = court_network
    journal = await Journal.open(
        tmp_path / "journal.db",
        chain_id=net.deployment.chain_id,
        market=net.client.market.address,
        account=net.executor.address,
    )

    def make(key: LocalSigner | None = None, life: int = 12 * HOUR) -> ReceiptIssuer:
        signer = key or net.receipt_key
        return ReceiptIssuer(net.client, journal, net.executor.address, signer, life=life)

    yield make
    await journal.close()


def answer(net: CourtNetwork, number: int) -> Answer:
    packed = bytes([number]) * 8
    return Answer(
        question=keccak(packed),
        version_id=1 << 32,
        input_binding=keccak(packed),
        packed_input=packed,
        packed_output=b"output",
        beneficiary=net.challenger.address,
        price=DOLLAR,
    )


async def test_the_court_takes_what_is_issued(
    court_network: CourtNetwork, make_issuer: Make
) -> None:
    net, issuer = court_network, make_issuer()
    for number in range(CAPACITY):
        signed = await issuer.issue(answer(net, number))
        assert await net.client.court.flaw(signed) is ReceiptFlaw.NONE
        assert await net.client.court.digest(signed.receipt) == signed.digest
        assert signed.signer == net.receipt_key.address
        assert (signed.receipt.slot, signed.receipt.bond) == (number, BOND)
    with pytest.raises(FundsError) as caught:
        await issuer.issue(answer(net, CAPACITY))
    assert caught.value.code == "no-receipt-slot"
    await net.sender(net.executor).send(court_calls.grow_pool(net.epoch, 1))
    signed = await issuer.issue(answer(net, CAPACITY))
    assert await net.client.court.flaw(signed) is ReceiptFlaw.NONE
    assert await issuer.issue(answer(net, 0)) == await issuer.issue(answer(net, 0))


async def test_a_new_epoch_has_its_own_pool(court_network: CourtNetwork, make_issuer: Make) -> None:
    net, issuer = court_network, make_issuer()
    pool = await net.pool()
    await issuer.issue(answer(net, 1))
    await net.devnet.control.advance(pool.ends - await net.now())
    later = await issuer.issue(answer(net, 2))
    assert (later.receipt.epoch, later.receipt.slot) == (net.epoch + 1, 0)
    assert await net.client.court.flaw(later) is ReceiptFlaw.NONE
    await net.devnet.control.advance(pool.ends - pool.starts)
    with pytest.raises(FundsError) as caught:
        await issuer.issue(answer(net, 3))
    assert caught.value.code == "no-receipt-pool"


async def test_no_receipt_lives_longer_than_the_court_allows(
    court_network: CourtNetwork, make_issuer: Make
) -> None:
    net = court_network
    most = (await net.client.court.limits()).max_receipt_life
    signed = await make_issuer(life=10 * most).issue(answer(net, 1))
    assert signed.receipt.expires - signed.receipt.issued == most
    short = await make_issuer(life=HOUR).issue(answer(net, 2))
    assert short.receipt.expires - short.receipt.issued == HOUR


async def test_nothing_is_signed_that_nobody_could_challenge(
    court_network: CourtNetwork, make_issuer: Make
) -> None:
    net, issuer = court_network, make_issuer()
    most = (await net.client.court.limits()).max_input_length
    with pytest.raises(InputError) as caught:
        await issuer.issue(replace(answer(net, 1), packed_input=bytes(most + 1)))
    assert caught.value.code == "input-too-long"


async def test_another_key_than_the_pools_signs_nothing(
    court_network: CourtNetwork, make_issuer: Make
) -> None:
    net = court_network
    with pytest.raises(ConfigError) as caught:
        await make_issuer(net.executor).issue(answer(net, 1))
    assert caught.value.code == "receipt-key-mismatch"


async def test_nothing_is_signed_while_stake_leaves(
    court_network: CourtNetwork, make_issuer: Make
) -> None:
    net, issuer = court_network, make_issuer()
    court = net.client.court.address
    await net.sender(net.executor).send(calls.request_exit(court, DOLLAR))
    with pytest.raises(FundsError) as caught:
        await issuer.issue(answer(net, 1))
    assert caught.value.code == "no-receipt-pool"
    await net.sender(net.executor).send(calls.cancel_exit(court))
    await issuer.issue(answer(net, 1))


async def test_a_forfeited_pool_backs_nothing(court_network: CourtNetwork) -> None:
    net = court_network
    pool = replace(await net.pool(), reporter=net.challenger.address)
    with pytest.raises(GatelessError) as caught:
        backing_of(
            pool,
            net.executor.address,
            net.receipt_key.address,
            net.epoch,
            issued=pool.starts,
            expires=pool.ends,
        )
    assert caught.value.code == "no-receipt-pool"
    assert "forfeited" in caught.value.message
