"""What dApps are given is what is deployed, and what is signed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain.artifacts import load_artifact
from gateless.devnet import Devnet

from tools.make_dapp import assemble, signed_types, type_hash

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def dapp(devnet: Devnet) -> dict[str, Any]:
    return assemble(devnet.deployment)


def test_addresses_are_those_of_a_running_network(tmp_path: Path, devnet: Devnet) -> None:
    """The tool deploys on a chain of its own, and finds the addresses of every other."""
    target = tmp_path / "dapp.json"
    command = [sys.executable, "-m", "tools.make_dapp", "--target", str(target)]
    for said in ("written", "unchanged"):
        result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        assert result.stdout == f"dapp.json: {said}\n"
    written = json.loads(target.read_text())
    assert written["format"] == 1
    assert written["network"]["chainId"] == devnet.deployment.chain_id
    assert written["network"]["token"]["address"] == devnet.deployment.token.address
    for name, address in devnet.deployment.contracts.items():
        if name in written["contracts"]:
            assert written["contracts"][name]["address"] == address


def test_abis_are_the_compilers(dapp: dict[str, Any]) -> None:
    market = dapp["contracts"]["InferenceMarket"]
    assert market["abi"] == load_artifact("InferenceMarket").abi
    asked = {item.get("name") for item in dapp["contracts"]["IRequestingConsumer"]["abi"]}
    assert {"reclaim", "deliver", "withdrawRefund", "InferenceAsked"} <= asked
    assert "address" not in dapp["contracts"]["TraitToken"]


async def test_typed_data_is_what_the_token_signs(dapp: dict[str, Any], devnet: Devnet) -> None:
    owner = devnet.signers["user"].address
    data = await devnet.client.token.permit_typed_data(owner, owner, 1, 2)
    stated = next(one for one in dapp["typedData"]["domains"] if one["contract"] == "TestDollar")
    assert (stated["name"], stated["version"]) == (data.domain["name"], data.domain["version"])
    assert dapp["typedData"]["types"]["Permit"] == data.types["Permit"]


def test_type_hashes_are_the_standards(dapp: dict[str, Any]) -> None:
    """ERC-2612 and ERC-3009 print these."""
    hashes = dapp["typedData"]["typeHashes"]
    assert hashes["Permit"] == "0x6e71edae12b1b97f4d1f60370fef10105fa2faae0126114a169c64845d6126c9"
    assert (
        hashes["TransferWithAuthorization"]
        == "0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267"
    )
    assert [field["name"] for field in dapp["typedData"]["types"]["Attestation"]] == [
        *("market", "requestId", "versionId", "inputDigest", "outputDigest", "executor")
    ]


def test_types_that_hold_types() -> None:
    """EIP-712's own example: Mail holds two persons, whose type follows."""
    source = 'keccak256(\n  "Mail(Person from,Person to,"\n  "string contents)Person(string name,'
    types = signed_types([source + 'address wallet)"\n)', 'revert("Sum(a b) of it")'])
    assert sorted(types) == ["Mail", "Person"]
    assert type_hash("Mail", types) == (
        "0xa0cedeb2dc280ba39b857546d74f5549c3a1d7bdc2dd96bf881f76108e23dac2"
    )
    assert (
        type_hash("Person", types) == "0x" + keccak(text="Person(string name,address wallet)").hex()
    )
