"""Both sides of one model, step by step, each step a measured run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gateless_proofs import KeyCache

from benchmarks.accuracy import Reference, label_agreement, worst_error
from benchmarks.data import ezkl_json
from benchmarks.measuring import Cap, Measured, run_measured
from benchmarks.models import BenchModel
from benchmarks.records import Side

#: A proof of the smallest two-column circuit takes 0.34 GB at k = 15, and each further k doubles
#: it: 22 GB at k = 21, beyond the cap. A default that asks for more is not tried.
MAX_DEFAULT_LOGROWS = 20
OUR_MEMORY_BYTES = 8 << 30
OUR_STEP_SECONDS = 300.0
OUTPUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Workshop:
    """Files of one model's run.

    Attributes:
        folder: everything of this model; removed when it is done.
        srs: cache of the reference strings, shared by both sides and all models.
        cap: of every run.
    """

    model: BenchModel
    folder: Path
    srs: KeyCache
    cap: Cap

    @property
    def calibration(self) -> Path:
        """Inputs that both sides are calibrated with."""
        return self.folder / "calibration.npz"

    @property
    def held_out(self) -> Path:
        """Inputs that both sides are judged on."""
        return self.folder / "held-out.npz"

    async def run(self, operation: str, **request: Any) -> Measured:
        """One measured run."""
        return await run_measured(operation, request, self.cap)


class Failed(Exception):
    """A step did not come to its end; the message names the step and the reason."""


def _need(step: str, measured: Measured) -> dict[str, Any]:
    if not measured.ok:
        raise Failed(f"{step}: {measured.reason}")
    return measured.result


def _take(side: Side, result: dict[str, Any], *names: str) -> None:
    for name in names:
        if name in result:
            setattr(side, name, result[name])


_CIRCUIT = ("logrows", "columns", "rows", "cells", "instances", "parameters")


class DefaultSide:
    """ezkl's default path."""

    def __init__(self, shop: Workshop, side: Side) -> None:
        self.shop = shop
        self.side = side
        self.folder = shop.folder / "default"
        self.proven: dict[str, Any] = {}
        self._srs = ""

    async def prepare(self) -> None:
        """Settings, compiled circuit and keys."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with np.load(self.shop.calibration) as stored:
            arrays = {name: stored[name] for name in stored}
        calibration = self.folder / "calibration.json"
        calibration.write_text(ezkl_json(arrays), encoding="utf-8")
        (self.folder / "input.json").write_text(ezkl_json(arrays, [0]), encoding="utf-8")
        settled = await self.shop.run(
            "default-settings",
            folder=str(self.folder),
            model=str(self.shop.model.onnx),
            calibration=str(calibration),
        )
        self.side.plan_seconds, self.side.plan_peak_bytes = settled.seconds, settled.peak_bytes
        _take(self.side, _need("calibration", settled), *_CIRCUIT)
        logrows = int(settled.result["logrows"])
        if logrows > MAX_DEFAULT_LOGROWS:
            raise Failed(
                f"setup: ezkl asks for k = {logrows}; proofs beyond k = {MAX_DEFAULT_LOGROWS} need"
                f" more than the cap of {self.shop.cap.memory_bytes / 2**30:g} GiB, so none is"
                " tried"
            )
        self._srs = str(await self.shop.srs.srs("development", logrows))
        made = await self.shop.run("default-setup", folder=str(self.folder), srs=self._srs)
        self.side.setup_seconds, self.side.setup_peak_bytes = made.seconds, made.peak_bytes
        result = _need("setup", made)
        self.side.setup_seconds = result["seconds"]
        _take(self.side, result, "proving_key_bytes", "verifying_key_bytes")

    async def prove(self) -> float:
        """One witness and proof; returns the seconds of the proof."""
        measured = await self.shop.run(
            "default-prove",
            folder=str(self.folder),
            srs=self._srs,
            input=str(self.folder / "input.json"),
        )
        self.side.peak_bytes = max(self.side.peak_bytes or 0, measured.peak_bytes)
        self.proven = _need("prove", measured)
        return _note(self.side, self.proven)

    async def judge(self, reference: Reference) -> None:
        """Accuracy on held-out data."""
        measured = await self.shop.run(
            "default-outputs",
            folder=str(self.folder),
            samples=str(self.shop.held_out),
            seconds=OUTPUT_SECONDS,
        )
        _judge(self.side, _need("accuracy", measured), reference, self.shop.model)

    async def verifier_source(self) -> str:
        """Solidity of the verifier that ezkl writes for this circuit."""
        measured = await self.shop.run("default-verifier", folder=str(self.folder), srs=self._srs)
        return str(_need("verifier", measured)["source"])


class OurSide:
    """The planner's circuit and the prover of :mod:`gateless_proofs`."""

    def __init__(self, shop: Workshop, side: Side) -> None:
        self.shop = shop
        self.side = side
        self.bundle = shop.folder / "bundle"
        self.cache = shop.folder / "keys"
        self.proven: dict[str, Any] = {}

    def _request(self, **more: Any) -> dict[str, Any]:
        return {
            "bundle": str(self.bundle),
            "cache": str(self.cache),
            "samples": str(self.shop.calibration),
            "memory_bytes": min(OUR_MEMORY_BYTES, self.shop.cap.memory_bytes),
            "seconds": OUR_STEP_SECONDS,
            **more,
        }

    def _cache_with_srs(self, cache: Path) -> Path:
        cache.mkdir(parents=True, exist_ok=True)
        shared = self.shop.srs.root / "srs"
        shared.mkdir(parents=True, exist_ok=True)
        (cache / "srs").symlink_to(shared)
        return cache

    async def prepare(self) -> None:
        """The planner's bundle, then its keys once more in an empty cache, to time them alone."""
        planning = self._cache_with_srs(self.shop.folder / "planning")
        built = await self.shop.run(
            "ours-build",
            **self._request(
                name=self.shop.model.name,
                model=str(self.shop.model.onnx),
                calibration=str(self.shop.calibration),
                cache=str(planning),
                # A plan is many steps; the cap of the run is its limit.
                seconds=self.shop.cap.seconds,
            ),
        )
        self.side.plan_seconds, self.side.plan_peak_bytes = built.seconds, built.peak_bytes
        result = _need("build", built)
        self.side.plan_peak_bytes = result["worker_peak_bytes"]
        _take(self.side, result, *_CIRCUIT, "binding", "exact", "proof_bytes", "passes")
        self._cache_with_srs(self.cache)
        made = await self.shop.run("ours-setup", **self._request())
        result = _need("setup", made)
        self.side.setup_seconds = result["seconds"]
        self.side.setup_peak_bytes = result["worker_peak_bytes"]
        _take(self.side, result, "proving_key_bytes", "verifying_key_bytes")

    async def prove(self) -> float:
        """One witness and proof; returns the seconds of the proof."""
        measured = await self.shop.run("ours-prove", **self._request())
        self.proven = _need("prove", measured)
        self.side.peak_bytes = max(self.side.peak_bytes or 0, self.proven["worker_peak_bytes"])
        return _note(self.side, self.proven)

    async def judge(self, reference: Reference) -> None:
        """Accuracy on held-out data."""
        request = self._request(samples=str(self.shop.held_out), outputs_seconds=OUTPUT_SECONDS)
        measured = await self.shop.run("ours-outputs", **request)
        _judge(self.side, _need("accuracy", measured), reference, self.shop.model)


def _note(side: Side, proven: dict[str, Any]) -> float:
    side.witnesses.append(proven["witness_seconds"])
    side.proves.append(proven["prove_seconds"])
    side.cpus.append(proven["cpu_seconds"])
    side.verify_seconds = proven["verify_seconds"]
    side.proof_bytes = len(proven["proof"]) // 2
    return float(proven["prove_seconds"])


def _judge(side: Side, result: dict[str, Any], reference: Reference, model: BenchModel) -> None:
    found = result["outputs"]
    side.judged = (sum(row is not None for row in found), len(found))
    side.error = worst_error(found, reference)
    if model.classifier:
        side.agreement = label_agreement(found, reference)
