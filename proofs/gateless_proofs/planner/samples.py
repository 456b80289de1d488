"""Which samples a search looks at, and which only judge what it found."""

from __future__ import annotations

import math
import random

#: samples that the search itself looks at, and least number of samples of which some are held out
_MOST_SAMPLES = 32
_HOLD_OUT_FROM = 8


def split(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Samples that the search looks at, and others that only judge its result."""
    places = list(range(count))
    random.Random(seed).shuffle(places)  # noqa: S311 - a choice, no secret
    if count < _HOLD_OUT_FROM:
        return places, []
    looked_at = min(_MOST_SAMPLES, math.ceil(count * 0.75))
    return places[:looked_at], places[looked_at:]
