"""Makes contracts/test/fixtures/vectors.json: shared vectors of packing, numbers and hashing.

What a dApp, the Python package and the contracts must agree on, to the bit. Every expected value is
computed here by the plainest means there are (Python's integers and fractions, eth-account), never
by the code under test; `tests/core/test_vectors.py` holds the Python package against it and
`contracts/test/unit/Vectors.t.sol` the contracts. Integers are decimal strings, bytes 0x hex.
`format` changes whenever a reader of the former file could misread the new one.

    python tools/make_vectors.py            writes the file
    python tools/make_vectors.py --check    says whether it is the one that would be written
"""

from __future__ import annotations

import argparse
import json
import random
from fractions import Fraction
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "contracts" / "test" / "fixtures" / "vectors.json"
FORMAT = 1
CHAIN_ID = 31337
WIDTHS = (1, 2, 4, 8, 16)
FIELD = 21888242871839275222246405745257275088548364400416034343698204186575808495617
#: Anything but a real deployment: the vectors are about hashing.
VERIFIER = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
TOKEN = "0xe7f1725E7734CE288F8367e1Bb143E90bb3F0512"  # noqa: S105
ATTESTATION = (
    ("market", "address"),
    ("requestId", "uint256"),
    ("versionId", "uint64"),
    ("inputDigest", "bytes32"),
    ("outputDigest", "bytes32"),
    ("executor", "address"),
)
RECEIPT = (
    ("versionId", "uint64"),
    ("inputBinding", "bytes32"),
    ("inputDigest", "bytes32"),
    ("outputDigest", "bytes32"),
    ("executor", "address"),
    ("beneficiary", "address"),
    ("price", "uint128"),
    ("bond", "uint128"),
    ("issued", "uint64"),
    ("expires", "uint64"),
    ("epoch", "uint64"),
    ("slot", "uint32"),
)
QUORUM_REQUEST = (
    ("requester", "address"),
    ("versionId", "uint64"),
    ("runtimeClass", "bytes32"),
    ("inputDigest", "bytes32"),
    ("inputBinding", "bytes32"),
    ("price", "uint128"),
    ("members", "uint8"),
    ("threshold", "uint8"),
    ("minEligible", "uint128"),
    ("deadline", "uint64"),
    ("commitWindow", "uint32"),
    ("revealWindow", "uint32"),
    ("callback", "address"),
    ("callbackGas", "uint32"),
    ("nonce", "uint256"),
    ("inputHint", "string"),
)
ATTESTED_REQUEST = (
    ("requester", "address"),
    ("versionId", "uint64"),
    ("inputDigest", "bytes32"),
    ("inputBinding", "bytes32"),
    ("maxPrice", "uint128"),
    ("minPrice", "uint128"),
    ("rampStart", "uint64"),
    ("rampLength", "uint32"),
    ("deadline", "uint64"),
    ("verifier", "address"),
    ("policy", "bytes32"),
    ("executor", "address"),
    ("callback", "address"),
    ("callbackGas", "uint32"),
    ("nonce", "uint256"),
    ("inputHint", "string"),
)
PERMIT = (
    ("owner", "address"),
    ("spender", "address"),
    ("value", "uint256"),
    ("nonce", "uint256"),
    ("deadline", "uint256"),
)


def hex_of(data: bytes) -> str:
    return "0x" + data.hex()


def packed(values: list[int], width: int) -> bytes:
    return b"".join(value.to_bytes(width, "big", signed=True) for value in values)


def packing(source: random.Random) -> list[dict[str, Any]]:
    """The ends of each width, zero and its neighbours, and values drawn by a seed."""
    cases = []
    for width in WIDTHS:
        top = 1 << (8 * width - 1)
        drawn = [source.randrange(-top, top) for _ in range(5)]
        for values in ([], [0], [-top, top - 1, 0, -1, 1], drawn):
            data = packed(values, width)
            cases.append(
                {
                    "width": width,
                    "values": [str(value) for value in values],
                    "packed": hex_of(data),
                    "digest": hex_of(keccak(data)),
                    "argmax": str(values.index(max(values))) if values else "",
                    "argmin": str(values.index(min(values))) if values else "",
                }
            )
    return cases


