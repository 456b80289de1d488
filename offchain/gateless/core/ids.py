"""Identifiers and digests, spelled the way the contracts and IPFS spell them."""

from __future__ import annotations

import base64
import hashlib
from typing import NewType

from gateless.core.errors import InputError

ModelId = NewType("ModelId", int)
VersionId = NewType("VersionId", int)

#: The market counts requests up to here; larger ids are digests.
_FIRST_DIGEST = 1 << 64
_CID_PREFIX = bytes((0x01, 0x55, 0x12, 0x20))  # CIDv1, raw codec, sha2-256, 32 bytes


def version_id(model_id: int, index: int) -> VersionId:
    """``modelId << 32 | index``, as ``ModelRegistry`` numbers versions."""
    if not (0 < model_id < 1 << 32 and 0 <= index < 1 << 32):
        raise InputError("invalid-version-id", f"model {model_id}, index {index} is out of range")
    return VersionId(model_id << 32 | index)


def split_version_id(version: int) -> tuple[ModelId, int]:
    """The model id and the index of a version id."""
    return ModelId(version >> 32), version & 0xFFFFFFFF


def spell_request(request_id: int) -> str:
    """A request's id as people write it: the market's number, or the digest of a signed one."""
    return f"0x{request_id:064x}" if is_digest(request_id) else str(request_id)


def is_digest(request_id: int) -> bool:
    """Whether a request's id is an EIP-712 digest; those that a market counts are small."""
    return request_id >= _FIRST_DIGEST


def sha256_hex(data: bytes) -> str:
    """Lower-case hex sha256 of ``data``: the identity of every file."""
    return hashlib.sha256(data).hexdigest()


def cid_of(sha256: str) -> str:
    """CIDv1-raw spelling (multibase base32) of a sha256 hex digest.

    Source: https://github.com/multiformats/cid. The digest decides; a CID is only its spelling.
    """
    encoded = base64.b32encode(_CID_PREFIX + bytes.fromhex(parse_digest(sha256)))
    return "b" + encoded.decode("ascii").lower().rstrip("=")


def parse_digest(text: str) -> str:
    """Reads a sha256 in hex (with or without ``0x``) or as CIDv1-raw; returns lower-case hex."""
    value = text.strip()
    if value.startswith("b") and len(value) == 59:
        raw = value[1:].upper()
        try:
            decoded = base64.b32decode(raw + "=" * (-len(raw) % 8))
        except ValueError:
            decoded = b""
        if len(decoded) == 36 and decoded.startswith(_CID_PREFIX):
            return decoded[4:].hex()
    value = value.removeprefix("0x").lower()
    if len(value) == 64 and all(char in "0123456789abcdef" for char in value):
        return value
    raise InputError(
        "invalid-digest",
        f"{text!r} is neither a sha256 in hex nor a CIDv1 of a raw sha256",
        hint="give 64 hex digits, or a CID that starts with 'bafkrei'",
    )
