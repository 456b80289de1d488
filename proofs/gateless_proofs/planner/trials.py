"""Real proofs with the circuits that a search found best."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateless.core.manifest import Goal

from gateless_proofs.bundle import sha256_of
from gateless_proofs.keys import CircuitKeys, KeyCache
from gateless_proofs.planner.journal import Journal
from gateless_proofs.process import WorkerProcess
from gateless_proofs.sandbox import Limits, Progress, exchange, result_of
from gateless_proofs.srs import SrsKind

#: a trial overrules the prediction only where it took less than this share of the time
CONTRADICTION = 0.5
#: and at least so much less: on a busy machine a short proof may well take twice as long as another
_NOISE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Trial:
    """A circuit with its keys and one real proof.

    Attributes:
        seconds: that the proof took.
        memory_bytes: the most that its process held.
        proof_length: bytes, the same for all inputs.
    """

    keys: CircuitKeys
    seconds: float
    memory_bytes: int
    proof_length: int


async def try_circuit(
    built: Mapping[str, Any],
    kind: SrsKind,
    keys: KeyCache,
    limits: Limits,
    journal: Journal,
    progress: Progress | None = None,
) -> Trial:
    """Makes keys and one verified proof of a built circuit; the proof once only, however often the
    build is interrupted."""
    folder = Path(built["folder"])
    compiled, settings = folder / "circuit.compiled", folder / "settings.json"
    logrows = built["parameters"]["logrows"]
    made = await keys.circuit_keys(
        compiled, settings, kind, logrows, progress=progress, limits=limits
    )
    (folder / "vk.key").write_bytes(made.verifying_key)
    (folder / "vka.bin").write_bytes(made.vka)
    subject = {"compiled": sha256_of(compiled), "vka": made.vka_digest}
    known = journal.find("trial", subject)
    if known is None:
        request = {
            "compiled": str(compiled),
            "settings": str(settings),
            "inputs": built["samples"][0],
            "proving_key": str(made.proving_key),
            "verifying_key": str(folder / "vk.key"),
            "srs": str(await keys.srs(kind, logrows)),
        }
        known = await _prove(request, limits, progress)
        journal.keep("trial", subject, known)
    return Trial(made, known["seconds"], known["memory_bytes"], known["proof_length"])


async def _prove(
    request: Mapping[str, Any], limits: Limits, progress: Progress | None
) -> dict[str, Any]:
    process = await WorkerProcess.start(
        ceiling_bytes=limits.memory_bytes, threads=limits.threads, own_keys=True
    )
    try:
        answer = await exchange(process, "prove", request, limits=limits, progress=progress)
    finally:
        await process.kill()
    result = result_of(answer, limits)
    return {
        "seconds": result["prove_seconds"],
        "memory_bytes": answer.peak_bytes,
        "proof_length": len(result["proof"]) // 2,
    }


def forget(trial: Trial) -> None:
    """Removes the keys of a circuit that was not chosen: they are large."""
    shutil.rmtree(trial.keys.proving_key.parent, ignore_errors=True)


def choose(scores: list[float], trials: list[Trial], goal: Goal) -> tuple[int, str]:
    """The winner among finalists, and why.

    Seconds differ from run to run, predictions do not: so the prediction decides, unless a trial
    contradicts it by a wide factor and by more than a second. Gas is known from the proofs and
    needs no trial.
    """
    first = min(range(len(scores)), key=lambda place: (scores[place], place))
    if len(trials) == 1:
        return first, "it was the only finalist"
    if goal is Goal.GAS:
        return first, "least gas, as its proof's length confirms"
    measured = [trial.memory_bytes if goal is Goal.MEMORY else trial.seconds for trial in trials]
    noise = 0.0 if goal is Goal.MEMORY else _NOISE_SECONDS
    fastest = min(range(len(measured)), key=lambda place: (measured[place], place))
    if measured[fastest] < min(CONTRADICTION * measured[first], measured[first] - noise):
        return fastest, "its trial contradicted the predicted order by more than a factor of 2"
    return first, "least predicted cost, which the trials did not contradict"
