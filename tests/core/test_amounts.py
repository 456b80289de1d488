"""Amounts: exact in both directions, never rounded."""

from __future__ import annotations

import pytest
from gateless.adapters.chain.deployment import TokenInfo
from gateless.core.amounts import format_amount, parse_amount, plain_amount
from gateless.core.errors import InputError
from hypothesis import given
from hypothesis import strategies as st

TOKEN = TokenInfo("0x" + "00" * 20, "tUSD", 6)


@pytest.mark.parametrize(
    ("units", "text"),
    [
        (0, "0.00 tUSD"),
        (1, "0.000001 tUSD"),
        (1_500_000, "1.50 tUSD"),
        (-1_500_000, "-1.50 tUSD"),
        (123_456_789_000_000, "123456789.00 tUSD"),
    ],
)
def test_format(units: int, text: str) -> None:
    assert format_amount(units, TOKEN) == text


@pytest.mark.parametrize(
    ("text", "units"),
    [("1.5", 1_500_000), ("1.50 tUSD", 1_500_000), ("0", 0), (".000001", 1)],
)
def test_parse(text: str, units: int) -> None:
    assert parse_amount(text, TOKEN) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "-1",
        "nan",
        "inf",
        "1,5",
        "0.0000001",
        "1.00000000000000000000000000000000000001",
        "1e3",
        "1e999999999",
        "1e-999999999",
        "1 EUR",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_amount(text, TOKEN)
    assert caught.value.code == "invalid-amount"


@given(st.integers(0, (1 << 128) - 1), st.integers(0, 18))
def test_what_is_written_reads_back(units: int, decimals: int) -> None:
    token = TokenInfo("0x" + "00" * 20, "T", decimals)
    assert parse_amount(plain_amount(units, token), token) == units
    assert parse_amount(format_amount(units, token), token) == units


def test_amounts_without_decimals() -> None:
    token = TokenInfo("0x" + "00" * 20, "T", 0)
    assert format_amount(7, token) == "7 T"
    with pytest.raises(InputError):
        parse_amount("7.5", token)
