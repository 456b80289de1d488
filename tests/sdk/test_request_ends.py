"""How else a request can end: expired, slashed, cancelled; and what does not exist."""

from __future__ import annotations

import pytest
from gateless.adapters.chain import calls
from gateless.core.errors import (
    ChainError,
    NotFoundError,
)
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from market_fixtures import (
    PRICE,
    ROW,
    MakeAccount,
    MakeServed,
    send,
    with_files,
)

DOLLAR = 1_000_000


async def test_expiry_and_refund(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-expired")
    user = await with_files(await make_account(tokens=2), served)
    submitted = await user.client.submit(served.name, ROW, price=DOLLAR, timeout=60)
    with pytest.raises(ChainError) as early:
        await user.client.refund(submitted.request_id)
    assert early.value.code == "inference-market-not-expired"
    with pytest.raises(ChainError) as impatient:
        await user.client.wait(submitted.request_id, patience=0)
    assert impatient.value.code == "wait-timeout"
    assert f"gateless request wait {submitted.request_id}" in impatient.value.hint

    await isolated_devnet.control.advance(120)
    with pytest.raises(ChainError) as expired:
        await user.client.wait(submitted.request_id)
    assert expired.value.code == "request-expired"
    assert f"gateless request refund {submitted.request_id}" in expired.value.hint
    # Anyone may return it, and it goes to the requester.
    refund = await served.builder.client.refund(submitted.request_id)
    assert (refund.requester, refund.amount, refund.slashed) == (user.address, DOLLAR, 0)
    assert (await user.client.balances()).market == DOLLAR
    with pytest.raises(ChainError) as over:
        await user.client.wait(submitted.request_id)
    assert over.value.code == "request-refunded"


async def test_a_missed_lock_is_slashed(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-missed")
    user = await with_files(await make_account(), served)
    submitted = await user.client.submit(served.name, ROW, price=DOLLAR, lock_duration=10)
    asked = await user.client.request(submitted.request_id)
    await send(served.executor, calls.lock(asked))
    await isolated_devnet.control.advance(60)
    with pytest.raises(ChainError) as expired:
        await user.client.wait(submitted.request_id)
    assert expired.value.code == "request-expired"
    assert served.executor.address in expired.value.message
    refund = await user.client.refund(submitted.request_id)
    assert refund.amount == DOLLAR
    assert refund.slashed == (await user.client.request(submitted.request_id)).collateral > 0


async def test_cancelling(make_served: MakeServed, make_account: MakeAccount) -> None:
    served = await make_served("infer-cancelled")
    user = await with_files(await make_account(tokens=1), served)
    submitted = await user.client.submit(served.name, ROW)
    with pytest.raises(ChainError) as caught:
        await served.builder.client.cancel(submitted.request_id)
    assert caught.value.code == "inference-market-not-requester"
    refund = await user.client.cancel(submitted.request_id)
    assert refund.amount == PRICE
    (summary,) = await user.client.requests()
    assert summary.info.state is RequestState.REFUNDED
    assert summary.version_label == "infer-cancelled@0"
    assert summary.request_tx == submitted.transaction.tx_hash


async def test_unknown_request(make_account: MakeAccount) -> None:
    user = await make_account(tokens=0)
    for action in (user.client.request, user.client.wait, user.client.refund):
        with pytest.raises(NotFoundError) as caught:
            await action(10**9)
        assert caught.value.code == "unknown-request"
