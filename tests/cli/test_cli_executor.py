"""Executor commands: stake, look, earn, leave."""

from __future__ import annotations

from cli_fixtures import MakeWallet, Shell
from gateless.devnet import Devnet
from market_fixtures import ROW, MakeAccount, MakeServed, TinyModel


async def test_staking(
    shell: Shell, make_wallet: MakeWallet, make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    await builder.client.publish(tiny_model.bundle, "cli-stake")
    address = await make_wallet("worker", tokens=60)
    arguments = ("--serve", "cli-stake", "--min-price", "0.5", "--capacity", "2")
    done = await shell("executor", "stake", "50", *arguments)
    text = " ".join(done.stdout.split())
    assert "stake 50.00 tUSD" in text and "serves cli-stake@0" in text
    assert "allocate stake" in text
    again = (await shell("--json", "executor", "stake", "0", *arguments)).data
    assert again["transactions"] == []
    assert again["available"]["units"] == 50_000_000
    status = (await shell("--json", "executor", "status")).data
    assert status["address"] == address
    assert status["versions"] == ["cli-stake@0"]
    assert status["min_price"]["units"] == 500_000
    assert status["work"] == {}
    assert status["sandbox"]["network"] in ("namespace", "seccomp", "none")
    assert "1 executor, from 0.50 tUSD" in (await shell("model", "show", "cli-stake@0")).stdout
    assert "left 1 version" in (await shell("executor", "leave", "cli-stake")).stdout
    assert (await shell("--json", "executor", "status", address)).data["versions"] == []


async def test_refusals(shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("worker", tokens=12)
    low = await shell("executor", "stake", "3", code=9)
    assert low.stderr.startswith("error[stake-too-low]")
    assert "hint: add 7.00 or more" in low.stderr
    poor = await shell("executor", "stake", "13", code=9)
    assert poor.stderr.startswith("error[token-balance-too-low]")
    unknown = await shell("executor", "stake", "12", "--serve", "cli-nowhere", code=10)
    assert unknown.stderr.startswith("error[unknown-model]")
    nothing = await shell("executor", "unstake", code=9)
    assert nothing.stderr.startswith("error[nothing-staked]")
    balance = (await shell("--json", "wallet", "balance")).data
    assert balance["wallet"]["units"] == 12_000_000


async def test_leaving(isolated_devnet: Devnet, shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("worker", tokens=30)
    await shell("executor", "stake", "30")
    asked = await shell("executor", "unstake", "10")
    assert "10.00 tUSD can leave from" in asked.stdout
    cancelled = await shell("executor", "unstake", "--cancel")
    assert "the exit is cancelled" in cancelled.stdout
    waiting = (await shell("--json", "executor", "unstake")).data
    assert waiting["exiting"]["units"] == 30_000_000
    status = await shell("executor", "status")
    assert "30.00 tUSD can leave from" in status.stdout
    await shell("devnet", "advance", 11 * 86_400)
    done = await shell("executor", "unstake")
    assert "30.00 tUSD are back in the wallet" in done.stdout
    assert (await shell("--json", "wallet", "balance")).data["wallet"]["units"] == 30_000_000


async def test_earnings(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("cli-earn", royalty_bps=0)
    user = await make_account(tokens=1)
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    submitted = await user.client.submit("cli-earn", ROW)
    await served.answer(submitted.request_id)
    address = served.executor.address
    status = (await shell("--json", "executor", "status", address)).data
    assert status["earnings"]["units"] == 250_000
    await make_wallet("idle", tokens=0)
    nothing = await shell("executor", "withdraw", code=9)
    assert nothing.stderr.startswith("error[nothing-to-withdraw]")


async def test_the_receipt_key(shell: Shell, make_wallet: MakeWallet) -> None:
    await make_wallet("signing", tokens=12)
    missing = await shell("executor", "run", "--receipt-bond", "1", code=8)
    assert missing.stderr.startswith("error[no-receipt-key]")
    await shell("executor", "stake", "12")
    made = (await shell("--json", "executor", "key")).data
    again = (await shell("--json", "executor", "key")).data
    assert made["receipt_key"] == again["receipt_key"]
    assert again["transactions"] == []
    status = (await shell("--json", "executor", "status")).data
    assert status["receipt_key"] == made["receipt_key"] != status["address"]
    # It signs receipts and nothing else: no wallet of its own.
    wallets = (await shell("--json", "wallet", "list")).data
    assert made["receipt_key"] not in [wallet["address"] for wallet in wallets]
    nothing = await shell("executor", "run", "--receipt-bond", "0", code=2)
    assert nothing.stderr.startswith("error[invalid-amount]")
