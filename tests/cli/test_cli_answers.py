"""``gateless infer --mode attested|quorum``, ``attest``, ``quorum``, ``result``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_fixtures import MakeWallet, Shell
from gateless.adapters.storage import LocalStore, put_bundle
from gateless.cli.answers import hex_bytes, key_set
from gateless.cli.bundles import trust_modes
from gateless.core.errors import InputError
from gateless.devnet import Devnet
from market_fixtures import MakeAccount
from quorum_fixtures import ROW, quorum_stage

UNKNOWN = "0x" + "ab" * 32


async def test_an_attested_answer_from_question_to_reuse(
    shell: Shell,
    make_wallet: MakeWallet,
    devnet: Devnet,
    make_account: MakeAccount,
    tmp_path: Path,
) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "cli-attested", executors=0)
    await put_bundle(LocalStore(shell.home / "content"), stage.bundle.root)
    await make_wallet("user")
    enclave, bringer = await make_wallet("enclave"), await make_wallet("bringer")
    values = tmp_path / "row.json"
    values.write_text(json.dumps(ROW))
    signer = ("--signer", enclave)

    policy = (await shell("--json", "attest", "policy", *signer)).data
    assert policy["keys"] == [enclave]
    asked = (
        await shell(
            *("--json", "--wallet", "user", "infer", "cli-attested", "--input", values),
            *("--mode", "attested", *signer, "--price", "2", "--no-wait"),
        )
    ).data
    number = asked["request_id"]
    # A request's id by itself means "show".
    before = (await shell("--json", "result", number)).data
    assert (before["state"], before["policy"]) == ("OPEN", policy["policy"])

    signed = (
        await shell(
            *("--json", "--wallet", "enclave", "attest", "sign", number),
            *("--executor", bringer),
        )
    ).data
    assert signed["key"] == enclave
    answer = ("--wallet", "bringer", "attest", "answer", number, *signer)
    few = await shell(*answer, code=2)
    assert "not-enough-signatures" in few.stderr
    given = f"{enclave}={signed['signature']}"
    await shell(*answer, "--signature", given, "--output", signed["packed_output"])

    shown = await shell("result", "show", number, "--wait")
    assert "keys vouch for it" in shown.stdout
    assert bringer in shown.stdout
    data = (await shell("--json", "result", number)).data
    assert data["final"] is True
    assert data["outputs"]["y"] == [[2 * value for value in ROW]]

    ask = ("result", "latest", "cli-attested", "--input", values)
    assert "no-result" in (await shell(*ask, code=10)).stderr
    await shell("--wallet", "bringer", "result", "publish", number)
    assert "no-result" in (await shell(*ask, code=10)).stderr  # not proven
    believed = (await shell("--json", *ask, "--mode", "attested", *signer)).data
    assert believed["request_id"] == number
    assert believed["packed_output"] == signed["packed_output"]
    assert "keys-needed" in (await shell(*ask, "--mode", "attested", code=2)).stderr

    await shell("--wallet", "bringer", "quorum", "withdraw")
    nothing = await shell("--wallet", "bringer", "quorum", "withdraw", code=9)
    assert "nothing-to-withdraw" in nothing.stderr


async def test_a_quorum_without_members(
    shell: Shell,
    make_wallet: MakeWallet,
    devnet: Devnet,
    make_account: MakeAccount,
    tmp_path: Path,
) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "cli-alone", executors=0)
    await put_bundle(LocalStore(shell.home / "content"), stage.bundle.root)
    await make_wallet("user")
    values = tmp_path / "row.json"
    values.write_text(json.dumps(ROW))
    ask = ("--wallet", "user", "infer", "cli-alone", "--input", values, "--mode", "quorum")
    alone = await shell(*ask, code=10)
    assert "no-quorum" in alone.stderr
    # This chain mines by transaction: whoever waits for a draw here is told.
    assert "gateless devnet up --block-time 2" in alone.stderr
    few = await shell(*ask, "--members", "2", code=2)
    assert "members-out-of-range" in few.stderr
    advance = ("--wallet", "user", "quorum", "advance", UNKNOWN)
    assert "unknown-request" in (await shell(*advance, code=10)).stderr
    assert "unknown-request" in (await shell("result", UNKNOWN, code=10)).stderr


async def test_what_attested_requests_need(shell: Shell, tmp_path: Path) -> None:
    values = tmp_path / "row.json"
    values.write_text(json.dumps(ROW))
    ask = ("infer", "anything", "--input", values, "--mode", "attested")
    assert "keys-needed" in (await shell(*ask, code=2)).stderr
    signer = ("--signer", "0x" + "11" * 20)
    assert "price-needed" in (await shell(*ask, *signer, code=2)).stderr


def test_keys_and_hex() -> None:
    first, second = "0x" + "11" * 20, "0x" + "22" * 20
    assert key_set([second, first], None).threshold == 2
    assert key_set([second, first], 1).keys == (first, second)
    assert hex_bytes("0x0102", "output") == b"\1\2"
    for text, length in (("0102", None), ("0x012", None), ("0xzz", None), ("0x01", 2)):
        with pytest.raises(InputError) as caught:
            hex_bytes(text, "output", length)
        assert caught.value.code == "invalid-hex"
    assert trust_modes("") is None


async def test_quorums_are_named_with_their_stake(shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("executor")
    for text in ("digits", ""):
        refused = await shell("executor", "run", "--quorum", text, code=2)
        assert "invalid-enrolment" in refused.stderr
    unknown = await shell("executor", "run", "--quorum", "no-such-model=50", code=10)
    assert "unknown-model" in unknown.stderr
