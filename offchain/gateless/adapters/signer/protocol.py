"""The seam to keys: whoever can sign a transaction and typed data is a signer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Signer(Protocol):
    """An account that signs. A keystore, a hardware wallet or a remote service fits behind it."""

    @property
    def address(self) -> str:
        """EIP-55 address of the account."""
        ...

    async def sign_transaction(self, tx: Mapping[str, Any]) -> bytes:
        """The raw signed transaction, as nodes take it.

        Args:
            tx: JSON-RPC field names, integers as ``int``, every field filled in.
        """
        ...

    async def sign_typed_data(
        self,
        domain: Mapping[str, Any],
        types: Mapping[str, Any],
        primary_type: str,
        message: Mapping[str, Any],
    ) -> bytes:
        """65-byte EIP-712 signature ``r ‖ s ‖ v`` with ``v`` 27 or 28."""
        ...
