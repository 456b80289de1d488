"""Builds the circuits that go to trial, and judges them by inputs that the search never saw."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import onnx
from gateless.core.manifest import Goal

from gateless_proofs.accuracy import measure
from gateless_proofs.bundle import sha256_of
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain, width_for
from gateless_proofs.planner.arithmetic import Judged
from gateless_proofs.planner.candidate import Candidate
from gateless_proofs.planner.cost import proof_bytes
from gateless_proofs.planner.laboratory import CircuitModel, Laboratory, quantised
from gateless_proofs.planner.random_inputs import RandomInputs
from gateless_proofs.slack import furthest_moves, stated_slack, unit_of
from gateless_proofs.witness import CircuitRun, WitnessError

#: the part of the accuracy bound that samples which the search never saw may use
HELD_OUT_BOUND = 0.75
#: samples of each kind that are run at least, and the cells that their witnesses may take
_FEWEST = 4
_CELLS = 6_000_000


@dataclass(frozen=True, slots=True)
class FinalistBuilder:
    """Makes finalists of candidates.

    Attributes:
        chosen: places of the samples that the search looked at.
        held_out: places of the others.
        bound: the accuracy bound of the plan.
        labels: whether outputs are scores, whose labels must agree, too.
        wordable: whether the circuit may get dense words.
        random: inputs that no sample shows.
    """

    lab: Laboratory
    domain: InputDomain
    chosen: list[int]
    held_out: list[int]
    goal: Goal
    bound: float
    labels: bool
    wordable: bool
    random: RandomInputs

    def build(self, candidate: Candidate, folder: Path) -> dict[str, Any] | None:
        """Builds a candidate; None, and a verdict, where it does not hold what it promised."""
        arithmetic, judged = candidate.arithmetic, candidate.judged
        model, parameters = arithmetic.model(), candidate.shape.parameters
        self.lab.write(model, parameters, folder)
        try:
            chosen = self._all(model, parameters, judged, self.chosen)
            others = self._all(model, parameters, judged, self.held_out)
        except WitnessError as error:
            candidate.verdict = f"a sample has no witness: {error}"[:200]
            return None
        runs = {**chosen, **others}
        references = [self.lab.reference[place] for place in runs]
        report = measure(list(runs.values()), references, judged.output_scales, self.bound)
        if not report.accepted(HELD_OUT_BOUND * self.bound, labels=self.labels):
            candidate.verdict = f"held-out error {report.max_abs_error:.3g}"
            return None
        scales = (judged.input_scales, judged.output_scales)
        refusal = self.random.refusal(model, parameters, scales, judged.cells)
        if refusal:
            candidate.verdict = f"held-out: {refusal}"
            return None
        outputs = self._outputs(judged, list(runs.values()))
        if outputs is None:
            candidate.verdict = "held-out: outputs do not fit 128 bits"
            return None
        candidate.verdict = "finalist" + ("" if candidate.covers else ", packed range not covered")
        slack, kind = self._slack(model, judged, parameters)
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
            "outputs": outputs,
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
    ) -> dict[int, CircuitRun]:
        """Witnesses by the place of their sample, of as many samples as the size allows."""
        count = max(_FEWEST, min(len(places), _CELLS // max(judged.cells, 1)))
        runs = {}
        for place in places[:count]:
            sample = quantised(self.lab.samples[place], judged.input_scales)
            (runs[place],) = self.lab.runs(model, parameters, [sample])
        return runs

    def _slack(
        self, model: CircuitModel, judged: Judged, parameters: CircuitParameters
    ) -> tuple[list[int], str]:
        """Units by which a prover may move each output, and how that was found."""
        if judged.exact:
            return [0] * len(judged.output_scales), "exact"
        samples = [*self.lab.samples[:_FEWEST], *self.random.samples(judged.input_scales, _FEWEST)]
        unit = unit_of(parameters.input_scale, parameters.param_scale)
        rewritten = onnx.load_model_from_string(self.lab.file_of(model).read_bytes())
        moves = furthest_moves(rewritten, samples, unit)
        return stated_slack(moves, judged.output_scales), "estimate"

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

    def _outputs(self, judged: Judged, runs: list[CircuitRun]) -> list[dict[str, Any]] | None:
        """Names, shapes, scales and widths: twice what the samples give, and what the corners of
        the packed range give, too. Where values share words, the corners are left to be refused:
        wider digits would cost every request for the sake of inputs far from the samples.

        None where an output does not fit 128 bits.
        """
        described = []
        for place, name in enumerate(self.lab.output_names):
            low = min(min(run.outputs[place]) for run in runs)
            high = max(max(run.outputs[place]) for run in runs)
            lowest, highest = (0, 0) if self.wordable else judged.reached[place]
            width = width_for(min(2 * low, lowest), max(2 * high, highest))
            if width == 0:
                # Corners that no packed integer carries are refused like any other output there.
                width = width_for(2 * low, 2 * high)
            if width == 0:
                return None
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
