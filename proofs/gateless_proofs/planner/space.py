"""The scales that are tried, and in which order.

Errors fall as scales grow, roughly and not strictly. So the smallest equal pair of scales that is
accurate is found first; then, where questions are cheap, the smallest parameter scale for every
input scale, by bisection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: scales that are tried
SCALES = tuple(range(2, 15))
#: models with more cells are judged at equal scales only
LARGE_CELLS = 60_000
#: how far rescaling may be postponed; 10 is never reached by shallow models
MULTIPLIERS = (10, 1, 2, 3, 4, 6)

Pair = tuple[int, int]
#: whether a pair of input and parameter scales is accurate
Asked = Callable[[Pair], bool]


@dataclass(frozen=True, slots=True)
class ScaleSpace:
    """The pairs of one family of arithmetics.

    Attributes:
        natural: scale at which the samples are integers already, if there is one.
        large: whether every question about the model takes long.
        wordable: whether the circuit may get dense words, which want an input scale of 0 or no less
            than the parameters'.
        layers: by how many parameter scales the output's scale is above the input's.
    """

    natural: int | None
    large: bool
    wordable: bool
    layers: float

    def price(self, pair: Pair) -> tuple[float, int, int]:
        """How large the integers of a circuit with these scales grow."""
        input_scale, param_scale = pair
        return (input_scale + self.layers * param_scale, param_scale, input_scale)

    def accurate_pairs(self, asked: Asked) -> Iterator[Pair]:
        """Accurate pairs, those with small integers first."""
        first = next((scale for scale in SCALES if asked((scale, scale))), None)
        if first is None:
            return
        found = {(first, first)}
        for input_scale in self._input_scales(first):
            least = self._least_param_scale(input_scale, asked)
            if least is not None:
                found.add((input_scale, least))
        ordered = sorted((pair for pair in found if self._allowed(pair)), key=self.price)
        yield from ordered
        # What follows is for models whose held-out samples need more than the others did.
        for scale in range(first + 1, SCALES[-1] + 1):
            if (scale, scale) not in found and asked((scale, scale)):
                yield scale, scale

    def _input_scales(self, first: int) -> list[int]:
        natural = [] if self.natural is None else [self.natural]
        if self.large:
            return natural
        near = list(range(max(1, first - 3), min(first + 4, SCALES[-1]) + 1))
        return sorted({*natural, *near})

    def _least_param_scale(self, input_scale: int, asked: Asked) -> int | None:
        low, high = SCALES[0], SCALES[-1]
        if self.wordable and input_scale > 0:
            high = max(low, min(high, input_scale))
        if not asked((input_scale, high)):
            return None
        while low < high:
            middle = (low + high) // 2
            if asked((input_scale, middle)):
                high = middle
            else:
                low = middle + 1
        return high

    def _allowed(self, pair: Pair) -> bool:
        input_scale, param_scale = pair
        return not self.wordable or input_scale == 0 or input_scale >= param_scale
