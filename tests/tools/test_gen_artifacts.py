from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.gen_artifacts import CONTRACTS as NAMES

TOOL = Path(__file__).resolve().parents[2] / "tools" / "gen_artifacts.py"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What forge and the verifier's build leave behind, in small."""
    for name in NAMES:
        write_compiled(tmp_path, name)
    halo2 = {"contractName": "Halo2VerifierReusable", "bytecode": "0x6001"}
    (tmp_path / "halo2.json").write_text(json.dumps({**halo2, "deployedBytecode": "0x60"}))
    return tmp_path


def write_compiled(folder: Path, name: str, file: str | None = None, **changes: Any) -> None:
    data = {
        "abi": [{"type": "function", "name": "f", "inputs": [], "outputs": []}],
        "bytecode": {"object": "0x6000"},
        "deployedBytecode": {
            "object": "0x60aa",
            "immutableReferences": {"7": [{"start": 9, "length": 32}, {"start": 1, "length": 1}]},
        },
        **changes,
    }
    path = folder / "out" / f"{file or name}.sol" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable,
            str(TOOL),
            *("--out", str(folder / "out")),
            *("--halo2", str(folder / "halo2.json")),
            *("--target", str(folder / "generated")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


def test_writes_what_the_package_reads(build: Path) -> None:
    result = run(build)
    assert result.returncode == 0, result.stderr
    written = sorted(path.name for path in (build / "generated").iterdir())
    assert written == sorted([*(f"{name}.json" for name in NAMES), "Halo2VerifierReusable.json"])
    artifact = json.loads((build / "generated" / "InferenceMarket.json").read_text())
    assert artifact["contractName"] == "InferenceMarket"
    assert artifact["bytecode"] == "0x6000"
    assert artifact["deployedBytecode"] == "0x60aa"
    assert artifact["immutableRanges"] == [[1, 1], [9, 32]]
    assert artifact["abi"][0]["name"] == "f"


def test_only_what_changed_is_rewritten(build: Path) -> None:
    run(build)
    before = {path.name: path.stat().st_mtime_ns for path in (build / "generated").iterdir()}
    assert run(build).stdout == "artifacts: unchanged\n"
    write_compiled(build, "TestDollar", bytecode={"object": "0x6001"})
    assert run(build).stdout == "artifacts: TestDollar\n"
    after = {path.name: path.stat().st_mtime_ns for path in (build / "generated").iterdir()}
    assert {name for name in after if after[name] != before[name]} == {"TestDollar.json"}


def test_missing_contract_writes_nothing(build: Path) -> None:
    (build / "out" / "ZkVerifier.sol" / "ZkVerifier.json").unlink()
    result = run(build)
    assert result.returncode != 0
    assert "ZkVerifier is not in" in result.stderr
    assert "make build" in result.stderr
    assert not (build / "generated").exists()


def test_missing_verifier(build: Path) -> None:
    (build / "halo2.json").unlink()
    result = run(build)
    assert result.returncode != 0
    assert "build_verifier" in result.stderr


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"bytecode": {"object": "0x"}}, "empty"),
        ({"bytecode": {"object": "0x60__$ab$__"}}, "library"),
        ({"bytecode": None}, "forge"),
    ],
)
def test_code_that_cannot_be_deployed(build: Path, changes: dict[str, Any], word: str) -> None:
    write_compiled(build, "ModelRegistry", **changes)
    result = run(build)
    assert result.returncode != 0
    assert word in result.stderr


def test_two_contracts_of_one_name(build: Path) -> None:
    write_compiled(build, "TestDollar", file="Other")
    result = run(build)
    assert result.returncode != 0
    assert "several contracts are called TestDollar" in result.stderr
