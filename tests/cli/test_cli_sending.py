"""Options of daemons about who signs and what transactions may cost."""

from __future__ import annotations

import pytest
from cli_fixtures import Shell
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.relay import RelayFallback, RelayMethod, RelayPolicy
from gateless.cli.sending import RelaySpeech, relay_policy, sending_policy
from gateless.devnet import Devnet
from market_fixtures import MakeAccount, TinyModel, fund
from signer_server import signer_server

RELAY = "https://relay.example.org"


@pytest.mark.parametrize("daemon", ["executor", "watchtower"])
async def test_an_external_signer_is_asked_before_anything_starts(
    shell: Shell, daemon: str
) -> None:
    away = await shell(daemon, "run", "--signer-url", "http://127.0.0.1:9", code=8)
    assert away.stderr.startswith("error[signer-unreachable]")
    async with signer_server() as server:
        other = "0x" + "22" * 20
        options = ("--signer-url", server.url, "--signer-address", other)
        unknown = await shell(daemon, "run", *options, code=8)
    assert unknown.stderr.startswith("error[signer-account-unknown]")
    assert server.account.address in " ".join(unknown.stderr.split())


async def test_commands_of_an_executor_whose_key_is_elsewhere(
    devnet: Devnet, shell: Shell, make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    """Stake, receipt key and what is earned: by the signer that the configuration names. There is
    no wallet at all.
    """
    builder, published = await make_account(), "cli-elsewhere"
    await builder.client.publish(tiny_model.bundle, published)
    async with signer_server() as server:
        me = server.account.address
        await fund(devnet, me, 100)
        (shell.home / "config.toml").write_text(f'[executor]\nsigner-url = "{server.url}"\n')
        staked = (await shell("executor", "stake", "30", "--serve", published, "--json")).data
        assert (staked["address"], staked["stake"]["text"]) == (me, "30.00 tUSD")
        made = (await shell("executor", "key", "--json")).data
        again = (await shell("executor", "key", "--json")).data
        assert made["receipt_key"] == again["receipt_key"] != me
        profile = await devnet.client.staking.executor(me)
        assert profile.receipt_key == made["receipt_key"]
        await shell("executor", "leave", published)
        leaving = (await shell("executor", "unstake", "10", "--json")).data
        assert leaving["exiting"]["units"] == 10_000_000
        asked = [method for method, _ in server.asked]
        nothing = await shell("executor", "withdraw", code=9)
        assert nothing.stderr.startswith("error[nothing-to-withdraw]")
    assert asked.count("eth_signTransaction") >= 6
    away = {"GATELESS_EXECUTOR_SIGNER_URL": "http://127.0.0.1:9"}
    for arguments in (("stake", "1"), ("leave", published), ("unstake",), ("withdraw",), ("key",)):
        refused = await shell("executor", *arguments, code=8, **away)
        assert refused.stderr.startswith("error[signer-unreachable]"), arguments


def test_caps_are_given_in_gwei() -> None:
    assert sending_policy(80.5, 3, 45) == SendingPolicy(
        FeePolicy(max_fee_per_gas=80_500_000_000, max_priority_fee_per_gas=3_000_000_000),
        stuck_seconds=45,
    )
    assert sending_policy(None, None, 60) == SendingPolicy()


def test_relays_are_chosen_by_options() -> None:
    assert relay_policy(None, RelaySpeech.RAW, 25, False) is None
    assert relay_policy(RELAY, RelaySpeech.RAW, 25, False) == RelayPolicy(RELAY)
    assert relay_policy(RELAY, RelaySpeech.PRIVATE, 9, True) == RelayPolicy(
        RELAY, RelayMethod.PRIVATE, 9, RelayFallback.WAIT
    )
