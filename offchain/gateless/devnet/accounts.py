"""The accounts of a devnet: random keys in keystores, with money that is worth nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from gateless.adapters.chain.calls import mint
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import KeystoreStore, LocalSigner
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N
from gateless.core.errors import ConfigError, WalletError
from gateless.devnet.anvil_control import AnvilControl

#: Everybody may know it: these keys hold test money on a local chain.
DEVELOPMENT_PASSWORD = "gateless-devnet"  # noqa: S105

DEPLOYER = "deployer"
#: The accounts that people use; the deployer only pays for the deployment.
ACCOUNTS = ("builder", "executor", "user", "watchtower")

NATIVE_BALANCE = 1_000 * 10**18
TOKEN_BALANCE = 100_000  # whole tokens


def keystore_folder(home: Path) -> Path:
    """Where a home keeps its keystores."""
    return home / "keystore"


def development_signers(home: Path) -> dict[str, LocalSigner]:
    """The devnet's signers by name; keys are made at the first start and kept.

    Raises:
        ConfigError: ``devnet-wallet-taken``: a wallet of that name has another password.
    """
    store = KeystoreStore(keystore_folder(home), scrypt_n=LIGHT_SCRYPT_N)
    signers = {}
    for name in (DEPLOYER, *ACCOUNTS):
        if not store.has(name):
            store.create(name, DEVELOPMENT_PASSWORD)
        try:
            signers[name] = store.unlock(name, DEVELOPMENT_PASSWORD)
        except WalletError as error:
            if error.code != "wrong-password":
                raise
            raise ConfigError(
                "devnet-wallet-taken",
                f"the wallet {name!r} in {store.root} is not the devnet's",
                hint="start the devnet with another --home; it makes wallets of its own",
            ) from error
    return signers


async def fund_native(control: AnvilControl, signers: Mapping[str, LocalSigner]) -> None:
    """Gives every account currency to pay gas from."""
    await asyncio.gather(
        *(control.set_native_balance(entry.address, NATIVE_BALANCE) for entry in signers.values())
    )


async def fund_tokens(client: ChainClient, signers: Mapping[str, LocalSigner]) -> None:
    """Tops up the test dollars of the accounts that people use."""
    wanted = TOKEN_BALANCE * 10**client.deployment.token.decimals
    sender = Sender(client, signers[DEPLOYER])
    for name in ACCOUNTS:
        address = signers[name].address
        balance = await client.token.balance_of(address)
        if balance < wanted:
            await sender.send(mint(address, wanted - balance))
