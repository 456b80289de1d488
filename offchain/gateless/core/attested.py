"""Answers for which keys vouch: the attested market's values, key sets and their evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from eth_utils.crypto import keccak

from gateless.core.errors import InputError
from gateless.core.prices import price_at
from gateless.core.structs import Members, Struct
from gateless.core.types import ZERO_ADDRESS

_MAX_KEYS = 255
_SIGNATURE_LENGTH = 65


class AttestedState(IntEnum):
    """Life of an attested request. ``FINAL`` and ``REFUNDED`` never change."""

    NONE = 0
    FINAL = 1
    OPEN = 2
    REFUNDED = 3

    @property
    def is_final(self) -> bool:
        """Whether the request will never change any more."""
        return self in (AttestedState.FINAL, AttestedState.REFUNDED)


@dataclass(frozen=True, slots=True)
class AttestedRequest(Struct):
    """What a requester asks, and whom it believes.

    Attributes:
        requester: who sends or signs it, and from whose balance it is paid.
        version_id: pinned version; it must allow ``ATTESTED``.
        input_digest: keccak256 of the packed input.
        input_binding: the same.
        max_price: most that is paid.
        min_price: price until the ramp starts; 0 without a ramp.
        ramp_start: second from which the price rises; 0 without a ramp.
        ramp_length: seconds until it reaches ``max_price``; 0 without a ramp.
        deadline: last second for an answer.
        verifier: contract that decides whether evidence is enough.
        policy: what it decides by: the digest of a key set.
        executor: only this account may answer; the zero address lets anybody.
        callback: contract that receives the output; the zero address for none.
        callback_gas: gas given to it.
        nonce: any number that the requester has not used at this market.
        input_hint: where the input can be fetched; may be empty.
    """

    requester: str
    version_id: int
    input_digest: bytes
    input_binding: bytes
    max_price: int
    min_price: int
    ramp_start: int
    ramp_length: int
    deadline: int
    verifier: str
    policy: bytes
    executor: str = ZERO_ADDRESS
    callback: str = ZERO_ADDRESS
    callback_gas: int = 0
    nonce: int = 0
    input_hint: str = ""

    MEMBERS: ClassVar[Members] = (
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

    def price_at(self, time: int) -> int:
        """What an answer at this second is paid."""
        if self.ramp_length == 0:
            return self.max_price
        return price_at(self.min_price, self.max_price, self.ramp_start, self.ramp_length, time)


@dataclass(frozen=True, slots=True)
class AttestedAnswer(Struct):
    """What keys sign: one version, given one input, put out this; and who is paid for it."""

    market: str
    request_id: int
    version_id: int
    input_digest: bytes
    output_digest: bytes
    executor: str

    MEMBERS: ClassVar[Members] = (
        ("market", "address"),
        ("requestId", "uint256"),
        ("versionId", "uint64"),
        ("inputDigest", "bytes32"),
        ("outputDigest", "bytes32"),
        ("executor", "address"),
    )


@dataclass(frozen=True, slots=True)
class KeySet:
    """Keys of which ``threshold`` must sign; ascending, each once."""

    threshold: int
    keys: tuple[str, ...]

    @classmethod
    def of(cls, threshold: int, keys: Sequence[str]) -> KeySet:
        """A key set of addresses in any order.

        Raises:
            InputError: ``invalid-key-set``.
        """
        ordered = tuple(sorted(keys, key=lambda key: int(key, 16)))
        if len({int(key, 16) for key in ordered}) != len(ordered) or ZERO_ADDRESS in ordered:
            raise _invalid("a key is named twice, or is the zero address")
        if not 0 < threshold <= len(ordered) <= _MAX_KEYS:
            raise _invalid(f"{threshold} of {len(ordered)} keys")
        return cls(threshold, ordered)

    def encode(self) -> bytes:
        """As the verifier reads it: ``[threshold u8][keys u8]``, then 20 bytes for each key."""
        keys = b"".join(bytes.fromhex(key[2:]) for key in self.keys)
        return bytes((self.threshold, len(self.keys))) + keys

    @property
    def policy(self) -> bytes:
        """What requests pin: keccak256 of the encoding."""
        return bytes(keccak(self.encode()))

    def evidence(self, signatures: Mapping[str, bytes]) -> bytes:
        """What goes with an answer: the key set, and the signatures of as many as it asks for.

        Raises:
            InputError: ``not-enough-signatures``.
        """
        signers = [place for place, key in enumerate(self.keys) if key in signatures]
        if len(signers) < self.threshold:
            raise InputError(
                "not-enough-signatures",
                f"{len(signers)} of the set's keys have signed, {self.threshold} are needed",
                hint="have more of them sign: gateless attest sign",
            )
        parts = [self.encode()]
        for place in signers[: self.threshold]:
            signature = signatures[self.keys[place]]
            if len(signature) != _SIGNATURE_LENGTH:
                raise _invalid(f"a signature of {len(signature)} bytes")
            parts.append(bytes((place,)) + signature)
        return b"".join(parts)


def _invalid(what: str) -> InputError:
    return InputError(
        "invalid-key-set",
        f"{what}: no set of keys that the verifier takes",
        hint="name 1 to 255 different keys, and how many of them must sign",
    )
