"""Keystore V3 files: one account per file, encrypted with a password.

Format: https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/
Files are written once, readable by their owner only, complete or not at all, and never overwritten:
an overwritten keystore is lost money.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError as KeyValidationError

from gateless.adapters.signer.local import LocalSigner
from gateless.core.errors import WalletError

#: scrypt's work factor: the usual one of Ethereum clients (about a second and 256 MiB).
STANDARD_SCRYPT_N = 1 << 18
#: For keys that protect nothing, such as those of a development chain with a published password.
LIGHT_SCRYPT_N = 1 << 12

MIN_PASSWORD_LENGTH = 8
_MAX_FILE_BYTES = 1 << 16
_MAX_SCRYPT_MEMORY = 1 << 30
_MAX_PBKDF2_ROUNDS = 1 << 24
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")


class KeystoreStore:
    """A folder of keystore files, ``<name>.json`` each.

    Args:
        root: the folder; created, for its owner only, with the first key.
        scrypt_n: work factor for new files; existing files carry their own.
    """

    def __init__(self, root: Path, *, scrypt_n: int = STANDARD_SCRYPT_N) -> None:
        self._root = root
        self._scrypt_n = scrypt_n

    @property
    def root(self) -> Path:
        """The folder of the files."""
        return self._root

    def create(self, name: str, password: str) -> str:
        """Makes a new account with a random key; returns its address.

        Raises:
            WalletError: ``invalid-name``, ``weak-password``, ``wallet-exists``,
                ``wallet-unwritable``.
        """
        return self._store(name, password, Account.create())

    def import_key(self, name: str, password: str, private_key: str | bytes) -> str:
        """Encrypts an existing private key (32 bytes, or hex with or without ``0x``).

        Raises:
            WalletError: as :meth:`create`, and ``invalid-key``. The message never repeats the key.
        """
        try:
            account: LocalAccount = Account.from_key(private_key)
        except (ValueError, TypeError, KeyValidationError):
            # Not chained: the cause's text may hold the key.
            raise WalletError(
                "invalid-key",
                "that is not a private key",
                hint="a private key is 64 hex digits, with or without 0x",
            ) from None
        return self._store(name, password, account)

    def import_json(self, name: str, password: str, keystore: str) -> str:
        """Adds a keystore V3 file made elsewhere, after checking that the password opens it."""
        account = _decrypt(_parse(keystore, name), password, name)
        return self._store(name, password, account)

    def unlock(self, name: str, password: str) -> LocalSigner:
        """The signer of a stored account.

        Raises:
            WalletError: ``unknown-wallet``, ``wrong-password``, ``invalid-keystore``.
        """
        return LocalSigner(_decrypt(_parse(self.export(name), name), password, name))

    def export(self, name: str) -> str:
        """The encrypted keystore file, for use in another wallet."""
        path = self._path(name)
        try:
            with path.open("rb") as file:
                data = file.read(_MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            known = ", ".join(known_name for known_name, _ in self.list())
            raise WalletError(
                "unknown-wallet",
                f"there is no wallet {name!r} in {self._root}",
                hint=f"wallets here: {known}" if known else f"gateless wallet create {name}",
                name=name,
            ) from None
        except OSError as error:
            raise WalletError(
                "wallet-unreadable", f"cannot read {path}: {error.strerror}", name=name
            ) from error
        if len(data) > _MAX_FILE_BYTES:
            raise _invalid(name, "it is too large")
        return data.decode("utf-8", errors="replace")

    def list(self) -> list[tuple[str, str]]:
        """Names and addresses of all readable accounts, by name. Nothing is decrypted."""
        if not self._root.is_dir():
            return []
        found: list[tuple[str, str]] = []
        for path in sorted(self._root.glob("*.json")):
            if _NAME.fullmatch(path.stem) is None:
                continue
            try:
                found.append((path.stem, self.address_of(path.stem)))
            except WalletError:
                continue  # not a keystore; unlock() says so to whoever asks for it by name
        return found

    def has(self, name: str) -> bool:
        """Whether a file of that name exists."""
        return self._path(name).exists()

    def address_of(self, name: str) -> str:
        """Address as the file states it; :meth:`unlock` checks that the key belongs to it."""
        data = _parse(self.export(name), name)
        try:
            return to_checksum_address(str(data["address"]).removeprefix("0x"))
        except (KeyError, ValueError) as error:
            raise _invalid(name, "it states no address") from error

    def _path(self, name: str) -> Path:
        if _NAME.fullmatch(name) is None:
            raise WalletError(
                "invalid-name",
                f"{name!r} cannot name a wallet",
                hint="use 1 to 32 of a-z, 0-9, '-' and '_', beginning with a letter or digit",
            )
        return self._root / f"{name}.json"

    def _store(self, name: str, password: str, account: LocalAccount) -> str:
        path = self._path(name)
        if len(password) < MIN_PASSWORD_LENGTH:
            raise WalletError(
                "weak-password",
                f"a password needs at least {MIN_PASSWORD_LENGTH} characters",
                hint="a few random words are easy to keep and hard to guess",
            )
        if path.exists():
            raise _exists(name, path)
        encrypted = account.encrypt(password, kdf="scrypt", iterations=self._scrypt_n)
        _write_once(path, json.dumps(encrypted, indent=2, sort_keys=True) + "\n", name)
        return str(account.address)


def _write_once(path: Path, text: str, name: str) -> None:
    """Writes a new file completely or not at all.

    The file appears under its name by a hard link, which unlike a rename fails where one exists.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            raise _exists(name, path) from None
        _sync_folder(path.parent)
    except OSError as error:
        raise WalletError(
            "wallet-unwritable",
            f"cannot write {path}: {error.strerror}",
            hint="check the folder's permissions and free space; no key was stored",
            name=name,
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _exists(name: str, path: Path) -> WalletError:
    return WalletError(
        "wallet-exists",
        f"there is already a wallet {name!r} at {path}",
        hint="choose another name; an existing wallet is never overwritten",
        name=name,
    )


def _invalid(name: str, why: str) -> WalletError:
    return WalletError(
        "invalid-keystore",
        f"the file of wallet {name!r} is no keystore V3: {why}",
        hint="restore the file from a backup",
        name=name,
    )


def _parse(text: str, name: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _invalid(name, "it is not JSON") from error
    if not isinstance(data, dict) or data.get("version") != 3:
        raise _invalid(name, "it does not say version 3")
    return data


def _decrypt(data: dict[str, Any], password: str, name: str) -> LocalAccount:
    _require_bounded_work(data, name)
    try:
        key = Account.decrypt(data, password)
    except ValueError as error:
        if "MAC mismatch" in str(error):
            raise WalletError(
                "wrong-password",
                f"the password does not open wallet {name!r}",
                hint="try again; a lost password cannot be recovered",
                name=name,
            ) from None
        raise _invalid(name, str(error)) from error
    except (KeyError, TypeError, NotImplementedError) as error:
        raise _invalid(name, "its crypto section is not understood") from error
    account: LocalAccount = Account.from_key(key)
    stated = str(data.get("address", "")).removeprefix("0x").lower()
    if stated and stated != account.address.removeprefix("0x").lower():
        raise _invalid(name, f"it states address 0x{stated}, its key is that of {account.address}")
    return account


def _require_bounded_work(data: dict[str, Any], name: str) -> None:
    """Refuses files whose key derivation would eat the machine's memory or time."""
    crypto = data.get("crypto", data.get("Crypto"))
    params = crypto.get("kdfparams") if isinstance(crypto, dict) else None
    if not isinstance(params, dict):
        raise _invalid(name, "it has no key derivation parameters")
    try:
        memory = 128 * int(params.get("n", 1)) * int(params.get("r", 1))
        rounds = int(params.get("c", 1))
        lanes = int(params.get("p", 1))
    except (TypeError, ValueError) as error:
        raise _invalid(name, "its key derivation parameters are not numbers") from error
    if memory > _MAX_SCRYPT_MEMORY or rounds > _MAX_PBKDF2_ROUNDS or lanes > 64:
        raise _invalid(name, "its key derivation asks for too much memory or time")
