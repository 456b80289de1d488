"""The Python package against the shared vectors, which the contracts are held against too."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from eth_keys.datatypes import Signature
from eth_utils.crypto import keccak
from gateless.adapters.signer import LocalSigner
from gateless.core.ids import split_version_id, version_id
from gateless.core.packing import (
    IoSchema,
    TensorSpec,
    dequantise,
    from_felt,
    pack,
    quantise,
    to_felt,
    unpack,
)
from gateless.core.receipts import MEMBERS, Court, Receipt

ROOT = Path(__file__).resolve().parents[2]
VECTORS: dict[str, Any] = json.loads(
    (ROOT / "contracts" / "test" / "fixtures" / "vectors.json").read_text(encoding="utf-8")
)


def data(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def spec_of(tensor: Mapping[str, Any]) -> TensorSpec:
    shape = (1, len(tensor["values"]))
    return TensorSpec("t", shape, tensor["width"], tensor["scaleBits"])


def values_of(tensor: Mapping[str, Any]) -> list[int]:
    return [int(value) for value in tensor["values"]]


def test_the_file_is_the_one_that_the_tool_writes() -> None:
    command = [sys.executable, str(ROOT / "tools" / "make_vectors.py"), "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert VECTORS["format"] == 1


@pytest.mark.parametrize("case", [case for case in VECTORS["packing"] if case["values"]])
def test_packing(case: dict[str, Any]) -> None:
    spec = spec_of({**case, "scaleBits": 0})
    packed = pack([values_of(case)], [spec])
    assert packed == data(case["packed"])
    assert unpack(packed, [spec]) == [values_of(case)]
    assert keccak(packed) == data(case["digest"])


@pytest.mark.parametrize("case", VECTORS["schemas"])
def test_schemas(case: dict[str, Any]) -> None:
    sides = {
        name: tuple(spec_of(tensor) for tensor in case[name]) for name in ("inputs", "outputs")
    }
    assert IoSchema(sides["inputs"], sides["outputs"]).encode() == data(case["schema"])
    for name, whole in (("inputs", "packedInput"), ("outputs", "packedOutput")):
        values = [values_of(tensor) for tensor in case[name]]
        assert pack(values, sides[name]) == data(case[whole])
        assert unpack(data(case[whole]), sides[name]) == values


@pytest.mark.parametrize("case", VECTORS["numbers"])
def test_numbers_agree_with_the_floats_of_the_package(case: dict[str, Any]) -> None:
    """Where a double holds the number, quantising it gives what contracts compute exactly."""
    spec = TensorSpec("t", (1, 1), 16, case["scaleBits"])
    number = Fraction(int(case["value"]), 10 ** case["decimals"])
    if Fraction(float(number)) == number and abs(int(case["fromDecimals"])) < 1 << 53:
        assert quantise([float(number)], spec) == [int(case["fromDecimals"])]
    real = Fraction(float(dequantise([int(case["value"])], spec)[0, 0]))
    exact = Fraction(int(case["value"])) / Fraction(2) ** case["scaleBits"]
    if real == exact:
        scaled = real * 10 ** case["decimals"]
        assert abs(scaled - int(case["toDecimals"])) < 1
        assert abs(int(case["toDecimals"])) <= abs(scaled)


@pytest.mark.parametrize("case", VECTORS["felts"])
def test_felts(case: dict[str, str]) -> None:
    assert to_felt(int(case["value"])) == int(case["felt"])
    assert from_felt(int(case["felt"])) == int(case["value"])


@pytest.mark.parametrize("case", VECTORS["versionIds"])
def test_version_ids(case: dict[str, str]) -> None:
    model, index = int(case["modelId"]), int(case["index"])
    assert version_id(model, index) == int(case["versionId"])
    assert split_version_id(int(case["versionId"])) == (model, index)


async def test_permits_are_signed_as_the_package_signs_them() -> None:
    """The package's signer on the vector's message: its signature recovers to its own account."""
    (case,) = VECTORS["permits"]
    whole = ("value", "nonce", "deadline")
    kinds = {"owner": "address", "spender": "address"} | dict.fromkeys(whole, "uint256")
    types = {"Permit": [{"name": name, "type": kind} for name, kind in kinds.items()]}
    domain = {**case["domain"], "chainId": int(case["domain"]["chainId"])}
    message = {**case["message"], **{name: int(case["message"][name]) for name in whole}}
    signer = LocalSigner.random()
    signature = await signer.sign_typed_data(domain, types, "Permit", message)
    assert recovered(case["digest"], signature) == signer.address
    assert recovered(case["digest"], data(case["signature"])) == case["message"]["owner"]


@pytest.mark.parametrize("case", VECTORS["keySets"])
def test_evidence_is_the_key_set_and_its_signatures(case: dict[str, Any]) -> None:
    evidence, keys = data(case["evidence"]), case["keys"]
    assert evidence[:2] == bytes((case["threshold"], len(keys)))
    end = 2 + 20 * len(keys)
    assert evidence[2:end] == b"".join(data(key) for key in keys)
    assert sorted(keys, key=lambda key: int(key, 16)) == keys
    assert keccak(evidence[:end]) == data(case["policy"])
    signers = [evidence[at : at + 66] for at in range(end, len(evidence), 66)]
    assert len(signers) == case["threshold"]
    for signer in signers:
        assert recovered(case["digest"], signer[1:]) == keys[signer[0]]


@pytest.mark.parametrize("case", VECTORS["receipts"])
def test_receipts_are_hashed_and_checked_as_the_package_does(case: dict[str, Any]) -> None:
    values = {
        name: int(case["message"][name])
        if kind.startswith("uint")
        else data(case["message"][name])
        if kind == "bytes32"
        else case["message"][name]
        for name, kind in MEMBERS
    }
    receipt = Receipt.of_struct(values)
    court = Court(int(case["domain"]["chainId"]), case["domain"]["verifyingContract"])
    assert receipt.hash() == data(case["structHash"])
    assert receipt.subject == data(case["subject"])
    assert receipt.packed_digest == data(case["packedDigest"])
    assert court.digest(receipt) == data(case["digest"])
    assert recovered(case["digest"], data(case["signature"])) == case["receiptKey"]


def recovered(digest: str, signature: bytes) -> str:
    """Who signed, by the curve's library rather than by the one that signed."""
    vrs = (signature[64] - 27, int.from_bytes(signature[:32]), int.from_bytes(signature[32:64]))
    return str(
        Signature(vrs=vrs).recover_public_key_from_msg_hash(data(digest)).to_checksum_address()
    )
