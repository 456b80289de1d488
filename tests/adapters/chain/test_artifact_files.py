from __future__ import annotations

import json
from pathlib import Path

import pytest
from gateless.adapters.chain.artifacts import CONTRACT_NAMES, HALO2_VERIFIER, load_artifact
from gateless.core.errors import ConfigError


@pytest.mark.parametrize("name", [*CONTRACT_NAMES, HALO2_VERIFIER])
def test_built_artifacts_load(name: str) -> None:
    artifact = load_artifact(name)
    assert artifact.name == name
    # The limit of EIP-170, https://eips.ethereum.org/EIPS/eip-170
    assert 0 < len(artifact.deployed_bytecode) <= 24_576
    assert len(artifact.bytecode) > len(artifact.deployed_bytecode)


def test_missing_artifacts_say_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as info:
        load_artifact("ModelRegistry", tmp_path)
    assert info.value.code == "artifacts-missing"
    assert "make build" in info.value.hint


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"contractName": "X", "abi": []}'])
def test_damaged_artifacts(tmp_path: Path, content: str) -> None:
    (tmp_path / "X.json").write_text(content)
    with pytest.raises(ConfigError) as info:
        load_artifact("X", tmp_path)
    assert info.value.code == "artifact-invalid"


def test_code_matches_whatever_the_immutables_hold(tmp_path: Path) -> None:
    (tmp_path / "X.json").write_text(
        json.dumps(
            {
                "contractName": "X",
                "abi": [],
                "bytecode": "0x00",
                "deployedBytecode": "0xaa0000bb",
                "immutableRanges": [[1, 2]],
            }
        )
    )
    artifact = load_artifact("X", tmp_path)
    assert artifact.matches(bytes.fromhex("aa1234bb"))
    assert not artifact.matches(bytes.fromhex("ab1234bb"))
    assert not artifact.matches(bytes.fromhex("aa1234bb00"))
    assert not artifact.matches(b"")
