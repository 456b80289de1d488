"""Prices that rise, as the contract computes them."""

from __future__ import annotations

import pytest
from gateless.core.prices import price_at
from hypothesis import given
from hypothesis import strategies as st

PRICES = st.integers(0, 2**88 - 1)
TIMES = st.integers(0, 2**40 - 1)
LENGTHS = st.integers(0, 2**24 - 1)


@pytest.mark.parametrize(
    ("time", "price"),
    [(0, 10), (100, 10), (101, 10), (110, 19), (199, 99), (200, 100), (10**9, 100)],
)
def test_the_ramp(time: int, price: int) -> None:
    assert price_at(10, 100, 100, 100, time) == price


def test_a_flat_price() -> None:
    assert price_at(0, 7, 0, 0, 0) == 7


@given(PRICES, PRICES, TIMES, LENGTHS, TIMES, TIMES)
def test_stays_between_and_never_falls(
    one: int, other: int, start: int, length: int, time: int, later: int
) -> None:
    least, most = sorted((one, other))
    first, last = sorted((time, later))
    price = price_at(least, most, start, length, first)
    assert least <= price <= most
    assert price_at(least, most, start, length, last) >= price
