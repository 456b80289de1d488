from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from gateless.core.errors import ProofError, SandboxError
from gateless.core.manifest import Manifest
from gateless_proofs import KeyCache, Limits
from gateless_proofs.srs import srs_bytes
from proof_fixtures import LIMITS, Built

#: run by two processes at once; prints how often it had to make keys itself
SCRIPT = """
import asyncio, sys
from pathlib import Path
from gateless_proofs import KeyCache, load_bundle

async def main():
    stages = []
    cache = KeyCache(Path(sys.argv[2]))
    bundle = load_bundle(Path(sys.argv[1]))
    await cache.proving_key(bundle, progress=lambda stage, fraction: stages.append(stage))
    print(stages.count("setup") > 0)

asyncio.run(main())
"""


async def test_two_processes_make_a_key_once(mlp: Built, tmp_path: Path) -> None:
    processes = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SCRIPT, str(mlp.bundle.root), str(tmp_path)),
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(2)
    ]
    answers = [(await process.communicate())[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(answers) == [b"False", b"True"]


async def test_tasks_of_one_process_make_a_key_once(mlp: Built, tmp_path: Path) -> None:
    stages: list[str] = []
    caches = [KeyCache(tmp_path, LIMITS) for _ in range(4)]
    paths = await asyncio.gather(
        *(
            cache.proving_key(mlp.bundle, progress=lambda stage, _: stages.append(stage))
            for cache in caches
        )
    )
    assert len(set(paths)) == 1
    one_setup = 2  # it reports its beginning and its end
    assert stages.count("setup") == one_setup


async def test_setup_is_deterministic(mlp: Built, tmp_path: Path, cache: KeyCache) -> None:
    again = await KeyCache(tmp_path, LIMITS).proving_key(mlp.bundle)
    first = await cache.proving_key(mlp.bundle)
    assert again != first
    assert again.read_bytes() == first.read_bytes()


async def test_key_of_another_circuit_is_a_mismatch(
    mlp: Built, rescaled: Built, cache: KeyCache
) -> None:
    data = mlp.bundle.manifest.model_dump(mode="json")
    data["circuits"][0]["vka_digest"] = rescaled.bundle.manifest.circuits[0].vka_digest
    forged = replace(mlp.bundle, manifest=Manifest.model_validate_json(json.dumps(data)))
    with pytest.raises(ProofError) as caught:
        await cache.proving_key(forged)
    assert caught.value.code == "key-mismatch"
    assert caught.value.context["found"] == mlp.bundle.manifest.circuits[0].vka_digest


async def test_failed_setup_leaves_nothing(mlp: Built, tmp_path: Path) -> None:
    cache = KeyCache(tmp_path, Limits(seconds=0.02))
    logrows = mlp.bundle.circuit().logrows
    await KeyCache(tmp_path, LIMITS).srs("development", logrows)
    with pytest.raises(SandboxError):
        await cache.proving_key(mlp.bundle)
    assert list((tmp_path / "keys").iterdir()) == []
    assert (await KeyCache(tmp_path, LIMITS).proving_key(mlp.bundle)).is_file()


async def test_srs_is_cached_and_a_torn_one_replaced(tmp_path: Path) -> None:
    cache = KeyCache(tmp_path, LIMITS)
    path = await cache.srs("development", 6)
    whole = path.read_bytes()
    assert len(whole) == srs_bytes(6)
    path.write_bytes(whole[:100])
    assert (await cache.srs("development", 6)).read_bytes() == whole


async def test_foreign_srs_in_the_cache_is_noticed(mlp: Built, tmp_path: Path) -> None:
    import ezkl

    logrows = mlp.bundle.circuit().logrows
    folder = tmp_path / "srs"
    folder.mkdir()
    ezkl.gen_srs(str(folder / f"development-{logrows}.srs"), logrows)
    with pytest.raises(ProofError) as caught:
        await KeyCache(tmp_path, LIMITS).proving_key(mlp.bundle)
    assert caught.value.code == "srs-mismatch"
