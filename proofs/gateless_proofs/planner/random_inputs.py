"""Random inputs from the samples' range: a circuit must be right about them, too.

An audit asks the same of a published version. A model that is not finite on such an input is judged
by its samples alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gateless.core.packing import FloatArray

from gateless_proofs.accuracy import measure
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain
from gateless_proofs.planner.laboratory import CircuitModel, Laboratory, quantised
from gateless_proofs.witness import WitnessError

#: share of the inputs that must be within the bound; an audit asks for a little less
RANDOM_SHARE = 0.93
#: inputs that are tried, and with large models
_MOST = 16
_FEWEST = 4
#: cells that all their witnesses may take
_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class RandomInputs:
    """The same inputs for every circuit of a plan, rounded to its scales.

    Attributes:
        bound: the accuracy bound of the plan.
        seed: of the inputs.
    """

    lab: Laboratory
    domain: InputDomain
    bound: float
    seed: int

    def refusal(
        self,
        model: CircuitModel,
        parameters: CircuitParameters,
        scales: tuple[Sequence[int], Sequence[int]],
        cells: int,
        *,
        first: int = _MOST,
    ) -> str:
        """Why a circuit is not right often enough, or nothing.

        Args:
            scales: of the inputs and of the outputs.
            cells: of the circuit; the larger it is, the fewer inputs are tried.
            first: no more than so many of them are tried.
        """
        generator = np.random.default_rng(self.seed)
        count = max(_FEWEST, min(_MOST, _CELLS // max(cells, 1)))
        bearable = int((1 - RANDOM_SHARE) * count)
        wrong = 0
        for _ in range(min(first, count)):
            sample = self._draw(scales[0], generator)
            outputs = self.lab.floats.run(sample)
            if not all(np.isfinite(output).all() for output in outputs):
                return ""
            wrong += not self._right(model, parameters, scales, sample, outputs)
            if wrong > bearable:
                return f"{wrong} of {count} random inputs are not within the bound"
        return ""

    def _draw(self, scales: Sequence[int], generator: np.random.Generator) -> list[FloatArray]:
        sample: list[FloatArray] = []
        for place, scale in enumerate(scales):
            low, high = self.domain.observed(place)
            drawn = generator.uniform(low, high, size=self.lab.samples[0][place].shape)
            # As it reaches the circuit: the error of its own rounding is not the circuit's.
            sample.append(np.rint(drawn * 2.0**scale) / 2.0**scale)
        return sample

    def _right(
        self,
        model: CircuitModel,
        parameters: CircuitParameters,
        scales: tuple[Sequence[int], Sequence[int]],
        sample: list[FloatArray],
        outputs: list[FloatArray],
    ) -> bool:
        try:
            runs = list(self.lab.runs(model, parameters, [quantised(sample, scales[0])]))
        except WitnessError:
            return False
        return measure(runs, [outputs], scales[1], self.bound).max_abs_error <= self.bound
