"""Builds the circuits that go to trial, and judges them by inputs that the search never saw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import ProofError
from gateless.core.manifest import Goal

from gateless_proofs.accuracy import AccuracyReport, measure
from gateless_proofs.bundle import sha256_of
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain, width_for
from gateless_proofs.planner.arithmetic import Judged
from gateless_proofs.planner.candidate import Candidate
from gateless_proofs.planner.cost import proof_bytes
from gateless_proofs.planner.laboratory import CircuitModel, Laboratory, quantised
from gateless_proofs.planner.slack import slack_of
from gateless_proofs.witness import CircuitRun, WitnessError

#: the part of the accuracy bound that samples which the search never saw may use
HELD_OUT_BOUND = 0.75
#: share of random inputs that must be within the bound; an audit asks for a little less
RANDOM_SHARE = 0.93
_RANDOM_INPUTS = 16


@dataclass(frozen=True, slots=True)
class FinalistBuilder:
    """Makes finalists of candidates.

    Attributes:
        chosen: places of the samples that the search looked at.
        held_out: places of the others.
        bound: the accuracy bound of the plan.
        labels: whether outputs are scores, whose labels must agree, too.
        wordable: whether the circuit may get dense words.
        seed: of the random inputs.
    """

    lab: Laboratory
    domain: InputDomain
    chosen: list[int]
    held_out: list[int]
    goal: Goal
    bound: float
    labels: bool
    wordable: bool
    seed: int

    def build(self, candidate: Candidate, folder: Path) -> dict[str, Any] | None:
        """Builds a candidate; None, and a verdict, where it does not hold what it promised."""
        arithmetic, judged = candidate.arithmetic, candidate.judged
        model, parameters = arithmetic.model(), candidate.shape.parameters
        self.lab.write(model, parameters, folder)
        try:
            chosen = list(self._all(model, parameters, judged, self.chosen))
            others = list(self._all(model, parameters, judged, self.held_out))
        except WitnessError as error:
            candidate.verdict = f"a sample has no witness: {error}"[:200]
            return None
        report = self._measure([*chosen, *others], [*self.chosen, *self.held_out], judged)
        if not report.accepted(HELD_OUT_BOUND * self.bound, labels=self.labels):
            candidate.verdict = f"held-out error {report.max_abs_error:.3g}"
            return None
        share = self._random_share(model, parameters, judged)
        if share < RANDOM_SHARE:
            candidate.verdict = f"held-out: {share:.0%} of random inputs within the bound"
            return None
        candidate.verdict = "finalist" + ("" if candidate.covers else ", packed range not covered")
        slack, kind = (
            ([0] * len(judged.output_scales), "exact")
            if judged.exact
            else slack_of(self.lab, model, parameters, judged.output_scales)
        )
        return {
            "folder": str(folder),
            "model": model.subject(),
            "model_sha256": sha256_of(self.lab.file_of(model)),
            "arithmetic": asdict(arithmetic),
            "judged": asdict(judged),
            "parameters": asdict(parameters),
            "cost": asdict(candidate.shape.cost),
            "proof_bytes": proof_bytes(candidate.shape.layout),
            "score": candidate.score(self.goal),
            "covers": candidate.covers,
            "exact": judged.exact,
            "slack": slack,
            "slack_kind": kind,
            "accuracy": asdict(report),
            "inputs": self._inputs(judged),
            "outputs": self._outputs(judged, [*chosen, *others]),
            "samples": [
                quantised(self.lab.samples[place], judged.input_scales) for place in self.chosen[:4]
            ],
        }

    def _all(
        self,
        model: CircuitModel,
        parameters: CircuitParameters,
        judged: Judged,
        places: list[int],
    ) -> Iterator[CircuitRun]:
        count = max(4, min(len(places), 6_000_000 // max(judged.cells, 1)))
        for place in places[:count]:
            sample = quantised(self.lab.samples[place], judged.input_scales)
            yield from self.lab.runs(model, parameters, [sample])

    def _measure(self, runs: list[CircuitRun], places: list[int], judged: Judged) -> AccuracyReport:
        references = [self.lab.reference[place] for place in places[: len(runs)]]
        return measure(runs, references, judged.output_scales, self.bound)

    def _random_share(
        self, model: CircuitModel, parameters: CircuitParameters, judged: Judged
    ) -> float:
        """Share of random inputs from the samples' range whose outputs are within the bound.

        An audit asks the same. A model that is not finite there is judged by its samples alone.
        """
        generator = np.random.default_rng(self.seed)
        good, count = 0, max(4, min(_RANDOM_INPUTS, 2_000_000 // max(judged.cells, 1)))
        for _ in range(count):
            scales = judged.input_scales
            sample = []
            for place, scale in enumerate(scales):
                low, high = self.domain.observed(place)
                drawn = generator.uniform(low, high, size=self.lab.samples[0][place].shape)
                # As it reaches the circuit: the error of its own rounding is not the circuit's.
                sample.append(np.rint(drawn * 2.0**scale) / 2.0**scale)
            outputs = self.lab.floats.run(sample)
            if not all(np.isfinite(output).all() for output in outputs):
                return 1.0
            try:
                runs = list(self.lab.runs(model, parameters, [quantised(sample, scales)]))
            except WitnessError:
                continue
            report = measure(runs, [outputs], judged.output_scales, self.bound)
            good += report.max_abs_error <= self.bound
        return good / count

    def _inputs(self, judged: Judged) -> list[dict[str, Any]]:
        return [
            {
                "scale": scale,
                "width": self.domain.width(place, scale),
                "low": self.domain.observed(place)[0],
                "high": self.domain.observed(place)[1],
            }
            for place, scale in enumerate(judged.input_scales)
        ]

    def _outputs(self, judged: Judged, runs: list[CircuitRun]) -> list[dict[str, Any]]:
        """Names, shapes, scales and widths: twice what the samples give, and what the corners of
        the packed range give, too. Where values share words, the corners are left to be refused:
        wider digits would cost every request for the sake of inputs far from the samples."""
        described = []
        for place, name in enumerate(self.lab.output_names):
            low = min(min(run.outputs[place]) for run in runs)
            high = max(max(run.outputs[place]) for run in runs)
            lowest, highest = (0, 0) if self.wordable else judged.reached[place]
            width = width_for(min(2 * low, lowest), max(2 * high, highest))
            if width == 0:
                raise ProofError(
                    "output-too-wide",
                    f"output {name!r} does not fit 128 bits at scale {judged.output_scales[place]}",
                    hint="use a model with fewer layers, or scale its outputs down",
                )
            described.append(
                {
                    "name": name,
                    "dtype": self.lab.output_dtypes[place],
                    "shape": list(self.lab.reference[0][place].shape or (1,)),
                    "scale": judged.output_scales[place],
                    "width": width,
                }
            )
        return described
