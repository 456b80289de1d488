"""Options of daemons about who signs and what transactions may cost."""

from __future__ import annotations

import pytest
from cli_fixtures import Shell
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.relay import RelayFallback, RelayMethod, RelayPolicy
from gateless.cli.sending import RelaySpeech, relay_policy, sending_policy
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
