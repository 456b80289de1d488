from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from gateless.adapters.chain.abi import AbiItem, ContractAbi, encode_parameters
from gateless.adapters.chain.artifacts import CONTRACT_NAMES, load_artifact
from gateless.adapters.chain.deployment import TokenInfo
from gateless.adapters.chain.errors import decode_revert, error_code, from_rpc_error
from gateless.adapters.chain.explanations import EXPLAINED, FUNDS_ERRORS, NOT_FOUND_ERRORS
from gateless.adapters.chain.rpc import RpcError, revert_data
from gateless.core.errors import ContractError, FundsError, NotFoundError

DOLLAR = TokenInfo("0x" + "11" * 20, "tUSD", 6)
SAMPLES: dict[str, Any] = {
    "address": "0x" + "22" * 20,
    "string": "text",
    "bytes": b"\x01\x02",
    "bytes32": b"\x03" * 32,
}
KNOWN = {
    item.name: item
    for contract in CONTRACT_NAMES
    for item in ContractAbi(contract, load_artifact(contract).abi).errors.values()
}


def revert(signature: str, *values: Any) -> str:
    types = signature[signature.index("(") + 1 : -1]
    arguments = encode(types.split(","), values) if types else b""
    return "0x" + (keccak(text=signature)[:4] + arguments).hex()


def sample(item: AbiItem) -> str:
    values = [SAMPLES.get(entry["type"], 1) for entry in item.inputs]
    return "0x" + (item.selector + encode_parameters(item.inputs, values)).hex()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("InferenceMarket_NotOpen", "inference-market-not-open"),
        ("ZkVerifier_UnknownVka", "zk-verifier-unknown-vka"),
        ("ERC20InsufficientBalance", "erc20-insufficient-balance"),
        ("ERC2612InvalidSigner", "erc2612-invalid-signer"),
        ("ModelRegistry_UriTooLong", "model-registry-uri-too-long"),
    ],
)
def test_codes_are_the_names_in_kebab_case(name: str, code: str) -> None:
    assert error_code(name) == code


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_every_error_of_every_contract_is_decoded(name: str) -> None:
    error = decode_revert(sample(KNOWN[name]), DOLLAR)
    assert error.context["error"] == name
    assert set(error.context["args"]) == {entry["name"] for entry in KNOWN[name].inputs}
    assert f"{name}(" in error.message
    assert error.code in (error_code(name), NOT_FOUND_ERRORS.get(name))
    assert error.to_dict()


def test_nothing_is_explained_that_no_contract_says() -> None:
    assert (EXPLAINED | FUNDS_ERRORS | set(NOT_FOUND_ERRORS)) <= set(KNOWN)


def test_state_and_mode_are_named() -> None:
    error = decode_revert(revert("InferenceMarket_NotOpen(uint256,uint8)", 1, 2))
    assert error.message.endswith("InferenceMarket_NotOpen(requestId=1, state=LOCKED)")
    assert error.context["args"] == {"requestId": 1, "state": 2}
    refused = decode_revert(revert("InferenceMarket_ModeNotAllowed(uint64,uint8)", 5, 1))
    assert "mode=LAZY_ZK" in refused.message


def test_low_market_balance_says_how_much_and_how() -> None:
    data = revert(
        "TokenAccounts_InsufficientBalance(address,uint256,uint256)",
        "0x" + "22" * 20,
        1_250_000,
        4_000_000,
    )
    error = decode_revert(data, DOLLAR)
    assert isinstance(error, FundsError)
    assert "too low by 2.75 tUSD" in error.message
    assert error.hint is not None
    assert error.hint.startswith("deposit what is missing: gateless wallet deposit 2.75;")
    assert error.context["missing"] == 2_750_000


def test_amounts_without_a_known_token_are_in_units() -> None:
    data = revert("ExecutorStaking_StakeBelowMinimum(uint256,uint256)", 1, 10)
    error = decode_revert(data)
    assert isinstance(error, FundsError)
    assert "9 token units" in error.hint


@pytest.mark.parametrize(
    ("signature", "values", "code"),
    [
        ("ModelRegistry_UnknownModel(uint256)", (1,), "unknown-model"),
        ("ModelRegistry_UnknownVersion(uint64)", (1,), "unknown-version"),
        ("ModelRegistry_UnknownAlias(uint256,string)", (1, "x"), "unknown-alias"),
        ("InferenceMarket_UnknownRequest(uint256)", (1,), "unknown-request"),
        ("ERC721NonexistentToken(uint256)", (1,), "unknown-model"),
    ],
)
def test_missing_things_are_not_found(signature: str, values: Any, code: str) -> None:
    error = decode_revert(revert(signature, *values))
    assert isinstance(error, NotFoundError)
    assert error.code == code
    assert error.hint


def test_reason_strings_and_panics() -> None:
    reason = decode_revert(revert("Error(string)", "no luck"))
    assert isinstance(reason, ContractError)
    assert (reason.code, reason.message) == (
        "execution-reverted",
        "the contract reverted: no luck",
    )
    panic = decode_revert(revert("Panic(uint256)", 0x11))
    assert panic.code == "contract-panic"
    assert "arithmetic overflow (0x11)" in panic.message


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("0x", "execution-reverted"),
        (b"", "execution-reverted"),
        ("0xdeadbeef", "unknown-revert"),
        ("0xde", "unknown-revert"),
        # a known selector with too few bytes behind it
        ("0x" + keccak(text="Error(string)")[:4].hex() + "00", "unknown-revert"),
    ],
)
def test_what_cannot_be_decoded(data: str | bytes, code: str) -> None:
    error = decode_revert(data)
    assert isinstance(error, ContractError)
    assert error.code == code
    assert error.hint


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ((3, "execution reverted", "0xdeadbeef"), b"\xde\xad\xbe\xef"),
        ((3, "execution reverted", None), b""),
        ((-32000, "execution reverted", "0x"), b""),
        ((-32015, "VM execution error", "Reverted 0xdeadbeef"), b"\xde\xad\xbe\xef"),
        ((-32000, "err", {"data": {"data": "0xdeadbeef"}}), b"\xde\xad\xbe\xef"),
        ((-32000, "nonce too low", None), None),
        ((-32000, "VM Exception: revert", "not hex"), b""),
    ],
)
def test_revert_data_is_found_where_nodes_put_it(fault: Any, expected: bytes | None) -> None:
    assert revert_data(RpcError("eth_call", *fault)) == expected


def test_node_errors_that_are_no_reverts_stay_themselves() -> None:
    error = RpcError("eth_call", -32000, "header not found", None)
    assert from_rpc_error(error) is error
