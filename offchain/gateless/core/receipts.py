"""Bonded receipts: what an executor signs when it answers off chain.

A receipt is EIP-712 typed data of the court that judges it: :class:`Receipt` has the members of the
contract's struct, in its order. Outside a process it travels as JSON (:func:`parse_receipt`), with
the chain and the court that it is for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, Protocol

from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import SignableMessage
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError as ValidationFault
from hexbytes import HexBytes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateless.core.addresses import is_checksum_address
from gateless.core.errors import InputError
from gateless.core.types import ZERO_ADDRESS, TypedData

FORMAT: Literal["gateless/receipt/1"] = "gateless/receipt/1"
#: A receipt as JSON has some 1,200 characters; whatever is far longer is none.
MAX_RECEIPT_BYTES = 1 << 14
#: Name and version of the court's EIP-712 domain.
DOMAIN_NAME, DOMAIN_VERSION = "Gateless ReceiptCourt", "1"
ZERO_BYTES32 = bytes(32)
PRIMARY_TYPE = "Receipt"

#: Members by their Solidity names, in the order of the struct; the attributes of
#: :class:`Receipt` are the same, in the same order.
MEMBERS = (
    ("versionId", "uint64"),
    ("inputBinding", "bytes32"),
    ("inputDigest", "bytes32"),
    ("outputDigest", "bytes32"),
    ("executor", "address"),
    ("beneficiary", "address"),
    ("price", "uint128"),
    ("bond", "uint128"),
    ("issued", "uint64"),
    ("expires", "uint64"),
    ("epoch", "uint64"),
    ("slot", "uint32"),
)
_TYPES = {PRIMARY_TYPE: [{"name": name, "type": kind} for name, kind in MEMBERS]}
_TYPEHASH = keccak(text=f"Receipt({','.join(f'{kind} {name}' for name, kind in MEMBERS)})")
_DOMAIN_TYPEHASH = keccak(
    text="EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
#: Half the order of secp256k1, rounded down: of a signature and its mirror image contracts take the
#: one whose s is not above.
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


class TypedDataSigner(Protocol):
    """Whoever can sign EIP-712 typed data."""

    async def sign_typed_data(
        self,
        domain: Mapping[str, Any],
        types: Mapping[str, Any],
        primary_type: str,
        message: Mapping[str, Any],
    ) -> bytes:
        """65-byte signature ``r ‖ s ‖ v``."""
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """This input to this version gives this output, says an executor, and a slot backs it.

    Attributes:
        version_id: the version.
        input_binding: what a proof must be tied to: keccak256 of the packed input, or of the
            commitments where the version binds inputs by KZG.
        input_digest: keccak256 of the packed input where ``input_binding`` is something else; zeros
            where it is the same.
        output_digest: keccak256 of the packed output.
        executor: who answers for it.
        beneficiary: who is compensated if the output is wrong; the zero address for nobody.
        price: what was paid, in token units: the most that the beneficiary can get.
        bond: stake behind it, in token units.
        issued: second of the signature.
        expires: last second in which it may be challenged.
        epoch: whose pool backs it.
        slot: which of the pool's bonds backs it.

    Raises:
        InputError: ``invalid-receipt`` where a value does not fit its Solidity type.
    """

    version_id: int
    input_binding: bytes
    input_digest: bytes
    output_digest: bytes
    executor: str
    beneficiary: str
    price: int
    bond: int
    issued: int
    expires: int
    epoch: int
    slot: int

    def __post_init__(self) -> None:
        for (name, kind), value in zip(MEMBERS, self._values(), strict=True):
            if not _fits(kind, value):
                raise _invalid(f"{name} is no {kind}")

    @property
    def packed_digest(self) -> bytes:
        """keccak256 of the packed input, wherever the receipt carries it."""
        return self.input_binding if self.input_digest == ZERO_BYTES32 else self.input_digest

    @property
    def subject(self) -> bytes:
        """What one proof settles: equal for all receipts that say the same."""
        values = (self.version_id, self.input_binding, self.output_digest)
        return bytes(keccak(encode(["uint64", "bytes32", "bytes32"], values)))

    def struct(self) -> dict[str, Any]:
        """The values by their Solidity names, as calls and typed data take them."""
        return {name: value for (name, _), value in zip(MEMBERS, self._values(), strict=True)}

    @classmethod
    def of_struct(cls, values: Mapping[str, Any]) -> Receipt:
        """A receipt from values by their Solidity names, such as an event's."""
        return cls(*(values[name] for name, _ in MEMBERS))

    def hash(self) -> bytes:
        """EIP-712's hashStruct."""
        kinds = ["bytes32", *(kind for _, kind in MEMBERS)]
        return bytes(keccak(encode(kinds, [_TYPEHASH, *self._values()])))

    def _values(self) -> list[Any]:
        return [getattr(self, entry.name) for entry in fields(self)]


