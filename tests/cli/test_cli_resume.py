"""``gateless executor resume``: an operator who found the cause of a loss has it served again."""

from __future__ import annotations

from cli_fixtures import MakeWallet, Shell
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, Journal
from gateless.executor.halts import Halt


async def test_what_was_halted_is_resumed_while_the_executor_runs(
    devnet: Devnet, shell: Shell, make_wallet: MakeWallet
) -> None:
    address = await make_wallet("op")
    market = devnet.client.market.address
    nothing = await shell("executor", "resume", "--json")
    assert nothing.data == {"resumed": []}
    journal = await Journal.open(
        ExecutorConfig.in_home(shell.home, devnet.deployment.name, market, address).journal,
        chain_id=devnet.deployment.chain_id,
        market=market,
        account=address,
        alone=True,
    )
    try:
        one, two = [
            Halt(f"request {number}", number << 32, False, "lock-missed", "it was too late")
            for number in (1, 2)
        ]
        await journal.halt([one, two])
        done = await shell("executor", "resume")
        assert f"version {1 << 32} is served again after request 1 (lock-missed)" in done.stdout
        assert await journal.open_halts() == []
        again = await shell("executor", "resume")
        assert "nothing was halted" in again.stdout
    finally:
        await journal.close()


async def test_a_version_that_nobody_published_is_named(
    shell: Shell, make_wallet: MakeWallet
) -> None:
    await make_wallet("op")
    unknown = await shell("executor", "resume", "nobodys-model", "--json", code=10)
    assert unknown.error["code"] == "unknown-model"
