"""``watchtower``: run as a process, killed, asked what it did and earned; receipts handed to it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cli_fixtures import PASSWORD, MakeWallet, Shell
from cli_processes import command
from gateless.adapters.signer import KeystoreStore
from gateless.devnet import Devnet
from gateless.devnet.accounts import keystore_folder
from market_fixtures import ROW, MakeServed
from patience import eventually
from watchtower_fixtures import TERMS, Signing, signing_executor


@pytest_asyncio.fixture
async def says(isolated_devnet: Devnet, make_served: MakeServed, shell: Shell) -> Signing:
    """An executor that signs what it is told; the shell has its files."""
    says = await signing_executor(isolated_devnet, make_served, "cli-watched")
    for file in sorted(says.served.bundle.root.iterdir()):
        if file.is_file():
            await shell("store", "put", file)
    return says


@pytest.fixture
def row(tmp_path: Path) -> Path:
    path = tmp_path / "row.json"
    path.write_text(json.dumps({"x": ROW}))
    return path


async def kept(says: Signing, folder: Path, output: bytes, slot: int = 0) -> Path:
    path = folder / f"{slot}-{output[:1].hex()}.json"
    path.write_text((await says.receipt(output, slot=slot)).to_json())
    return path


async def test_a_watchtower_from_start_to_earnings(
    isolated_devnet: Devnet,
    says: Signing,
    shell: Shell,
    make_wallet: MakeWallet,
    row: Path,
    tmp_path: Path,
) -> None:
    tower = await make_wallet("tower", tokens=100)
    me = {"GATELESS_WALLET": "tower"}
    inbox = tmp_path / "inbox"
    lie = await kept(says, tmp_path, says.lie)
    given = await shell(
        *("watchtower", "hand", lie, "--input", row, "--to", inbox, "--json"),
    )
    case = given.data["case"]
    assert Path(given.data["at"]).parent == inbox
    run = ("watchtower", "run", "--inbox", str(inbox), "--max-at-risk", "50", "--json")
    environ = {**shell.environ, **me}

    async def status() -> dict[str, Any]:
        # Of an account that is named nothing is found out about this machine, which takes long.
        return dict((await shell("watchtower", "status", tower, "--json")).data)

    async def is_in(state: str) -> dict[str, Any]:
        async def reached() -> bool:
            cases = (await status())["cases"]
            return any(entry["case"] == case and entry["state"] == state for entry in cases)

        await eventually(f"the case is {state}", reached)
        return next(entry for entry in (await status())["cases"] if entry["case"] == case)

    async with command(shell.home, *run, **environ) as first:
        ready = await first.document()
        assert (ready["address"], ready["inbox"]) == (tower, str(inbox))
        opened = await is_in("open")
        first.process.send_signal(signal.SIGKILL)
        await first.process.wait()
    assert (await status())["at_risk"]["units"] == TERMS.challenge_bond
    now = (await says.chain.block("pending")).timestamp
    await isolated_devnet.control.advance(opened["deadline"] - now + 1)
    async with command(shell.home, *run, "--port", "0", **environ) as second:
        ready = await second.document()
        await is_in("won")
        true = await kept(says, tmp_path, says.truth.packed_output, slot=1)
        there = ("watchtower", "hand", true, "-i", row, "--to", ready["serving_at"])
        assert "handed to" in (await shell(*there)).stdout

        async def right() -> bool:
            return (await status())["counts"].get("right") == 1

        await eventually("the true receipt is right", right)
        code, _, err = await second.stop()
        assert code == 0, err
    earned = (await shell("watchtower", "earnings", "--json", **me)).data
    assert (earned["won"], earned["lost"], earned["open"]) == (1, 0, 0)
    assert earned["rewards"]["units"] == earned["net"]["units"] == TERMS.bond // 5
    assert earned["held_by"]["ExecutorStaking"]["units"] == TERMS.bond // 5
    text = (await shell("watchtower", "earnings", **me)).stdout
    assert "1 won" in text and "2.00 tUSD" in text
    text = (await shell("watchtower", "status", **me)).stdout
    assert "won" in text and "network: " in text


async def test_what_it_cannot_be_given(bare_shell: Shell, tmp_path: Path) -> None:
    nothing = await bare_shell("watchtower", "hand", "--to", tmp_path, "--json", code=2)
    assert nothing.error["code"] == "usage"
    half = ("watchtower", "hand", "--request", "0x12", "--to", tmp_path, "--json")
    assert (await bare_shell(*half, code=2)).error["code"] == "usage"


async def test_two_receipts_for_a_slot_are_reported_by_hand(
    says: Signing, shell: Shell, make_wallet: MakeWallet, tmp_path: Path
) -> None:
    await make_wallet("reporter", tokens=100)
    me = {"GATELESS_WALLET": "reporter"}
    one, two = [
        await kept(says, tmp_path, output) for output in (says.lie, says.truth.packed_output)
    ]
    same = await shell("receipt", "report", one, one, "--json", code=2, **me)
    assert same.error["code"] == "no-equivocation"
    done = (await shell("receipt", "report", one, two, "--json", **me)).data
    assert (done["state"], done["final"]) == ("REPORTED", True)
    pool = await says.chain.court.pool(says.served.executor.address, says.epoch)
    store = KeystoreStore(keystore_folder(shell.home))
    assert pool.reporter == store.unlock("reporter", PASSWORD).address
