"""The rules by which work is taken."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gateless.core.types import ExecutorInfo, RequestInfo, RequestState, TrustMode
from gateless.executor import PolicyConfig, Serving
from gateless.executor.admission import Forecast
from gateless.executor.lists import Lists
from gateless.executor.policy import Answer, Policy, Standing
from hypothesis import given
from hypothesis import strategies as st

ME = "0x00000000000000000000000000000000000000AA"
OTHER = "0x00000000000000000000000000000000000000Bb"
VERSION = 1 << 32

REQUEST = RequestInfo(
    request_id=1,
    requester=OTHER,
    version_id=VERSION,
    state=RequestState.OPEN,
    mode=TrustMode.ZK,
    royalty_bps=1000,
    input_digest=b"",
    input_binding=b"",
    price=1000,
    collateral=100,
    deadline=1000,
    lock_deadline=0,
    lock_duration=60,
    callback_gas=0,
    lock_block=0,
    named_executor=None,
    executor=None,
    callback=None,
    output_digest=b"",
    refundable=False,
)
STANDING = Standing(
    profile=ExecutorInfo(ME, 0, 500, "", None, 800, 3),
    enrolled=frozenset({VERSION}),
    available=100,
    locked=0,
    earnings=0,
)


def judge(
    config: PolicyConfig | None = None,
    request: RequestInfo = REQUEST,
    standing: Standing = STANDING,
    **facts: object,
) -> tuple[Answer, str]:
    given_facts = {"now": 500, "prove_seconds": 1.0} | facts
    verdict = Policy(config or PolicyConfig(), ME).judge(request, standing, **given_facts)  # type: ignore[arg-type]
    if verdict.answer is not Answer.TAKE:
        assert verdict.text
    return verdict.answer, verdict.reason


def test_a_fitting_request_is_taken() -> None:
    assert judge() == (Answer.TAKE, "")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"mode": TrustMode.LAZY_ZK}, "mode-not-served"),
        ({"named_executor": OTHER}, "named-another"),
        ({"version_id": VERSION + 1}, "version-not-served"),
        ({"price": 799}, "price-too-low"),
    ],
)
def test_what_does_not_fit_is_skipped(changes: dict[str, object], reason: str) -> None:
    request = replace(REQUEST, **changes)  # type: ignore[arg-type]
    assert judge(request=request) == (Answer.SKIP, reason)


def test_the_name_of_this_executor_is_compared_without_case() -> None:
    assert judge(request=replace(REQUEST, named_executor=ME.lower())) == (Answer.TAKE, "")


def test_versions_are_those_enrolled_listed_or_all() -> None:
    nothing = replace(STANDING, enrolled=frozenset())
    assert judge(standing=nothing)[1] == "version-not-served"
    assert judge(PolicyConfig(serving=Serving.ALL), standing=nothing) == (Answer.TAKE, "")
    listed = PolicyConfig(serving=Serving.LISTED, versions=frozenset({VERSION}))
    assert judge(listed, standing=nothing) == (Answer.TAKE, "")
    other = replace(listed, versions=frozenset({VERSION + 1}))
    assert judge(other)[1] == "version-not-served"


def test_the_operator_s_price_outranks_the_profile_s() -> None:
    assert judge(PolicyConfig(min_price=1001))[1] == "price-too-low"
    cheap = replace(REQUEST, price=10)
    assert judge(PolicyConfig(min_price=10), request=cheap) == (Answer.TAKE, "")


def test_collateral_has_a_limit() -> None:
    assert judge(PolicyConfig(max_collateral=100)) == (Answer.TAKE, "")
    assert judge(PolicyConfig(max_collateral=99)) == (Answer.SKIP, "collateral-too-high")


def test_stake_at_risk_has_a_limit() -> None:
    risky = replace(STANDING, locked=150, lazily_used=50)
    assert judge(PolicyConfig(max_at_risk=300), standing=risky) == (Answer.TAKE, "")
    assert judge(PolicyConfig(max_at_risk=299), standing=risky) == (Answer.WAIT, "at-risk-limit")
    # One that alone is too much will never be taken.
    assert judge(PolicyConfig(max_at_risk=99)) == (Answer.SKIP, "collateral-too-high")


def test_what_is_promised_comes_first() -> None:
    policy = Policy(PolicyConfig(time_factor=2.0, margin_seconds=3.0), ME)
    assert policy.judge_queue(43.0, Forecast(15.0, 5.0, 0.0)) is None
    late = policy.judge_queue(42.9, Forecast(15.0, 5.0, 0.0))
    assert late is not None
    assert (late.answer, late.reason) == (Answer.WAIT, "busy")
    harmful = policy.judge_queue(100.0, Forecast(0.0, 5.0, 0.1))
    assert harmful is not None
    assert (harmful.answer, harmful.reason) == (Answer.WAIT, "busy")


@pytest.mark.parametrize(
    ("lists", "wanted"),
    [
        (Lists(), True),
        (Lists(deny_requesters=frozenset({OTHER.upper().replace("X", "x")})), False),
        (Lists(deny_requesters=frozenset({ME})), True),
        (Lists(allow_requesters=frozenset({ME})), False),
        (Lists(allow_requesters=frozenset({OTHER})), True),
        (Lists(allow_requesters=frozenset({OTHER}), deny_requesters=frozenset({OTHER})), False),
        (Lists(deny_versions=frozenset({VERSION})), False),
        (Lists(deny_versions=frozenset({VERSION + 1})), True),
        (Lists(deny_models=frozenset({VERSION >> 32})), False),
        (Lists(deny_models=frozenset({2})), True),
    ],
)
def test_lists_decide_for_whom_and_with_what(lists: Lists, wanted: bool) -> None:
    config = PolicyConfig(serving=Serving.ALL, lists=lists)
    expected = (Answer.TAKE, "") if wanted else (Answer.SKIP, "not-wanted")
    assert judge(config) == expected


def test_direct_calls_obey_the_deny_list_too() -> None:
    config = PolicyConfig(serving=Serving.ALL, lists=Lists(deny_versions=frozenset({VERSION})))
    assert not Policy(config, ME).serves(VERSION, STANDING)
    assert Policy(config, ME).serves(VERSION + 1, STANDING)


def test_requests_for_proofs_can_be_left_to_others() -> None:
    assert judge(PolicyConfig(proofs=False)) == (Answer.SKIP, "mode-not-served")


def test_gas_is_part_of_the_account_where_its_worth_is_known() -> None:
    # 1000 gas at 1 gwei are 10**12 wei, which at this rate is one token unit.
    config = PolicyConfig(token_per_native=10**6, gas_estimate=1000)
    assert judge(config, gas_price=10**9) == (Answer.TAKE, "")
    # The fee after a royalty of a tenth is 900.
    assert judge(config, gas_price=899 * 10**9) == (Answer.TAKE, "")
    assert judge(config, gas_price=900 * 10**9) == (Answer.WAIT, "not-profitable")
    callback = replace(REQUEST, callback_gas=1000)
    assert judge(config, request=callback, gas_price=450 * 10**9)[1] == "not-profitable"


def test_too_little_stake_waits_and_says_what_is_missing() -> None:
    standing = replace(STANDING, available=30)
    verdict = Policy(PolicyConfig(), ME).judge(REQUEST, standing, now=500, prove_seconds=1.0)
    assert (verdict.answer, verdict.reason) == (Answer.WAIT, "stake-too-low")
    assert "70" in verdict.hint


@given(
    lock_duration=st.integers(1, 200),
    left=st.integers(0, 200),
    seconds=st.none() | st.floats(0, 100),
    factor=st.floats(1, 4),
    margin=st.floats(0, 20),
    proved=st.booleans(),
)
def test_nothing_is_promised_that_cannot_be_kept_in_time(
    lock_duration: int,
    left: int,
    seconds: float | None,
    factor: float,
    margin: float,
    proved: bool,
) -> None:
    config = PolicyConfig(time_factor=factor, margin_seconds=margin)
    request = replace(REQUEST, lock_duration=lock_duration, deadline=500 + left)
    answer, reason = judge(config, request, prove_seconds=seconds, proved=proved)
    if answer is Answer.TAKE:
        # The contract gives the lock until the earlier of the two; the measured time fits in it.
        assert min(lock_duration, left) >= (0 if proved else (seconds or 0)) + margin
    else:
        assert (answer, reason) == (Answer.SKIP, "too-little-time")
        assert min(lock_duration, left) < (seconds or 0) * factor + margin


def test_capacity_is_the_profile_s_unless_the_operator_says_otherwise() -> None:
    assert Policy(PolicyConfig(), ME).capacity(STANDING) == 3
    assert Policy(PolicyConfig(max_concurrent=1), ME).capacity(STANDING) == 1
    unset = replace(STANDING, profile=replace(STANDING.profile, capacity=0))
    assert Policy(PolicyConfig(), ME).capacity(unset) == 1


def test_waits_for_a_price_that_rises() -> None:
    rising = replace(
        REQUEST, price=1000, max_price=1000, min_price=400, ramp_start=400, ramp_length=200
    )
    # 700 of 800 in the middle of the ramp.
    assert judge(request=rising, now=500) == (Answer.WAIT, "price-rising")
    assert judge(request=rising, now=533) == (Answer.WAIT, "price-rising")
    assert judge(request=rising, now=534) == (Answer.TAKE, "")
    never = replace(rising, price=799, max_price=799)
    assert judge(request=never, now=600) == (Answer.SKIP, "price-too-low")
    # Once locked, the price is what it is.
    fixed = replace(rising, state=RequestState.LOCKED, price=900)
    assert fixed.price_at(0) == 900


def test_profit_counts_the_price_of_now() -> None:
    config = PolicyConfig(token_per_native=10**6, gas_estimate=1_000_000)
    rising = replace(
        REQUEST,
        price=10**6,
        max_price=10**6,
        min_price=1000,
        ramp_start=500,
        ramp_length=100,
    )
    # Now it does not cover the cost, but it will.
    assert judge(config, request=rising, now=500, gas_price=10**9) == (Answer.WAIT, "price-rising")
    assert judge(config, request=rising, now=600, gas_price=10**9) == (Answer.TAKE, "")
    assert judge(config, request=rising, now=600, gas_price=10**15)[1] == "not-profitable"
