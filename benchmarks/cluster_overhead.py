"""``python -m benchmarks.cluster_overhead --cluster ADDRESS``: what a cluster adds to a proof.

The digit classifier is proven by turns here and on the cluster, one proof at a time. The overhead
of a proof is the time that its caller waits less what witness and proof report of themselves:
queueing, placing, sending, and for the cluster the verification of what comes back.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import (
    BuildOptions,
    CalibrationData,
    KeyCache,
    Limits,
    Prover,
    ProvingPool,
    build_bundle,
)
from gateless_proofs.bundle import Bundle
from gateless_proofs.cluster.backend import ClusterBackend
from gateless_proofs.cluster.wire import Options

_DIGITS = Path(__file__).resolve().parents[1] / "examples" / "digits"
_MEMORY_BYTES = 4 << 30
_SECONDS = 300.0


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cluster", default="auto", help="auto, HOST:PORT or ray://HOST:PORT")
    parser.add_argument("--proofs", type=int, default=20, help="on each side")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder), arguments.cluster, arguments.proofs))


async def _measure(folder: Path, address: str, proofs: int) -> None:
    keys = KeyCache(folder / "cache", Limits(_MEMORY_BYTES, _SECONDS))
    bundle = await build_bundle(
        _DIGITS / "digits.onnx",
        CalibrationData.load(_DIGITS / "calibration.npz"),
        folder / "digits",
        options=BuildOptions(name="digits"),
        keys=keys,
    )
    key = await keys.proving_key(bundle)
    size = key.stat().st_size
    print(f"digits: k = {bundle.circuit().logrows}, proving key {size / 2**20:.0f} MiB")
    with np.load(_DIGITS / "calibration.npz") as data:
        packed = pack_inputs(bundle.manifest, data["image"][0])
    started = time.monotonic()
    async with (
        ProvingPool(_MEMORY_BYTES, _SECONDS, cores=1) as pool,
        ClusterBackend(Options(address), pool, _SECONDS) as cluster,
    ):
        print(f"joined {len(cluster.status().nodes)} nodes in {time.monotonic() - started:.1f} s")
        here = _prover(Prover(keys, pool=pool), bundle, packed)
        there = _prover(Prover(keys, pool=cluster), bundle, packed)
        first = [await _times(here), await _times(there)]
        _row("first proof, here", [first[0]])
        _row("first proof, cluster (files travel)", [first[1]])
        local, remote = [], []
        for _ in range(proofs):
            local.append(await _times(here))
            remote.append(await _times(there))
        _row(f"here, median of {proofs}", local)
        _row(f"cluster, median of {proofs}", remote)
        for node in cluster.status().nodes:
            print(f"{node.name}: {node.done} proofs")


def _prover(prover: Prover, bundle: Bundle, packed: bytes) -> Callable[[], Awaitable[float]]:
    async def prove() -> float:
        proof = await prover.prove(bundle, packed)
        return proof.witness_seconds + proof.prove_seconds

    return prove


async def _times(prove: Callable[[], Awaitable[float]]) -> tuple[float, float]:
    """Seconds that the caller waits, and those that the proof reports of itself."""
    started = time.monotonic()
    own = await prove()
    return time.monotonic() - started, own


def _row(what: str, times: list[tuple[float, float]]) -> None:
    whole = statistics.median(waited for waited, _ in times)
    overhead = statistics.median(waited - own for waited, own in times)
    print(f"{what:36} {whole:6.3f} s, of which overhead {overhead * 1000:6.0f} ms")


if __name__ == "__main__":
    main()
