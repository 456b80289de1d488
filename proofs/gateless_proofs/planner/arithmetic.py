"""The part of a circuit that decides its outputs: rewritings, scales and rescaling. Everything else
changes only what a proof costs.

An arithmetic is judged by witnesses of a circuit so wide that no value leaves its range: how far
its outputs are from onnxruntime's, how many bits its values take, how far its tables must reach.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from gateless.core.errors import ModelError

from gateless_proofs.accuracy import AccuracyReport, measure
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain, Tensors, width_for
from gateless_proofs.planner.journal import FatalQuestionError
from gateless_proofs.planner.laboratory import CircuitModel, Laboratory, quantised
from gateless_proofs.planner.random_inputs import RandomInputs
from gateless_proofs.rewrite import RewriteContext
from gateless_proofs.witness import CircuitRun, WitnessError

#: bits that no value of a judged circuit may take: ezkl computes with 128-bit integers
MOST_BITS = 124
#: cells that all witnesses of one question may take, and how many witnesses that is at least, most
_CELLS = 4_000_000
_FEWEST = 4
_MOST = 32
#: the lookup range of a circuit that is only asked which values it looks up
_ANY_LOOKUP = 1 << 40

Verdict = Literal["accurate", "inaccurate", "no-witness", "not-laid-out"]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """What decides the outputs.

    Attributes:
        passes: rewritings for one row, without those that only arrange rows or words.
        integral: whether whole constants stay unscaled.
    """

    passes: tuple[str, ...]
    input_scale: int
    param_scale: int
    multiplier: int
    integral: bool = False

    def model(self) -> CircuitModel:
        """The model of a circuit for one row."""
        return CircuitModel(
            self.passes,
            RewriteContext(param_scale=self.param_scale, integral_constants=self.integral),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """What witnesses say about an arithmetic.

    Attributes:
        error: largest absolute error, of the samples that were run.
        input_scales: per input tensor.
        output_scales: per output tensor.
        bits: values that are decomposed stay below ``2**bits`` for inputs of the domain.
        full_bits: the same for all inputs that the packed widths carry, as far as corners tell.
        lookups: smallest and largest value that is looked up, for inputs of the domain.
        full_lookups: the same for corners of what the packed widths carry.
        exact: whether one output only can be proven for an input.
        reached: smallest and largest integer of each output, over all that was run.
        cells: cells of one operand, in one column.
    """

    verdict: Verdict
    detail: str = ""
    error: float | None = None
    input_scales: tuple[int, ...] = ()
    output_scales: tuple[int, ...] = ()
    bits: int = 0
    full_bits: int = 0
    lookups: tuple[int, int] = (0, 0)
    full_lookups: tuple[int, int] = (0, 0)
    exact: bool = False
    reached: tuple[tuple[int, int], ...] = ()
    cells: int = 0


def judged_from(data: dict[str, Any]) -> Judged:
    """Reads what the journal kept."""
    return Judged(
        **(
            data
            | {name: tuple(data[name]) for name in ("input_scales", "output_scales", "lookups")}
            | {"full_lookups": tuple(data["full_lookups"])}
            | {"reached": tuple((low, high) for low, high in data["reached"])}
        )
    )


class Judge:
    """Judges arithmetics of one model.

    Args:
        laboratory: where circuits are tried.
        domain: inputs that the circuit must take.
        chosen: places of the samples that the search may look at; the others are held out.
        allowed: largest error that is accepted.
        labels: whether the class of the samples must come out right, too.
        random: inputs that no sample shows.
        inputs: visibility of the inputs.
    """

    def __init__(
        self,
        laboratory: Laboratory,
        domain: InputDomain,
        chosen: Sequence[int],
        *,
        allowed: float,
        labels: bool,
        random: RandomInputs,
        inputs: Literal["public", "polycommit"],
    ) -> None:
        self.lab = laboratory
        self.domain = domain
        self.chosen = list(chosen)
        self.allowed = allowed
        self.labels = labels
        self.random = random
        self.inputs: Literal["public", "polycommit"] = inputs

    def wide(self, arithmetic: Arithmetic, bits: int = 126, legs: int = 3) -> CircuitParameters:
        """A circuit whose decompositions hold values below ``2**bits``."""
        return CircuitParameters(
            input_scale=arithmetic.input_scale,
            param_scale=arithmetic.param_scale,
            multiplier=arithmetic.multiplier,
            base=1 << -(-bits // legs),
            legs=legs,
            logrows=24,
            inputs=self.inputs,
            symbols=self.lab.symbols,
            lookup_range=(-_ANY_LOOKUP, _ANY_LOOKUP),
            integral=arithmetic.integral,
        )

    def accurate(self, arithmetic: Arithmetic) -> Judged:
        """Accuracy alone, with empty ranges; from the journal where it was found out before."""
        return self._once("accuracy", arithmetic, lambda: self._accuracy(arithmetic)[0])

    def judge(self, arithmetic: Arithmetic) -> Judged:
        """Accuracy and ranges; from the journal where they were found out before."""
        return self._once("judged", arithmetic, lambda: self._judge(arithmetic))

    def _once(self, kind: str, arithmetic: Arithmetic, ask: Callable[[], Judged]) -> Judged:
        subject = asdict(arithmetic) | {"allowed": self.allowed, "labels": self.labels}
        try:
            return judged_from(self.lab.journal.once(kind, subject, lambda: asdict(ask())))
        except FatalQuestionError as error:
            return Judged("no-witness", f"ezkl died over it: {error}")

    def _judge(self, arithmetic: Arithmetic) -> Judged:
        judged, runs, settings = self._accuracy(arithmetic)
        return self._ranges(arithmetic, judged, runs, settings) if runs else judged

    def _accuracy(self, arithmetic: Arithmetic) -> tuple[Judged, list[CircuitRun], dict[str, Any]]:
        """The verdict; where it is good also the witnesses and the settings."""
        model, wide = arithmetic.model(), self.wide(arithmetic)
        settings = self.lab.settings(model, wide)
        if settings is None:
            return Judged("not-laid-out", "ezkl cannot lay it out"), [], {}
        cells = settings["total_assignments"]
        scales = tuple(settings["model_input_scales"])
        output_scales = tuple(settings["model_output_scales"])
        refusal = self.random.rounding.refusal(scales, cells)
        if refusal:
            return Judged("inaccurate", refusal, cells=cells), [], {}
        try:
            runs, report = self._measured(model, wide, scales, output_scales, witnesses_for(cells))
        except (WitnessError, ModelError) as error:
            return Judged("no-witness", str(error), cells=cells), [], {}
        furthest = report.max_abs_error
        if not report.accepted(self.allowed, labels=self.labels):
            return Judged("inaccurate", error=furthest, cells=cells), [], {}
        if not all(fits_words(run, 2) for run in runs):
            return Judged("no-witness", "outputs do not fit 128 bits", cells=cells), [], {}
        # A few of those that a finalist has to bear: what fails here would fail there.
        refusal = self.random.refusal(model, wide, (scales, output_scales), cells, thorough=False)
        if refusal:
            return Judged("inaccurate", refusal, cells=cells), [], {}
        return Judged("accurate", error=furthest, cells=cells), runs, settings

    def _measured(
        self,
        model: CircuitModel,
        wide: CircuitParameters,
        scales: Sequence[int],
        output_scales: Sequence[int],
        count: int,
    ) -> tuple[list[CircuitRun], AccuracyReport]:
        """Witnesses of samples, and their errors; gives up at the first that is too far off."""
        runs: list[CircuitRun] = []
        references = []
        for place in self.chosen[:count]:
            sample = quantised(self.lab.samples[place], scales)
            runs += self.lab.runs(model, wide, [sample])
            references.append(self.lab.reference[place])
            last = measure(runs[-1:], references[-1:], output_scales, self.allowed)
            if last.max_abs_error > self.allowed:
                return runs, last
        return runs, measure(runs, references, output_scales, self.allowed)

    def _ranges(
        self,
        arithmetic: Arithmetic,
        judged: Judged,
        runs: list[CircuitRun],
        settings: dict[str, Any],
    ) -> Judged:
        model, wide = arithmetic.model(), self.wide(arithmetic)
        scales = tuple(settings["model_input_scales"])
        cells = judged.cells
        count = max(_FEWEST, witnesses_for(cells) // 2)
        domain, packed = self.domain.probes(scales), self.domain.packed_corners(scales)
        probes, corners = domain[:count], packed[:count]
        inside = self._possible(model, wide, probes)
        beyond = self._possible(model, wide, corners)
        samples = [quantised(self.lab.samples[place], scales) for place in self.chosen[:count]]
        bits = full = 2
        if settings["required_range_checks"]:
            within = [*[tensors for tensors, _ in inside], *samples]
            bits = self._needed_bits(arithmetic, within, 2)
            full = MOST_BITS + 1
            if len(beyond) == len(corners):
                full = self._needed_bits(arithmetic, [tensors for tensors, _ in beyond], bits)
        seen = [*runs, *[run for _, run in inside]]
        everything = [*seen, *[run for _, run in beyond]]
        return Judged(
            "accurate",
            error=judged.error,
            input_scales=scales,
            output_scales=tuple(settings["model_output_scales"]),
            bits=bits,
            full_bits=full,
            lookups=_looked_up(seen),
            full_lookups=_looked_up(everything),
            exact=self.lab.exact(model, wide),
            reached=tuple(
                (
                    min(min(run.outputs[place]) for run in everything),
                    max(max(run.outputs[place]) for run in everything),
                )
                for place in range(len(runs[0].outputs))
            ),
            cells=cells,
        )

    def _possible(
        self, model: CircuitModel, wide: CircuitParameters, inputs: Sequence[Tensors]
    ) -> list[tuple[Tensors, CircuitRun]]:
        """Those inputs that have a witness at all, such as no division by zero."""
        found: list[tuple[Tensors, CircuitRun]] = []
        for tensors in inputs:
            try:
                (run,) = self.lab.runs(model, wide, [tensors])
                found.append((tensors, run))
            except WitnessError:
                continue
        return found

    def _needed_bits(self, arithmetic: Arithmetic, inputs: list[Tensors], least: int) -> int:
        """How many bits the decomposed values of these inputs take, found by bisection.

        A decomposition in one digit of base ``2**n`` has a witness exactly where every value is
        below ``2**n``.
        """
        model = arithmetic.model()
        low, high = least, MOST_BITS
        while low < high:
            bits = (low + high) // 2
            legs = 1 if bits < 62 else 2
            if self.lab.has_witnesses(model, self.wide(arithmetic, bits, legs), inputs):
                high = bits
            else:
                low = bits + 1
        return low


def witnesses_for(cells: int) -> int:
    """How many witnesses a question about a circuit of this size may take."""
    return int(np.clip(_CELLS // max(cells, 1), _FEWEST, _MOST))


def fits_words(run: CircuitRun, margin: int) -> bool:
    """Whether outputs so many times as large still fit the widest packed integer."""
    return all(width_for(margin * min(values), margin * max(values)) > 0 for values in run.outputs)


def _looked_up(runs: Sequence[CircuitRun]) -> tuple[int, int]:
    return min(run.lookups[0] for run in runs), max(run.lookups[1] for run in runs)
