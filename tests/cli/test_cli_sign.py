"""``infer --sign`` and what becomes of signed requests; in text and in JSON."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from cli_fixtures import MakeWallet, Shell
from gateless.adapters.chain import calls
from gateless.adapters.chain.offers import Offer, parse_offer
from gateless.adapters.chain.sender import Sender
from gateless.devnet import Devnet
from gateless_proofs import KeyCache, Prover
from market_fixtures import LABELS, PRICE, ROW, MakeServed, Served


@pytest.fixture
def row(tmp_path: Path) -> Path:
    path = tmp_path / "row.json"
    path.write_text(json.dumps({"x": ROW}))
    return path


async def ready(shell: Shell, make_wallet: MakeWallet, served: Served) -> str:
    """A wallet with a deposit and the version's manifest; returns its address."""
    address = await make_wallet("alice", tokens=10)
    await shell("store", "put", served.bundle.root / "manifest.json")
    await shell("wallet", "deposit", "5")
    return address


async def answer(served: Served, offer: Offer) -> None:
    """Does what an executor does with a signed request that it was handed."""
    assert offer.packed_input is not None
    sender = Sender(served.executor.client.chain, served.executor.signer)
    await sender.send(calls.lock_signed(offer.signed, offer.signature, 30, PRICE))
    proof = await Prover(KeyCache(served.executor.home / "cache")).prove(
        served.bundle, offer.packed_input
    )
    await sender.send(
        calls.fulfill(offer.request_id, 0, offer.packed_input, proof.packed_output, proof.proof)
    )


async def test_signed_kept_taken_and_answered(
    devnet: Devnet,
    shell: Shell,
    make_wallet: MakeWallet,
    make_served: MakeServed,
    row: Path,
    tmp_path: Path,
) -> None:
    served = await make_served("cli-signed")
    user = await ready(shell, make_wallet, served)
    gas_money = await devnet.client.native_balance(user)
    out = tmp_path / "signed.json"
    asked = ("infer", "cli-signed", "-i", row, "--sign", "--nonce", 7, "--out", out)
    made = await shell("--json", *asked, "--price", "1", "--min-price", "0.25", "--ramp", 60)
    offer = parse_offer(out.read_text())
    assert made.data["request_id"] == f"0x{offer.request_id:064x}"
    assert made.data["nonce"] == "7"
    assert made.data["max_price"] == {"units": 1_000_000, "text": "1.00 tUSD"}
    assert (made.data["file"], made.data["handed_to"]) == (str(out), [])
    assert offer.signed.requester == user
    assert (offer.signed.params.min_price, offer.signed.params.ramp_length) == (250_000, 60)

    await answer(served, offer)
    shown = (await shell("--json", "request", "show", made.data["request_id"])).data
    assert shown["state"] == "PAID"
    assert shown["result"]["label"] in LABELS
    waited = await shell("request", "wait", made.data["request_id"])
    assert "prediction" in waited.stdout
    assert await devnet.client.native_balance(user) == gas_money
    # It was answered: there is nothing to take back, and nothing is sent.
    again = await shell("--json", "request", "cancel", "--nonce", "7", "--nonce", "8", code=2)
    assert again.error["code"] == "nonce-spent"
    assert again.error["context"]["nonces"] == ["7"]
    assert await devnet.client.native_balance(user) == gas_money
    cancelled = await shell("request", "cancel", "--nonce", "8")
    assert "no request that was signed with nonce 8" in cancelled.stdout


async def test_text_says_what_to_do_next(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path, tmp_path: Path
) -> None:
    served = await make_served("cli-signed-text")
    await ready(shell, make_wallet, served)
    out = tmp_path / "signed.json"
    made = await shell(
        "infer", "cli-signed-text", "-i", row, "--sign", "--nonce", 300, "--out", out
    )
    text = " ".join(made.stdout.split())
    assert "at most 0.25 tUSD, from your deposit" in text
    assert "gateless request cancel --nonce 300" in text
    assert str(out) in made.stdout  # however long: a path is there to be copied
    lines = [line.rstrip() for line in made.stdout.splitlines() if str(out) not in line]
    assert max(map(len, lines)) <= 80
    cancelled = await shell("--json", "request", "cancel", "--nonce", "300", "--nonce", "301")
    assert cancelled.data["nonces"] == ["300", "301"]
    assert len(cancelled.data["transactions"]) == 1  # one word holds both
    with pytest.raises(Exception, match="nonce-used"):
        await answer(served, parse_offer(out.read_text()))


async def test_handing_it_to_nobody(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path, tmp_path: Path
) -> None:
    served = await make_served("cli-signed-nobody")
    await ready(shell, make_wallet, served)
    # The executor's profile names no address.
    alone = await shell("infer", "cli-signed-nobody", "-i", row, "--sign", "--json", code=10)
    assert alone.error["code"] == "no-executor"
    out = tmp_path / "signed.json"
    await shell("infer", "cli-signed-nobody", "-i", row, "--sign", "--out", out)
    again = await shell("request", "hand", out, "--json", code=10)
    assert again.error["code"] == "no-executor"
    await served.executor.client.stake(0, endpoint="http://127.0.0.1:9")
    dead = await shell("request", "hand", out, "--json", code=6)
    assert dead.error["code"] == "store-unreachable"


async def test_an_executor_takes_it_and_the_answer_is_printed(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, row: Path
) -> None:
    served = await make_served("cli-signed-taken")
    await ready(shell, make_wallet, served)
    taken: asyncio.Future[Offer] = asyncio.get_running_loop().create_future()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split()[0])
        body = await reader.readexactly(length)
        writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
        await writer.drain()
        writer.close()
        taken.set_result(parse_offer(body))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    endpoint = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        await served.executor.client.stake(0, endpoint=endpoint)
        asked = ("infer", "cli-signed-taken", "-i", row, "--sign")
        asking = asyncio.create_task(shell(*asked))
        await answer(served, await taken)
        assert "prediction" in (await asking).stdout
        taken = asyncio.get_running_loop().create_future()
        out = row.with_name("signed.json")
        await shell(*asked, "--out", out)
        handed = await shell("--json", "request", "hand", out)
        assert handed.data["handed_to"] == [served.executor.address]
        assert await taken == parse_offer(out.read_text())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("infer", "x", "-i", "ROW", "--nonce", "1"), "not-signed"),
        (("infer", "x", "-i", "ROW", "--out", "y"), "not-signed"),
        (("request", "cancel"), "nothing-to-cancel"),
        (("request", "cancel", "1", "--nonce", "2"), "nothing-to-cancel"),
        (("request", "cancel", "--nonce", "two"), "invalid-nonce"),
        (("request", "cancel", "--nonce", str(2**256)), "invalid-nonce"),
        (("request", "hand", "none.json"), "signed-request-unreadable"),
        (("request", "hand", "ROW"), "invalid-signed-request"),
    ],
)
async def test_what_cannot_be_meant(
    bare_shell: Shell, row: Path, arguments: tuple[str, ...], code: str
) -> None:
    given = [row if argument == "ROW" else argument for argument in arguments]
    outcome = await bare_shell(*given, "--json", code=2)
    assert outcome.error["code"] == code
    assert outcome.error["hint"]


async def test_numbers_that_are_none(bare_shell: Shell) -> None:
    for text in ("seven", "-1", "0x" + "f" * 65, str(2**256)):
        outcome = await bare_shell("request", "show", "--", text, code=2)
        assert "is no id of a request" in " ".join(outcome.stderr.split())
