"""Reputation: known values of Wilson's bound, what moves it, and percentiles of histograms."""

from __future__ import annotations

import pytest
from gateless.indexer.reputation import (
    BOUNDS,
    percentile,
    score,
    success_rate,
    wilson_lower_bound,
    with_time,
)
from hypothesis import given
from hypothesis import strategies as st

COUNTS = st.fixed_dictionaries(
    {name: st.integers(0, 10**6) for name in ("fulfilled", "expired", "slashed", "defended")}
)


@pytest.mark.parametrize(
    ("kept", "total", "bound"),
    # Worked out by hand, to three places.
    [(0, 0, 0.0), (0, 10, 0.0), (1, 1, 0.207), (10, 10, 0.722), (100, 100, 0.963), (8, 10, 0.490)],
)
def test_known_values(kept: int, total: int, bound: float) -> None:
    assert wilson_lower_bound(kept, total) == pytest.approx(bound, abs=6e-4)


@given(record=COUNTS)
def test_keeping_raises_and_breaking_lowers_a_score(record: dict[str, int]) -> None:
    before = score(record)
    assert 0 <= before <= 10_000
    for name in ("fulfilled", "defended"):
        assert score(record | {name: record[name] + 1}) >= before
    for name in ("expired", "slashed"):
        assert score(record | {name: record[name] + 1}) <= before
    worse = score(record | {"slashed": record["slashed"] + 1})
    assert worse <= score(record | {"expired": record["expired"] + 1})


def test_a_rate_needs_something_that_ended() -> None:
    nothing = {"fulfilled": 0, "expired": 0, "slashed": 0, "defended": 3}
    assert success_rate(nothing) is None
    assert success_rate(nothing | {"fulfilled": 3, "slashed": 1}) == 7_500


@given(times=st.lists(st.integers(-5, 10**7), min_size=1), share=st.sampled_from([0.5, 0.9, 0.99]))
def test_percentiles_are_those_of_the_times_rounded_up_to_their_class(
    times: list[int], share: float
) -> None:
    histogram: dict[str, int] = {}
    for seconds in times:
        histogram = with_time(histogram, seconds)
    found = percentile(histogram, share)
    assert found is not None
    within = sum(min(max(seconds, 0), BOUNDS[-1]) <= found for seconds in times)
    assert within >= share * len(times) - 1e-9
    below = [bound for bound in BOUNDS if bound < found]
    if below:
        fewer = sum(min(max(seconds, 0), BOUNDS[-1]) <= below[-1] for seconds in times)
        assert fewer < share * len(times)
