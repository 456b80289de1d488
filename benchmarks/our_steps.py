"""Our side, by the public interface of :mod:`gateless_proofs`. Runs in the measured process.

Every step of ours starts a subprocess of its own again, as it does in an executor: times are those
that the steps report of themselves, memory is the largest of the processes.
"""

from __future__ import annotations

import asyncio
import resource
import time
from pathlib import Path
from typing import Any

import numpy as np
from gateless.core.errors import InputError, ProofError
from gateless.core.manifest import Goal
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import (
    BuildOptions,
    Bundle,
    CalibrationData,
    KeyCache,
    Limits,
    Prover,
    build_bundle,
    load_bundle,
)
from gateless_proofs.pool import ProvingPool

from benchmarks.default_steps import describe


def _limits(request: dict[str, Any]) -> Limits:
    return Limits(memory_bytes=request["memory_bytes"], seconds=request["seconds"])


def build(request: dict[str, Any]) -> dict[str, Any]:
    """A bundle with the planner's circuit."""
    out, limits = Path(request["bundle"]), _limits(request)
    started = time.monotonic()
    bundle = asyncio.run(
        build_bundle(
            Path(request["model"]),
            CalibrationData.load(Path(request["calibration"])),
            out,
            options=BuildOptions(name=request["name"], goal=Goal.PROVER),
            keys=KeyCache(Path(request["cache"]), limits),
            limits=limits,
        )
    )
    return {"seconds": time.monotonic() - started, **_worker_peak(), **_described(bundle)}


def _worker_peak() -> dict[str, int]:
    """Memory of the largest worker: this process only waits for it."""
    return {"worker_peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10}


def _described(bundle: Bundle) -> dict[str, Any]:
    manifest = bundle.manifest
    return {
        **describe(bundle.settings()),
        "binding": manifest.binding.value,
        "exact": manifest.circuits[0].exact,
        "passes": list(manifest.circuits[0].passes),
        "proof_bytes": manifest.circuits[0].proof_length,
        "stated_bound": manifest.accuracy.bound,
    }


def set_up(request: dict[str, Any]) -> dict[str, Any]:
    """The bundle's keys again, in a cache that holds nothing but the SRS."""
    bundle = load_bundle(Path(request["bundle"]))
    keys = KeyCache(Path(request["cache"]), _limits(request))
    started = time.monotonic()
    path = asyncio.run(keys.proving_key(bundle))
    return {
        "seconds": time.monotonic() - started,
        "proving_key_bytes": path.stat().st_size,
        "verifying_key_bytes": bundle.verifying_key().stat().st_size,
        **_worker_peak(),
    }


def prove(request: dict[str, Any]) -> dict[str, Any]:
    """Witness and proof of one packed input; the prover verifies what it hands out."""
    bundle, limits = load_bundle(Path(request["bundle"])), _limits(request)
    prover = Prover(KeyCache(Path(request["cache"]), limits), limits)
    packed = _packed(bundle, request, 0)
    proof = asyncio.run(prover.prove(bundle, packed))
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    valid = asyncio.run(prover.verify(bundle, packed, proof.packed_output, proof.proof))
    if not valid:
        raise AssertionError("the prover's own proof does not verify")
    return {
        "witness_seconds": proof.witness_seconds,
        "prove_seconds": proof.prove_seconds,
        "verify_seconds": time.monotonic() - started,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "proof": proof.proof.hex(),
        "packed_input": packed.hex(),
        "packed_output": proof.packed_output.hex(),
        **_worker_peak(),
    }


def _packed(bundle: Bundle, request: dict[str, Any], row: int) -> bytes:
    with np.load(request["samples"], allow_pickle=False) as stored:
        return pack_inputs(bundle.manifest, {name: stored[name][row] for name in stored})


def outputs(request: dict[str, Any]) -> dict[str, Any]:
    """The circuit's outputs as real numbers, until the samples or the seconds are used up."""
    bundle, limits = load_bundle(Path(request["bundle"])), _limits(request)
    with np.load(request["samples"], allow_pickle=False) as stored:
        count = len(stored[next(iter(stored))])
    return {"outputs": asyncio.run(_outputs(bundle, request, limits, count))}


async def _outputs(
    bundle: Bundle, request: dict[str, Any], limits: Limits, count: int
) -> list[list[list[float]] | None]:
    started = time.monotonic()
    found: list[list[list[float]] | None] = []
    async with ProvingPool(limits.memory_bytes, limits.seconds) as pool:
        prover = Prover(KeyCache(Path(request["cache"]), limits), limits, pool)
        for row in range(count):
            if found and time.monotonic() - started > request["outputs_seconds"]:
                break
            try:
                witness = await prover.witness(bundle, _packed(bundle, request, row))
            except (InputError, ProofError):
                found.append(None)  # beyond what the circuit was made for
            else:
                found.append([tensor.reshape(-1).tolist() for tensor in witness.outputs_float])
    return found