def schemas(source: random.Random) -> list[dict[str, Any]]:
    """Whole inputs and outputs of several tensors, with where each lies."""
    cases = []
    for inputs, outputs in ((1, 1), (2, 1), (1, 3), (3, 2)):
        head = bytes((inputs, outputs))
        tensors = []
        offset = 0
        for index in range(inputs + outputs):
            offset = 0 if index == inputs else offset
            width, scale = source.choice(WIDTHS), source.randrange(-128, 128)
            top = 1 << (8 * width - 1)
            values = [source.randrange(-top, top) for _ in range(source.randrange(1, 6))]
            head += bytes((width, scale % 256)) + len(values).to_bytes(4, "big")
            tensors.append(
                {
                    "width": width,
                    "scaleBits": scale,
                    "offset": offset,
                    "values": [str(value) for value in values],
                    "packed": hex_of(packed(values, width)),
                }
            )
            offset += width * len(values)
        ends = (tensors[:inputs], tensors[inputs:])
        sides = ["0x" + "".join(one["packed"][2:] for one in tensors_) for tensors_ in ends]
        cases.append(
            {
                "schema": hex_of(head),
                "inputs": tensors[:inputs],
                "outputs": tensors[inputs:],
                "packedInput": sides[0],
                "packedOutput": sides[1],
                "inputDigest": hex_of(keccak(bytes.fromhex(sides[0][2:]))),
            }
        )
    return cases


def toward_zero(number: Fraction) -> int:
    size = abs(number.numerator) // number.denominator
    return size if number >= 0 else -size


def half_away(number: Fraction) -> int:
    size = (2 * abs(number.numerator) + number.denominator) // (2 * number.denominator)
    return size if number >= 0 else -size


def numbers(source: random.Random) -> list[dict[str, Any]]:
    """Binary-scaled integers as decimals (toward zero), and decimals as integers (nearest)."""
    cases = []
    chosen = [(1, 1, 0), (-1, 1, 0), (3, 1, 0), (-3, 1, 0), (5, -4, 2), (-40, 4, 0), (7, 127, 40)]
    for _ in range(25):
        size = 1 << source.randrange(1, 127)
        chosen.append(
            (source.randrange(-size, size), source.randrange(-20, 64), source.randrange(0, 19))
        )
    for value, scale, decimals in chosen:
        unit = Fraction(2) ** scale
        cases.append(
            {
                "value": str(value),
                "scaleBits": scale,
                "decimals": decimals,
                "toDecimals": str(toward_zero(value / unit * 10**decimals)),
                "fromDecimals": str(half_away(Fraction(value, 10**decimals) * unit)),
            }
        )
    return cases


def felts(source: random.Random) -> list[dict[str, str]]:
    values = [0, 1, -1, (1 << 127) - 1, -(1 << 127), source.randrange(-(1 << 127), 1 << 127)]
    return [{"value": str(value), "felt": str(value % FIELD)} for value in values]


def version_ids() -> list[dict[str, str]]:
    pairs = [(1, 0), (1, 7), (77, 3), ((1 << 32) - 1, (1 << 32) - 1)]
    return [
        {"modelId": str(model), "index": str(index), "versionId": str(model * (1 << 32) + index)}
        for model, index in pairs
    ]


def typed(
    name: str, contract: str, primary: str, fields: tuple[tuple[str, str], ...], **message: Any
) -> tuple[Any, dict[str, Any]]:
    """A signable message, and how it is told: integers as strings."""
    domain = {"name": name, "version": "1", "chainId": CHAIN_ID, "verifyingContract": contract}
    full = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            primary: [{"name": field, "type": kind} for field, kind in fields],
        },
        "primaryType": primary,
        "domain": domain,
        "message": message,
    }
    signable = encode_typed_data(full_message=full)
    told = {
        "domain": {**domain, "chainId": str(CHAIN_ID)},
        "message": {
            field: str(value) if isinstance(value, int) else value
            for field, value in message.items()
        },
        "digest": hex_of(keccak(b"\x19" + signable.version + signable.header + signable.body)),
    }
    return signable, told


def key_sets(source: random.Random) -> list[dict[str, Any]]:
    """Key sets with an attestation by the first keys that are enough."""
    cases = []
    for threshold, size in ((1, 1), (2, 3), (5, 5)):
        accounts = sorted(
            (Account.from_key(source.randbytes(32)) for _ in range(size)),
            key=lambda account: int(account.address, 16),
        )
        key_set = bytes((threshold, size)) + b"".join(
            bytes.fromhex(account.address[2:]) for account in accounts
        )
        signable, told = typed(
            "Gateless KeySetVerifier",
            VERIFIER,
            "Attestation",
            ATTESTATION,
            market=TOKEN,
            requestId=source.randrange(1, 1 << 40),
            versionId=(source.randrange(1, 1 << 32) << 32) + source.randrange(1 << 32),
            inputDigest=hex_of(source.randbytes(32)),
            outputDigest=hex_of(source.randbytes(32)),
            executor=accounts[0].address,
        )
        signed = b"".join(
            bytes((index,)) + bytes(accounts[index].sign_message(signable).signature)
            for index in range(threshold)
        )
        cases.append(
            {
                "threshold": threshold,
                "keys": [account.address for account in accounts],
                "policy": hex_of(keccak(key_set)),
                **told,
                "evidence": hex_of(key_set + signed),
            }
        )
    return cases


