"""What dApps are given is what is deployed, and what is signed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak
from gateless.adapters.chain.artifacts import load_artifact
from gateless.core.types import RequestState, TrustMode
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


async def test_domains_are_what_the_contracts_state(dapp: dict[str, Any], devnet: Devnet) -> None:
    """ERC-5267, of every contract that signatures are for; those not deployed are named all the
    same."""
    domains = {one["contract"]: one for one in dapp["typedData"]["domains"]}
    entries = dapp["contracts"].items()
    signing = {name for name, entry in entries if _function(entry["abi"], "eip712Domain")}
    assert signing == set(domains)
    asked = 0
    for name in signing:
        address = dapp["contracts"][name].get("address")
        if address is None:
            continue
        call = {"to": address, "data": "0x" + keccak(text="eip712Domain()")[:4].hex()}
        kinds = ["bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"]
        _, stated, version, chain_id, contract, _, _ = decode(
            kinds, await devnet.client.rpc.data("eth_call", call, "latest")
        )
        assert (stated, version) == (domains[name]["name"], domains[name]["version"])
        assert (chain_id, contract) == (dapp["network"]["chainId"], address.lower())
        asked += 1
    assert asked >= 4


def _function(abi: list[dict[str, Any]], name: str) -> bool:
    return any(item["type"] == "function" and item["name"] == name for item in abi)


def test_enums_are_those_that_the_abis_speak_of(dapp: dict[str, Any]) -> None:
    spoken = set(
        re.findall(r'"internalType": "enum (?:\w+\.)?(\w+)', json.dumps(dapp["contracts"]))
    )
    assert spoken <= set(dapp["enums"])
    assert dapp["enums"]["RequestState"] == [state.name for state in RequestState]
    assert dapp["enums"]["TrustMode"] == [mode.name for mode in TrustMode]


def test_vectors_hold_those_of_signed_requests(dapp: dict[str, Any]) -> None:
    for name in ("signedRequests", "lazyRequests"):
        vectors = dapp["vectors"][name]
        types = dapp["typedData"]["types"]
        assert vectors["types"] == {vectors["primaryType"]: types[vectors["primaryType"]]}
    assert len(dapp["vectors"]["receipts"]) == 3


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
