"""Builds small bundles for the tests."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gateless.core.packing import pack, quantise
from gateless_proofs import BuildOptions, Bundle, CalibrationData, KeyCache, Limits, build_bundle

LIMITS = Limits(memory_bytes=4 << 30, seconds=120, threads=2)


@dataclass(frozen=True)
class Built:
    """A bundle with the calibration inputs that it was made from."""

    bundle: Bundle
    samples: np.ndarray

    def packed(self, values: object) -> bytes:
        return pack([quantise(values, self.bundle.schema.inputs[0])], self.bundle.schema.inputs)


async def build(
    model: Path, samples: np.ndarray, out: Path, keys: KeyCache, **options: object
) -> Built:
    calibration = CalibrationData.from_arrays({"x": samples})
    bundle = await build_bundle(
        model,
        calibration,
        out,
        options=BuildOptions(name="tiny", **options),  # type: ignore[arg-type]
        keys=keys,
        limits=LIMITS,
    )
    return Built(bundle, samples)


def normal(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).normal(size=shape)


async def eventually(what: str, condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Waits until a condition holds; fails, naming it, where it does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.002)
