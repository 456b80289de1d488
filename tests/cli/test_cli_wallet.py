"""Wallet commands: keys are kept safe, money arrives where it should."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from cli_fixtures import PASSWORD, MakeWallet, Shell
from eth_account import Account as EthAccount
from gateless.adapters.signer import KeystoreStore
from gateless.devnet.accounts import keystore_folder

KEY = "0x" + "4c" * 32
ADDRESS = EthAccount.from_key(KEY).address


def _file(path: Path) -> tuple[int, bytes]:
    return stat.S_IMODE(path.stat().st_mode), path.read_bytes()


async def test_a_new_account(bare_shell: Shell, tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\nsecond line is not part of it\n")
    made = await bare_shell("--json", "wallet", "create", "alice", "--password-file", password)
    keystore = Path(made.data["keystore"])
    mode, before = _file(keystore)
    assert mode == 0o600
    assert json.loads(before)["version"] == 3
    signer = KeystoreStore(keystore_folder(bare_shell.home)).unlock("alice", PASSWORD)
    assert signer.address == made.data["address"]

    again = await bare_shell("wallet", "create", "alice", "--password-file", password, code=8)
    assert again.stderr.startswith("error[wallet-exists]")
    assert _file(keystore)[1] == before
    listed = await bare_shell("wallet", "list")
    assert made.data["address"] in listed.stdout  # whole, or people copy a shortened one
    assert (await bare_shell("--json", "wallet", "show", "alice")).data["name"] == "alice"


async def test_importing(bare_shell: Shell, tmp_path: Path) -> None:
    environ = {"GATELESS_PASSWORD": PASSWORD}
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    by_file = await bare_shell("wallet", "import", "a", "--key-file", key_file, **environ)
    by_stdin = await bare_shell("wallet", "import", "b", "--key-file", "-", stdin=KEY, **environ)
    keystore = keystore_folder(bare_shell.home) / "a.json"
    by_keystore = await bare_shell("wallet", "import", "c", "--keystore", keystore, **environ)
    for outcome in (by_file, by_stdin, by_keystore):
        assert ADDRESS in outcome.stdout
        assert KEY.removeprefix("0x") not in outcome.stdout + outcome.stderr
    assert [entry["address"] for entry in (await bare_shell("--json", "wallet", "list")).data] == [
        ADDRESS
    ] * 3


@pytest.mark.parametrize(
    ("arguments", "stdin", "environ", "code"),
    [
        (
            ("import", "a", "--key-file", "-"),
            "not a key",
            {"GATELESS_PASSWORD": PASSWORD},
            "invalid-key",
        ),
        (("import", "a", "--key-file", "-"), KEY, {}, "password-required"),
        (("import", "a", "--key-file", "-"), KEY, {"GATELESS_PASSWORD": "short"}, "weak-password"),
        (("import", "a"), "", {"GATELESS_PASSWORD": PASSWORD}, "key-required"),
        (("import", "a", "--key-file", "/nowhere"), "", {}, "password-file-unreadable"),
        (("import", "a", "--key-file", "x", "--keystore", "y"), "", {}, "key-source"),
        (("create", "No Name"), "", {"GATELESS_PASSWORD": PASSWORD}, "invalid-name"),
        (("create", "a", "--password-file", "/nowhere"), "", {}, "password-file-unreadable"),
        (("show", "nobody"), "", {}, "unknown-wallet"),
    ],
)
async def test_refusals_write_nothing(
    bare_shell: Shell, arguments: tuple[str, ...], stdin: str, environ: dict[str, str], code: str
) -> None:
    outcome = await bare_shell("wallet", *arguments, "--json", stdin=stdin, code=8, **environ)
    assert outcome.error["code"] == code
    assert outcome.error["hint"]
    assert KEY.removeprefix("0x") not in outcome.stderr
    folder = keystore_folder(bare_shell.home)
    assert not folder.exists() or not any(folder.iterdir())


async def test_money(shell: Shell, make_wallet: MakeWallet) -> None:
    address = await make_wallet("alice", tokens=10)
    shown = await shell("wallet", "balance")  # the only wallet needs no choice
    assert "10.00 tUSD" in shown.stdout
    deposited = await shell("wallet", "deposit", "2.5")
    assert "the deposit is now 2.50 tUSD" in deposited.stdout
    assert deposited.stderr == ""  # no progress where nobody watches
    balance = (await shell("--json", "wallet", "balance", address)).data
    assert balance["wallet"] == {"units": 7_500_000, "text": "7.50 tUSD"}
    assert balance["deposit"]["units"] == 2_500_000
    moved = (await shell("--json", "wallet", "withdraw", "1")).data
    assert moved["withdrawn"]["units"] == 1_000_000
    assert moved["transactions"][0]["tx"].startswith("0x")
    await shell("wallet", "withdraw")
    empty = await shell("wallet", "withdraw", code=9)
    assert empty.stderr.startswith("error[nothing-to-withdraw]")


async def test_money_refusals(shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("alice", tokens=1)
    too_much = await shell("wallet", "deposit", "2", code=9)
    assert too_much.stderr.startswith("error[token-balance-too-low]")
    assert "1.00 tUSD" in too_much.stderr or "1 tUSD" in too_much.stderr
    for amount in ("x", "-1", "0.0000001"):
        wrong = await shell("wallet", "deposit", "--", amount, code=2)
        assert wrong.stderr.startswith("error[invalid-amount]")
    wrong_password = await shell("wallet", "deposit", "1", GATELESS_PASSWORD_FILE="", code=8)
    assert wrong_password.stderr.startswith("error[password-required]")
    wrong_password = await shell(
        "wallet", "deposit", "1", GATELESS_PASSWORD_FILE="", GATELESS_PASSWORD="wrong one", code=8
    )
    assert wrong_password.stderr.startswith("error[wrong-password]")
    balance = (await shell("--json", "wallet", "balance")).data
    assert balance["wallet"]["units"] == 1_000_000


async def test_which_wallet(shell: Shell, make_wallet: MakeWallet) -> None:
    nobody = await shell("wallet", "balance", code=8)
    assert "hint: make one: gateless wallet create NAME" in nobody.stderr
    await make_wallet("alice", tokens=1)
    await make_wallet("bob", tokens=2)
    unclear = await shell("wallet", "balance", code=8)
    assert unclear.stderr.startswith("error[wallet-not-chosen]")
    assert "alice, bob" in unclear.stderr
    assert "2.00 tUSD" in (await shell("wallet", "balance", "--wallet", "bob")).stdout
    assert "1.00 tUSD" in (await shell("wallet", "balance", GATELESS_WALLET="alice")).stdout
    # The development account for a role is used where nothing else was said.
    await make_wallet("user", tokens=3)
    chosen = await shell("wallet", "balance")
    assert "3.00 tUSD" in chosen.stdout
    assert "development wallet 'user'" in chosen.stderr


async def test_test_money(shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("user", tokens=0)
    address = await make_wallet("carol", tokens=0)
    funded = (await shell("--json", "devnet", "fund", "carol", "--amount", "12.5")).data
    assert funded["address"] == address
    assert funded["wallet"]["units"] == 12_500_000
    assert (await shell("devnet", "fund", "0x12", code=2)).stderr.startswith(
        "error[invalid-address]"
    )
    assert (await shell("devnet", "fund", "nobody", code=8)).stderr.startswith(
        "error[unknown-wallet]"
    )