def permits(source: random.Random) -> list[dict[str, Any]]:
    owner = Account.from_key(source.randbytes(32))
    signable, told = typed(
        "Test Dollar",
        TOKEN,
        "Permit",
        PERMIT,
        owner=owner.address,
        spender=VERIFIER,
        value=source.randrange(1 << 88),
        nonce=0,
        deadline=(1 << 256) - 1,
    )
    return [{**told, "signature": hex_of(bytes(owner.sign_message(signable).signature))}]


def receipts(source: random.Random) -> list[dict[str, Any]]:
    """Receipts of packed and of committed inputs, for somebody and for nobody, signed by a key."""
    cases = []
    for committed, beneficiary in ((False, TOKEN), (True, TOKEN), (True, "0x" + 40 * "0")):
        key = Account.from_key(source.randbytes(32))
        issued = source.randrange(1 << 40)
        binding = hex_of(source.randbytes(32))
        digest = hex_of(source.randbytes(32) if committed else bytes(32))
        version_id = (source.randrange(1, 1 << 32) << 32) + source.randrange(1 << 32)
        output = hex_of(source.randbytes(32))
        signable, told = typed(
            "Gateless ReceiptCourt",
            VERIFIER,
            "Receipt",
            RECEIPT,
            versionId=version_id,
            inputBinding=binding,
            inputDigest=digest,
            outputDigest=output,
            executor=Account.from_key(source.randbytes(32)).address,
            beneficiary=beneficiary,
            price=source.randrange(1 << 128),
            bond=source.randrange(1 << 128),
            issued=issued,
            expires=issued + source.randrange(1 << 20),
            epoch=source.randrange(1 << 30),
            slot=source.randrange(1 << 32),
        )
        words = version_id.to_bytes(32) + bytes.fromhex(binding[2:] + output[2:])
        cases.append(
            {
                **told,
                "structHash": hex_of(bytes(signable.body)),
                # What one proof settles, and what the packed input hashes to.
                "subject": hex_of(keccak(words)),
                "packedDigest": digest if committed else binding,
                "receiptKey": key.address,
                "signature": hex_of(bytes(key.sign_message(signable).signature)),
            }
        )
    return cases


def drawn_value(kind: str, source: random.Random) -> Any:
    """Any value of a type; numbers of any size that it has."""
    if kind == "string":
        return source.choice(("", "https://inputs.example/0a1b", "gr\u00fc\u00df Gott " * 9))
    if kind == "address":
        return str(Account.from_key(source.randbytes(32)).address)
    if kind == "bytes32":
        return hex_of(source.randbytes(32))
    return source.getrandbits(source.randint(1, int(kind.removeprefix("uint"))))


def requests(
    market: str, fields: tuple[tuple[str, str], ...], source: random.Random
) -> list[dict[str, Any]]:
    """Requests to one of the markets that keep one word each; the digest is the request's id."""
    cases = []
    for _ in range(3):
        message = {field: drawn_value(kind, source) for field, kind in fields}
        primary = market.replace("Market", "InferenceRequest")
        signable, told = typed(f"Gateless {market}", VERIFIER, primary, fields, **message)
        cases.append({**told, "structHash": hex_of(bytes(signable.body))})
    return cases


def vectors() -> dict[str, Any]:
    """All of them; the seed makes them the same each time."""
    source = random.Random(0x67617465)  # noqa: S311
    return {
        "format": FORMAT,
        "packing": packing(source),
        "schemas": schemas(source),
        "numbers": numbers(source),
        "felts": felts(source),
        "versionIds": version_ids(),
        "keySets": key_sets(source),
        "permits": permits(source),
        "receipts": receipts(source),
        "quorumRequests": requests("QuorumMarket", QUORUM_REQUEST, source),
        "attestedRequests": requests("AttestedMarket", ATTESTED_REQUEST, source),
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true")
    content = json.dumps(vectors(), indent=1) + "\n"
    if parser.parse_args().check:
        if TARGET.read_text(encoding="utf-8") != content:
            raise SystemExit(f"{TARGET.relative_to(ROOT)} is another: run tools/make_vectors.py")
        return
    TARGET.write_text(content, encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: written")


if __name__ == "__main__":
    main()
