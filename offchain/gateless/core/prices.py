"""Prices that rise until somebody takes them, as ``PriceRamps`` computes them on chain."""

from __future__ import annotations


def price_at(least: int, most: int, start: int, length: int, time: int) -> int:
    """Price at a time: the least until the ramp starts, the most from its end on.

    Args:
        least: price until ``start``, in token units.
        most: price from ``start + length`` on.
        start: second in which the ramp starts.
        length: its seconds; 0 for a flat price of ``most``.
        time: Unix time of the block.
    """
    if time >= start + length:
        return most
    if time <= start:
        return least
    return least + (most - least) * (time - start) // length
