"""ezkl's verifying-key artifact: the word array that the shared verifier reads."""

from __future__ import annotations

from collections.abc import Sequence

from eth_utils.crypto import keccak
from gateless.core.errors import ProofError

#: places of words; the length of proofs is not among them, it must be taken from a proof
INSTANCES_WORD = 2
G2_WORDS = slice(20, 24)
_MAX_WORDS = 1 << 16


def parse_vka(data: bytes) -> list[bytes]:
    """Reads a key artifact file: the number of words (u64, little-endian), then 32-byte words.

    Raises:
        ProofError: ``invalid-vka``.
    """
    count = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 24 <= count <= _MAX_WORDS or len(data) != 8 + 32 * count:
        raise ProofError(
            "invalid-vka",
            f"a key artifact of {len(data)} bytes does not hold the words that it announces",
            hint="build the bundle again",
        )
    return [data[8 + 32 * index : 40 + 32 * index] for index in range(count)]


def vka_digest(words: Sequence[bytes]) -> str:
    """keccak256 of the words, as the contracts pin it."""
    return "0x" + keccak(b"".join(words)).hex()


def instance_count(words: Sequence[bytes]) -> int:
    """Number of public values of this key's proofs."""
    return int.from_bytes(words[INSTANCES_WORD])


def g2_of_vka(words: Sequence[bytes]) -> tuple[str, str, str, str]:
    """The SRS that the key was made with."""
    first, second, third, fourth = (f"0x{word.hex()}" for word in words[G2_WORDS])
    return first, second, third, fourth
