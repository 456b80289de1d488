"""Programs that run for long end in order: SIGTERM, exit code 0, and what was asked is said."""

from __future__ import annotations

import asyncio
import json
import signal

import httpx
import pytest
from cli_processes import PATIENCE, command
from executor_fixtures import _keep_key
from gateless.devnet import Devnet
from market_fixtures import MakeAccount
from patience import eventually

PASSWORD = "for tests only"


@pytest.mark.parametrize("program", ["executor", "watchtower", "indexer"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_program_ends_in_order(
    devnet: Devnet, make_account: MakeAccount, program: str, number: signal.Signals
) -> None:
    account = await make_account()
    _keep_key(account.home / "keystore", account.signer)
    where = ("--network", str(devnet.deployment_file), "--wallet", "executor", "--json")
    async with command(
        account.home, *where, program, "run", "--port", "0", GATELESS_PASSWORD=PASSWORD
    ) as running:
        told = await running.document()
        url = told["api"] if program == "indexer" else told.get("serving_at") or told["inbox"]
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE) as http:

            async def ready() -> bool:
                return (await http.get("/ready")).status_code == 200

            await eventually("it is ready", ready)
        code, _, err = await running.stop(number)
    assert code == 0, err
    lines = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert lines[-1]["event"] == "stopped"
    assert not [line for line in lines if line["level"] == "error"]


async def test_a_second_signal_ends_it_at_once(devnet: Devnet, make_account: MakeAccount) -> None:
    account = await make_account()
    _keep_key(account.home / "keystore", account.signer)
    where = ("--network", str(devnet.deployment_file), "--wallet", "executor", "--json")
    async with command(
        account.home, *where, "executor", "run", "--port", "0", GATELESS_PASSWORD=PASSWORD
    ) as running:
        await running.document()
        running.process.send_signal(signal.SIGTERM)
        running.process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(running.process.wait(), PATIENCE) == 0
        await running.process.communicate()
