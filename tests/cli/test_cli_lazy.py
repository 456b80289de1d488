"""``infer --mode lazy`` and ``lazy``: asked, answered, doubted, proven, finished, paid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from cli_fixtures import PASSWORD, MakeWallet, Shell
from executor_fixtures import config_of, running
from gateless.adapters.signer import KeystoreStore
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N
from gateless.daemon.process import configure_log
from gateless.devnet import Devnet
from gateless.devnet.accounts import keystore_folder
from lazy_fixtures import BACKING, answering_executor
from market_fixtures import PRICE, ROW, MakeAccount, MakeServed, Served, fund
from patience import eventually


@pytest.fixture(autouse=True)
def log_on_stderr() -> Iterator[None]:
    """The executor in this process must not write into what commands print."""
    configure_log(json_lines=True)
    yield
    structlog.reset_defaults()


@pytest.fixture
def row(tmp_path: Path) -> Path:
    path = tmp_path / "row.json"
    path.write_text(json.dumps({"x": ROW}))
    return path


async def with_files(shell: Shell, served: Served) -> None:
    for file in sorted(served.bundle.root.iterdir()):
        if file.is_file():
            await shell("store", "put", file)


async def test_a_signed_request_from_asking_to_money(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    shell: Shell,
    make_wallet: MakeWallet,
    row: Path,
) -> None:
    devnet = isolated_devnet
    served = await make_served("cli-lazy")
    await with_files(shell, served)
    await make_wallet("asker", tokens=50)
    await make_wallet("doubter", tokens=50)
    asker, doubter = ({"GATELESS_WALLET": name} for name in ("asker", "doubter"))
    executor = served.executor
    await fund(devnet, executor.address, 200)
    store = KeystoreStore(keystore_folder(shell.home), scrypt_n=LIGHT_SCRYPT_N)
    store.import_key("worker", PASSWORD, bytes(executor.signer._account.key))
    backed = (await shell("lazy", "back", "100", "--json", GATELESS_WALLET="worker")).data
    assert backed["total"]["units"] == BACKING
    async with running(devnet, executor, config_of(executor, serve_port=0)) as run:
        await executor.client.stake(0, endpoint=run.executor.serving_at)
        ask = ("infer", served.name, "--input", row, "--mode", "lazy")
        asked = (await shell(*ask, "--no-wait", "--json", **asker)).data
        assert asked["handed_to"] == run.executor.serving_at
        number = asked["request_id"]

        async def result(state: str) -> dict[str, Any]:
            async def reached() -> bool:
                outcome = await shell_or_none(shell, "lazy", "result", number, "--json")
                return outcome is not None and outcome["state"] == state

            await eventually(f"it is {state}", reached)
            return dict((await shell("lazy", "result", number, "--json")).data)

        answer = await result("ANSWERED")
        assert (answer["mode"], answer["how"], answer["final"]) == ("LAZY_ZK", "NONE", False)
        assert answer["price"]["units"] == PRICE and answer["label"] in ("no", "yes")
        doubted = (await shell("lazy", "challenge", number, "--json", **doubter)).data
        assert doubted["state"] == "DISPUTED"
        final = await result("FINAL")
        assert (final["how"], final["final"]) == ("PROVEN", True)
        assert final["bond"]["text"] == "1.00 tUSD"
        text = (await shell("lazy", "result", number, "--wait")).stdout
        assert "proven" in text and "bond behind it" in text
        # Nobody can have the price back now; what can be done instead is said.
        paid = await shell("lazy", "refund", number, "--json", code=7, **asker)
        assert (paid.error["code"], paid.error["context"]["state"]) == (
            "nothing-to-refund",
            "FINAL",
        )
        assert f"gateless lazy result {number}" in paid.error["hint"]

        second = (await shell(*ask, "--json", **asker)).data
        assert second["state"] == "ANSWERED"
        early = await shell("lazy", "finalize", second["request_id"], "--json", code=7, **asker)
        assert early.error["code"] == "lazy-market-still-challengeable"
    earned = (await shell("lazy", "withdraw", "--json", GATELESS_WALLET="worker")).data
    assert earned["amount"]["units"] > 0


async def shell_or_none(shell: Shell, *arguments: str) -> dict[str, Any] | None:
    """What a command prints; None while there is nothing to show."""
    try:
        return dict((await shell(*arguments)).data)
    except AssertionError:
        return None


async def test_a_sent_request_is_taken_back(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    shell: Shell,
    make_wallet: MakeWallet,
    row: Path,
) -> None:
    served = await make_served("cli-lazy-sent")
    await with_files(shell, served)
    await make_wallet("sender", tokens=50)
    me = {"GATELESS_WALLET": "sender"}
    assert "deposited" in (await shell("lazy", "deposit", "5", **me)).stdout
    ask = ("infer", served.name, "-i", row, "--mode", "lazy", "--send", "--price", "2")
    asked = (await shell(*ask, "--no-wait", "--audit", "1.5", "--json", **me)).data
    number = asked["request_id"]
    assert asked["handed_to"] is None and len(asked["transactions"]) == 1
    assert "nobody has taken it" in (await shell("lazy", "result", number)).stdout
    early = await shell("lazy", "refund", number, "--json", code=7, **me)
    assert early.error["code"] == "lazy-market-not-expired"
    back = (await shell("lazy", "cancel", number, "--json", **me)).data
    assert (back["state"], back["amounts"]["amount"]["units"]) == ("REFUNDED", 2_000_000)
    moved = (await shell("lazy", "withdraw", "--json", **me)).data
    assert moved["amount"]["units"] == 5_000_000
    unknown = await shell("lazy", "result", "0x12", "--json", code=10)
    assert unknown.error["code"] == "unknown-request"
    nonsense = await shell("lazy", "result", "twelve", "--json", code=2)
    assert nonsense.error["code"] == "invalid-request-id"
    window = await shell(*ask, "--challenge-window", "1", "--json", code=2, **me)
    assert window.error["code"] == "window-out-of-range"


async def test_several_answers_are_made_final_at_once(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    make_wallet: MakeWallet,
    shell: Shell,
) -> None:
    says = await answering_executor(isolated_devnet, make_served, make_account, "cli-together")
    await with_files(shell, says.served)
    await make_wallet("passer-by")
    me = {"GATELESS_WALLET": "passer-by"}
    output = says.truth.packed_output
    ids = [await says.answers(await says.asks(), output) for _ in range(2)]
    numbers = [f"0x{entry:064x}" for entry in ids]
    claim = (await says.user.client.lazy_answer(ids[-1])).claim
    assert claim is not None
    await isolated_devnet.control.advance(claim.challenge_deadline - await says.now() + 1)
    done = (await shell("lazy", "finalize", *numbers, "--json", **me)).data
    assert [(end["request_id"], end["state"]) for end in done["ends"]] == [
        (number, "FINAL") for number in numbers
    ]
    assert len(done["transactions"]) == 1
    assert "lazy keep" in (await shell("lazy", "result", numbers[0])).stdout
    kept = (await shell("lazy", "keep", numbers[0], "--json", **me)).data
    assert kept["state"] == "FINAL"
    assert "bond behind it" in (await shell("lazy", "result", numbers[0])).stdout
    assert (await shell("result", "publish", numbers[0], "--json", **me)).data
