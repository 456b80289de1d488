"""EIP-712 of the markets that keep one word per request: domains, ids, signatures.

The id of a request is its digest, whether it was sent or signed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from gateless.adapters.chain.signed_requests import domain_separator
from gateless.adapters.signer.protocol import Signer
from gateless.core.structs import Struct
from gateless.core.types import TypedData

DOMAIN_VERSION = "1"


@dataclass(frozen=True, slots=True)
class SignedType:
    """A struct that is signed for a contract.

    Attributes:
        primary_type: its EIP-712 name.
        domain_name: the contract's name in its domain.
    """

    primary_type: str
    domain_name: str

    def domain(self, chain_id: int, contract: str) -> dict[str, Any]:
        """The EIP-712 domain of a contract."""
        return {
            "name": self.domain_name,
            "version": DOMAIN_VERSION,
            "chainId": chain_id,
            "verifyingContract": contract,
        }

    def typed_data(self, struct: Struct, domain: Mapping[str, Any]) -> TypedData:
        """What a wallet shows and signs."""
        types = {self.primary_type: [{"name": name, "type": kind} for name, kind in struct.MEMBERS]}
        return TypedData(dict(domain), types, self.primary_type, struct.struct())

    def digest(self, struct: Struct, chain_id: int, contract: str) -> bytes:
        """What is signed."""
        members = ",".join(f"{kind} {name}" for name, kind in struct.MEMBERS)
        kinds, values = ["bytes32"], [keccak(text=f"{self.primary_type}({members})")]
        for (_, kind), value in zip(struct.MEMBERS, struct.struct().values(), strict=True):
            is_text = kind == "string"
            kinds.append("bytes32" if is_text else kind)
            values.append(keccak(text=value) if is_text else value)
        separator = domain_separator(self.domain(chain_id, contract))
        return bytes(keccak(b"\x19\x01" + separator + keccak(encode(kinds, values))))

    def id_of(self, struct: Struct, chain_id: int, contract: str) -> int:
        """The digest as the id of a request."""
        return int.from_bytes(self.digest(struct, chain_id, contract), "big")

    async def sign(self, signer: Signer, struct: Struct, chain_id: int, contract: str) -> bytes:
        """A signature over the struct."""
        data = self.typed_data(struct, self.domain(chain_id, contract))
        return await signer.sign_typed_data(
            data.domain, data.types, data.primary_type, data.message
        )


QUORUM_REQUEST = SignedType("QuorumInferenceRequest", "Gateless QuorumMarket")
ATTESTED_REQUEST = SignedType("AttestedInferenceRequest", "Gateless AttestedMarket")
ATTESTATION = SignedType("Attestation", "Gateless KeySetVerifier")
