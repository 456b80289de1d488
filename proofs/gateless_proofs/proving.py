"""Witness, proof, verification and commitment. Runs in the subprocess."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ezkl
from gateless.core.errors import ProofError
from gateless.core.packing import felt_to_ezkl_hex, to_felt

from gateless_proofs.witness import (
    CircuitRun,
    WitnessError,
    require_lookups_in_table,
    run_circuit,
)

Emit = Callable[[str, float], None]


def _scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="proving-"))


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)


def _witness(request: dict[str, Any], out: Path) -> tuple[CircuitRun, float]:
    started = time.monotonic()
    settings = json.loads(Path(request["settings"]).read_text(encoding="utf-8"))
    try:
        run = run_circuit(
            Path(request["compiled"]),
            request["inputs"],
            out,
            verifying_key=_path(request.get("verifying_key")),
            srs=_path(request.get("srs")),
        )
        require_lookups_in_table(run, settings)
    except WitnessError as error:
        raise ProofError(
            "input-not-provable",
            "the circuit cannot take this input: a value inside the model leaves the range that the"
            " circuit was built for",
            hint="use inputs like those the model was calibrated with",
            reason=str(error),
        ) from error
    return run, time.monotonic() - started


def generate_witness(request: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    """Outputs of the circuit for packed integers."""
    run, seconds = _witness(request, _scratch() / "witness.json")
    return {"outputs": run.outputs, "seconds": seconds}


def generate_outputs(request: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    """Outputs for many inputs, ``None`` where an input has no witness."""
    settings = json.loads(Path(request["settings"]).read_text(encoding="utf-8"))
    scratch = _scratch() / "witness.json"
    outputs: list[list[list[int]] | None] = []
    for tensors in request["samples"]:
        try:
            run = run_circuit(Path(request["compiled"]), tensors, scratch)
            require_lookups_in_table(run, settings)
        except WitnessError:
            outputs.append(None)
        else:
            outputs.append(run.outputs)
    return {"outputs": outputs}


def generate_proof(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Witness and proof; the proof is verified before it is handed out."""
    folder = _scratch()
    witness = folder / "witness.json"
    emit("witness", 0.0)
    run, witness_seconds = _witness(request, witness)
    emit("prove", 0.05)
    started = time.monotonic()
    try:
        ezkl.prove(
            str(witness),
            request["compiled"],
            request["proving_key"],
            str(folder / "proof.json"),
            request["srs"],
        )
        prove_seconds = time.monotonic() - started
        emit("verify", 0.95)
        ezkl.verify(
            str(folder / "proof.json"),
            request["settings"],
            request["verifying_key"],
            request["srs"],
            reduced_srs=False,
        )
    except RuntimeError as error:
        raise ProofError(
            "proving-failed",
            f"ezkl made no valid proof: {error}",
            hint="audit the bundle; its keys may not belong to its circuit",
        ) from error
    stored = json.loads((folder / "proof.json").read_text(encoding="utf-8"))
    return {
        "proof": bytes(stored["proof"]).hex(),
        "instances": [text for row in stored["instances"] for text in row],
        "outputs": run.outputs,
        "witness_seconds": witness_seconds,
        "prove_seconds": prove_seconds,
    }


def verify_proof(request: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    """Whether a proof holds for given instances (field elements, public inputs first)."""
    path = _scratch() / "proof.json"
    proof = bytes.fromhex(request["proof"])
    path.write_text(
        json.dumps(
            {
                "protocol": None,
                "instances": [[felt_to_ezkl_hex(felt) for felt in request["instances"]]],
                "proof": list(proof),
                "hex_proof": "0x" + proof.hex(),
                "split": None,
                "pretty_public_inputs": None,
                "timestamp": 0,
                "version": None,
            }
        ),
        encoding="utf-8",
    )
    try:
        valid = ezkl.verify(
            str(path),
            request["settings"],
            request["verifying_key"],
            request["srs"],
            reduced_srs=False,
        )
    except RuntimeError as error:  # ezkl's way to say that a proof is wrong
        return {"valid": False, "reason": str(error)}
    return {"valid": bool(valid), "reason": ""}


def commit_input(request: dict[str, Any], _emit: Emit) -> dict[str, Any]:
    """The KZG commitment of an input tensor: two words, big-endian hex."""
    try:
        points = ezkl.kzg_commit(
            _felts(request["input"]),
            request["verifying_key"],
            request["settings"],
            request["srs"],
        )
    except RuntimeError as error:
        raise ProofError(
            "commitment-failed",
            f"ezkl cannot commit to the input: {error}",
            hint="audit the bundle; its keys may not belong to its circuit",
        ) from error
    if len(points) != 1:
        raise ProofError(
            "commitment-failed",
            f"the input needs {len(points)} commitments, a version is bound by one",
            hint="build the bundle with packed inputs",
        )
    point: Any = points[0]  # ezkl's type stub omits the coordinates
    return {"words": [_big_endian(point.x), _big_endian(point.y)]}


def _big_endian(little_endian: str) -> str:
    return bytes.fromhex(little_endian.removeprefix("0x"))[::-1].hex()


def _felts(integers: Sequence[int]) -> list[str]:
    return [felt_to_ezkl_hex(to_felt(value)) for value in integers]