@dataclass(frozen=True, slots=True)
class Court:
    """Whose judgement receipts are subject to: a contract on a chain."""

    chain_id: int
    address: str

    @property
    def domain(self) -> dict[str, Any]:
        """The EIP-712 domain."""
        return {
            "name": DOMAIN_NAME,
            "version": DOMAIN_VERSION,
            "chainId": self.chain_id,
            "verifyingContract": self.address,
        }

    def separator(self) -> bytes:
        """The domain's hash."""
        return bytes(
            keccak(
                encode(
                    ["bytes32", "bytes32", "bytes32", "uint256", "address"],
                    [
                        _DOMAIN_TYPEHASH,
                        keccak(text=DOMAIN_NAME),
                        keccak(text=DOMAIN_VERSION),
                        self.chain_id,
                        self.address,
                    ],
                )
            )
        )

    def typed_data(self, receipt: Receipt) -> TypedData:
        """What the receipt key signs."""
        return TypedData(self.domain, _TYPES, PRIMARY_TYPE, receipt.struct())

    def digest(self, receipt: Receipt) -> bytes:
        """Hash of what is signed, as the court's ``digestOf`` gives it."""
        return bytes(keccak(b"\x19\x01" + self.separator() + receipt.hash()))

    def recover(self, receipt: Receipt, signature: bytes) -> str | None:
        """Whose signature it is; None for bytes that the court takes for no signature."""
        if len(signature) != 65 or signature[64] not in (27, 28):
            return None
        if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
            return None
        message = SignableMessage(
            HexBytes(b"\x01"), HexBytes(self.separator()), HexBytes(receipt.hash())
        )
        try:
            return str(Account.recover_message(message, signature=signature))
        except (BadSignature, ValidationFault):  # numbers that are no point of the curve
            return None


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt with its signature, and the court that it is for."""

    court: Court
    receipt: Receipt
    signature: bytes

    @classmethod
    async def sign(cls, court: Court, receipt: Receipt, signer: TypedDataSigner) -> SignedReceipt:
        """Signs by the receipt key."""
        data = court.typed_data(receipt)
        signature = await signer.sign_typed_data(
            data.domain, data.types, data.primary_type, data.message
        )
        return cls(court, receipt, signature)

    @property
    def digest(self) -> bytes:
        """Hash of what is signed: the receipt's name."""
        return self.court.digest(self.receipt)

    @property
    def signer(self) -> str | None:
        """Who signed; None where nobody did."""
        return self.court.recover(self.receipt, self.signature)

    def to_json(self) -> str:
        """The receipt as it travels. Integers are text: JSON numbers lose digits elsewhere."""
        data = {
            "format": FORMAT,
            "chainId": str(self.court.chain_id),
            "court": self.court.address,
            "receipt": {name: _spell(value) for name, value in self.receipt.struct().items()},
            "signature": _spell(self.signature),
        }
        return json.dumps(data, indent=2) + "\n"


def commitment(challenger: str, digest: bytes, salt: bytes) -> bytes:
    """What a challenger commits to before he says which receipt he doubts."""
    kinds = ["address", "bytes32", "bytes32"]
    return bytes(keccak(encode(kinds, [challenger, digest, salt])))


def pair_digest(first: bytes, second: bytes) -> bytes:
    """What a reporter of equivocation commits to in place of a receipt's digest."""
    return bytes(keccak(encode(["bytes32", "bytes32"], [first, second])))


# --- JSON ---

_Number = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,38})$")]
_Bytes32 = Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
_Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]
_Signature = Annotated[str, Field(pattern=r"^0x[0-9a-f]{130}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _ReceiptFields(_Strict):
    versionId: _Number
    inputBinding: _Bytes32
    inputDigest: _Bytes32
    outputDigest: _Bytes32
    executor: _Address
    beneficiary: _Address
    price: _Number
    bond: _Number
    issued: _Number
    expires: _Number
    epoch: _Number
    slot: _Number


class _ReceiptFile(_Strict):
    format: Literal["gateless/receipt/1"]
    chainId: _Number
    court: _Address
    receipt: _ReceiptFields
    signature: _Signature


def parse_receipt(data: str | bytes) -> SignedReceipt:
    """Reads a receipt's JSON. Whether it is worth anything is another question.

    Raises:
        InputError: ``invalid-receipt``.
    """
    if len(data) > MAX_RECEIPT_BYTES:
        raise _invalid(f"it is longer than {MAX_RECEIPT_BYTES} bytes")
    try:
        parsed = _ReceiptFile.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise _invalid(f"{where}: {first['msg']}" if where else first["msg"]) from error
    stated = parsed.receipt.model_dump()
    values = {name: _read(kind, stated[name]) for name, kind in MEMBERS}
    if not _fits("address", parsed.court) or parsed.court == ZERO_ADDRESS:
        raise _invalid("court is no address")
    court = Court(int(parsed.chainId), parsed.court)
    return SignedReceipt(court, Receipt.of_struct(values), bytes.fromhex(parsed.signature[2:]))


def _read(kind: str, text: str) -> Any:
    if kind == "bytes32":
        return bytes.fromhex(text[2:])
    return int(text) if kind.startswith("uint") else text


def _spell(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)


def _fits(kind: str, value: Any) -> bool:
    if kind == "address":
        return isinstance(value, str) and is_checksum_address(value)
    if kind == "bytes32":
        return isinstance(value, bytes) and len(value) == 32
    return type(value) is int and 0 <= value < 1 << int(kind.removeprefix("uint"))


def _invalid(why: str) -> InputError:
    return InputError(
        "invalid-receipt",
        f"this is no receipt: {why}",
        hint="give the JSON exactly as the executor sent it",
    )
