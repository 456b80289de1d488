"""``status`` finds the program that runs, and shows it live on a terminal."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import signal
import struct
import termios
from dataclasses import replace
from pathlib import Path

from cli_fixtures import CLEAN
from cli_processes import COMMAND, PATIENCE
from executor_fixtures import config_of, running
from gateless.daemon.whereabouts import announced, find_announced
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig
from market_fixtures import Account, MakeAccount
from patience import eventually


def config_in(account: Account, devnet: Devnet) -> ExecutorConfig:
    """As ``gateless executor run`` has it in the account's home."""
    usual = ExecutorConfig.in_home(
        account.home,
        devnet.deployment.name,
        devnet.client.market.address,
        account.address,
    )
    return replace(config_of(account, serve_port=0), data_dir=usual.data_dir)


def command(account: Account, devnet: Devnet, *words: str) -> tuple[str, ...]:
    where = ("--home", str(account.home), "--network", str(devnet.deployment_file))
    return (*COMMAND, *where, "executor", "status", account.address, *words)


def environment() -> dict[str, str]:
    inherited = {key: value for key, value in os.environ.items() if key not in CLEAN}
    return {**inherited, "TERM": "xterm"}


async def test_the_program_whose_journal_is_here_is_found(
    devnet: Devnet, make_account: MakeAccount
) -> None:
    account = await make_account()

    async def told(*words: str) -> dict[str, object]:
        process = await asyncio.create_subprocess_exec(
            *command(account, devnet, "--json", *words),
            stdout=asyncio.subprocess.PIPE,
            env=environment(),
        )
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
        found: dict[str, object] = json.loads(out)
        return found

    async with running(devnet, account, config_in(account, devnet)) as run:
        assert find_announced(config_in(account, devnet).data_dir) == run.executor.serving_at
        found = (await told())["running"]
        assert isinstance(found, dict)
        assert found["address"] == account.address
        assert found["serving_at"] == run.executor.serving_at
        assert (await told("--url", run.executor.serving_at))["running"] is not None
        assert (await told("--url", "http://127.0.0.1:1"))["running"] is None
    # What ended in order is no longer there; the chain is asked all the same.
    assert find_announced(config_in(account, devnet).data_dir) is None
    gone = await told()
    assert (gone["running"], gone["versions"]) == (None, [])


async def test_a_terminal_shows_it_live(devnet: Devnet, make_account: MakeAccount) -> None:
    account = await make_account()
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 100, 0, 0))
    seen = bytearray()
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: seen.extend(os.read(ours, 1 << 16)))
    try:
        process = await asyncio.create_subprocess_exec(
            *command(account, devnet, "--watch", "--interval", "0.2"),
            stdout=theirs,
            stderr=theirs,
            stdin=theirs,
            env=environment(),
        )

        def shows(text: str) -> bool:
            return text in seen.decode(errors="replace")

        async def from_the_chain() -> bool:
            return shows("no executor answers")

        async def alive() -> bool:
            return shows("RPC endpoints") and shows(account.address)

        await eventually("the chain's facts are shown", from_the_chain)
        async with running(devnet, account, config_in(account, devnet)):
            await eventually("the running executor is shown", alive)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), PATIENCE) == 0
    finally:
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


def test_a_file_that_is_none_names_nobody(tmp_path: Path) -> None:
    folder = tmp_path
    assert find_announced(folder) is None
    (folder / "serving.json").write_text("[1]")
    assert find_announced(folder) is None
    with announced(folder, "http://127.0.0.1:7"):
        assert find_announced(folder) == "http://127.0.0.1:7"
    with announced(folder, ""):
        assert find_announced(folder) is None
