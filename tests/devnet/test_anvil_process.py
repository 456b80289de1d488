from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.core.errors import ChainError, ConfigError
from gateless.devnet.anvil import find_anvil, start_anvil


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gone_within(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def executable(path: Path, text: str = "#!/bin/sh\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_named_binary_wins(tmp_path: Path) -> None:
    named = executable(tmp_path / "my-anvil")
    assert find_anvil({"GATELESS_ANVIL": str(named)}) == named


@pytest.mark.parametrize("mode", [None, 0o644])
def test_named_binary_that_is_none(tmp_path: Path, mode: int | None) -> None:
    named = tmp_path / "my-anvil"
    if mode is not None:
        named.write_text("text")
        named.chmod(mode)
    with pytest.raises(ConfigError, match="my-anvil") as info:
        find_anvil({"GATELESS_ANVIL": str(named)})
    assert info.value.code == "anvil-missing"


def test_path_is_searched_last(tmp_path: Path) -> None:
    installed = executable(tmp_path / "bin" / "anvil")
    environ = {"PATH": str(installed.parent)}
    assert find_anvil(environ, project=tmp_path / "no-project") == installed
    assert find_anvil(environ) != installed, "the project's own anvil comes first"


def test_missing_everywhere(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as info:
        find_anvil({"PATH": str(tmp_path)}, project=tmp_path)
    assert info.value.code == "anvil-missing"
    assert "make setup" in info.value.hint


async def test_runs_and_ends_with_its_context(tmp_path: Path) -> None:
    async with start_anvil(tmp_path / "logs" / "anvil.log") as anvil:
        rpc = HttpRpc(anvil.url)
        assert await rpc.quantity("eth_chainId") == 31337 == anvil.chain_id
        # No account whose key everybody knows.
        assert await rpc.request("eth_accounts") == []
        assert alive(anvil.pid)
    assert not alive(anvil.pid)
    with pytest.raises(ChainError) as info:
        await rpc.quantity("eth_chainId")
    assert info.value.code == "rpc-unreachable"
    await rpc.close()
    assert "Listening on" in anvil.log.read_text()


async def test_two_at_once_do_not_meet(tmp_path: Path) -> None:
    async with (
        start_anvil(tmp_path / "one.log") as one,
        start_anvil(tmp_path / "two.log", chain_id=99) as two,
    ):
        assert one.port != two.port
        assert (one.chain_id, two.chain_id) == (31337, 99)


async def test_taken_port(tmp_path: Path) -> None:
    async with start_anvil(tmp_path / "one.log") as one:
        with pytest.raises(ConfigError, match="in use") as info:
            async with start_anvil(tmp_path / "two.log", port=one.port):
                pass
        assert info.value.code == "anvil-failed"
        assert "port may be taken" in info.value.hint


async def test_binary_that_fails(tmp_path: Path) -> None:
    broken = executable(tmp_path / "anvil", "#!/bin/sh\necho cannot go on >&2\nexit 3\n")
    with pytest.raises(ConfigError, match="cannot go on") as info:
        async with start_anvil(tmp_path / "log", anvil=broken):
            pass
    assert info.value.code == "anvil-failed"


async def test_state_outlives_the_process(tmp_path: Path) -> None:
    state, log = tmp_path / "state.json", tmp_path / "log"
    rich = "0x" + "11" * 20
    async with start_anvil(log, state=state) as anvil:
        rpc = HttpRpc(anvil.url)
        await rpc.request("anvil_setBalance", rich, hex(7))
        await rpc.request("anvil_mine", hex(3))
        await rpc.close()
    async with start_anvil(log, state=state) as anvil:
        rpc = HttpRpc(anvil.url)
        assert await rpc.quantity("eth_getBalance", rich, "latest") == 7
        assert await rpc.quantity("eth_blockNumber") == 3
        await rpc.close()


async def test_ends_although_its_user_fails(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="user failed"):
        async with start_anvil(tmp_path / "log") as anvil:
            raise RuntimeError("user failed")
    assert not alive(anvil.pid)


async def test_ends_when_its_user_is_cancelled(tmp_path: Path) -> None:
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def user() -> None:
        async with start_anvil(tmp_path / "log") as anvil:
            started.set_result(anvil.pid)
            await asyncio.sleep(60)

    task = asyncio.create_task(user())
    pid = await started
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not alive(pid)


STARTER = textwrap.dedent(
    """
    import asyncio, pathlib, signal, sys
    from gateless.devnet.anvil import start_anvil

    signal.signal(signal.SIGINT, signal.default_int_handler)

    async def main():
        folder = pathlib.Path(sys.argv[1])
        async with start_anvil(folder / "log", state=folder / "state.json") as anvil:
            print(anvil.pid, flush=True)
            await asyncio.sleep(60)

    asyncio.run(main())
    """
)


@contextmanager
def starter(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Another process that runs anvil; and anvil's process id."""
    process = subprocess.Popen(
        [sys.executable, "-c", STARTER, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_ends_with_its_starter_however_that_ends(tmp_path: Path, number: int) -> None:
    with starter(tmp_path) as (process, pid):
        assert alive(pid)
        process.send_signal(number)
        process.wait(10)
        assert gone_within(pid, 10)
    assert (tmp_path / "state.json").stat().st_size > 0, "the chain's state was saved"
