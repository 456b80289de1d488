"""Reverts by name: from the selectors of all ABIs to one error a user can act on.

Every decoded error keeps the Solidity name and arguments in its ``context`` (``error``, ``args``).
The code is the name in kebab case (``InferenceMarket_NotOpen`` is ``inference-market-not-open``),
except where the contract only says that something does not exist: those are the ``unknown-…`` codes
that reading the chain gives too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Any

from gateless.adapters.chain.abi import AbiItem, ContractAbi
from gateless.adapters.chain.artifacts import CONTRACT_NAMES, load_artifact
from gateless.adapters.chain.deployment import TokenInfo
from gateless.adapters.chain.explanations import FUNDS_ERRORS, NOT_FOUND_ERRORS, explain
from gateless.adapters.chain.rpc import RpcError, revert_data
from gateless.core.claims import ClaimState, ReceiptFlaw
from gateless.core.errors import (
    ChainError,
    ContractError,
    FundsError,
    GatelessError,
    NotFoundError,
)
from gateless.core.types import RequestState, TrustMode

_ERROR_STRING = AbiItem("Error", "Error(string)", [{"name": "reason", "type": "string"}], ())
_PANIC = AbiItem("Panic", "Panic(uint256)", [{"name": "code", "type": "uint256"}], ())

#: https://docs.soliditylang.org/en/latest/control-structures.html#panic-via-assert-and-error-via-require
_PANIC_REASONS = {
    0x00: "generic compiler panic",
    0x01: "assertion failed",
    0x11: "arithmetic overflow",
    0x12: "division by zero",
    0x21: "value out of an enum's range",
    0x22: "corrupt storage byte array",
    0x31: "pop from an empty array",
    0x32: "array index out of bounds",
    0x41: "too much memory",
    0x51: "call of an uninitialised function",
}
_ENUMS: dict[str, type[IntEnum]] = {
    "enum RequestState": RequestState,
    "enum TrustMode": TrustMode,
    "enum ClaimState": ClaimState,
    "enum ReceiptFlaw": ReceiptFlaw,
}


@lru_cache(maxsize=1)
def _known_errors() -> Mapping[bytes, AbiItem]:
    known: dict[bytes, AbiItem] = {}
    for name in CONTRACT_NAMES:
        known.update(ContractAbi(name, load_artifact(name).abi).errors)
    for item in (_ERROR_STRING, _PANIC):
        known[item.selector] = item
    return known


def error_code(name: str) -> str:
    """The code of a Solidity error: its name in kebab case."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub(r"[-_]+", "-", spaced).lower()


def decode_revert(data: str | bytes, token: TokenInfo | None = None) -> GatelessError:
    """The error that revert data stands for.

    Args:
        data: revert data, hex or bytes; may be empty.
        token: the market's token, so that amounts can be written as people write them.

    Returns:
        A :class:`FundsError` where a balance, stake or allowance is too low, a
        :class:`NotFoundError` where something does not exist, else a :class:`ContractError`.
    """
    raw = bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else data
    if not raw:
        return ContractError(
            "execution-reverted",
            "the contract reverted without a reason",
            hint="check that the addresses in the deployments file belong to this release",
        )
    item = _known_errors().get(raw[:4])
    if item is None:
        return _unknown(raw)
    try:
        args = item.decode_error(raw)
    except ChainError:
        return _unknown(raw)
    if item is _ERROR_STRING:
        return ContractError(
            "execution-reverted",
            f"the contract reverted: {args['reason']}",
            error="Error",
            args={"reason": args["reason"]},
        )
    if item is _PANIC:
        reason = _PANIC_REASONS.get(args["code"], "unknown panic")
        return ContractError(
            "contract-panic",
            f"the contract panicked: {reason} (0x{args['code']:02x})",
            hint="this is a defect in the contract; please report it with the transaction",
            error="Panic",
            args={"code": args["code"]},
        )
    return _named(item, args, token)


def from_rpc_error(error: RpcError, token: TokenInfo | None = None) -> GatelessError:
    """The decoded revert in a node's error, or the error itself where it is no revert."""
    data = revert_data(error)
    return error if data is None else decode_revert(data, token)


def _named(item: AbiItem, args: dict[str, Any], token: TokenInfo | None) -> GatelessError:
    explanation = explain(item.name, args, token)
    shown = ", ".join(
        f"{entry['name']}={_spell(entry, args[entry['name']])}" for entry in item.inputs
    )
    context: dict[str, Any] = {
        "error": item.name,
        "args": {name: _plain(value) for name, value in args.items()},
        **explanation.context,
    }
    message = f"{item.name}({shown})"
    if explanation.summary:
        message = f"{explanation.summary}: {message}"
    kind: type[GatelessError] = ContractError
    code = error_code(item.name)
    if item.name in FUNDS_ERRORS:
        kind = FundsError
    elif item.name in NOT_FOUND_ERRORS:
        kind, code = NotFoundError, NOT_FOUND_ERRORS[item.name]
    return kind(code, message, hint=explanation.hint, **context)


def _unknown(raw: bytes) -> ContractError:
    return ContractError(
        "unknown-revert",
        f"the contract reverted with the unknown error 0x{raw[:4].hex()}",
        hint="run `make build` so that artifacts and deployed contracts belong together",
        data="0x" + raw[:256].hex(),
    )


def _spell(entry: Mapping[str, Any], value: Any) -> str:
    enum = _ENUMS.get(entry.get("internalType", ""))
    if enum is not None and value in enum._value2member_map_:
        return enum(value).name
    if entry["name"] == "mode" and value in TrustMode._value2member_map_:
        return TrustMode(value).name
    return str(_plain(value))


def _plain(value: Any) -> Any:
    """JSON-ready form of a decoded value; large integers stay integers, which JSON carries."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return value
