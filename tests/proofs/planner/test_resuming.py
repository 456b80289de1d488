"""A real build that is killed goes on where it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from gateless_proofs import KeyCache
from gateless_proofs.planner.journal import Journal
from proof_fixtures import LIMITS, Built, build, normal
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
SIZES = [4, 3, 2]
SAMPLES = normal(8, 4)


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


@dataclass(frozen=True)
class Fresh:
    """A build that nothing disturbed, and the cache that it filled."""

    built: Built
    keys: KeyCache


@pytest.fixture(scope="module")
async def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    folder = tmp_path_factory.mktemp("fresh")
    keys = KeyCache(folder / "cache", LIMITS)
    built = await build(dense(folder / "mlp.onnx", SIZES), SAMPLES, folder / "built", keys)
    return Fresh(built, keys)


async def test_a_killed_build_goes_on_where_it_was(tmp_path: Path, fresh: Fresh) -> None:
    model = dense(tmp_path / "mlp.onnx", SIZES)
    np.save(tmp_path / "samples.npy", SAMPLES)
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
    resumed = await build(model, SAMPLES, tmp_path / "resumed", keys)
    found = answers(tmp_path / "cache")
    assert len(found) == len(set(found)), "nothing that was known is found out again"
    assert len(list((tmp_path / "cache" / "plans").iterdir())) == 1

    undisturbed = fresh.built.bundle
    assert (
        resumed.bundle.manifest.unmeasured().to_bytes()
        == undisturbed.manifest.unmeasured().to_bytes()
    )
    for entry in resumed.bundle.manifest.files:
        ours = (resumed.bundle.root / entry.name).read_bytes()
        assert ours == (undisturbed.root / entry.name).read_bytes()


async def test_a_finished_build_is_planned_from_what_is_known(tmp_path: Path, fresh: Fresh) -> None:
    (journal,) = (fresh.keys.root / "plans").glob("*/journal")
    before = len(Journal(journal))
    model = dense(tmp_path / "mlp.onnx", SIZES)
    second = await build(model, SAMPLES, tmp_path / "second", fresh.keys)
    assert len(Journal(journal)) == before
    assert second.bundle.digest == fresh.built.bundle.digest
