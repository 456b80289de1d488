"""Every end of a lazy request by the SDK: final, proven, slashed, refunded, cancelled, paid."""

from __future__ import annotations

import pytest
from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.lazy_calldata import signed_request_in
from gateless.core.errors import ChainError, ContractError, FundsError, InputError, NotFoundError
from gateless.core.lazy import Finality, LazyState
from gateless.devnet import Devnet
from lazy_fixtures import (
    BACKING,
    CHALLENGE_BOND,
    COLLATERAL,
    PRICE,
    Answering,
    answering_executor,
)
from market_fixtures import ROW, MakeAccount, MakeServed, send
from watchtower_fixtures import with_bundle


async def pass_by(devnet: Devnet, says: Answering, until: int) -> None:
    await devnet.control.advance(until - await says.now() + 1)


async def test_an_undoubted_answer_becomes_final(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "undoubted")
    request_id = await says.answers(await says.asks(), says.truth.packed_output)
    answer = await says.user.client.wait_lazily(request_id)
    assert (answer.state, answer.result.how) == (LazyState.ANSWERED, Finality.NONE)
    assert answer.packed_output == says.truth.packed_output and answer.label in ("no", "yes")
    assert answer.claim is not None
    with pytest.raises(ContractError) as early:
        await says.user.client.finalize_lazily(request_id)
    assert early.value.code == "lazy-market-still-challengeable"
    with pytest.raises(ChainError) as impatient:
        await says.user.client.wait_lazily(request_id, final=True, patience=0)
    assert impatient.value.code == "wait-timeout"
    await pass_by(devnet, says, answer.claim.challenge_deadline)
    end = await says.user.client.finalize_lazily(request_id)
    assert end.state is LazyState.FINAL
    assert end.amounts["fee"] + end.amounts["royalty"] == PRICE
    final = await says.user.client.wait_lazily(request_id, final=True)
    assert (final.result.how, final.result.bond) == (Finality.UNCHALLENGED, COLLATERAL)
    executor = says.executor.client
    (fee,) = await executor.withdraw_lazily()
    assert fee.amount == end.amounts["fee"]
    await executor.unback_lazily()
    assert (await executor.lazy.backing(says.executor.address)).total == 0
    with pytest.raises(FundsError):
        await executor.unback_lazily()


async def test_anybody_can_prove_an_answer_that_was_doubted(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "proven-by-all")
    rash = await with_bundle(await make_account(), says.served)
    request_id = await says.answers(await says.asks(), says.truth.packed_output)
    doubted = await rash.client.challenge_lazily(request_id)
    assert doubted.state is LazyState.DISPUTED
    answer = await rash.client.lazy_answer(request_id)
    assert answer.dispute is not None and answer.dispute.challenger == rash.address
    with pytest.raises(ContractError) as overdue:
        await rash.client.slash_lazily(request_id)
    assert overdue.value.code == "dispute-court-not-overdue"
    end = await says.user.client.prove_lazily(request_id, says.packed)
    assert end.state is LazyState.FINAL
    assert (await says.lazy.result(request_id)).how is Finality.PROVEN
    # The bond is the executor's, but for what burned.
    paid = await says.user.client.disputes.balance_of(says.executor.address)
    assert 0 < paid < CHALLENGE_BOND
    with pytest.raises(FundsError):
        await rash.client.withdraw_lazily()


async def test_a_lie_is_slashed_and_its_output_never_counts(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "slashed-by-sdk")
    doubter = await make_account()
    request_id = await says.answers(await says.asks(), says.lie)
    await doubter.client.challenge_lazily(request_id)
    with pytest.raises(ContractError):  # once is enough; the second bond comes back
        await says.user.client.challenge_lazily(request_id)
    court = says.user.client.disputes
    assert await court.balance_of(says.user.address) == CHALLENGE_BOND
    dispute = await court.dispute(request_id)
    assert dispute is not None and dispute.bond == CHALLENGE_BOND
    await pass_by(devnet, says, dispute.deadline)
    end = await doubter.client.slash_lazily(request_id)
    assert end.amounts["reward"] == COLLATERAL // 5
    assert end.amounts["compensation"] == PRICE
    with pytest.raises(ChainError) as caught:
        await says.user.client.wait_lazily(request_id)
    assert caught.value.code == "request-slashed"
    (bond,) = await doubter.client.withdraw_lazily()
    assert bond.amount == CHALLENGE_BOND


async def test_what_nobody_answers_comes_back(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "unanswered")
    user = says.user.client
    before = await user.lazy.balance_of(says.user.address)
    terms = {"send": True, "price": PRICE, "collateral": COLLATERAL}
    taken_back = await user.ask_lazily(says.served.name, ROW, **terms)  # type: ignore[arg-type]
    assert (await user.cancel_lazily(taken_back.request_id)).state is LazyState.REFUNDED
    missed = await user.ask_lazily(says.served.name, ROW, **terms)  # type: ignore[arg-type]
    await send(says.executor, lazy_calls.lock(missed.request))
    left = await user.ask_lazily(says.served.name, ROW, **terms)  # type: ignore[arg-type]
    with pytest.raises(ContractError):
        await user.refund_lazily(left.request_id)
    await pass_by(devnet, says, left.request.deadline + left.request.lock_duration)
    assert (await user.refund_lazily(left.request_id)).state is LazyState.REFUNDED
    for again in (user.refund_lazily, user.cancel_lazily):
        with pytest.raises(ChainError, match="refunded already") as ended:
            await again(left.request_id)
        assert (ended.value.code, ended.value.context["state"]) == ("nothing-to-refund", "REFUNDED")
    end = await user.refund_lazily(missed.request_id)
    assert (end.state, end.amounts["slashed"]) == (LazyState.REFUNDED, COLLATERAL)
    with pytest.raises(ChainError) as caught:
        await user.wait_lazily(missed.request_id)
    assert caught.value.code == "request-refunded"
    assert await user.lazy.balance_of(says.user.address) == before
    assert (await user.lazy.backing(says.executor.address)).total == BACKING - COLLATERAL


