"""Requests to the quorum's and the attested market against the shared vectors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from gateless.adapters.chain.record_signing import ATTESTED_REQUEST, QUORUM_REQUEST, SignedType
from gateless.core.attested import AttestedRequest
from gateless.core.quorums import QuorumRequest

ROOT = Path(__file__).resolve().parents[3]
VECTORS: dict[str, Any] = json.loads(
    (ROOT / "contracts" / "test" / "fixtures" / "vectors.json").read_text(encoding="utf-8")
)
KINDS: dict[str, tuple[SignedType, type[QuorumRequest] | type[AttestedRequest]]] = {
    "quorumRequests": (QUORUM_REQUEST, QuorumRequest),
    "attestedRequests": (ATTESTED_REQUEST, AttestedRequest),
}


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name in KINDS for case in VECTORS[name]]
)
def test_a_requests_id_is_the_digest_that_is_signed(name: str, case: dict[str, Any]) -> None:
    signed, struct = KINDS[name]
    domain = {**case["domain"], "chainId": int(case["domain"]["chainId"])}
    assert signed.domain(domain["chainId"], domain["verifyingContract"]) == domain
    values = {
        kind_name: _value(kind, case["message"][kind_name]) for kind_name, kind in struct.MEMBERS
    }
    digest = signed.digest(struct.of_struct(values), domain["chainId"], domain["verifyingContract"])
    assert "0x" + digest.hex() == case["digest"]


def _value(kind: str, text: str) -> Any:
    if kind.startswith("uint"):
        return int(text)
    return bytes.fromhex(text[2:]) if kind == "bytes32" else text
