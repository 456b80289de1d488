"""A signer in another process is believed only as far as it can be checked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from eth_account import Account
from eth_account.messages import encode_typed_data
from gateless.adapters.chain import calls
from gateless.adapters.chain.prepared import decode_transaction
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import ExternalSigner, open_external_signer
from gateless.core.errors import WalletError
from gateless.devnet import Devnet
from signer_server import SignerServer, signer_server

TX: dict[str, Any] = {
    "chainId": 31337,
    "nonce": 7,
    "to": "0x" + "22" * 20,
    "value": 1,
    "data": "0xc0ffee00",
    "gas": 50_000,
    "maxFeePerGas": 2 * 10**9,
    "maxPriorityFeePerGas": 10**9,
    "type": 2,
}
LEGACY = {
    **{name: value for name, value in TX.items() if "PerGas" not in name and name != "type"},
    "gasPrice": 10**9,
}
DOMAIN = {"name": "Test Dollar", "version": "1", "chainId": 31337, "verifyingContract": TX["to"]}
TYPES = {
    "Note": [
        {"name": "amount", "type": "uint256"},
        {"name": "digest", "type": "bytes32"},
        {"name": "by", "type": "address"},
        {"name": "sure", "type": "bool"},
        {"name": "parts", "type": "uint64[]"},
    ]
}
MESSAGE = {
    "amount": 2**255 + 1,
    "digest": b"\x01" * 32,
    "by": TX["to"],
    "sure": True,
    "parts": [1, 2**63],
}


@pytest_asyncio.fixture
async def server() -> AsyncIterator[SignerServer]:
    async with signer_server() as running:
        yield running


@pytest_asyncio.fixture
async def signer(server: SignerServer) -> AsyncIterator[ExternalSigner]:
    async with open_external_signer(server.url) as opened:
        yield opened


async def refused(signer: ExternalSigner, tx: dict[str, Any] = TX) -> WalletError:
    with pytest.raises(WalletError) as info:
        await signer.sign_transaction(tx)
    return info.value


@pytest.mark.parametrize("tx", [TX, LEGACY])
@pytest.mark.parametrize("wrapped", [False, True])
async def test_transactions_say_what_was_asked(
    server: SignerServer, signer: ExternalSigner, tx: dict[str, Any], wrapped: bool
) -> None:
    server.wrapped = wrapped
    said = decode_transaction(await signer.sign_transaction(tx))
    assert said.sender == signer.address == server.account.address
    assert (said.chain_id, said.nonce, said.gas) == (31337, 7, 50_000)
    assert said.data == bytes.fromhex("c0ffee00")


async def test_typed_data_recovers_to_the_account(signer: ExternalSigner) -> None:
    signature = await signer.sign_typed_data(DOMAIN, TYPES, "Note", MESSAGE)
    signable = encode_typed_data(domain_data=DOMAIN, message_types=TYPES, message_data=MESSAGE)
    assert Account.recover_message(signable, signature=signature) == signer.address


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": 8},
        {"to": "0x" + "33" * 20},
        {"value": 2},
        {"data": "0xc0ffee01"},
        {"gas": 50_001},
        {"maxFeePerGas": 3 * 10**9},
        {"maxPriorityFeePerGas": 1},
        {"chainId": 1},
    ],
)
async def test_nothing_else_can_be_slipped_in(
    server: SignerServer, signer: ExternalSigner, change: dict[str, Any]
) -> None:
    server.twist = lambda tx: tx | change
    error = await refused(signer)
    assert error.code == "signer-mismatch"
    assert error.context["field"] in change
    assert "nothing was sent" in error.hint


async def test_an_access_list_is_something_else(
    server: SignerServer, signer: ExternalSigner
) -> None:
    server.twist = lambda tx: tx | {"accessList": [{"address": TX["to"], "storageKeys": []}]}
    assert (await refused(signer)).code == "signer-invalid"


async def test_another_kind_of_transaction_is_something_else(
    server: SignerServer, signer: ExternalSigner
) -> None:
    server.twist = lambda _tx: LEGACY
    assert (await refused(signer)).code == "signer-mismatch"


async def test_another_key_is_noticed(server: SignerServer, signer: ExternalSigner) -> None:
    server.account = Account.create()
    error = await refused(signer)
    assert (error.code, error.context["field"]) == ("signer-mismatch", "sender")
    with pytest.raises(WalletError) as info:
        await signer.sign_typed_data(DOMAIN, TYPES, "Note", MESSAGE)
    assert info.value.code == "signer-mismatch"


async def test_typed_data_of_another_domain_is_noticed(
    server: SignerServer, signer: ExternalSigner
) -> None:
    server.twist = lambda document: document | {"domain": {**DOMAIN, "chainId": 1}}
    with pytest.raises(WalletError) as info:
        await signer.sign_typed_data(DOMAIN, TYPES, "Note", MESSAGE)
    assert info.value.code == "signer-mismatch"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (web.Response(status=503), "signer-refused"),
        (web.Response(body=b"<html>"), "signer-invalid"),
        (web.json_response([]), "signer-invalid"),
        (web.json_response({"result": 5}), "signer-invalid"),
        (web.json_response({"result": "0xzz"}), "signer-invalid"),
        (web.json_response({"result": "0x02c0"}), "signer-invalid"),
        (web.json_response({"error": {"code": -32000, "message": "locked"}}), "signer-refused"),
    ],
)
async def test_what_is_no_signature(
    server: SignerServer, signer: ExternalSigner, answer: web.Response, code: str
) -> None:
    server.answer = lambda _method: answer
    assert (await refused(signer)).code == code


async def test_a_signer_that_does_not_answer(server: SignerServer) -> None:
    async with open_external_signer(server.url, seconds=0.3) as signer:
        server.hang = 5
        assert (await refused(signer)).code == "signer-unreachable"


async def test_nobody_there() -> None:
    with pytest.raises(WalletError) as info:
        async with open_external_signer("http://127.0.0.1:9"):
            raise AssertionError("it has no signer")
    assert info.value.code == "signer-unreachable"


async def test_an_account_that_it_lacks(server: SignerServer) -> None:
    with pytest.raises(WalletError) as info:
        async with open_external_signer(server.url, TX["to"]):
            raise AssertionError("it has no such account")
    assert info.value.code == "signer-account-unknown"
    assert info.value.context["accounts"] == [server.account.address]


async def test_a_sender_sends_by_it(isolated_devnet: Devnet, signer: ExternalSigner) -> None:
    net = isolated_devnet
    await net.control.set_native_balance(signer.address, 10**18)
    sender = Sender(net.client, signer)
    assert (await sender.send(calls.mint(signer.address, 5))).status == 1
    assert await net.client.token.balance_of(signer.address) == 5
