"""Finds the circuits for one inference that are worth a real proof. Runs in the subprocess."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import GatelessError, ModelError, ProofError
from gateless.core.manifest import Goal

from gateless_proofs.accuracy import AccuracyReport, choose_bound, looks_like_scores, measure
from gateless_proofs.bundle import sha256_of
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain, width_for
from gateless_proofs.planner.arithmetic import Arithmetic, Judge, Judged
from gateless_proofs.planner.cost import INEXACT_PENALTY, proof_bytes
from gateless_proofs.planner.journal import Journal
from gateless_proofs.planner.laboratory import CircuitModel, Emit, Laboratory, quantised
from gateless_proofs.planner.layout import Layout, layout_of
from gateless_proofs.planner.rewriting import choose_passes
from gateless_proofs.planner.shapes import Budget, Shape, best, shapes
from gateless_proofs.planner.slack import slack_of
from gateless_proofs.planner.space import (
    FEW_MULTIPLIERS,
    LARGE_CELLS,
    MULTIPLIERS,
    ScaleSpace,
)
from gateless_proofs.rewrite import PASSES, default_passes
from gateless_proofs.witness import CircuitRun, WitnessError

#: the part of the accuracy bound that the search may use; the rest is for inputs not seen
USED_BOUND = 0.5
#: the part that samples which the search never saw may use
HELD_OUT_BOUND = 0.75
#: lookup tables reach this much further than the samples
LOOKUP_MARGIN = 2.0
#: a circuit that takes the whole packed range may cost this much more than one that does not
FULL_RANGE_WORTH = 1.25
#: samples that the search itself looks at, and least number of samples of which some are held out
_MOST_SAMPLES = 32
_HOLD_OUT_FROM = 8
#: circuits that go to trial, where their predicted cost is below so many times the least
WORTH_A_TRIAL = 1.5
#: share of random inputs that must be within the bound; an audit asks for a little less
RANDOM_SHARE = 0.93
_RANDOM_INPUTS = 16
_FINALISTS = 3
#: scale and size at which models are compared before their scales are known
_NOMINAL = 7


@dataclass(slots=True)
class Candidate:
    """A circuit that met the bound on the samples.

    Attributes:
        covers: whether the corners of the packed range fit, too.
        verdict: for the plan's table.
    """

    arithmetic: Arithmetic
    judged: Judged
    shape: Shape
    covers: bool
    verdict: str = ""

    def score(self, goal: Goal) -> float:
        """Lower is better."""
        penalty = 1.0 if self.judged.exact else INEXACT_PENALTY
        return self.shape.cost.score(goal) * penalty

    def key(self) -> tuple[Any, ...]:
        """Equal for circuits that differ in nothing that matters."""
        parameters = self.shape.parameters
        return (
            *(parameters.columns, parameters.logrows, parameters.base, parameters.legs),
            *(parameters.input_scale, parameters.param_scale, self.arithmetic.passes),
            *(self.judged.cells, self.judged.exact, self.judged.output_scales),
        )

    def row(self) -> dict[str, Any]:
        """The candidate in the manifest's table."""
        parameters, cost = self.shape.parameters, self.shape.cost
        return row_of(self.arithmetic, self.judged, self.verdict) | {
            "base": parameters.base,
            "legs": parameters.legs,
            "columns": parameters.columns,
            "lookup_range": list(parameters.lookup_range),
            "logrows": parameters.logrows,
            "rows": self.shape.layout.rows,
            "seconds": round(cost.seconds, 4),
            "memory_bytes": cost.memory_bytes,
            "gas": cost.gas,
        }


def row_of(arithmetic: Arithmetic, judged: Judged, verdict: str) -> dict[str, Any]:
    """An arithmetic in the manifest's table."""
    return {
        "passes": list(arithmetic.passes),
        "input_scale": arithmetic.input_scale,
        "param_scale": arithmetic.param_scale,
        "multiplier": arithmetic.multiplier,
        "integral": arithmetic.integral,
        "max_abs_error": judged.error,
        "exact": judged.exact,
        "verdict": verdict,
    }


