from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from eth_account import Account
from gateless.adapters.signer import KeystoreStore
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N, STANDARD_SCRYPT_N
from gateless.core.errors import WalletError

PASSWORD = "a few random words"
KEY = "0x" + "11" * 32


@pytest.fixture
def store(tmp_path: Path) -> KeystoreStore:
    return KeystoreStore(tmp_path / "keystore", scrypt_n=LIGHT_SCRYPT_N)


def code_of(info: pytest.ExceptionInfo[WalletError]) -> str:
    return info.value.code


def test_created_account_can_be_unlocked(store: KeystoreStore) -> None:
    address = store.create("alice", PASSWORD)
    assert store.unlock("alice", PASSWORD).address == address
    assert store.list() == [("alice", address)]


def test_accounts_are_random(store: KeystoreStore) -> None:
    assert store.create("alice", PASSWORD) != store.create("bob", PASSWORD)


def test_imported_key_keeps_its_address(store: KeystoreStore) -> None:
    address = store.import_key("alice", PASSWORD, KEY)
    assert address == Account.from_key(KEY).address
    assert store.unlock("alice", PASSWORD).address == address


def test_files_and_folder_are_for_their_owner_only(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    assert stat.S_IMODE((store.root / "alice.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.root.stat().st_mode) == 0o700


def test_file_is_a_v3_keystore_of_the_standard_form(store: KeystoreStore) -> None:
    store.import_key("alice", PASSWORD, KEY)
    data = json.loads(store.export("alice"))
    assert data["version"] == 3
    assert data["crypto"]["kdf"] == "scrypt"
    assert data["crypto"]["cipher"] == "aes-128-ctr"
    assert Account.decrypt(data, PASSWORD) == bytes.fromhex(KEY[2:])


def test_standard_work_factor_is_the_default(tmp_path: Path) -> None:
    store = KeystoreStore(tmp_path)
    store.create("alice", PASSWORD)
    stored = json.loads(store.export("alice"))
    assert stored["crypto"]["kdfparams"]["n"] == STANDARD_SCRYPT_N == 262_144


def test_wrong_password(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    with pytest.raises(WalletError) as info:
        store.unlock("alice", PASSWORD + "!")
    assert code_of(info) == "wrong-password"


def test_existing_wallet_is_never_overwritten(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    before = store.export("alice")
    for attempt in (
        lambda: store.create("alice", PASSWORD),
        lambda: store.import_key("alice", PASSWORD, KEY),
        lambda: store.import_json("alice", PASSWORD, before),
    ):
        with pytest.raises(WalletError) as info:
            attempt()
        assert code_of(info) == "wallet-exists"
    assert store.export("alice") == before


@pytest.mark.parametrize("password", ["", "short", "1234567"])
def test_weak_password_stores_nothing(store: KeystoreStore, password: str) -> None:
    with pytest.raises(WalletError) as info:
        store.create("alice", password)
    assert code_of(info) == "weak-password"
    assert store.list() == []


@pytest.mark.parametrize(
    "name", ["", "..", "a/b", "../alice", "Alice", "-a", "a" * 33, "a.json", "ä"]
)
def test_names_cannot_leave_the_folder(store: KeystoreStore, name: str) -> None:
    with pytest.raises(WalletError) as info:
        store.create(name, PASSWORD)
    assert code_of(info) == "invalid-name"


@pytest.mark.parametrize("key", ["", "0x", "11" * 31, "zz" * 32, "00" * 32, b"short"])
def test_bad_key_is_refused_without_repeating_it(store: KeystoreStore, key: str | bytes) -> None:
    with pytest.raises(WalletError) as info:
        store.import_key("alice", PASSWORD, key)
    assert code_of(info) == "invalid-key"
    shown = str(info.value) + info.value.hint + str(info.value.context)
    assert len(key) < 4 or str(key) not in shown
    assert info.value.__cause__ is None
    assert store.list() == []


def test_unknown_wallet_names_the_known_ones(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    with pytest.raises(WalletError) as info:
        store.unlock("bob", PASSWORD)
    assert code_of(info) == "unknown-wallet"
    assert "alice" in info.value.hint


def test_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("a file where the folder should be")
    with pytest.raises(WalletError) as info:
        KeystoreStore(blocked, scrypt_n=LIGHT_SCRYPT_N).create("alice", PASSWORD)
    assert code_of(info) == "wallet-unwritable"
    assert sorted(os.listdir(tmp_path)) == ["file"]


def test_no_temporary_files_stay(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    with pytest.raises(WalletError):
        store.create("alice", PASSWORD)
    assert os.listdir(store.root) == ["alice.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 3}',
        '{"version": 4, "crypto": {}}',
        '{"version": 3, "crypto": {"kdf": "scrypt", "kdfparams": {"n": "x"}}}',
        '{"version": 3, "crypto": {"kdf": "none", "kdfparams": {}}}',
    ],
)
def test_damaged_file(store: KeystoreStore, content: str) -> None:
    store.create("alice", PASSWORD)
    (store.root / "alice.json").write_text(content)
    with pytest.raises(WalletError) as info:
        store.unlock("alice", PASSWORD)
    assert code_of(info) == "invalid-keystore"
    assert store.list() == []


def test_file_that_would_eat_the_memory_is_refused(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    data = json.loads(store.export("alice"))
    data["crypto"]["kdfparams"]["n"] = 1 << 26
    (store.root / "alice.json").write_text(json.dumps(data))
    with pytest.raises(WalletError, match="too much memory") as info:
        store.unlock("alice", PASSWORD)
    assert code_of(info) == "invalid-keystore"


def test_swapped_address_is_noticed(store: KeystoreStore) -> None:
    store.create("alice", PASSWORD)
    data = json.loads(store.export("alice"))
    data["address"] = "22" * 20
    (store.root / "alice.json").write_text(json.dumps(data))
    with pytest.raises(WalletError, match="its key is that of") as info:
        store.unlock("alice", PASSWORD)
    assert code_of(info) == "invalid-keystore"


def test_keystore_of_another_wallet_is_taken_with_its_password(
    store: KeystoreStore, tmp_path: Path
) -> None:
    other = KeystoreStore(tmp_path / "other", scrypt_n=LIGHT_SCRYPT_N)
    address = other.create("origin", PASSWORD)
    with pytest.raises(WalletError) as info:
        store.import_json("copy", "not the password", other.export("origin"))
    assert code_of(info) == "wrong-password"
    assert store.import_json("copy", PASSWORD, other.export("origin")) == address


def test_address_is_known_without_the_password(store: KeystoreStore) -> None:
    address = store.create("alice", PASSWORD)
    assert store.address_of("alice") == address
    assert store.has("alice")
    assert not store.has("bob")
