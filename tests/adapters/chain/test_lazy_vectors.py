"""Lazy requests and claims hash as the contracts do: both are held against the same vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from gateless.adapters.chain.lazy_requests import lazy_id_of
from gateless.core.lazy import LazyClaim, LazyRequest, lazy_commitment

FIXTURES = Path(__file__).resolve().parents[3] / "contracts" / "test" / "fixtures"
VECTORS = json.loads((FIXTURES / "lazy_requests.json").read_text(encoding="utf-8"))
DOMAIN = VECTORS["domain"]


def values(kind: Any, stated: dict[str, str]) -> dict[str, Any]:
    read = {
        "address": to_checksum_address,
        "bytes32": lambda text: bytes.fromhex(text[2:]),
        "string": str,
    }
    return {name: read.get(solidity, int)(stated[name]) for name, solidity in kind.MEMBERS}


def test_the_types_are_the_same() -> None:
    members = [(entry["name"], entry["type"]) for entry in VECTORS["types"][VECTORS["primaryType"]]]
    assert members == list(LazyRequest.MEMBERS)
    assert VECTORS["count"] == len(VECTORS["requests"]) == len(VECTORS["claims"]) == 3


@pytest.mark.parametrize("stated", VECTORS["requests"], ids=["zero", "plain", "extreme"])
def test_a_requests_id_is_the_digest_that_is_signed(stated: dict[str, str]) -> None:
    request = LazyRequest.of_struct(values(LazyRequest, stated))
    found = lazy_id_of(request, DOMAIN["chainId"], DOMAIN["verifyingContract"])
    assert f"0x{found:064x}" == stated["digest"]


@pytest.mark.parametrize("stated", VECTORS["claims"], ids=["zero", "plain", "extreme"])
def test_a_claims_hash_and_commitment(stated: dict[str, str]) -> None:
    claim = LazyClaim.of_struct(values(LazyClaim, stated))
    assert f"0x{claim.hash().hex()}" == stated["hash"]
    salt = bytes.fromhex(VECTORS["salt"][2:])
    made = lazy_commitment(VECTORS["challenger"], DOMAIN["verifyingContract"], claim, salt)
    assert f"0x{made.hex()}" == stated["commitment"]
