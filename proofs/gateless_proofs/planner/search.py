"""Finds the circuits for one inference that are worth a real proof. Runs in the subprocess."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gateless.core.errors import GatelessError, ModelError, ProofError
from gateless.core.manifest import Goal

from gateless_proofs.accuracy import choose_bound, looks_like_scores
from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.domain import InputDomain
from gateless_proofs.planner.arithmetic import Arithmetic, Judge, Judged
from gateless_proofs.planner.candidate import Candidate, row_of
from gateless_proofs.planner.families import Family, affordable
from gateless_proofs.planner.finalist import FinalistBuilder
from gateless_proofs.planner.journal import Journal
from gateless_proofs.planner.laboratory import CircuitModel, Emit, Laboratory
from gateless_proofs.planner.layout import Layout, layout_of
from gateless_proofs.planner.random_inputs import RandomInputs
from gateless_proofs.planner.rewriting import choose_passes
from gateless_proofs.planner.rounding import Rounding
from gateless_proofs.planner.shapes import Budget, Shape, best, shapes
from gateless_proofs.planner.space import (
    FEW_MULTIPLIERS,
    LARGE_CELLS,
    MULTIPLIERS,
    ScaleSpace,
)
from gateless_proofs.rewrite import PASSES, default_passes

#: the part of the accuracy bound that the search may use; the rest is for inputs not seen
USED_BOUND = 0.5
#: lookup tables reach this much further than the samples
LOOKUP_MARGIN = 2.0
#: a circuit that takes the whole packed range may cost this much more than one that does not
FULL_RANGE_WORTH = 1.25
#: samples that the search itself looks at, and least number of samples of which some are held out
_MOST_SAMPLES = 32
_HOLD_OUT_FROM = 8
#: circuits that go to trial, where their predicted cost is below so many times the least
WORTH_A_TRIAL = 1.5
_FINALISTS = 3
#: proofs that take longer are not tried where another finalist's prediction is as good, by so much
_LONG_TRIAL_SECONDS = 10.0
_ALIKE = 1.1
#: values of no circuit take fewer bits
_LEAST_BITS = 8
#: scale and size at which models are compared before their scales are known
_NOMINAL = 7


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
        seed: int = request["seed"]
        self.chosen, self.held_out = split(len(self.lab.samples), seed)
        random_inputs = RandomInputs(
            self.lab,
            self.domain,
            Rounding(self.lab, self.chosen, bound=self.bound, seed=seed),
        )
        self.judge = Judge(
            self.lab,
            self.domain,
            self.chosen,
            allowed=self.bound * USED_BOUND,
            labels=self.labels,
            random=random_inputs,
            inputs=self.inputs,  # type: ignore[arg-type]
        )
        self.builder = FinalistBuilder(
            self.lab,
            self.domain,
            self.chosen,
            self.held_out,
            goal=self.goal,
            bound=self.bound,
            labels=self.labels,
            wordable=self.wordable,
            random=random_inputs,
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
                self.notes += [
                    note if multiplier == 10 else f"{note} (with rescaling)"
                    for note in notes
                    if note not in self.notes
                ]
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
        """An accurate arithmetic of each. Left out are families that rescale and still have more
        cells than an exact one, since they are worse in every way, and those with so many cells
        that none of their circuits would go to trial. Tables count: without rescaling the argument
        of a function has so large a scale that its table may take more than all the rest."""
        exact = bearable = math.inf
        for place, family in enumerate(families):
            self.emit("search", 0.15 + 0.7 * place / len(families))
            if family.cells >= exact or family.cells > bearable:
                continue
            if not self.advance(family):
                continue
            arithmetic, judged = family.accurate[-1]
            for candidate in self.candidates(arithmetic, judged)[:1]:
                extent = candidate.shape.layout.extent
                bearable = min(bearable, WORTH_A_TRIAL * extent)
                if judged.exact:
                    exact = min(exact, max(family.cells, extent))

    def _require_any(self, families: list[Family]) -> None:
        """Says which operator is at fault where ezkl takes the model in no form at all."""
        if families:
            return
        arithmetic = Arithmetic((), _NOMINAL, _NOMINAL, 1)
        refusal: GatelessError | None = self.lab.refusal(
            arithmetic.model(), self.judge.wide(arithmetic)
        )
        raise refusal or ProofError("no-circuit-found", "no rewriting of the model lays out")

    def _least_shapes(self, family: Family) -> list[Shape]:
        """A family's shapes if its values were as small as can be, whatever memory they take."""
        arithmetic = self._arithmetic(family, (_NOMINAL, _NOMINAL))
        start = replace(self.judge.wide(arithmetic), logrows=self.budget.logrows)
        lay_out = partial(self._lay_out, arithmetic.model())
        return list(shapes(start, _LEAST_BITS, (-2, 2), self.budget.boundless(), lay_out))

    # -- finalists ------------------------------------------------------------------------------

    def finalists(self, out: Path) -> list[dict[str, Any]]:
        """Circuits that are built, with all samples run through them."""
        families = self.families()
        self._require_any(families)
        families = affordable(families, self.budget, self._least_shapes)
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
            if kept and self._too_alike(candidate, kept):
                continue
            self.emit("search", 0.85 + 0.05 * len(kept))
            built = self.builder.build(candidate, out / f"finalist-{len(kept)}")
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
                hint="state a looser bound, allow more rows, memory or gas, or use a smaller model",
                tried=self.table,
            )
        return kept

    def _too_alike(self, candidate: Candidate, kept: list[dict[str, Any]]) -> bool:
        """Whether a long trial would only say again what another one says."""
        if candidate.shape.cost.seconds < _LONG_TRIAL_SECONDS:
            return False
        score = candidate.score(self.goal)
        return any(score <= _ALIKE * finalist["score"] for finalist in kept)


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
