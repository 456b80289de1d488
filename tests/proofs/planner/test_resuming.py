"""A real build that is killed goes on where it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import numpy as np
from gateless_proofs import KeyCache
from gateless_proofs.planner.journal import Journal
from proof_fixtures import LIMITS, build, normal
from tiny_models import dense

BUILD = """
import asyncio, sys
from pathlib import Path
import numpy as np
from gateless_proofs import BuildOptions, CalibrationData, KeyCache, Limits, build_bundle

root = Path(sys.argv[1])
limits = Limits(memory_bytes=4 << 30, seconds=120, threads=2)
asyncio.run(
    build_bundle(
        root / "mlp.onnx",
        CalibrationData.from_arrays({"x": np.load(root / "samples.npy")}),
        root / "killed",
        options=BuildOptions(name="tiny"),
        keys=KeyCache(root / "cache", limits),
        limits=limits,
    )
)
"""
ENOUGH = 12


def answers(folder: Path) -> list[str]:
    """Keys of the findings in the only journal of a cache, in the order of their writing."""
    found = []
    for path in folder.glob("plans/*/journal"):
        for line in path.read_bytes().splitlines():
            try:
                key, _ = json.loads(line)
            except ValueError:
                continue
            if key != "asked":
                found.append(key)
    return found


async def test_a_killed_build_goes_on_where_it_was(tmp_path: Path) -> None:
    model = dense(tmp_path / "mlp.onnx", [5, 6, 3])
    samples = normal(10, 5)
    np.save(tmp_path / "samples.npy", samples)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", BUILD, str(tmp_path)), start_new_session=True
    )
    while len(answers(tmp_path / "cache")) < ENOUGH:
        assert process.returncode is None, "the build ended before it could be killed"
        await asyncio.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
    assert not (tmp_path / "killed").exists()

    keys = KeyCache(tmp_path / "cache", LIMITS)
    resumed = await build(model, samples, tmp_path / "resumed", keys)
    found = answers(tmp_path / "cache")
    assert len(found) == len(set(found)), "nothing that was known is found out again"
    assert len(list((tmp_path / "cache" / "plans").iterdir())) == 1

    fresh = await build(model, samples, tmp_path / "fresh", KeyCache(tmp_path / "new", LIMITS))
    assert (
        resumed.bundle.manifest.unmeasured().to_bytes()
        == fresh.bundle.manifest.unmeasured().to_bytes()
    )
    for entry in resumed.bundle.manifest.files:
        ours = (resumed.bundle.root / entry.name).read_bytes()
        assert ours == (fresh.bundle.root / entry.name).read_bytes()


async def test_a_finished_build_is_planned_from_what_is_known(tmp_path: Path) -> None:
    model = dense(tmp_path / "mlp.onnx", [4, 2])
    keys = KeyCache(tmp_path / "cache", LIMITS)
    first = await build(model, normal(4, 4), tmp_path / "first", keys)
    (journal,) = (tmp_path / "cache" / "plans").glob("*/journal")
    before = len(Journal(journal))
    second = await build(model, normal(4, 4), tmp_path / "second", keys)
    assert len(Journal(journal)) == before
    assert second.bundle.digest == first.bundle.digest
