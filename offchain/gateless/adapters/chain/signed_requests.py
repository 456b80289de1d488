"""What a requester signs instead of sending a request: EIP-712 data, its digest, free nonces.

The types are those of ``SignedRequests.sol``; both are held against the same vectors.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from gateless.adapters.chain.calls import request_values
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.signer.protocol import Signer
from gateless.core.types import SignedRequest, TypedData

PRIMARY_TYPE = "InferenceRequest"

#: Words of nonces that are searched for a free one.
_FIRST_WORDS = 8

#: Members of the type, in their order.
MEMBERS = (
    ("requester", "address"),
    ("versionId", "uint64"),
    ("mode", "uint8"),
    ("inputDigest", "bytes32"),
    ("inputBinding", "bytes32"),
    ("maxPrice", "uint128"),
    ("minPrice", "uint128"),
    ("rampStart", "uint64"),
    ("rampLength", "uint32"),
    ("collateral", "uint128"),
    ("deadline", "uint64"),
    ("lockDuration", "uint32"),
    ("executor", "address"),
    ("callback", "address"),
    ("callbackGas", "uint32"),
    ("nonce", "uint256"),
    ("inputHint", "string"),
)
TYPE_TEXT = f"{PRIMARY_TYPE}({','.join(f'{kind} {name}' for name, kind in MEMBERS)})"
_DOMAIN_TEXT = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"

DOMAIN_NAME = "Gateless InferenceMarket"
DOMAIN_VERSION = "1"


def market_domain(chain_id: int, market: str) -> dict[str, Any]:
    """The EIP-712 domain of a market."""
    return {
        "name": DOMAIN_NAME,
        "version": DOMAIN_VERSION,
        "chainId": chain_id,
        "verifyingContract": market,
    }


def message_of(signed: SignedRequest) -> dict[str, Any]:
    """The members' values, as ``eth_signTypedData_v4`` takes them."""
    return {
        "requester": signed.requester,
        **request_values(signed.params),
        "nonce": signed.nonce,
        "inputHint": signed.input_hint,
    }


def typed_data(signed: SignedRequest, domain: Mapping[str, Any]) -> TypedData:
    """What a wallet shows and signs."""
    types = {PRIMARY_TYPE: [{"name": name, "type": kind} for name, kind in MEMBERS]}
    return TypedData(dict(domain), types, PRIMARY_TYPE, message_of(signed))


def struct_hash(signed: SignedRequest) -> bytes:
    """EIP-712's hashStruct of the request."""
    values = message_of(signed)
    values["inputHint"] = keccak(text=signed.input_hint)
    kinds = ["bytes32" if kind == "string" else kind for _, kind in MEMBERS]
    words = encode(["bytes32", *kinds], [keccak(text=TYPE_TEXT), *values.values()])
    return bytes(keccak(words))


def domain_separator(domain: Mapping[str, Any]) -> bytes:
    """The hash of a market's EIP-712 domain."""
    kinds = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    values = [
        keccak(text=_DOMAIN_TEXT),
        keccak(text=domain["name"]),
        keccak(text=domain["version"]),
        domain["chainId"],
        domain["verifyingContract"],
    ]
    return bytes(keccak(encode(kinds, values)))


def request_id_of(signed: SignedRequest, domain: Mapping[str, Any]) -> int:
    """The id that the request has once it is locked: the digest that is signed."""
    separator = domain_separator(domain)
    return int.from_bytes(keccak(b"\x19\x01" + separator + struct_hash(signed)), "big")


async def sign_request(
    client: ChainClient, signer: Signer, signed: SignedRequest
) -> tuple[int, bytes]:
    """The request's id and its requester's signature."""
    deployment = client.deployment
    domain = market_domain(deployment.chain_id, client.market.address)
    data = typed_data(signed, domain)
    signature = await signer.sign_typed_data(
        data.domain, data.types, data.primary_type, data.message
    )
    return request_id_of(signed, domain), signature


def random_nonce() -> int:
    """A nonce that nobody has used: nonces need no order.

    Its word is fresh, which costs the executor 17,100 gas more than one in use.
    """
    return secrets.randbits(256)


async def free_nonce(
    client: ChainClient, account: str, besides: Collection[int] = frozenset()
) -> int:
    """An unused nonce of the account's first words, which are cheaper to use than a fresh one.

    Args:
        client: the chain. It knows of what was locked or cancelled alone.
        account: the requester.
        besides: nonces that requests were signed with which are not locked yet. Of two requests
            with one nonce one is locked; programs that do not know of each other's get the same one
            time in 256.
    """
    for word_index in range(_FIRST_WORDS):
        used = await client.market.nonce_word(account, word_index)
        nonces = range(256 * word_index, 256 * (word_index + 1))
        free = [
            nonce for nonce in nonces if not used >> (nonce & 0xFF) & 1 and nonce not in besides
        ]
        if free:
            return secrets.choice(free)
    return random_nonce()