@dataclass(slots=True)
class Family:
    """Arithmetics that differ in their scales only, cheapest first."""

    passes: tuple[str, ...]
    multiplier: int
    integral: bool
    cells: int
    pairs: Iterator[tuple[int, int]]
    accurate: list[tuple[Arithmetic, Judged]] = field(default_factory=list)
    last: tuple[Arithmetic, Judged] | None = None
    key: tuple[int, int, int] = (0, 0, 0)


class Search:
    """One search for the circuit of a single inference."""

    def __init__(self, request: Mapping[str, Any], emit: Emit) -> None:
        self.emit = emit
        emit("reference", 0.0)
        self.lab = Laboratory(request, Journal(Path(request["journal"])))
        self.goal = Goal(request["goal"])
        self.domain = InputDomain(self.lab.samples)
        self.bound = choose_bound(self.lab.reference, request["accuracy_bound"])
        stated = request["accuracy_bound"] is not None
        self.labels = not stated and looks_like_scores(self.lab.reference)
        self.wordable = bool(request["wordable"])
        self.inputs = "public" if request["binding"] == "packed" else "polycommit"
        self.budget = Budget(request["max_logrows"], request["memory_bytes"], request["gas_budget"])
        self.seed: int = request["seed"]
        self.chosen, self.held_out = split(len(self.lab.samples), self.seed)
        self.judge = Judge(
            self.lab,
            self.domain,
            self.chosen,
            allowed=self.bound * USED_BOUND,
            labels=self.labels,
            inputs=self.inputs,  # type: ignore[arg-type]
        )
        self.table: list[dict[str, Any]] = []
        self.notes: list[str] = []
        self.considered = 0

    # -- rewritings and families ----------------------------------------------------------------

    def nominal(self, arithmetic: Arithmetic) -> Layout | None:
        """Counts at a middling shape."""
        wide = replace(self.judge.wide(arithmetic), base=1 << 10, legs=4)
        settings = self.lab.settings(arithmetic.model(), wide)
        return None if settings is None else layout_of(settings)

    def price(self, passes: tuple[str, ...], multiplier: int) -> float | None:
        """A smooth measure of what a model's circuit costs: its cells."""
        try:
            layout = self.nominal(Arithmetic(passes, _NOMINAL, _NOMINAL, multiplier))
        except ModelError:
            return None
        if layout is None:
            return None
        return layout.assignments + 2.0 * layout.dynamic_cells + 300.0 * layout.lookups

    def families(self) -> list[Family]:
        """Everything that differs in more than scales, cheapest first."""
        offered = default_passes(self.lab.model)
        rough = any(PASSES[name].kind == "approximation" for name in offered)
        natural = self.domain.natural_scale()
        found: dict[tuple[Any, ...], Family] = {}
        for approximations in (True, False) if rough else (False,):
            passes = {}
            for multiplier in (10, 1):
                price = partial(self.price, multiplier=multiplier)
                passes[multiplier], notes = choose_passes(
                    self.lab, price, approximations=approximations
                )
                self.notes += [note for note in notes if note not in self.notes]
                self.emit("search", 0.1 if multiplier == 10 else 0.15)
            large = (self.price(passes[1], 1) or 0.0) > LARGE_CELLS
            for multiplier in FEW_MULTIPLIERS if large else MULTIPLIERS:
                for integral in (False,) if large else (False, True):
                    chosen = passes.get(multiplier, passes[1])
                    family = self._family(chosen, multiplier, integral, natural)
                    if family is not None:
                        found.setdefault((chosen, *family.key), family)
        return sorted(found.values(), key=lambda family: family.cells)

    def _family(
        self, passes: tuple[str, ...], multiplier: int, integral: bool, natural: int | None
    ) -> Family | None:
        arithmetic = Arithmetic(passes, _NOMINAL, _NOMINAL, multiplier, integral)
        wide = replace(self.judge.wide(arithmetic), base=1 << 10, legs=4)
        settings = self.lab.settings(arithmetic.model(), wide)
        if settings is None:
            return None
        cells = settings["total_assignments"]
        # The output's scale grows by the parameters' with each layer that is not rescaled.
        deepest = max(settings["model_output_scales"])
        space = ScaleSpace(
            natural,
            cells > LARGE_CELLS,
            self.wordable,
            max(1.0, (deepest - _NOMINAL) / _NOMINAL),
        )
        family = Family(passes, multiplier, integral, cells, iter(()))

        def asked(pair: tuple[int, int]) -> bool:
            self.considered += 1
            tried = self._arithmetic(family, pair)
            judged = self.judge.accurate(tried)
            family.last = None if judged.verdict == "accurate" else (tried, judged)
            return judged.verdict == "accurate"

        family.pairs = space.accurate_pairs(asked)
        family.key = (cells, deepest, len(settings["required_lookups"]))
        return family

    def _arithmetic(self, family: Family, pair: tuple[int, int]) -> Arithmetic:
        return Arithmetic(family.passes, *pair, family.multiplier, family.integral)

    def advance(self, family: Family) -> bool:
        """Judges a family's arithmetics until one more is accurate."""
        for pair in family.pairs:
            arithmetic = self._arithmetic(family, pair)
            judged = self.judge.judge(arithmetic)
            if judged.verdict == "accurate":
                family.accurate.append((arithmetic, judged))
                return True
            self.note(arithmetic, judged)
        if not family.accurate and family.last is not None:
            self.note(*family.last)
        return False

    def note(self, arithmetic: Arithmetic, judged: Judged) -> None:
        """Remembers the last that was dropped of a family, for the table."""
        if judged.verdict == "inaccurate" and judged.error is not None:
            verdict = f"error {judged.error:.3g} above {self.judge.allowed:.3g}"
        else:
            verdict = judged.detail or judged.verdict
        self.table.append(row_of(arithmetic, judged, verdict[:200]))

    # -- shapes ---------------------------------------------------------------------------------

    def candidates(self, arithmetic: Arithmetic, judged: Judged) -> list[Candidate]:
        """The best shapes of an arithmetic."""
        found: dict[bool, list[Shape]] = {}
        for covers in (True, False):
            bits = (judged.full_bits if covers else judged.bits) + 1
            lookups = judged.full_lookups if covers else widened(judged.lookups)
            if bits > 126 or lookups[1] - lookups[0] >= 1 << self.budget.logrows:
                found[covers] = []
                continue
            start = replace(self.judge.wide(arithmetic), logrows=self.budget.logrows)
            every = list(
                shapes(
                    start,
                    bits,
                    lookups,
                    self.budget,
                    lambda parameters: self._lay_out(arithmetic.model(), parameters),
                )
            )
            self.considered += len(every)
            found[covers] = best(every, self.goal, 6)
        full, narrow = found[True], found[False]
        if not full and not narrow:
            return []
        covers = bool(full) and (
            not narrow
            or full[0].cost.score(self.goal) <= FULL_RANGE_WORTH * narrow[0].cost.score(self.goal)
        )
        return [
            Candidate(arithmetic, judged, shape, covers) for shape in (full if covers else narrow)
        ]

    def _lay_out(self, model: CircuitModel, parameters: CircuitParameters) -> Layout | None:
        # Counts do not depend on the table's range, but must not come from another one's cache.
        neutral = replace(parameters, lookup_range=(-64, 64))
        few = self._counted(model, replace(neutral, base=1 << 10, legs=2))
        if few is None or few.assignments <= LARGE_CELLS:
            return self._counted(model, neutral)
        # Every digit adds the same cells, and counting the cells of large models takes long.
        more = self._counted(model, replace(neutral, base=1 << 10, legs=4))
        if more is None:
            return None
        per_digit = (more.assignments - few.assignments) // 2
        cells = few.assignments + per_digit * (parameters.legs - 2)
        return replace(few, assignments=cells).moved(base=parameters.base)

    def _counted(self, model: CircuitModel, parameters: CircuitParameters) -> Layout | None:
        settings = self.lab.settings(model, parameters)
        return None if settings is None else layout_of(settings)

    def ranked(self, families: list[Family], failed: set[Arithmetic]) -> list[Candidate]:
        """Candidates, the best first."""
        found = [
            candidate
            for family in families
            for arithmetic, judged in family.accurate
            if arithmetic not in failed
            for candidate in self.candidates(arithmetic, judged)
        ]
        return sorted(found, key=lambda candidate: candidate.score(self.goal))

    def _judge_families(self, families: list[Family]) -> None:
        """An accurate arithmetic of each; those that rescale and still have more cells than an
        exact one are left out, since they are worse in every way."""
        exact = math.inf
        for place, family in enumerate(families):
            self.emit("search", 0.15 + 0.7 * place / len(families))
            if family.cells >= exact:
                continue
            if self.advance(family) and family.accurate[-1][1].exact:
                exact = min(exact, family.cells)

    def _require_any(self, families: list[Family]) -> None:
        """Says which operator is at fault where ezkl takes the model in no form at all."""
        if families:
            return
        arithmetic = Arithmetic((), _NOMINAL, _NOMINAL, 1)
        refusal: GatelessError | None = self.lab.refusal(
            arithmetic.model(), self.judge.wide(arithmetic)
        )
        raise refusal or ProofError("no-circuit-found", "no rewriting of the model lays out")

    # -- finalists ------------------------------------------------------------------------------

    def finalists(self, out: Path) -> list[dict[str, Any]]:
        """Circuits that are built, with all samples run through them."""
        families = self.families()
        self._require_any(families)
        self._judge_families(families)
        kept: list[dict[str, Any]] = []
        taken: set[tuple[Any, ...]] = set()
        failed: set[Arithmetic] = set()
        pending = self.ranked(families, failed)
        while len(kept) < _FINALISTS:
            if not pending:
                # All were tried: perhaps larger scales do what these did not.
                advanced = [self.advance(family) for family in families if not kept]
                if not any(advanced):
                    break
                pending = self.ranked(families, failed)
                continue
            candidate = pending.pop(0)
            if kept and candidate.score(self.goal) > WORTH_A_TRIAL * kept[0]["score"]:
                break
            key = candidate.key()
            if key in taken:
                continue
            taken.add(key)
            self.emit("search", 0.85 + 0.05 * len(kept))
            built = self._build(candidate, out / f"finalist-{len(kept)}")
            self.table.append(candidate.row())
            if built is not None:
                built["place"] = len(self.table) - 1
                kept.append(built)
            elif candidate.verdict.startswith("held-out"):
                failed.add(candidate.arithmetic)
                for family in families:
                    if any(tried == candidate.arithmetic for tried, _ in family.accurate):
                        self.advance(family)
                pending = self.ranked(families, failed)
        if not kept:
            raise ProofError(
                "no-circuit-found",
                f"no circuit of at most 2^{self.budget.logrows} rows keeps the error under"
                f" {self.bound:.3g}",
                hint="state a looser bound, raise the memory limit, or use a smaller model",
                tried=self.table,
            )
        return kept

    def _build(self, candidate: Candidate, folder: Path) -> dict[str, Any] | None:
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


def split(count: int, seed: int) -> tuple[list[int], list[int]]:
    """Samples that the search looks at, and others that only judge its result."""
    places = list(range(count))
    random.Random(seed).shuffle(places)  # noqa: S311 - a choice, no secret
    if count < _HOLD_OUT_FROM:
        return places, []
    looked_at = min(_MOST_SAMPLES, math.ceil(count * 0.75))
    return places[:looked_at], places[looked_at:]


def widened(lookups: tuple[int, int]) -> tuple[int, int]:
    """The range of the tables: further than the samples reach."""
    low, high = (int(bound * LOOKUP_MARGIN) for bound in lookups)
    return min(low, -2), max(high, 2)


def plan_single(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Finds and builds the circuits that are worth a trial."""
    search = Search(request, emit)
    out = Path(request["out"])
    finalists = search.finalists(out)
    return {
        "finalists": finalists,
        "table": search.table,
        "considered": search.considered,
        "bound": search.bound,
        "labels": search.labels,
        "notes": search.notes,
        "held_out": len(search.held_out),
    }
