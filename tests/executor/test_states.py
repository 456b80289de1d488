"""The pure core of recovery: whatever the journal remembers, the chain decides."""

from __future__ import annotations

from gateless.core.types import RequestInfo, RequestState, TrustMode
from gateless.executor.states import (
    COMMITTED,
    FINAL,
    LOCKED_BY_ANOTHER,
    TRANSITIONS,
    UNCOMMITTED,
    WorkState,
    reconcile,
)
from hypothesis import given
from hypothesis import strategies as st

ME = "0x00000000000000000000000000000000000000AA"
OTHER = "0x00000000000000000000000000000000000000Bb"

states = st.sampled_from(list(WorkState))
times = st.integers(0, 100)


@st.composite
def requests(draw: st.DrawFn) -> RequestInfo:
    state = draw(st.sampled_from([s for s in RequestState if s is not RequestState.NONE]))
    holder = draw(st.sampled_from([ME, ME.lower(), OTHER]))
    taken = state in (RequestState.LOCKED, RequestState.PAID) or (
        state is RequestState.REFUNDED and draw(st.booleans())
    )
    return RequestInfo(
        request_id=1,
        requester=OTHER,
        version_id=1 << 32,
        state=state,
        mode=TrustMode.ZK,
        royalty_bps=0,
        input_digest=b"",
        input_binding=b"",
        price=1,
        collateral=1,
        deadline=draw(times),
        lock_deadline=draw(times) if taken else 0,
        lock_duration=10,
        callback_gas=0,
        lock_block=0,
        named_executor=None,
        executor=holder if taken else None,
        callback=None,
        output_digest=b"",
        refundable=False,
    )


@given(states, st.booleans(), st.none() | requests(), times)
def test_the_chain_decides(
    state: WorkState, has_proof: bool, chain: RequestInfo | None, now: int
) -> None:
    found = reconcile(state, has_proof=has_proof, chain=chain, me=ME, now=now).state
    if chain is None:
        assert found is WorkState.LOST
        return
    mine = chain.executor is not None and chain.executor.lower() == ME.lower()
    # Paid to me, and only then, is fulfilled: an executor neither forgets nor invents earnings.
    assert (found is WorkState.FULFILLED) == (chain.state is RequestState.PAID and mine)
    # A lock that I can still keep is always worked on, and nothing else is.
    keepable = chain.state is RequestState.LOCKED and mine and now <= chain.lock_deadline
    assert (found in COMMITTED) == keepable
    # A proof that was made is never made again.
    if keepable:
        assert found is (WorkState.PROVED if has_proof else WorkState.LOCKED)
    # A missed lock of mine, and only that, is a failure.
    missed = mine and (
        chain.state is RequestState.REFUNDED
        or (chain.state is RequestState.LOCKED and now > chain.lock_deadline)
    )
    assert (found is WorkState.FAILED) == missed
    # What nobody took can be taken, unless this executor decided against it or time is over.
    if chain.state is RequestState.OPEN:
        assert (found is WorkState.LOST) == (now > chain.deadline)
        if now <= chain.deadline:
            assert found in UNCOMMITTED | {WorkState.SKIPPED, WorkState.REJECTED}


@given(states, st.booleans(), requests(), times)
def test_what_another_missed_can_be_taken_over(
    state: WorkState, has_proof: bool, chain: RequestInfo, now: int
) -> None:
    anothers = chain.executor is not None and chain.executor.lower() != ME.lower()
    if chain.state is not RequestState.LOCKED or not anothers:
        return
    found = reconcile(state, has_proof=has_proof, chain=chain, me=ME, now=now)
    missed = chain.lock_deadline < now <= chain.deadline
    assert (found.state is WorkState.LOST) == (not missed)
    if not missed:
        assert found.reason == LOCKED_BY_ANOTHER


@given(states, st.booleans(), st.none() | requests(), times)
def test_reconciling_twice_changes_nothing(
    state: WorkState, has_proof: bool, chain: RequestInfo | None, now: int
) -> None:
    once = reconcile(state, has_proof=has_proof, chain=chain, me=ME, now=now)
    twice = reconcile(once.state, has_proof=has_proof, chain=chain, me=ME, now=now)
    assert twice.state is once.state


def test_every_state_is_of_exactly_one_kind() -> None:
    assert set(WorkState) == FINAL | UNCOMMITTED | COMMITTED
    assert len(FINAL) + len(UNCOMMITTED) + len(COMMITTED) == len(WorkState)


def test_promises_end_fulfilled_or_failed_never_skipped() -> None:
    """Once locked, the only ends are success and a missed lock."""
    reached = {WorkState.LOCKED}
    while True:
        more = reached.union(*(TRANSITIONS[state] for state in reached))
        if more == reached:
            break
        reached = more
    assert reached & FINAL == {WorkState.FULFILLED, WorkState.FAILED}
