"""What rounding the inputs alone does to a model: the float model is run on inputs and on the same
inputs as a requester would pack them.

Witnesses are dear, so a search sees few of them. A model that jumps (trees, comparisons) is right
on nearly every input even where its inputs are far too coarse; runs of the float model are cheap
enough to see how often it is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from gateless.core.packing import FloatArray

from gateless_proofs.planner.laboratory import Laboratory
from gateless_proofs.planner.space import LARGE_CELLS

#: share of inputs whose outputs must stay within the bound when they are rounded; less where not
#: even the finest scale that is worth a try keeps it
ROUNDING_SHARE = 0.999
_FINEST, _FINEST_OF_LARGE = 13, 10
#: cells of all circuits that the runs stand for, and how many runs that is at least and at most
_CELLS = 64_000_000
_FEWEST = 32
_MOST = 2_000
#: operators whose outputs jump where their inputs pass a threshold
_JUMPS = frozenset(
    {"ArgMax", "ArgMin", "Ceil", "Equal", "Floor", "Greater", "GreaterOrEqual", "Less"}
    | {"LessOrEqual", "Mod", "Round", "Sign", "Where"}
    | {"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"}
)


class Rounding:
    """Compares a model's outputs before and after its inputs are rounded.

    Args:
        laboratory: holds the float model and the samples.
        chosen: places of the samples that inputs are drawn between.
        bound: largest error of an output.
        seed: of the draws.

    Attributes:
        jumps: whether the model compares, so that a hair's breadth may change an output a lot.
    """

    def __init__(
        self, laboratory: Laboratory, chosen: Sequence[int], *, bound: float, seed: int
    ) -> None:
        self.lab = laboratory
        self.chosen = list(chosen)
        self.bound = bound
        self.seed = seed
        self.jumps = not _JUMPS.isdisjoint(laboratory.operators)
        self._known: dict[tuple[int, ...], float] = {}

    def refusal(self, scales: tuple[int, ...], cells: int) -> str:
        """Why inputs at these scales are too coarse, or nothing.

        Args:
            scales: binary scale of each input tensor.
            cells: of the circuit; the larger the model, the fewer inputs are tried.
        """
        share = self.share(scales, cells)
        if share >= ROUNDING_SHARE:
            return ""
        finest = _FINEST_OF_LARGE if cells > LARGE_CELLS else _FINEST
        if share >= self.share(tuple(max(scale, finest) for scale in scales), cells):
            return ""
        return f"rounding the inputs alone moves {1 - share:.1%} of outputs out of the bound"

    def share(self, scales: tuple[int, ...], cells: int) -> float:
        """Share of inputs whose outputs stay within the bound, from 0 to 1."""
        if scales not in self._known:
            self._known[scales] = self._measure(scales, cells)
        return self._known[scales]

    def draws(self, scales: Sequence[int]) -> Iterator[list[FloatArray]]:
        """Inputs between two samples, each value on its own; the same whenever they are asked for.
        Values of tensors that are whole at their scale are those of one sample or the other."""
        whole = [self._on_grid(place, scale) for place, scale in enumerate(scales)]
        generator = np.random.default_rng(self.seed)
        while True:
            one, other = (
                self.lab.samples[self.chosen[place]]
                for place in generator.integers(0, len(self.chosen), size=2)
            )
            drawn: list[FloatArray] = []
            for is_whole, left, right in zip(whole, one, other, strict=True):
                part = generator.random(left.shape)
                drawn.append(left + (right - left) * (np.rint(part) if is_whole else part))
            yield drawn

    def _measure(self, scales: tuple[int, ...], cells: int) -> float:
        if all(self._on_grid(place, scale) for place, scale in enumerate(scales)):
            return 1.0
        count = int(np.clip(_CELLS // max(cells, 1), _FEWEST, _MOST))
        tried = good = 0
        for drawn in itertools.islice(self.draws(scales), count):
            rounded = [
                np.rint(tensor * 2.0**scale) / 2.0**scale
                for tensor, scale in zip(drawn, scales, strict=True)
            ]
            right, made = self.lab.floats.run(drawn), self.lab.floats.run(rounded)
            if not all(np.isfinite(output).all() for output in right):
                continue  # such as a logarithm between two samples
            tried += 1
            good += all(
                float(np.abs(ours - theirs).max(initial=0.0)) <= self.bound
                for ours, theirs in zip(made, right, strict=True)
            )
        return good / tried if tried else 1.0

    def _on_grid(self, place: int, scale: int) -> bool:
        """Whether the samples' values are integers at this scale already."""
        for index in self.chosen:
            scaled = self.lab.samples[index][place] * 2.0**scale
            if not np.array_equal(scaled, np.rint(scaled)):
                return False
        return True
