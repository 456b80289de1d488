"""What work costs: proofs, gas, tied-up stake, and doubt by its probability."""

from __future__ import annotations

import math
from dataclasses import replace

from gateless.core.lazy import Backing, LazyRequest
from gateless.core.types import ZERO_ADDRESS, ExecutorInfo
from gateless.executor import LazyConfig, PolicyConfig
from gateless.executor.costs import Effort, Rates, cost_of, least_price
from gateless.executor.lazy.policy import LazyPolicy
from gateless.executor.policy import Answer, Policy, Standing
from hypothesis import given
from hypothesis import strategies as st

ME = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
OTHER = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
YEAR = 365 * 24 * 3600


def test_each_part_of_the_cost() -> None:
    assert cost_of(Effort(proof_seconds=10, gas=10**6), Rates(), gas_price=10**9) == 0
    assert cost_of(Effort(proof_seconds=10), Rates(proof_second=3.0), 0) == 30
    stake = Effort(stake=1_000_000, stake_seconds=YEAR)
    assert cost_of(stake, Rates(capital_bps=500), 0) == 50_000
    gas = Effort(gas=1_000_000)
    assert cost_of(gas, Rates(token_per_native=10**6), 10**9) == 1_000
    doubt = Effort(doubt=0.25, doubt_seconds=8, doubt_gas=4_000_000)
    assert cost_of(doubt, Rates(proof_second=100.0), 10**9) == 200
    assert cost_of(doubt, Rates(token_per_native=10**6), 10**9) == 1_000


@given(cost=st.integers(0, 2**96), royalty=st.integers(0, 9_999), profit=st.integers(0, 10_000))
def test_the_fee_covers_cost_and_profit(cost: int, royalty: int, profit: int) -> None:
    price = least_price(cost, Rates(profit_bps=profit), royalty)
    fee = price - price * royalty // 10_000
    assert fee * 10_000 >= cost * (10_000 + profit)
    # And hardly more than that.
    assert least_price(cost, Rates(), 0) == cost


def test_what_is_left_of_the_capacity_costs_more() -> None:
    loads = iter((0.0, 0.5, 1.0))
    config = PolicyConfig(proof_second_price=100.0, profit_bps=1_000, busy_bps=5_000)
    policy = LazyPolicy(
        Policy(config, ME, lambda: next(loads)), LazyConfig(min_price=0, doubt_bps=10_000)
    )
    asked = [policy.asking(REQUEST, STANDING, 10.0, 0, 0) for _ in range(3)]
    assert asked == [1_100, 1_350, 1_600]


REQUEST = LazyRequest(
    requester=OTHER,
    version_id=1 << 32,
    input_digest=bytes(32),
    input_binding=bytes(32),
    max_price=1_000,
    min_price=0,
    ramp_start=0,
    ramp_length=0,
    collateral=100,
    deadline=1_000,
    lock_duration=60,
    challenge_window=600,
    response_window=100,
    audit_bps=0,
)
STANDING = Standing(
    profile=ExecutorInfo(ME, 0, 0, "", None, 500, 1),
    enrolled=frozenset({1 << 32}),
    available=0,
    locked=0,
    earnings=0,
)


def judge(
    request: LazyRequest = REQUEST,
    policy: PolicyConfig | None = None,
    config: LazyConfig | None = None,
    *,
    prove_seconds: float = 10.0,
    backing: int = 100,
    now: int = 500,
    answer_seconds: float = 0.0,
    audits: int = 0,
    owed_seconds: float = 0.0,
) -> tuple[Answer, str]:
    rules = LazyPolicy(Policy(policy or PolicyConfig(), ME), config or LazyConfig())
    verdict = rules.judge(
        request,
        STANDING,
        Backing(backing, 0),
        now=now,
        answer_seconds=answer_seconds,
        prove_seconds=prove_seconds,
        royalty_bps=0,
        gas_price=10**9,
        audits=audits,
        owed_seconds=owed_seconds,
    )
    return verdict.answer, verdict.reason


def test_lazy_requests_that_are_taken_and_left() -> None:
    assert judge() == (Answer.TAKE, "")
    assert judge(replace(REQUEST, executor=ME)) == (Answer.TAKE, "")
    assert judge(replace(REQUEST, executor=OTHER)) == (Answer.SKIP, "named-another")
    assert judge(replace(REQUEST, version_id=5)) == (Answer.SKIP, "version-not-served")
    assert judge(replace(REQUEST, max_price=499)) == (Answer.SKIP, "price-too-low")
    assert judge(config=LazyConfig(min_price=1_001)) == (Answer.SKIP, "price-too-low")
    assert judge(policy=PolicyConfig(max_collateral=99)) == (Answer.SKIP, "collateral-too-high")
    assert judge(backing=99) == (Answer.WAIT, "backing-too-low")
    assert judge(now=998) == (Answer.SKIP, "too-little-time")
    assert judge(answer_seconds=60.0) == (Answer.SKIP, "too-little-time")
    # Who could not prove in time does not answer: 2 x 49 s and a margin of 3 are too much.
    assert judge(prove_seconds=49.0) == (Answer.SKIP, "response-window-too-short")
    rising = replace(REQUEST, min_price=100, ramp_start=500, ramp_length=100)
    assert judge(rising) == (Answer.WAIT, "price-rising")
    assert judge(rising, now=600) == (Answer.TAKE, "")
    assert REQUEST.executor == ZERO_ADDRESS


def test_lots_that_may_fall_together_are_proven_within_one_window() -> None:
    audited = replace(REQUEST, audit_bps=1)
    assert judge(audited) == (Answer.TAKE, "")
    # The window has 100 s, a proof takes up to 2 x 10: four of them and a margin of 3 fit.
    assert judge(audited, audits=3) == (Answer.TAKE, "")
    assert judge(audited, audits=4) == (Answer.WAIT, "audits-outstanding")
    assert judge(REQUEST, audits=100) == (Answer.TAKE, "")
    # Beside what is owed by then: 2 x (10 + 38) and the margin are 99 s.
    assert judge(audited, owed_seconds=38.0) == (Answer.TAKE, "")
    assert judge(audited, owed_seconds=39.0) == (Answer.WAIT, "audits-outstanding")
    assert judge(audited, owed_seconds=math.inf) == (Answer.WAIT, "audits-outstanding")
    assert judge(REQUEST, owed_seconds=math.inf) == (Answer.TAKE, "")


def test_a_likely_lot_has_its_price() -> None:
    rates = PolicyConfig(proof_second_price=200.0)
    assert judge(policy=rates) == (Answer.TAKE, "")
    assert judge(replace(REQUEST, audit_bps=4_000), rates) == (Answer.TAKE, "")
    assert judge(replace(REQUEST, audit_bps=6_000), rates) == (Answer.SKIP, "price-too-low")
    many = LazyConfig(doubt_bps=6_000)
    assert judge(policy=rates, config=many) == (Answer.SKIP, "price-too-low")
