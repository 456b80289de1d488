"""Writes the vectors of lazy requests and claims, which the Python and the Solidity tests read.

A request's hashes are eth-account's, a claim's are eth-abi's, so that neither of our two
implementations judges itself. Run it after a change of the types, and raise ``VERSION``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

TARGET = Path(__file__).resolve().parent.parent / "contracts/test/fixtures/lazy_requests.json"
VERSION = 1
PRIMARY_TYPE = "LazyInferenceRequest"
DOMAIN = {
    "name": "Gateless LazyMarket",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
}
REQUEST = (
    "address requester,uint64 versionId,bytes32 inputDigest,bytes32 inputBinding,uint128 maxPrice,"
    "uint128 minPrice,uint64 rampStart,uint32 rampLength,uint128 collateral,uint64 deadline,"
    "uint32 lockDuration,uint32 challengeWindow,uint32 responseWindow,uint16 auditBps,"
    "address executor,address callback,uint32 callbackGas,uint256 nonce,string inputHint"
)
CLAIM = (
    "uint256 requestId,uint64 versionId,address requester,address executor,bytes32 inputBinding,"
    "bytes32 inputDigest,bytes32 outputDigest,uint128 price,uint16 royaltyBps,uint128 collateral,"
    "uint64 challengeDeadline,uint32 responseWindow,uint16 auditBps,uint64 answeredBlock,"
    "address callback,uint32 callbackGas"
)
ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BOB = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
SALT = "0x" + keccak(text="salt").hex()


def members(text: str) -> list[dict[str, str]]:
    """Name and type of each member of a struct."""
    pairs = (part.split(" ") for part in text.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


def plain(text: str) -> dict[str, Any]:
    """A value for each member, none of them zero, no two alike."""
    values: dict[str, Any] = {}
    for place, entry in enumerate(members(text), 1):
        kind, name = entry["type"], entry["name"]
        values[name] = {
            "address": ALICE if name == "requester" else BOB,
            "bytes32": "0x" + keccak(text=name).hex(),
            "string": "https://inputs.example/0a1b",
        }.get(kind, 1000 + place)
    return values


def extreme(text: str) -> dict[str, Any]:
    """The largest value of each member."""
    return {
        entry["name"]: {
            "address": "0x" + 40 * "F",
            "bytes32": "0x" + 64 * "f",
            "string": "gr\u00fc\u00df Gott " * 16,
        }.get(entry["type"])
        or (1 << int(entry["type"].removeprefix("uint"))) - 1
        for entry in members(text)
    }


def zero(text: str) -> dict[str, Any]:
    """Nothing anywhere."""
    return {
        entry["name"]: {"address": "0x" + 40 * "0", "bytes32": "0x" + 64 * "0", "string": ""}.get(
            entry["type"], 0
        )
        for entry in members(text)
    }


def spelled(values: dict[str, Any]) -> dict[str, str]:
    """Numbers as text, since JSON's readers round large ones."""
    return {name: str(value) for name, value in values.items()}


def hashed_request(message: dict[str, Any]) -> dict[str, str]:
    """A request with its hashes."""
    signable = encode_typed_data(DOMAIN, {PRIMARY_TYPE: members(REQUEST)}, message)
    digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
    return spelled(message) | {
        "structHash": "0x" + signable.body.hex(),
        "digest": "0x" + digest.hex(),
    }


def hashed_claim(values: dict[str, Any]) -> dict[str, str]:
    """A claim with its hash, and a commitment to doubt it."""
    kinds = [entry["type"] for entry in members(CLAIM)]
    words = [
        bytes.fromhex(value[2:]) if kind == "bytes32" else value
        for kind, value in zip(kinds, values.values(), strict=True)
    ]
    digest = keccak(encode(kinds, words))
    committed = keccak(
        encode(
            ["address", "address", "bytes32", "bytes32"],
            [ALICE, DOMAIN["verifyingContract"], digest, bytes.fromhex(SALT[2:])],
        )
    )
    return spelled(values) | {
        "hash": "0x" + digest.hex(),
        "commitment": "0x" + committed.hex(),
    }


def main() -> None:
    """Writes the file."""
    requests = [hashed_request(make(REQUEST)) for make in (zero, plain, extreme)]
    claims = [hashed_claim(make(CLAIM)) for make in (zero, plain, extreme)]
    content = {
        "version": VERSION,
        "domain": DOMAIN,
        "primaryType": PRIMARY_TYPE,
        "types": {PRIMARY_TYPE: members(REQUEST)},
        "challenger": ALICE,
        "salt": SALT,
        "count": len(requests),
        "requests": requests,
        "claims": claims,
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(requests)} requests, {len(claims)} claims")


if __name__ == "__main__":
    main()
