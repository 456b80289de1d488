"""``receipt``: checked, challenged, slashed and paid; in text and in JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cli_fixtures import PASSWORD, MakeWallet, Shell
from court_fixtures import BOND, PRICE, CourtNetwork
from eth_utils.crypto import keccak
from gateless.adapters.chain import court_calls
from gateless.adapters.chain.deployment import save_deployment
from gateless.adapters.signer import KeystoreStore
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N
from gateless.core.receipts import SignedReceipt
from gateless.devnet import Devnet
from gateless.devnet.accounts import keystore_folder
from gateless.sdk.tensors import pack_inputs
from market_fixtures import ROW, MakeServed, Served, TinyModel

OUTPUT = b"\x05\xfd"


@dataclass(frozen=True)
class Answered:
    """A shell of the challenger, with the receipt that an executor sent it."""

    net: CourtNetwork
    served: Served
    shell: Shell
    values: Path
    folder: Path

    async def receipt(self, **changes: Any) -> Path:
        packed = pack_inputs(self.served.bundle.manifest, ROW)
        said = {
            "version_id": self.served.published.version_id,
            "input_binding": keccak(packed),
            "output_digest": keccak(OUTPUT),
            **changes,
        }
        return self.keep(await self.net.signed(**said))

    def keep(self, signed: SignedReceipt) -> Path:
        path = self.folder / f"receipt-{signed.receipt.slot}.json"
        path.write_text(signed.to_json())
        return path


@pytest_asyncio.fixture
async def answered(
    court_network: CourtNetwork,
    make_served: MakeServed,
    tiny_model: TinyModel,
    tmp_path: Path,
) -> Answered:
    home = tmp_path / "home"
    served = await make_served("cli-receipt")
    save_deployment(court_network.deployment, home)
    (home / "cache").symlink_to(tiny_model.cache)
    (home / "password").write_text(PASSWORD)
    key = bytes(court_network.challenger._account.key)
    KeystoreStore(keystore_folder(home), scrypt_n=LIGHT_SCRYPT_N).import_key("me", PASSWORD, key)
    shell = Shell(home, {"GATELESS_PASSWORD_FILE": str(home / "password"), "GATELESS_WALLET": "me"})
    for file in sorted(served.bundle.root.iterdir()):
        if file.is_file():
            await shell("store", "put", file)
    values = tmp_path / "row.json"
    values.write_text(json.dumps({"x": ROW}))
    return Answered(court_network, served, shell, values, tmp_path)


async def test_a_good_receipt_is_worth_its_bond(answered: Answered) -> None:
    path = await answered.receipt()
    asked = ("receipt", "check", path, answered.served.name, "-i", answered.values)
    text = (await answered.shell(*asked, "--output", "0x05fd")).stdout
    assert "worth its bond" in text
    assert f"slot 0 of epoch {answered.net.epoch}" in " ".join(text.split())
    found = await answered.shell(
        *asked,
        *("--output", "0x05fd", "--min-bond", "10", "--price", "1", "--json"),
        *("--executor", answered.net.executor.address),
        *("--beneficiary", answered.net.challenger.address),
    )
    assert found.data["proven"] is False
    assert found.data["version"] == f"{answered.served.name}@0"
    assert found.data["receipt"]["bond"] == {"units": BOND, "text": "10.00 tUSD"}
    assert found.data["receipt"]["slot"] == 0


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--output", "0x05fe"), "receipt-other-output"),
        (("--output", "05fd"), "invalid-output"),
        (("--output", "0x05fd", "--min-bond", "10.01"), "receipt-bond-too-low"),
        (("--output", "0x05fd", "--min-life", "999999"), "receipt-expires-too-soon"),
        (("--output", "0x05fd", "--price", "2"), "receipt-other-price"),
    ],
    ids=["output", "hex", "bond", "life", "price"],
)
async def test_a_worthless_receipt_says_why(
    answered: Answered, options: tuple[str, ...], code: str
) -> None:
    path = await answered.receipt()
    outcome = await answered.shell(
        *("receipt", "check", path, answered.served.name, "-i", answered.values, "--json"),
        *options,
        code=2,
    )
    assert outcome.error["code"] == code
    assert outcome.error["hint"]


async def test_files_that_hold_no_receipt(bare_shell: Shell, tmp_path: Path) -> None:
    arguments = ("x", "--input", "none.json", "--output", "0x00", "--json")
    missing = await bare_shell("receipt", "check", tmp_path / "none", *arguments, code=2)
    assert missing.error["code"] == "receipt-unreadable"
    (tmp_path / "other").write_text("{}")
    other = await bare_shell("receipt", "check", tmp_path / "other", *arguments, code=2)
    assert other.error["code"] == "invalid-receipt"


async def test_from_the_challenge_to_the_money(answered: Answered) -> None:
    net, shell = answered.net, answered.shell
    path = await answered.receipt(slot=1)
    opened = await shell("receipt", "challenge", path, "--input", answered.values, "--json")
    claim = opened.data
    assert (claim["state"], claim["slot"], claim["final"]) == ("OPEN", 1, False)
    assert claim["beneficiary"] == net.challenger.address
    number = claim["claim_id"]
    shown = (await shell("receipt", "claim", number)).stdout
    assert "the executor has to prove" in shown
    early = await shell("receipt", "slash", number, "--json", code=7)
    assert early.error["code"] == "receipt-court-not-overdue"
    await net.devnet.control.advance(claim["deadline"] - await net.now() + 1)
    waited = await shell("receipt", "claim", number, "--wait")
    assert f"gateless receipt slash {number}" in waited.stderr
    ended = (await shell("receipt", "slash", number, "--json")).data
    assert (ended["state"], ended["compensation"]["units"]) == ("SLASHED", PRICE)
    limits = await net.client.court.limits()
    reward = BOND * limits.reward_bps // 10_000
    assert ended["reward"]["units"] == reward
    paid = (await shell("receipt", "withdraw", "--json")).data
    assert paid["amount"]["units"] == PRICE + reward + limits.max_challenge_bond
    assert paid["to"] == net.challenger.address
    again = await shell("receipt", "withdraw", "--json", code=9)
    assert again.error["code"] == "nothing-to-withdraw"


async def test_an_announced_challenge_is_taken_back(answered: Answered) -> None:
    net = answered.net
    most = (await net.client.court.limits()).max_challenge_bond
    await net.deposit(net.challenger, most)
    sent = await net.sender(net.challenger).send(court_calls.commit(keccak(b"forgotten")))
    number = int(sent.event("Committed").args["claimId"])
    assert "announced" in (await answered.shell("receipt", "claim", number)).stdout
    text = (await answered.shell("receipt", "cancel", number)).stdout
    assert f"claim {number} is taken back" in text
    data = (await answered.shell("receipt", "claim", number, "--json")).data
    assert (data["state"], data["final"]) == ("WITHDRAWN", True)
    missing = await answered.shell("receipt", "claim", number + 1, "--json", code=10)
    assert missing.error["code"] == "unknown-claim"


async def test_pools_are_opened_and_released(
    isolated_devnet: Devnet, shell: Shell, make_wallet: MakeWallet
) -> None:
    address = await make_wallet("worker", tokens=200)
    terms = ("--bond", "10", "--capacity", "3", "--challenge-bond", "4", "--epochs", "2")
    me = {"GATELESS_WALLET": "worker"}
    opened = (await shell("receipt", "back", *terms, "--json", **me)).data
    assert [pool["state"] for pool in opened["pools"]] == ["OPEN", "OPEN"]
    assert {pool["signer"] for pool in opened["pools"]} == {address}
    assert opened["pools"][0]["bond"]["text"] == "10.00 tUSD"
    epoch = opened["pools"][0]["epoch"]
    text = (await shell("receipt", "back", *terms, "--first", epoch, **me)).stdout
    assert str(epoch + 1) in text
    assert "transaction" not in text
    early = await shell("receipt", "release", epoch, "--json", code=7, **me)
    assert early.error["code"] == "receipt-court-pool-still-needed"
    now = (await isolated_devnet.client.block("pending")).timestamp
    await isolated_devnet.control.advance(opened["pools"][0]["releasable_at"] - now)
    assert "released" in (await shell("receipt", "release", epoch, **me)).stdout
    low = ("--bond", "0.01", "--capacity", "3", "--challenge-bond", "4", "--json")
    refused = await shell("receipt", "back", *low, code=2, **me)
    assert refused.error["code"] == "pool-terms-out-of-range"
