"""Accounts that sign: a protocol, keys in this process, keystore files."""

from __future__ import annotations

from gateless.adapters.signer.keystore import KeystoreStore
from gateless.adapters.signer.local import LocalSigner
from gateless.adapters.signer.protocol import Signer

__all__ = ["KeystoreStore", "LocalSigner", "Signer"]
