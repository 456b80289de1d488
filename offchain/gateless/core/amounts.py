"""Token amounts as people write them; inside, an amount is always an integer of token units."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Protocol

from gateless.core.errors import InputError

_MAX_UNITS = (1 << 128) - 1  # amounts of the contracts are uint128
_MAX_DIGITS = 200  # keeps a hostile exponent from building a huge integer


class Token(Protocol):
    """What is needed of a token to spell its amounts."""

    @property
    def symbol(self) -> str:
        """Ticker, such as ``tUSD``."""

    @property
    def decimals(self) -> int:
        """Number of decimal places of one whole token."""


def plain_amount(units: int, token: Token) -> str:
    """Exact decimal number with at least two places, without unit, as flags take it."""
    sign = "-" if units < 0 else ""
    whole, fraction = divmod(abs(units), 10**token.decimals)
    if token.decimals == 0:
        return f"{sign}{whole}"
    digits = f"{fraction:0{token.decimals}d}".rstrip("0")
    return f"{sign}{whole}.{digits.ljust(min(2, token.decimals), '0')}"


def format_amount(units: int, token: Token) -> str:
    """Exact amount with its unit, such as ``1.50 tUSD``."""
    return f"{plain_amount(units, token)} {token.symbol}"


def parse_amount(text: str, token: Token) -> int:
    """Reads ``1.5`` or ``1.5 tUSD`` into token units; never rounds.

    Raises:
        InputError: ``invalid-amount``.
    """
    hint = f"write a decimal number of {token.symbol}, for example 1.50"
    value = text.strip()
    if value.lower().endswith(token.symbol.lower()):
        value = value[: -len(token.symbol)].rstrip()
    if "e" in value.lower():  # a slip of one digit there would move a thousandfold
        raise InputError("invalid-amount", f"{text!r} is not an amount", hint=hint)
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise InputError("invalid-amount", f"{text!r} is not an amount", hint=hint) from error
    if not number.is_finite() or number < 0:
        raise InputError("invalid-amount", f"{text!r} is not an amount", hint=hint)
    if number > _MAX_UNITS:
        raise InputError("invalid-amount", f"{text!r} is too large", hint=hint)
    precise = InputError(
        "invalid-amount",
        f"{text!r} has more than {token.decimals} decimal places",
        hint=f"{token.symbol} has {token.decimals} decimal places",
    )
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MAX_DIGITS:
        raise precise
    numerator, denominator = number.as_integer_ratio()
    units, rest = divmod(numerator * 10**token.decimals, denominator)
    if rest:
        raise precise
    if units > _MAX_UNITS:
        raise InputError("invalid-amount", f"{text!r} is too large", hint=hint)
    return int(units)