async def test_what_cannot_be_asked_is_said_before_anything_is_sent(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "refusing")
    user = says.user.client

    async def refused(kind: type[Exception], **terms: object) -> str:
        with pytest.raises(kind) as caught:
            await user.ask_lazily(says.served.name, ROW, **terms)  # type: ignore[arg-type]
        return str(caught.value.code)  # type: ignore[attr-defined]

    assert await refused(InputError, challenge_window=1) == "window-out-of-range"
    assert await refused(InputError, response_window=10**6) == "window-out-of-range"
    assert await refused(NotFoundError, collateral=2 * BACKING) == "no-executor"
    # Its profile names no endpoint, so nothing can be handed to it.
    assert await refused(NotFoundError) == "no-executor"
    huge = {"send": True, "price": 10**12, "deposit": False}
    assert await refused(FundsError, **huge) == "balance-too-low"
    with pytest.raises(NotFoundError):
        await user.lazy_answer(12345)


async def test_many_become_final_at_once_and_whoever_needs_a_result_keeps_it(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "final-together")
    user, output = says.user.client, says.truth.packed_output
    due = [await says.answers(await says.asks(), output) for _ in range(2)]
    later = await says.answers(await says.asks(challenge_window=6_000), output)
    everything = [*due, later]
    with pytest.raises(ContractError) as early:
        await user.finalize_many_lazily(everything)
    assert early.value.code == "record-market-nothing-done"
    claim = (await user.lazy_answer(due[-1])).claim
    assert claim is not None
    await pass_by(devnet, says, claim.challenge_deadline)
    ends = await user.finalize_many_lazily(everything)
    assert [end.state for end in ends] == [LazyState.FINAL, LazyState.FINAL, LazyState.ANSWERED]
    assert [end.amounts.get("fee", 0) for end in ends] == [PRICE * 95 // 100] * 2 + [0]
    assert len({end.transactions for end in ends}) == 1
    assert await user.lazy.balance_of(says.executor.address) == 2 * (PRICE * 95 // 100)
    # Contracts read it, and it can be published, when somebody has kept it.
    assert (await user.lazy.result(due[0])).how is Finality.NONE
    with pytest.raises(ContractError) as unkept:
        await user.publish_result(due[0])
    assert unkept.value.code == "result-board-not-final"
    with pytest.raises(ContractError) as unfinished:
        await user.keep_lazily(later)
    assert unfinished.value.code == "record-market-other-record"
    assert (await user.keep_lazily(due[0])).state is LazyState.FINAL
    assert (await user.lazy.result(due[0])).how is Finality.UNCHALLENGED
    assert (await user.lazy.result(due[1])).how is Finality.NONE
    with pytest.raises(ContractError) as twice:
        await user.keep_lazily(due[0])
    assert twice.value.code == "lazy-market-result-kept"
    with pytest.raises(NotFoundError):
        await user.finalize_many_lazily([due[1], 12])


async def test_a_request_that_was_only_signed_is_published(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    """No event tells it: it is read from what the executor sent."""
    devnet = isolated_devnet
    says = await answering_executor(devnet, make_served, make_account, "signed-only")
    reader, output = says.user.client, says.truth.packed_output
    offers = [await says.asks(hint=f"https://example.org/{number}") for number in range(2)]
    steps = [
        lazy_calls.lock_signed_and_fulfill(offer.request, offer.signature, output)
        for offer in offers
    ]
    await send(says.executor, lazy_calls.batch(steps))
    claim = (await reader.lazy_answer(offers[1].request_id)).claim
    assert claim is not None
    await pass_by(devnet, says, claim.challenge_deadline)
    await reader.finalize_lazily(offers[1].request_id)
    assert await reader.latest_result(says.served.name, ROW) is None
    await reader.publish_result(offers[1].request_id)
    known = await reader.latest_result(says.served.name, ROW)
    assert known is not None and known.shown.request_id == offers[1].request_id
    assert known.outputs is not None and known.outputs.packed == output
    with pytest.raises(ContractError) as unfinished:
        await reader.publish_result(offers[0].request_id)
    assert unfinished.value.code == "result-board-not-final"


async def test_a_signed_request_is_found_wherever_it_was_passed_on(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    says = await answering_executor(isolated_devnet, make_served, make_account, "passed-on")
    offer, other = await says.asks(), await says.asks()
    data = lazy_calls.lock_signed_and_fulfill(offer.request, offer.signature, b"out").data
    decoy = data[:4] + b"\xff" * 40
    where = (offer.request_id, offer.chain_id, offer.market)
    for passed in (data, b"\x01" * 7 + decoy + data + b"\x02" * 5):
        assert signed_request_in(passed, *where) == offer.request
    foreign = lazy_calls.lock_signed_and_fulfill(other.request, offer.signature, b"out").data
    for nothing in (b"", decoy, data[:200], foreign):
        assert signed_request_in(nothing, *where) is None
