"""From a model and samples to the circuits of a version, each with keys and a real proof."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateless.core.errors import SandboxError
from gateless.core.manifest import Goal, Plan, PlanCandidate

from gateless_proofs.bundle import sha256_of
from gateless_proofs.keys import KeyCache
from gateless_proofs.planner.cost import corrected_gas
from gateless_proofs.planner.journal import Journal
from gateless_proofs.planner.milestones import Milestones
from gateless_proofs.planner.trials import Trial, choose, forget, try_circuit
from gateless_proofs.sandbox import Limits, run_worker
from gateless_proofs.srs import SrsKind

#: candidates that the manifest lists; the winners are always among them
_LISTED = 32
_CRASHES = 3


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What is planned.

    Attributes:
        model: the published ONNX file.
        samples: representative inputs, as an ``.npz`` of ``input0``, ``input1``, ...
        facts: what the inspection of the model said.
        binding: ``packed`` or ``kzg``.
        batch_sizes: in order, 1 first.
        folder: of the journal.
        work: scratch space for circuits.
    """

    model: Path
    samples: Path
    facts: Mapping[str, Any]
    binding: str
    goal: Goal
    batch_sizes: tuple[int, ...]
    accuracy_bound: float | None
    seed: int
    max_logrows: int
    memory_bytes: int
    gas_budget: int | None
    srs_kind: SrsKind
    folder: Path
    work: Path


