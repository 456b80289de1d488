"""``infer`` and ``request``: answers, refusals, refunds; in text and in JSON."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cli_fixtures import MakeWallet, Shell
from gateless.adapters.chain.deployment import save_deployment
from gateless.devnet import Devnet
from market_fixtures import LABELS, ROW, MakeServed, Served
from patience import eventually


@pytest.fixture
def row(tmp_path: Path) -> Path:
    path = tmp_path / "row.json"
    path.write_text(json.dumps({"x": ROW}))
    return path


async def know(shell: Shell, served: Served) -> None:
    """Puts a version's manifest into the shell's store, as if it had been fetched."""
    await shell("store", "put", served.bundle.root / "manifest.json")


async def answer_next(served: Served) -> int:
    """Answers the next request for the version; returns its id."""
    market = served.executor.client.chain.market
    expected = await market.request_count() + 1

    async def made() -> bool:
        return await market.request_count() >= expected

    await eventually(f"request {expected} is made", made)
    await served.answer(expected)
    return expected


async def test_the_answer_is_printed(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path
) -> None:
    served = await make_served("cli-infer", royalty_bps=1000)
    user = await make_wallet("alice", tokens=10)
    await know(shell, served)
    answering = asyncio.create_task(answer_next(served))
    outcome = await shell("infer", "cli-infer", "-i", row, "--price", "2", "--timeout", 60)
    request_id = await answering
    text = " ".join(outcome.stdout.split())
    assert text.startswith(("prediction no", "prediction yes"))
    assert "paid 2.00 tUSD: executor 1.80 tUSD, royalty 0.20 tUSD" in text
    assert served.executor.address in text
    assert "verified in 0x" in text
    assert max(len(line.rstrip()) for line in outcome.stdout.splitlines()) <= 80
    assert outcome.stderr == ""

    shown = (await shell("--json", "request", "show", request_id)).data
    assert shown["state"] == "PAID"
    assert shown["requester"] == user
    assert shown["result"]["label"] in LABELS
    assert f"verified in  {shown['result']['fulfil_tx']}" in outcome.stdout
    waited = (await shell("--json", "request", "wait", request_id)).data
    assert waited == shown["result"]
    assert "prediction" in (await shell("request", "show", request_id)).stdout


async def test_json_and_every_kind_of_file(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, tmp_path: Path
) -> None:
    served = await make_served("cli-formats")
    await make_wallet("alice", tokens=10)
    await know(shell, served)
    np.save(tmp_path / "row.npy", np.array([ROW]))
    np.savez(tmp_path / "row.npz", x=np.array(ROW))
    answers = []
    for source, stdin in (
        (tmp_path / "row.npy", b""),
        (tmp_path / "row.npz", b""),
        ("-", json.dumps(ROW).encode()),
        ("-", (tmp_path / "row.npy").read_bytes()),
    ):
        answering = asyncio.create_task(answer_next(served))
        arguments = ("infer", "cli-formats", "-i", source, "--timeout", 60)
        outcome = await shell("--json", *arguments, stdin=stdin)
        assert outcome.stderr == ""
        assert outcome.data["request_id"] == await answering
        assert outcome.data["price"]["units"] == 250_000
        assert outcome.data["warnings"] == []
        answers.append(outcome.data["integers"])
    assert answers[1:] == answers[:-1]  # the same numbers, however they were given


async def test_without_waiting(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path
) -> None:
    served = await make_served("cli-later")
    await make_wallet("alice", tokens=10)
    await know(shell, served)
    asked = await shell("infer", "cli-later", "-i", row, "--no-wait")
    request_id = (await shell("--json", "request", "list")).data[0]["request_id"]
    assert f"gateless request wait {request_id}" in asked.stdout
    late = await shell("request", "wait", request_id, "--timeout", "0", code=7)
    assert late.stderr.startswith("error[wait-timeout]")
    await served.answer(request_id)
    assert "prediction" in (await shell("request", "wait", request_id)).stdout
    listed = await shell("request", "list")
    assert "paid" in listed.stdout and "cli-later@0" in listed.stdout


async def test_cancelling(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path
) -> None:
    served = await make_served("cli-cancel")
    await make_wallet("alice", tokens=1)
    await know(shell, served)
    asked = (await shell("--json", "infer", "cli-cancel", "-i", row, "--no-wait")).data
    cancelled = (await shell("--json", "request", "cancel", asked["request_id"])).data
    assert cancelled["refunded"]["units"] == 250_000
    again = await shell("request", "cancel", asked["request_id"], code=7)
    assert again.stderr.startswith("error[inference-market-not-open]")


async def test_expiry_and_refund(
    isolated_devnet: Devnet,
    shell: Shell,
    make_wallet: MakeWallet,
    make_served: MakeServed,
    row: Path,
) -> None:
    served = await make_served("cli-expired")
    user = await make_wallet("alice", tokens=1)
    await know(shell, served)
    asked = (
        await shell("--json", "infer", "cli-expired", "-i", row, "--no-wait", "--timeout", 60)
    ).data
    number = asked["request_id"]
    early = await shell("request", "refund", number, code=7)
    assert early.stderr.startswith("error[inference-market-not-expired]")
    await shell("devnet", "advance", 120)
    expired = await shell("request", "wait", number, code=7)
    assert expired.stderr.startswith("error[request-expired]")
    assert f"hint: get the 0.25 tUSD back with: gateless request refund {number}" in expired.stderr
    assert "expired" in (await shell("request", "show", number)).stdout
    refunded = await shell("request", "refund", number)
    assert f"0.25 tUSD are back in the deposit of {user}" in " ".join(refunded.stdout.split())
    over = await shell("request", "wait", number, code=7)
    assert over.stderr.startswith("error[request-refunded]")


async def test_bad_input_moves_nothing(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, tmp_path: Path
) -> None:
    served = await make_served("cli-refused")
    await make_wallet("alice", tokens=5)
    await know(shell, served)
    balance = (await shell("--json", "wallet", "balance")).data
    count = await served.builder.client.chain.market.request_count()
    good = json.dumps(ROW)
    cases: list[tuple[str, int, str, tuple[object, ...]]] = [
        ("not-finite", 2, "[NaN, 0, 0, 0]", ("cli-refused",)),
        ("not-finite", 2, "[Infinity, 0, 0, 0]", ("cli-refused",)),
        ("wrong-shape", 2, "[1, 2]", ("cli-refused",)),
        ("wrong-dtype", 2, '["a", "b", "c", "d"]', ("cli-refused",)),
        ("out-of-range", 2, "[1e30, 0, 0, 0]", ("cli-refused",)),
        ("unknown-input", 2, '{"y": [1, 2, 3, 4]}', ("cli-refused",)),
        ("input-format", 2, "{", ("cli-refused",)),
        ("unknown-model", 10, good, ("cli-nowhere",)),
        ("unknown-version", 10, good, ("cli-refused@7",)),
        ("unknown-alias", 10, good, ("cli-refused@nope",)),
        ("balance-too-low", 9, good, ("cli-refused", "--price", "6")),
        ("balance-too-low", 9, good, ("cli-refused", "--no-deposit")),
        ("deadline-passed", 2, good, ("cli-refused", "--timeout", "0")),
        ("deadline-too-far", 2, good, ("cli-refused", "--timeout", "999999999")),
        ("collateral-too-low", 2, good, ("cli-refused", "--collateral", "0.01")),
        ("invalid-amount", 2, good, ("cli-refused", "--price", "much")),
        ("invalid-address", 2, good, ("cli-refused", "--callback", "0x12")),
        ("invalid-store-url", 2, good, ("cli-refused", "--input-store", "ftp://x")),
        ("rpc-unreachable", 7, good, ("cli-refused", "--rpc-url", "http://127.0.0.1:9")),
        ("unknown-network", 11, good, ("cli-refused", "--network", "nowhere")),
        ("unknown-wallet", 8, good, ("cli-refused", "--wallet", "nobody")),
    ]
    for code, exit_code, stdin, arguments in cases:
        outcome = await shell("infer", *arguments, "-i", "-", stdin=stdin, code=exit_code)
        assert f"error[{code}]: " in outcome.stderr, (code, outcome)
        assert "\nhint: " in outcome.stderr, (code, outcome)
        assert outcome.stdout == "", code
    missing = await shell("infer", "cli-refused", "-i", tmp_path / "nowhere.json", code=2)
    assert missing.stderr.startswith("error[input-unreadable]")
    assert (await shell("--json", "wallet", "balance")).data == balance
    assert await served.builder.client.chain.market.request_count() == count


async def test_the_missing_amount_and_the_command_to_deposit(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path
) -> None:
    served = await make_served("cli-poor")
    address = await make_wallet("alice", tokens=5)
    await know(shell, served)
    outcome = await shell("infer", "cli-poor", "-i", row, "--price", "7.5", code=9)
    assert "2.50 tUSD missing" in outcome.stderr
    assert f"send 2.50 tUSD to {address}" in outcome.stderr
    assert "gateless wallet deposit 7.50" in outcome.stderr


async def test_files_that_are_gone_or_tampered_with(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path
) -> None:
    served = await make_served("cli-files")
    await make_wallet("alice", tokens=5)
    gone = await shell("infer", "cli-files", "-i", row, code=6)
    assert gone.stderr.startswith("error[content-not-found]")
    await know(shell, served)
    digest = served.bundle.digest
    stored = shell.home / "content" / digest[:2] / digest
    stored.write_bytes(stored.read_bytes() + b" ")
    tampered = await shell("infer", "cli-files", "-i", row, code=6)
    assert tampered.stderr.startswith("error[content-")
    assert await served.builder.client.requests(shell.address("alice")) == ()


async def test_a_network_that_is_another_chain(
    devnet: Devnet, shell: Shell, make_wallet: MakeWallet, row: Path
) -> None:
    await make_wallet("alice", tokens=1)
    save_deployment(replace(devnet.deployment, name="other", chain_id=1), shell.home)
    outcome = await shell("infer", "x", "-i", row, "--network", "other", code=7)
    assert outcome.stderr.startswith("error[wrong-chain-id]")


async def test_requests_that_do_not_exist(shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("alice", tokens=1)
    for command in ("show", "wait", "cancel", "refund"):
        outcome = await shell("request", command, 10**9, code=10)
        assert outcome.stderr.startswith("error[unknown-request]"), command
    assert "made no requests yet" in (await shell("request", "list")).stdout
    assert (await shell("--json", "request", "list")).data == []
