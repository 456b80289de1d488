"""Checks that a bundle's circuits compute what its model computes, on random inputs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from gateless.core.errors import ProofError
from gateless.core.manifest import CircuitEntry
from gateless.core.packing import TensorSpec, dequantise, pack, quantise, unpack

from gateless_proofs.bundle import Bundle
from gateless_proofs.rows import circuit_inputs, outputs_of, padded
from gateless_proofs.sandbox import Limits, run_worker
from gateless_proofs.statements import UntrueStatementError

#: random inputs that are compared with onnxruntime
SAMPLES = 16
#: share of them that must be within the bound; models with thresholds may jump next to one
REQUIRED_SHARE = 0.9


async def check_behaviour(bundle: Bundle, seed: int, limits: Limits) -> str:
    """Compares outputs of all circuits with onnxruntime's and with each other's; says how near.

    Args:
        bundle: what was published.
        seed: of the random inputs.
        limits: of each subprocess.

    Raises:
        UntrueStatementError: too many are further away than the manifest says, or circuits of the
            bundle compute different outputs.
    """
    schema = bundle.schema
    generator = np.random.default_rng(seed)
    samples = [random_input(bundle, generator) for _ in range(SAMPLES)]
    answer = await run_worker(
        "reference",
        {
            "model": str(bundle.model),
            "shapes": [list(spec.shape) for spec in schema.inputs],
            "samples": [
                [
                    dequantise(integers, spec).reshape(-1).tolist()
                    for integers, spec in zip(sample, schema.inputs, strict=True)
                ]
                for sample in samples
            ],
        },
        limits=limits,
    )
    floats = [[out["values"] for out in outputs] for outputs in answer["outputs"]]
    packed = [pack(sample, schema.inputs) for sample in samples]
    details: list[str] = []
    expected: list[bytes | None] = []
    for index, entry in enumerate(bundle.manifest.circuits):
        found = await _outputs(bundle, index, entry, packed, limits)
        if not expected:
            expected = found
            errors = [
                _largest_error(
                    None if ours is None else unpack(ours, schema.outputs),
                    theirs,
                    schema.outputs,
                )
                for ours, theirs in zip(found, floats, strict=True)
            ]
            details.append(_judge(errors, bundle.manifest.accuracy.bound))
            continue
        both = [
            (ours, theirs)
            for ours, theirs in zip(found, expected, strict=True)
            if ours is not None and theirs is not None
        ]
        if any(ours != theirs for ours, theirs in both) or (any(expected) and not both):
            raise UntrueStatementError(f"circuit {index} computes other outputs than the first")
        details.append(f"circuit {index} gives the same outputs for {len(both)} of them")
    return "; ".join(details)


async def _outputs(
    bundle: Bundle, index: int, entry: CircuitEntry, packed: Sequence[bytes], limits: Limits
) -> list[bytes | None]:
    """A circuit's packed outputs, ``None`` for rows of a batch that has no witness."""
    size = entry.batch_size
    batches = [packed[start : start + size] for start in range(0, len(packed), size)]
    filled = [padded(batch, entry) for batch in batches]
    request = {
        "compiled": str(bundle.compiled(index)),
        "settings": str(bundle.settings(index)),
        "samples": [circuit_inputs(rows, bundle.schema) for rows in filled],
    }
    answer = await run_worker("outputs", request, limits=limits)
    found: list[bytes | None] = []
    for batch, rows, outputs in zip(batches, filled, answer["outputs"], strict=True):
        try:
            made = None if outputs is None else outputs_of(bundle, entry, rows, outputs)
        except ProofError as error:
            if error.code != "output-out-of-range":
                raise
            made = None
        found += [None] * len(batch) if made is None else made[: len(batch)]
    return found


def _judge(errors: list[float], bound: float) -> str:
    good = sum(error <= bound for error in errors)
    if good < REQUIRED_SHARE * len(errors):
        raise UntrueStatementError(
            f"only {good} of {len(errors)} random inputs stay within {bound:.3g}"
        )
    return (
        f"{good} of {len(errors)} random inputs within {bound:.3g},"
        f" median error {statistics.median(errors):.3g}"
    )


def random_input(bundle: Bundle, generator: np.random.Generator) -> list[list[int]]:
    """Integers of every input, anywhere in its range."""
    return [
        quantise(generator.uniform(entry["low"], entry["high"], size=spec.shape), spec)
        for entry, spec in zip(input_ranges(bundle), bundle.schema.inputs, strict=True)
    ]


def input_ranges(bundle: Bundle) -> list[dict[str, Any]]:
    """What the inputs range over, as far as the manifest says."""
    described = []
    for tensor, spec in zip(bundle.manifest.inputs, bundle.schema.inputs, strict=True):
        low, high = tensor.calibrated_range or _packed_range(spec)
        described.append({"low": low, "high": high, "shape": list(spec.shape)})
    return described


def _packed_range(spec: TensorSpec) -> tuple[float, float]:
    return spec.minimum / 2.0**spec.scale_bits, spec.maximum / 2.0**spec.scale_bits


def _largest_error(
    ours: Sequence[Sequence[int]] | None,
    theirs: Sequence[Sequence[float]],
    specs: Sequence[TensorSpec],
) -> float:
    """Largest difference of any output; infinite where the circuit cannot take the input."""
    if ours is None:
        return math.inf
    return max(
        float(np.max(np.abs(dequantise(integers, spec).reshape(-1) - np.array(floats))))
        for integers, floats, spec in zip(ours, theirs, specs, strict=True)
    )