@dataclass(frozen=True, slots=True)
class PlannedCircuit:
    """A circuit that the version gets."""

    batch_size: int
    built: Mapping[str, Any]
    trial: Trial


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What was decided.

    Attributes:
        single: what the search said about the circuit for one inference, tensors and all.
        found: what the search said beside the finalists.
    """

    circuits: tuple[PlannedCircuit, ...]
    single: Mapping[str, Any]
    found: Mapping[str, Any]
    plan: Plan


class Planner:
    """One plan: search, trials, batches."""

    def __init__(
        self, request: PlanRequest, keys: KeyCache, limits: Limits, progress: Milestones
    ) -> None:
        self.request = request
        self.keys = keys
        self.limits = limits
        self.progress = progress
        self.journal_path = request.folder / "journal"
        self.table: list[dict[str, Any]] = []
        self.considered = 0
        self.dense = request.goal is Goal.GAS and request.binding == "packed"
        self.trials_left = sum(size > 1 for size in request.batch_sizes) + self.dense

    async def run(self) -> PlanResult:
        """Plans and proves.

        Raises:
            ProofError: ``no-circuit-found`` and whatever the model makes impossible.
            SandboxError: a limit was hit.
        """
        found = await self._worker("plan", self._request())
        self.table += found["table"]
        self.considered += found["considered"]
        single, trial, why = await self._trials(found["finalists"])
        circuits = [PlannedCircuit(1, single, trial)]
        reasons = [why]
        if self.dense:
            circuits[0], reason = await self._dense_single(circuits[0])
            reasons.append(reason)
        for size in self.request.batch_sizes:
            if size > 1:
                circuits.append(await self._batch(single, size))
        plan = self._plan(found, circuits, reasons)
        return PlanResult(tuple(circuits), single, found, plan)

    def _request(self) -> dict[str, Any]:
        request = self.request
        return {
            "model": str(request.model),
            "samples": str(request.samples),
            "out": str(request.work),
            "operators": request.facts["operators"],
            "symbols": request.facts["symbols"],
            "binding": request.binding,
            "goal": request.goal.value,
            "accuracy_bound": request.accuracy_bound,
            "seed": request.seed,
            "max_logrows": request.max_logrows,
            "memory_bytes": request.memory_bytes,
            "gas_budget": request.gas_budget,
            "wordable": request.binding == "packed"
            and (max(request.batch_sizes) > 1 or request.goal is Goal.GAS),
            "journal": str(self.journal_path),
        }

    async def _worker(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Searches in the subprocess; one that dies goes on where it was, without the question
        that it died of."""
        for attempt in range(_CRASHES):
            try:
                return await run_worker(
                    operation, request, limits=self.limits, progress=self.progress
                )
            except SandboxError as error:
                if error.code == "time-limit" or attempt == _CRASHES - 1:
                    raise
                if not Journal(self.journal_path).blame(error.message):
                    raise
        raise AssertionError("unreachable")

    # -- trials ---------------------------------------------------------------------------------

    async def _trials(
        self, finalists: Sequence[Mapping[str, Any]]
    ) -> tuple[Mapping[str, Any], Trial, str]:
        self.trials_left += len(finalists)
        trials = [await self._try(built) for built in finalists]
        scores = [self._score(built, trial) for built, trial in zip(finalists, trials, strict=True)]
        winner, why = choose(scores, trials, self.request.goal)
        for place, (built, trial) in enumerate(zip(finalists, trials, strict=True)):
            row = self.table[built["place"]]
            row["trial_seconds"] = round(trial.seconds, 3)
            row["gas"] = corrected_gas(row["gas"], built["proof_bytes"], trial.proof_length)
            row["verdict"] = "winner" if place == winner else "finalist"
            if not built["covers"]:
                row["verdict"] += ", refuses part of the packed range"
            if place != winner and trial.keys != trials[winner].keys:
                forget(trial)
        return finalists[winner], trials[winner], why

    def _score(self, built: Mapping[str, Any], trial: Trial) -> float:
        """The predicted score; for gas, what the proof's length says."""
        score = float(built["score"])
        if self.request.goal is not Goal.GAS:
            return score
        predicted: int = built["cost"]["gas"]
        real = corrected_gas(predicted, built["proof_bytes"], trial.proof_length)
        return score * real / predicted

    async def _try(self, built: Mapping[str, Any]) -> Trial:
        self.progress.next_trial(self.trials_left)
        self.trials_left -= 1
        return await try_circuit(
            built,
            self.request.srs_kind,
            self.keys,
            self.limits,
            Journal(self.journal_path),
            self.progress,
        )

    # -- other circuits -------------------------------------------------------------------------

    async def _search_batch(self, single: Mapping[str, Any], size: int) -> dict[str, Any]:
        names = self.request.facts["inputs"]
        inputs = [
            {"name": entry["name"], "shape": entry["shape"], **fitted}
            for entry, fitted in zip(names, single["inputs"], strict=True)
        ]
        found = await self._worker(
            "plan_batch",
            self._request()
            | {
                "batch_size": size,
                "single": single,
                "inputs": inputs,
                "outputs": single["outputs"],
            },
        )
        self.considered += found["considered"]
        if found["built"] is not None:
            found["built"]["place"] += len(self.table)
        self.table += found["table"]
        return found

    async def _batch(self, single: Mapping[str, Any], size: int) -> PlannedCircuit:
        found = await self._search_batch(single, size)
        trial = await self._try(found["built"])
        self._measured(found["built"], trial)
        return PlannedCircuit(size, found["built"], trial)

    async def _dense_single(self, plain: PlannedCircuit) -> tuple[PlannedCircuit, str]:
        """The circuit for one inference with dense words, where that saves gas."""
        found = await self._search_batch(plain.built, 1)
        built = found["built"]
        if built is None:
            self.trials_left -= 1
            return plain, "dense words do not fit"
        trial = await self._try(built)
        dense = corrected_gas(built["cost"]["gas"], built["proof_bytes"], trial.proof_length)
        ordinary = corrected_gas(
            plain.built["cost"]["gas"], plain.built["proof_bytes"], plain.trial.proof_length
        )
        allowed = self.request.gas_budget
        row = self.table[built["place"]]
        self._measured(built, trial)
        if dense >= ordinary or (allowed is not None and dense > allowed):
            row["verdict"] = "dense words save no gas"
            forget(trial)
            return plain, "dense words would save no gas"
        merged = dict(plain.built) | built
        self.table[plain.built["place"]]["verdict"] = "same outputs, more gas"
        return PlannedCircuit(1, merged, trial), f"dense words save {ordinary - dense} gas"

    def _measured(self, built: Mapping[str, Any], trial: Trial) -> None:
        row = self.table[built["place"]]
        row["trial_seconds"] = round(trial.seconds, 3)
        row["gas"] = corrected_gas(row["gas"], built["proof_bytes"], trial.proof_length)

    # -- explanation ----------------------------------------------------------------------------

    def _plan(
        self,
        found: Mapping[str, Any],
        circuits: Sequence[PlannedCircuit],
        reasons: Sequence[str],
    ) -> Plan:
        places = [circuit.built["place"] for circuit in circuits]
        others = [place for place in range(len(self.table)) if place not in places]
        listed = sorted([*places, *others[: max(0, _LISTED - len(places))]])
        why = "; ".join(dict.fromkeys(reasons))
        if found["notes"]:
            why += ". Rewritings: " + "; ".join(found["notes"])
        return Plan(
            goal=self.request.goal,
            seed=self.request.seed,
            bound_kind="labels" if found["labels"] else "absolute",
            candidates=tuple(
                PlanCandidate.model_validate_json(json.dumps(self.table[place])) for place in listed
            ),
            considered=self.considered,
            winners=tuple(listed.index(place) for place in places),
            why=why,
        )


def journal_subject(request: PlanRequest, versions: Mapping[str, str]) -> dict[str, Any]:
    """All that a plan's findings depend on."""
    return {
        "model": sha256_of(request.model),
        "samples": sha256_of(request.samples),
        "binding": request.binding,
        "goal": request.goal.value,
        "batch_sizes": list(request.batch_sizes),
        "accuracy_bound": request.accuracy_bound,
        "seed": request.seed,
        "max_logrows": request.max_logrows,
        "memory_bytes": request.memory_bytes,
        "gas_budget": request.gas_budget,
        "srs": request.srs_kind,
        "versions": dict(versions),
    }
