"""EIP-712 typed data as one document, as signers take it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DOMAIN_FIELDS = (
    ("name", "string"),
    ("version", "string"),
    ("chainId", "uint256"),
    ("verifyingContract", "address"),
    ("salt", "bytes32"),
)


def full_message(
    domain: Mapping[str, Any],
    types: Mapping[str, Any],
    primary_type: str,
    message: Mapping[str, Any],
) -> dict[str, Any]:
    """Domain, types and message in the form that EIP-712 calls ``TypedData``."""
    return {
        "types": {
            # Only the fields that the domain has: the hash covers exactly those.
            "EIP712Domain": [
                {"name": name, "type": kind} for name, kind in _DOMAIN_FIELDS if name in domain
            ],
            **types,
        },
        "primaryType": primary_type,
        "domain": dict(domain),
        "message": dict(message),
    }
