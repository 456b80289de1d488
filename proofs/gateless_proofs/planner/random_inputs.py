"""Random inputs: a circuit must be right about those, too.

Some are drawn from the samples' range and rounded to the circuit's scale; an audit asks the same of
a published version. Models that compare are also asked about many inputs between the samples, as
they are: there a threshold that was rounded shows. A model that is not finite on a random input is
judged by its samples alone.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from gateless.core.packing import FloatArray

from gateless_proofs.accuracy import measure
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain
from gateless_proofs.planner.laboratory import CircuitModel, Laboratory, quantised
from gateless_proofs.planner.rounding import Rounding
from gateless_proofs.witness import WitnessError

#: share of the inputs that must be within the bound; an audit asks for a little less
RANDOM_SHARE = 0.93
#: inputs that are tried, with large models, and at a first look
_MOST, _FEWEST, _FIRST = 16, 4, 4
#: cells that all their witnesses may take
_CELLS = 2_000_000
#: the same for inputs between the samples of a model that compares
_MOST_BETWEEN, _FEWEST_BETWEEN, _FIRST_BETWEEN = 300, 16, 32
_CELLS_BETWEEN = 1_000_000
#: of these so many times the share may be wrong that rounding the inputs alone makes wrong
_BEARABLE = 2.0

#: of the inputs, of the outputs
_Scales = tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A circuit and its scales."""

    model: CircuitModel
    parameters: CircuitParameters
    scales: _Scales


@dataclass(frozen=True, slots=True)
class RandomInputs:
    """The same inputs for every circuit of a plan.

    Attributes:
        rounding: draws inputs between the samples, and knows the bound and the seed.
    """

    lab: Laboratory
    domain: InputDomain
    rounding: Rounding
    _known: dict[tuple[CircuitModel, _Scales, bool], str] = field(default_factory=dict)

    def refusal(
        self,
        model: CircuitModel,
        parameters: CircuitParameters,
        scales: _Scales,
        cells: int,
        *,
        thorough: bool = True,
    ) -> str:
        """Why a circuit is not right often enough, or nothing.

        Args:
            scales: of the inputs and of the outputs.
            cells: of the circuit; the larger it is, the fewer inputs are tried.
            thorough: whether all inputs are tried, or only the first few.
        """
        asked = _Asked(model, parameters, scales)
        refusal = self._anywhere(asked, cells, thorough=thorough)
        if not refusal and self.rounding.jumps:
            refusal = self._between(asked, cells, thorough=thorough)
        return refusal

    def samples(self, scales: Sequence[int], count: int) -> list[list[FloatArray]]:
        """Inputs from anywhere in the samples' range, rounded to these scales."""
        generator = np.random.default_rng(self.rounding.seed)
        return [self._anything(scales, generator) for _ in range(count)]

    def _anywhere(self, asked: _Asked, cells: int, *, thorough: bool) -> str:
        count = max(_FEWEST, min(_MOST, _CELLS // max(cells, 1)))
        bearable = int((1 - RANDOM_SHARE) * count)
        wrong = 0
        for sample in self.samples(asked.scales[0], count if thorough else min(count, _FIRST)):
            right = self._is_right(asked, sample)
            if right is None:
                return ""
            wrong += not right
            if wrong > bearable:
                return f"{wrong} of {count} random inputs are not within the bound"
        return ""

    def _between(self, asked: _Asked, cells: int, *, thorough: bool) -> str:
        # Shapes of one arithmetic give the same outputs: one of them is asked for all.
        key = (asked.model, asked.scales, thorough)
        if key not in self._known:
            self._known[key] = self._ask_between(asked, cells, thorough=thorough)
        return self._known[key]

    def _ask_between(self, asked: _Asked, cells: int, *, thorough: bool) -> str:
        count = int(np.clip(_CELLS_BETWEEN // max(cells, 1), _FEWEST_BETWEEN, _MOST_BETWEEN))
        share = 1 - self.rounding.share(asked.scales[0], cells)
        bearable = max(1, int(_BEARABLE * share * count))
        tried = count if thorough else min(count, _FIRST_BETWEEN)
        wrong = 0
        for sample in itertools.islice(self.rounding.draws(asked.scales[0]), tried):
            wrong += self._is_right(asked, sample) is False
            if wrong > bearable:
                return f"{wrong} of {count} inputs between the samples are not within the bound"
        return ""

    def _anything(self, scales: Sequence[int], generator: np.random.Generator) -> list[FloatArray]:
        sample: list[FloatArray] = []
        for place, scale in enumerate(scales):
            low, high = self.domain.observed(place)
            drawn = generator.uniform(low, high, size=self.lab.samples[0][place].shape)
            # As it reaches the circuit: the error of its own rounding is not the circuit's.
            sample.append(np.rint(drawn * 2.0**scale) / 2.0**scale)
        return sample

    def _is_right(self, asked: _Asked, sample: list[FloatArray]) -> bool | None:
        """Whether the circuit is within the bound of the model; None where that is not finite."""
        outputs = self.lab.floats.run(sample)
        if not all(np.isfinite(output).all() for output in outputs):
            return None
        tensors = quantised(sample, asked.scales[0])
        try:
            runs = list(self.lab.runs(asked.model, asked.parameters, [tensors]))
        except WitnessError:
            return False
        bound = self.rounding.bound
        return measure(runs, [outputs], asked.scales[1], bound).max_abs_error <= bound
