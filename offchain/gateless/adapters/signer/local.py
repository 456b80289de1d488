"""A signer whose key is in this process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from gateless.adapters.signer.typed_data import full_message


class LocalSigner:
    """Signs with an :class:`eth_account.signers.local.LocalAccount`; never shows its key."""

    __slots__ = ("_account",)

    def __init__(self, account: LocalAccount) -> None:
        self._account = account

    @classmethod
    def random(cls) -> LocalSigner:
        """A signer with a fresh key from the operating system's randomness."""
        return cls(Account.create())

    @property
    def address(self) -> str:
        """EIP-55 address of the account."""
        return str(self._account.address)

    async def sign_transaction(self, tx: Mapping[str, Any]) -> bytes:
        """The raw signed transaction."""
        return bytes(self._account.sign_transaction(dict(tx)).raw_transaction)

    async def sign_typed_data(
        self,
        domain: Mapping[str, Any],
        types: Mapping[str, Any],
        primary_type: str,
        message: Mapping[str, Any],
    ) -> bytes:
        """65-byte EIP-712 signature."""
        full = full_message(domain, types, primary_type, message)
        return bytes(self._account.sign_typed_data(full_message=full).signature)

    def __repr__(self) -> str:
        return f"LocalSigner({self.address})"
