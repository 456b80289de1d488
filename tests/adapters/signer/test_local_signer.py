from __future__ import annotations

from eth_account import Account
from eth_account.messages import encode_typed_data
from gateless.adapters.signer import LocalSigner

KEY = "0x" + "11" * 32
DOMAIN = {"name": "Test Dollar", "chainId": 31337}
TYPES = {
    "Note": [{"name": "text", "type": "string"}, {"name": "by", "type": "Person"}],
    "Person": [{"name": "wallet", "type": "address"}],
}
MESSAGE = {"text": "hello", "by": {"wallet": "0x" + "22" * 20}}


def signer() -> LocalSigner:
    return LocalSigner(Account.from_key(KEY))


async def test_typed_data_recovers_to_the_signer() -> None:
    signature = await signer().sign_typed_data(DOMAIN, TYPES, "Note", MESSAGE)
    assert len(signature) == 65
    assert signature[64] in (27, 28)
    signable = encode_typed_data(domain_data=DOMAIN, message_types=TYPES, message_data=MESSAGE)
    assert Account.recover_message(signable, signature=signature) == signer().address


async def test_another_domain_gives_another_signature() -> None:
    other = {**DOMAIN, "chainId": 1}
    assert await signer().sign_typed_data(
        DOMAIN, TYPES, "Note", MESSAGE
    ) != await signer().sign_typed_data(other, TYPES, "Note", MESSAGE)


async def test_transaction_recovers_to_the_signer() -> None:
    raw = await signer().sign_transaction(
        {
            "chainId": 31337,
            "nonce": 0,
            "to": "0x" + "22" * 20,
            "value": 1,
            "data": "0x",
            "gas": 21_000,
            "maxFeePerGas": 2,
            "maxPriorityFeePerGas": 1,
            "type": 2,
        }
    )
    assert Account.recover_transaction(raw) == signer().address


def test_key_is_never_shown() -> None:
    assert KEY[2:] not in repr(signer())
    assert signer().address in repr(signer())


def test_random_signers_differ() -> None:
    assert LocalSigner.random().address != LocalSigner.random().address
