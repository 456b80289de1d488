"""The inputs a circuit is made for: the calibration range with a margin, and the packed range."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Sequence

import numpy as np
from gateless.core.errors import InputError
from gateless.core.packing import FloatArray, TensorSpec, round_half_away

Tensors = list[list[int]]

#: the circuit is made for inputs this much larger than the calibration data
INPUT_MARGIN = 2.0
_LARGEST_NATURAL_SCALE = 7
_RANDOM_CORNERS = 6


class InputDomain:
    """Ranges of the inputs, per input tensor.

    Args:
        samples: calibration data, one list of tensors per sample.
    """

    def __init__(self, samples: Sequence[Sequence[FloatArray]]) -> None:
        self.samples = samples

    def natural_scale(self) -> int | None:
        """The scale at which the calibration inputs are integers already, if it is small."""
        for scale in range(_LARGEST_NATURAL_SCALE + 1):
            factor = 2.0**scale
            if all(
                np.array_equal(tensor * factor, np.rint(tensor * factor))
                for sample in self.samples
                for tensor in sample
            ):
                return scale
        return None

    def observed(self, place: int) -> tuple[float, float]:
        """The calibration range."""
        low = min(float(sample[place].min()) for sample in self.samples)
        return low, max(float(sample[place].max()) for sample in self.samples)

    def bounds(self, place: int) -> tuple[float, float]:
        """What the circuit is made for: the calibration range with a margin."""
        low, high = self.observed(place)
        return min(0.0, low * INPUT_MARGIN), max(0.0, high * INPUT_MARGIN)

    def width(self, place: int, scale: int) -> int:
        """The smallest packed width that covers the domain."""
        low, high = self.bounds(place)
        width = width_for(round_half_away(low * 2.0**scale), round_half_away(high * 2.0**scale))
        if width == 0:
            raise InputError(
                "out-of-range",
                f"inputs up to {max(-low, high):g} at scale 2^{scale} do not fit 128 bits",
                hint="scale the model's inputs down",
            )
        return width

    def probes(self, scales: Sequence[int]) -> list[Tensors]:
        """Corners of the input domain."""
        ranges = []
        for place, scale in enumerate(scales):
            low, high = self.bounds(place)
            ranges.append((round_half_away(low * 2.0**scale), round_half_away(high * 2.0**scale)))
        return self.corners(ranges)

    def packed_corners(self, scales: Sequence[int]) -> list[Tensors]:
        """Corners of all that the packed widths can carry."""
        ranges = []
        for place, scale in enumerate(scales):
            width = self.width(place, scale)
            spec = TensorSpec("", (1,), width, scale)
            ranges.append((spec.minimum, spec.maximum))
        return self.corners(ranges)

    def corners(self, ranges: Sequence[tuple[int, int]]) -> list[Tensors]:
        """All low, all high, alternating, and seeded random corners of a box."""
        counts = [tensor.size for tensor in self.samples[0]]
        generator = random.Random(0)  # noqa: S311 - probes, not secrets

        def corner(pick: Callable[[], int]) -> Tensors:
            return [
                [bounds[pick()] for _ in range(count)]
                for bounds, count in zip(ranges, counts, strict=True)
            ]

        turns = itertools.cycle((0, 1))
        chosen = [corner(lambda: 0), corner(lambda: 1), corner(lambda: next(turns))]
        chosen += [corner(lambda: generator.getrandbits(1)) for _ in range(_RANDOM_CORNERS)]
        return chosen


def width_for(low: int, high: int) -> int:
    """The smallest packed width that carries both integers; 0 where none does."""
    for width in (1, 2, 4, 8, 16):
        bound = 1 << (8 * width - 1)
        if -bound <= low and high < bound:
            return width
    return 0
