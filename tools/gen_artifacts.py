"""Copies what the Python package needs of the compiled contracts into ``gateless/generated``.

Reads forge's output (``contracts/out``) and the generated verifier
(``contracts/generated/Halo2VerifierReusable.json``); writes one small JSON file per contract. A
file is rewritten only where its content changes, so that nothing looks newer than it is.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
CONTRACTS = (
    "ModelRegistry",
    "ZkVerifier",
    "ExecutorStaking",
    "SignatureValidator",
    "InferenceMarket",
    "ReceiptCourt",
    "DisputeCourt",
    "LazyMarket",
    "QuorumMarket",
    "QuorumMembers",
    "AttestedMarket",
    "KeySetVerifier",
    "ResultBoard",
    "TestDollar",
    "DigitReader",
)
HALO2_VERIFIER = "Halo2VerifierReusable"


class ArtifactError(Exception):
    """A compiled contract is missing or cannot be used; the message says what to run."""


def find_compiled(name: str, out: Path) -> Path:
    """forge's file of a contract."""
    found = sorted(out.glob(f"*/{name}.json"))
    if not found:
        raise ArtifactError(f"{name} is not in {out}: run `make build`")
    if len(found) > 1:
        places = ", ".join(str(path.relative_to(out)) for path in found)
        raise ArtifactError(f"several contracts are called {name}: {places}; rename or clean")
    return found[0]


def read_compiled(name: str, out: Path) -> dict[str, Any]:
    """The artifact of a contract that forge compiled."""
    path = find_compiled(name, out)
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        bytecode = data["bytecode"]["object"]
        deployed = data["deployedBytecode"]
        ranges = sorted(
            [reference["start"], reference["length"]]
            for references in deployed.get("immutableReferences", {}).values()
            for reference in references
        )
        artifact = {
            "contractName": name,
            "abi": data["abi"],
            "bytecode": bytecode,
            "deployedBytecode": deployed["object"],
            "immutableRanges": ranges,
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"{path} is not forge's output: {error!r}; run `make build`") from error
    return checked(artifact, path)


def read_halo2(path: Path) -> dict[str, Any]:
    """The artifact of the verifier that ezkl generates; it is called by raw selectors only."""
    if not path.is_file():
        raise ArtifactError(f"{path} is missing: run tools/build_verifier.py (or `make build`)")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        artifact = {
            "contractName": HALO2_VERIFIER,
            "abi": data.get("abi", []),
            "bytecode": data["bytecode"],
            "deployedBytecode": data["deployedBytecode"],
            "immutableRanges": [],
        }
    except (ValueError, KeyError, AttributeError) as error:
        raise ArtifactError(f"{path} is no verifier artifact: {error!r}") from error
    return checked(artifact, path)


def checked(artifact: dict[str, Any], path: Path) -> dict[str, Any]:
    """Refuses code that could not be deployed as it is."""
    for key in ("bytecode", "deployedBytecode"):
        code = artifact[key]
        try:
            length = len(bytes.fromhex(code.removeprefix("0x")))
        except ValueError as error:
            raise ArtifactError(f"{path}: {key} is not hex; is a library unlinked?") from error
        if length == 0:
            raise ArtifactError(f"{path}: {key} is empty; is it an interface or abstract?")
    return artifact


def write_if_changed(path: Path, content: str) -> bool:
    """Writes atomically where the content differs; says whether it did."""
    if path.is_file() and path.read_text(encoding="utf-8") == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".artifact-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return True


def generate(out: Path, halo2: Path, target: Path) -> list[str]:
    """Writes all artifacts, or none where one is missing; returns the names that changed."""
    artifacts = [read_compiled(name, out) for name in CONTRACTS]
    artifacts.append(read_halo2(halo2))
    return [
        artifact["contractName"]
        for artifact in artifacts
        if write_if_changed(
            target / f"{artifact['contractName']}.json", json.dumps(artifact, indent=1) + "\n"
        )
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "contracts" / "out")
    parser.add_argument(
        "--halo2", type=Path, default=ROOT / "contracts" / "generated" / f"{HALO2_VERIFIER}.json"
    )
    parser.add_argument("--target", type=Path, default=ROOT / "offchain" / "gateless" / "generated")
    arguments = parser.parse_args()
    try:
        changed = generate(arguments.out, arguments.halo2, arguments.target)
    except ArtifactError as error:
        raise SystemExit(f"gen_artifacts: {error}") from error
    print(f"artifacts: {', '.join(changed) or 'unchanged'}")


if __name__ == "__main__":
    main()
