"""Accounts that sign: a protocol, keys in this process, keystore files, external signers."""

from __future__ import annotations

from gateless.adapters.signer.external import ExternalSigner, open_external_signer
from gateless.adapters.signer.keystore import KeystoreStore
from gateless.adapters.signer.local import LocalSigner
from gateless.adapters.signer.protocol import Signer

__all__ = ["ExternalSigner", "KeystoreStore", "LocalSigner", "Signer", "open_external_signer"]
