from __future__ import annotations

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from gateless.adapters.chain.abi import ContractAbi, decode_parameters, encode_parameters
from gateless.adapters.chain.artifacts import load_artifact
from gateless.core.errors import ChainError, InputError

PERSON = {
    "name": "person",
    "type": "tuple",
    "components": [
        {"name": "wallet", "type": "address"},
        {"name": "tags", "type": "bytes32[]"},
    ],
}
WALLET = "0x52908400098527886E0F7030069857D2E4169EE7"


def test_structs_travel_as_mappings() -> None:
    parameters = [PERSON, {**PERSON, "name": "others", "type": "tuple[2][]"}]
    person = {"wallet": WALLET, "tags": [b"\x01" * 32]}
    values = [person, [[person, person]]]
    data = encode_parameters(parameters, values)
    flat = (WALLET, [b"\x01" * 32])
    assert data == encode(
        ["(address,bytes32[])", "(address,bytes32[])[2][]"], [flat, [(flat, flat)]]
    )
    assert decode_parameters(parameters, data) == {"person": person, "others": [[person, person]]}


def test_unnamed_values_get_positions() -> None:
    data = encode(["uint256", "bool"], [7, True])
    parameters = [{"name": "", "type": "uint256"}, {"name": "", "type": "bool"}]
    assert decode_parameters(parameters, data) == {"arg0": 7, "arg1": True}


@pytest.mark.parametrize(
    "values",
    [[1], [1, 2, 3], ["x", 2], [-1, 2], [1 << 256, 2], [None, 2]],
)
def test_arguments_that_do_not_fit(values: list[object]) -> None:
    parameters = [{"name": "a", "type": "uint256"}, {"name": "b", "type": "uint256"}]
    with pytest.raises(InputError) as info:
        encode_parameters(parameters, values)
    assert info.value.code == "invalid-argument"


def test_struct_without_a_field() -> None:
    with pytest.raises(InputError):
        encode_parameters([PERSON], [{"wallet": WALLET}])


@pytest.mark.parametrize("data", [b"", b"\x00" * 31, b"\xff" * 32])
def test_bytes_that_do_not_fit(data: bytes) -> None:
    with pytest.raises(ChainError) as info:
        decode_parameters([{"name": "a", "type": "string"}], data)
    assert info.value.code == "invalid-response"


def test_indexed_dynamic_argument_is_known_by_its_hash() -> None:
    text = {"name": "text", "type": "string", "indexed": True}
    who = {"name": "who", "type": "address", "indexed": True}
    amount = {"name": "amount", "type": "uint256", "indexed": False}
    abi = ContractAbi("C", [{"type": "event", "name": "Said", "inputs": [text, amount, who]}])
    item = abi.events["Said"]
    assert item.topic == keccak(text="Said(string,uint256,address)")
    topics = [item.topic, keccak(text="hello"), bytes(12) + bytes.fromhex(WALLET[2:])]
    decoded = item.decode_log(topics, encode(["uint256"], [5]))
    assert decoded == {"text": keccak(text="hello"), "amount": 5, "who": WALLET}
    assert list(decoded) == ["text", "amount", "who"]
    with pytest.raises(ChainError):
        item.decode_log(topics[:2], encode(["uint256"], [5]))


def test_overloads_are_told_apart_by_their_arguments() -> None:
    abi = ContractAbi("ModelRegistry", load_artifact("ModelRegistry").abi)
    three = abi.encode_call("safeTransferFrom", WALLET, WALLET, 1)
    four = abi.encode_call("safeTransferFrom", WALLET, WALLET, 1, b"x")
    assert three[:4] == keccak(text="safeTransferFrom(address,address,uint256)")[:4]
    assert four[:4] == keccak(text="safeTransferFrom(address,address,uint256,bytes)")[:4]
    with pytest.raises(ChainError) as info:
        abi.function("safeTransferFrom")
    assert info.value.code == "unknown-function"


def test_strings_that_are_no_utf8_stop_nobody_from_reading() -> None:
    # Solidity writes any bytes as a string: a stranger's hint is no reason to read no further.
    member = {"name": "hint", "type": "string"}
    struct = {"name": "request", "type": "tuple", "components": [member]}
    data = encode(["bytes", "(bytes)"], [b"\xffx\xfe", (b"\xc3\x28",)])
    assert decode_parameters([member, struct], data) == {
        "hint": "\ufffdx\ufffd",
        "request": {"hint": "\ufffd("},
    }
