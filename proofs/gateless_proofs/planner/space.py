"""The scales that are tried, and in which order.

Errors fall as scales grow, roughly and not strictly. So the smallest equal pair of scales that is
accurate is found first, then the smallest parameter scale for input scales around it. Where every
question takes long, bisection finds a few pairs instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

#: scales that are tried
SCALES = tuple(range(2, 15))
#: models with more cells are judged at few scales
LARGE_CELLS = 60_000
#: how far rescaling may be postponed; 10 is never reached by shallow models
MULTIPLIERS = (10, 1, 2, 3, 4, 6)
#: the same for large models
FEW_MULTIPLIERS = (10, 1, 2)
#: at which deep polynomials are not rescaled either
NEVER_RESCALING = 20
#: input scales that are tried with large models, besides equal ones: deep models often need fine
#: weights, and bear coarse inputs
_FEW_INPUT_SCALES = (4, 6, 8)

#: how far from the first pair's the input scale is moved
_UP, _DOWN = 4, 2

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
        if self.large:
            yield from self._few_pairs(asked)
            return
        first = next((scale for scale in SCALES if asked((scale, scale))), None)
        if first is None:
            return
        found = {(first, first), *self._stairs(first, asked)}
        yield from sorted((pair for pair in found if self._allowed(pair)), key=self.price)
        # What follows is for models whose held-out samples need more than the others did.
        for scale in range(first + 1, SCALES[-1] + 1):
            if (scale, scale) not in found and asked((scale, scale)):
                yield scale, scale

    def _few_pairs(self, asked: Asked) -> Iterator[Pair]:
        """The same with few questions: errors are taken to fall strictly."""
        lines = [[(scale, scale) for scale in SCALES]]
        fixed = _FEW_INPUT_SCALES if self.natural is None else (self.natural, *_FEW_INPUT_SCALES)
        lines += [[(scale, other) for other in SCALES if other > scale] for scale in fixed]
        ends: dict[Pair, list[Pair]] = {}
        for line in lines:
            allowed = [pair for pair in line if self._allowed(pair)]
            # The largest scales may leave ezkl's integers: then somewhat smaller ones are asked.
            tops = range(len(allowed) - 1, len(allowed) // 2 - 1, -2)
            top = next((place for place in tops if asked(allowed[place])), None)
            if top is not None:
                place = _first(allowed[: top + 1], asked)
                ends.setdefault(allowed[place], allowed[place + 1 : top + 1])
        cheapest = sorted(ends, key=self.price)
        # What follows is for models whose held-out samples need more than the others did.
        larger = [pair for least in cheapest for pair in ends[least][:2]]
        yield from dict.fromkeys([*cheapest, *larger])

    def _stairs(self, first: int, asked: Asked) -> Iterator[Pair]:
        """The least parameter scale for input scales around the first: the larger the one, the
        smaller the other, so that each step starts where the last one ended."""
        if self.natural is not None:
            yield from self._climb(self.natural, SCALES[0], asked)
        param_scale = first
        for input_scale in range(first, min(first + _UP, SCALES[-1]) + 1):
            while param_scale > SCALES[0] and asked((input_scale, param_scale - 1)):
                param_scale -= 1
            yield input_scale, param_scale
        if self.wordable:
            return
        param_scale = first
        for input_scale in range(first - 1, max(0, first - _DOWN - 1), -1):
            for step in self._climb(input_scale, param_scale, asked):
                param_scale = step[1]
                yield step

    def _climb(self, input_scale: int, param_scale: int, asked: Asked) -> Iterator[Pair]:
        for scale in range(param_scale, SCALES[-1] + 1):
            if asked((input_scale, scale)):
                yield input_scale, scale
                return

    def _allowed(self, pair: Pair) -> bool:
        input_scale, param_scale = pair
        return not self.wordable or input_scale == 0 or input_scale >= param_scale


def _first(line: list[Pair], asked: Asked) -> int:
    """Place of the first accurate pair; the last is accurate."""
    low, high = 0, len(line) - 1
    while low < high:
        middle = (low + high) // 2
        if asked(line[middle]):
            high = middle
        else:
            low = middle + 1
    return low
