"""Addresses with checksums (EIP-55).

A checksum takes a hash, and the same few accounts come again and again: what was found is kept.
"""

from __future__ import annotations

from functools import lru_cache

from eth_utils import address as eth_utils_address

_KEPT = 4_096


@lru_cache(maxsize=_KEPT)
def to_checksum_address(value: str | bytes) -> str:
    """The EIP-55 form of an address.

    Raises:
        ValueError: it is none.
    """
    return str(eth_utils_address.to_checksum_address(value))


@lru_cache(maxsize=_KEPT)
def is_checksum_address(value: str) -> bool:
    """Whether a text is an address in its EIP-55 form."""
    return bool(eth_utils_address.is_checksum_address(value))
