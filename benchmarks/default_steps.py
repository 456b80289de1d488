"""ezkl's default path, as its own notebooks walk it. Runs in the measured process.

``gen_settings`` with the default ``PyRunArgs`` (public inputs, public outputs, fixed parameters),
``calibrate_settings(…, "resources")``, ``compile_circuit``, ``setup``, ``gen_witness``, ``prove``,
``verify``, ``create_evm_verifier``. No setting is touched; the circuit is what ezkl chose.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ezkl as _ezkl
import numpy as np
from gateless.core.packing import felt_from_ezkl_hex, from_felt

#: its type stub demands what has a default, and the defaults are the point here
ezkl: Any = _ezkl

SETTINGS, COMPILED = "settings.json", "circuit.compiled"
PROVING_KEY, VERIFYING_KEY = "pk.key", "vk.key"
WITNESS, PROOF = "witness.json", "proof.json"
VERIFIER = "verifier.sol"


def settle(request: dict[str, Any]) -> dict[str, Any]:
    """Settings as ezkl calibrates them, and the compiled circuit."""
    folder = Path(request["folder"])
    settings = str(folder / SETTINGS)
    started = time.monotonic()
    arguments = ezkl.PyRunArgs()
    ezkl.gen_settings(request["model"], settings, arguments)
    ezkl.calibrate_settings(request["calibration"], request["model"], settings, "resources")
    ezkl.compile_circuit(request["model"], str(folder / COMPILED), settings)
    return {"seconds": time.monotonic() - started, **describe(folder / SETTINGS)}


def describe(settings: Path) -> dict[str, Any]:
    """Size and scales of a circuit as its settings state them."""
    stored = json.loads(settings.read_text(encoding="utf-8"))
    arguments = stored["run_args"]
    return {
        "logrows": arguments["logrows"],
        "columns": arguments["num_inner_cols"],
        "rows": stored["num_rows"],
        "cells": stored["total_assignments"],
        "instances": sum(math.prod(shape) for shape in stored["model_instance_shapes"]),
        "parameters": (
            f"scales {arguments['input_scale']}/{arguments['param_scale']},"
            f" multiplier {arguments['scale_rebase_multiplier']},"
            f" base {arguments['decomp_base']}^{arguments['decomp_legs']}"
        ),
    }


def set_up(request: dict[str, Any]) -> dict[str, Any]:
    """Proving and verifying key."""
    folder = Path(request["folder"])
    started = time.monotonic()
    ezkl.setup(
        str(folder / COMPILED),
        str(folder / VERIFYING_KEY),
        str(folder / PROVING_KEY),
        request["srs"],
    )
    return {
        "seconds": time.monotonic() - started,
        "proving_key_bytes": (folder / PROVING_KEY).stat().st_size,
        "verifying_key_bytes": (folder / VERIFYING_KEY).stat().st_size,
    }


def prove(request: dict[str, Any]) -> dict[str, Any]:
    """Witness, proof and its verification, each with its time."""
    folder = Path(request["folder"])
    paths = {
        name: str(folder / name)
        for name in (SETTINGS, COMPILED, PROVING_KEY, VERIFYING_KEY, WITNESS, PROOF)
    }
    started = time.monotonic()
    ezkl.gen_witness(request["input"], paths[COMPILED], paths[WITNESS])
    witnessed = time.monotonic()
    ezkl.prove(paths[WITNESS], paths[COMPILED], paths[PROVING_KEY], paths[PROOF], request["srs"])
    proven = time.monotonic()
    # Raises where the proof is wrong.
    ezkl.verify(paths[PROOF], paths[SETTINGS], paths[VERIFYING_KEY], request["srs"])
    verified = time.monotonic()
    stored = json.loads((folder / PROOF).read_text(encoding="utf-8"))
    return {
        "witness_seconds": witnessed - started,
        "prove_seconds": proven - witnessed,
        "verify_seconds": verified - proven,
        "cpu_seconds": time.process_time(),
        "proof_bytes": len(stored["proof"]),
        "proof": bytes(stored["proof"]).hex(),
        "instances": [felt_from_ezkl_hex(text) for row in stored["instances"] for text in row],
    }


def outputs(request: dict[str, Any]) -> dict[str, Any]:
    """The circuit's outputs as real numbers, until the samples or the seconds are used up."""
    folder = Path(request["folder"])
    settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
    scales: Sequence[int] = settings["model_output_scales"]
    with np.load(request["samples"], allow_pickle=False) as stored:
        arrays = [stored[name] for name in stored]
    started = time.monotonic()
    found: list[list[list[float]] | None] = []
    for row in range(len(arrays[0])):
        if found and time.monotonic() - started > request["seconds"]:
            break
        data = json.dumps({"input_data": [array[row].reshape(-1).tolist() for array in arrays]})
        try:
            ezkl.gen_witness(data, str(folder / COMPILED), str(folder / WITNESS))
        except BaseException as error:
            if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
                raise
            found.append(None)  # no witness: the input is beyond what the circuit was made for
            continue
        witness = json.loads((folder / WITNESS).read_text(encoding="utf-8"))
        found.append(
            [
                [math.ldexp(float(from_felt(felt_from_ezkl_hex(text))), -scale) for text in tensor]
                for tensor, scale in zip(witness["outputs"], scales, strict=True)
            ]
        )
    return {"outputs": found}


def write_verifier(request: dict[str, Any]) -> dict[str, Any]:
    """The Solidity verifier that ezkl writes for this circuit."""
    folder = Path(request["folder"])
    source = folder / VERIFIER

    async def write() -> None:
        await ezkl.create_evm_verifier(
            str(folder / VERIFYING_KEY),
            str(folder / SETTINGS),
            str(source),
            str(folder / "verifier.abi"),
            request["srs"],
        )

    try:
        asyncio.run(write())
    except RuntimeError:
        # ezkl wants a compiler of its own for the ABI, after the source is on disk.
        if not source.is_file():
            raise
    return {"source": source.read_text(encoding="utf-8")}
