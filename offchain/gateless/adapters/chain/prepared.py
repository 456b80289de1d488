"""Signed transactions: as they are sent, and what their bytes say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp
from eth_account import Account
from eth_utils.crypto import keccak

from gateless.adapters.chain.fees import Fees
from gateless.core.addresses import to_checksum_address
from gateless.core.errors import ChainError

#: Envelope of EIP-1559 transactions (EIP-2718).
_FEE_MARKET = 2
_FEE_MARKET_FIELDS = 12
_LEGACY_FIELDS = 9


@dataclass(frozen=True, slots=True)
class PreparedTx:
    """A signed transaction: one attempt to get something mined under a nonce.

    Attributes:
        raw: the bytes that nodes take.
        tx_hash: their hash.
        nonce: the account's transactions are mined in the order of these.
        label: what it is for.
        private: whether it carries what others could copy: a proof or an output.
        cancels: whether it does nothing but take the nonce: an empty transfer to oneself.
    """

    raw: bytes
    tx_hash: str
    nonce: int
    label: str = ""
    private: bool = False
    cancels: bool = False

    @classmethod
    def of(
        cls, raw: bytes, nonce: int, label: str, *, private: bool = False, cancels: bool = False
    ) -> PreparedTx:
        """Signed bytes with their hash."""
        return cls(raw, "0x" + keccak(raw).hex(), nonce, label, private, cancels)


@dataclass(frozen=True, slots=True)
class DecodedTx:
    """What signed bytes say. ``chain_id`` is None for those from before EIP-155."""

    chain_id: int | None
    nonce: int
    to: str
    value: int
    data: bytes
    gas: int
    fees: Fees
    sender: str

    def fields(self) -> dict[str, Any]:
        """As fields for a signer."""
        return {
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "to": self.to,
            "value": self.value,
            "data": "0x" + self.data.hex(),
            "gas": self.gas,
            **self.fees.fields(),
        }


def decode_transaction(raw: bytes) -> DecodedTx:
    """What a signed transaction says: EIP-1559 or legacy, without an access list.

    Raises:
        ChainError: ``invalid-transaction``: it is none, or another kind.
    """
    try:
        if raw[:1] == bytes([_FEE_MARKET]):
            return _fee_market(raw)
        if raw[:1] >= b"\xc0":
            return _legacy(raw)
    except (rlp.DecodingError, ValueError, TypeError) as error:
        raise _invalid(str(error)) from error
    raise _invalid("its kind is unknown here")


def _fee_market(raw: bytes) -> DecodedTx:
    items = rlp.decode(raw[1:])
    if not isinstance(items, list) or len(items) != _FEE_MARKET_FIELDS or items[8] != []:
        raise _invalid("an EIP-1559 transaction has other fields, or an access list")
    chain_id, nonce, tip, fee, gas = (_number(item) for item in items[:5])
    to, value, data = items[5], _number(items[6]), items[7]
    return DecodedTx(
        chain_id, nonce, _address(to), value, _bytes(data), gas, Fees(fee, tip), _sender(raw)
    )


def _legacy(raw: bytes) -> DecodedTx:
    items = rlp.decode(raw)
    if len(items) != _LEGACY_FIELDS:
        raise _invalid("a legacy transaction has nine fields")
    nonce, price, gas = (_number(item) for item in items[:3])
    v = _number(items[6])
    # EIP-155: v is chain id * 2 + 35, or one more.
    chain_id = (v - 35) // 2 if v >= 35 else None
    value, data = _number(items[4]), _bytes(items[5])
    return DecodedTx(
        chain_id, nonce, _address(items[3]), value, data, gas, Fees(price, None), _sender(raw)
    )


def _number(item: object) -> int:
    value = _bytes(item)
    if value[:1] == b"\0":
        raise ValueError("a number begins with a zero byte")
    return int.from_bytes(value, "big")


def _bytes(item: object) -> bytes:
    if not isinstance(item, bytes):
        raise TypeError("a list in place of a value")
    return item


def _address(item: object) -> str:
    value = _bytes(item)
    if len(value) != 20:
        raise ValueError("it creates a contract, or its target is no address")
    return to_checksum_address(value)


def _sender(raw: bytes) -> str:
    try:
        return str(Account.recover_transaction(raw))
    except Exception as error:  # eth_keys has a tree of its own, which eth_account does not state
        raise _invalid("its signature is none") from error


def _invalid(why: str) -> ChainError:
    return ChainError(
        "invalid-transaction",
        f"the bytes are no signed transaction: {why}",
        hint="restore the journal from a backup, or check the external signer",
    )
