"""The build's own guards do their job."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def forge_binary() -> Path:
    return next((ROOT / "node_modules" / "@foundry-rs").glob("forge-*/bin/forge"))


def test_platform_binary_reports_a_failing_suite() -> None:
    result = run("bash", "tools/forge_must_fail.sh", str(forge_binary()))
    assert result.returncode == 0, result.stderr


def test_a_forge_that_hides_failures_is_found_out(tmp_path: Path) -> None:
    """The npm wrapper is such a forge; a stand-in of ours stays one when npm's is mended."""
    hides = tmp_path / "forge"
    hides.write_text(f'#!/bin/sh\n"{forge_binary()}" "$@"\nexit 0\n')
    hides.chmod(0o755)
    result = run("bash", "tools/forge_must_fail.sh", str(hides))
    assert result.returncode != 0
    assert "exits 0 although a test failed" in result.stderr


def test_compiler_shim_speaks_as_forge_and_ezkl_expect() -> None:
    version = run("tools/solc", "--version")
    assert "Version: 0.8.30+commit" in version.stdout
    assert run("tools/solc", "--nonsense").returncode == 2


def test_machine_check_names_what_is_missing() -> None:
    result = run("bash", "tools/check_machine.sh", "no-such-python")
    assert result.returncode != 0
    assert "Gateless needs Python 3.11 or newer" in result.stderr


def test_verifier_with_another_hash_stops_the_build(tmp_path: Path) -> None:
    script = (ROOT / "tools" / "build_verifier.py").read_text()
    pinned = script.split('PINNED_RUNTIME_SHA256 = "')[1][:64]
    copy = tmp_path / "tools" / "build_verifier.py"
    copy.parent.mkdir()
    copy.write_text(script.replace(pinned, "0" * 64))
    for name in ("offchain", "proofs", "node_modules", "package.json"):
        (tmp_path / name).symlink_to(ROOT / name)
    (copy.parent / "solc").symlink_to(ROOT / "tools" / "solc")
    result = run(str(ROOT / ".venv/bin/python"), str(copy), "--out", str(tmp_path / "out"))
    assert result.returncode != 0
    assert "is not the pinned one" in result.stderr
    assert not (tmp_path / "out").exists()
