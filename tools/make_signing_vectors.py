"""Writes the vectors of what requesters sign, which the Python and the Solidity tests read.

The hashes are eth-account's, so that neither of our two implementations judges itself. Run it after
a change of the signed type, and raise ``VERSION``: whoever signs elsewhere reads this file too.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

TARGET = Path(__file__).resolve().parent.parent / "contracts/test/fixtures/signed_requests.json"
VERSION = 1

DOMAIN = {
    "name": "Gateless InferenceMarket",
    "version": "1",
    "chainId": 31337,
    "verifyingContract": "0x5FbDB2315678afecb367f032d93F642f64180aa3",
}
TYPE = [
    {"name": name, "type": kind}
    for kind, name in (
        part.split(" ")
        for part in [
            "address requester",
            "uint64 versionId",
            "uint8 mode",
            "bytes32 inputDigest",
            "bytes32 inputBinding",
            "uint128 maxPrice",
            "uint128 minPrice",
            "uint64 rampStart",
            "uint32 rampLength",
            "uint128 collateral",
            "uint64 deadline",
            "uint32 lockDuration",
            "address executor",
            "address callback",
            "uint32 callbackGas",
            "uint256 nonce",
            "string inputHint",
        ]
    )
]
ZERO = "0x" + 40 * "0"


def case(**changes: Any) -> dict[str, Any]:
    """A request with some members changed."""
    digest = "0x" + keccak(text="input").hex()
    plain = {
        "requester": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
        "versionId": 1 << 32,
        "mode": 0,
        "inputDigest": digest,
        "inputBinding": digest,
        "maxPrice": 5_000_000,
        "minPrice": 0,
        "rampStart": 0,
        "rampLength": 0,
        "collateral": 20_000_000,
        "deadline": 1_900_003_600,
        "lockDuration": 600,
        "executor": ZERO,
        "callback": ZERO,
        "callbackGas": 0,
        "nonce": 0,
        "inputHint": "",
    }
    return plain | changes


CASES = (
    case(),
    case(
        mode=1,
        minPrice=1,
        rampStart=1_900_000_000,
        rampLength=1200,
        executor="0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
        callback="0x90F79bf6EB2c4f870365E785982E1f101E93b906",
        callbackGas=100_000,
        nonce=770,
        inputHint="https://inputs.example/0a1b",
    ),
    case(
        requester="0x" + 40 * "F",
        versionId=2**64 - 1,
        mode=3,
        inputDigest="0x" + 64 * "f",
        inputBinding="0x" + 64 * "e",
        maxPrice=2**128 - 1,
        minPrice=2**128 - 2,
        rampStart=2**64 - 1,
        rampLength=2**32 - 1,
        collateral=2**128 - 1,
        deadline=2**64 - 1,
        lockDuration=2**32 - 1,
        executor="0x" + 40 * "F",
        callback="0x" + 40 * "F",
        callbackGas=2**32 - 1,
        nonce=2**256 - 1,
        inputHint="gr\u00fc\u00df Gott " * 16,
    ),
)


def hashed(message: dict[str, Any]) -> dict[str, Any]:
    """A case with its hashes; numbers as text, since JSON's readers round large ones."""
    signable = encode_typed_data(DOMAIN, {"InferenceRequest": TYPE}, message)
    digest = keccak(b"\x19" + signable.version + signable.header + signable.body)
    texts = {
        name: str(value) if isinstance(value, int) else value for name, value in message.items()
    }
    return texts | {"structHash": "0x" + signable.body.hex(), "digest": "0x" + digest.hex()}


def main() -> None:
    """Writes the file."""
    content = {
        "version": VERSION,
        "domain": DOMAIN,
        "primaryType": "InferenceRequest",
        "types": {"InferenceRequest": TYPE},
        "count": len(CASES),
        "cases": [hashed(entry) for entry in CASES],
    }
    TARGET.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"{TARGET.name}: {len(CASES)} cases")


if __name__ == "__main__":
    main()
