"""Starting and stopping anvil, Foundry's development chain."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.core.errors import ConfigError

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_PROJECT = Path(__file__).resolve().parents[3]
_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
_STARTED = re.compile(r"supervisor: started (\d+)")
_LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")
_LOG_TAIL = 2_000
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True, slots=True)
class AnvilProcess:
    """A running anvil."""

    url: str
    port: int
    chain_id: int
    pid: int
    log: Path


def find_anvil(environ: Mapping[str, str] | None = None, project: Path = _PROJECT) -> Path:
    """The anvil binary: ``GATELESS_ANVIL``, the project's ``node_modules``, or ``PATH``.

    Raises:
        ConfigError: ``anvil-missing``.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("GATELESS_ANVIL")
    if named:
        if os.access(named, os.X_OK) and Path(named).is_file():
            return Path(named)
        raise ConfigError(
            "anvil-missing",
            f"GATELESS_ANVIL names {named}, which is no executable file",
            hint="correct the variable, or unset it to use the installed anvil",
        )
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    system = platform.system().lower()
    # The platform package's own binary: npm's wrapper script would hide signals and exit codes.
    packaged = (
        project / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin" / "anvil"
    )
    if packaged.is_file():
        return packaged
    found = shutil.which("anvil", path=environ.get("PATH"))
    if found is not None:
        return Path(found)
    raise ConfigError(
        "anvil-missing",
        "anvil, the development chain, is not installed",
        hint="run `make setup` in the project's folder, install Foundry, or set GATELESS_ANVIL",
    )


@asynccontextmanager
async def start_anvil(
    log: Path,
    *,
    port: int | None = None,
    state: Path | None = None,
    chain_id: int = DEVELOPMENT_CHAIN_ID,
    block_time: float | None = None,
    anvil: Path | None = None,
) -> AsyncIterator[AnvilProcess]:
    """Runs anvil on this machine only, until the context ends.

    However this process ends, anvil ends too: it runs under a supervisor that watches a pipe.

    Args:
        log: file that gets anvil's output. What does not fit into its memory goes into a folder
            beside it, which is emptied at the start and removed at the end.
        port: a free one where ``None``.
        state: file from which the chain is resumed and to which it is saved at the end.
        chain_id: EIP-155 chain id.
        block_time: seconds between blocks; a block per transaction where ``None``.
        anvil: the binary; :func:`find_anvil` where ``None``.

    Raises:
        ConfigError: ``anvil-missing``, ``anvil-failed`` with the end of its output.
    """
    old_states = log.with_suffix(".states")
    command = [
        str(anvil or find_anvil()),
        *("--host", "127.0.0.1"),
        *("--port", str(port or 0)),
        *("--chain-id", str(chain_id)),
        *("--accounts", "0"),  # anvil's own accounts have keys that everybody knows
        # By default old states go into the user's home, gigabytes of them, where nobody looks.
        *("--cache-path", str(old_states)),
        *(("--state", str(state)) if state is not None else ()),
        *(("--block-time", str(block_time)) if block_time is not None else ()),
    ]
    start = _end_of_log(log)
    await _remove(old_states)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(_SUPERVISOR), *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then stops anvil
        )
    try:
        listening, pid = await _wait_for_port(process, log, start)
        yield AnvilProcess(
            url=f"http://127.0.0.1:{listening}",
            port=listening,
            chain_id=chain_id,
            pid=pid,
            log=log,
        )
    finally:
        await asyncio.shield(_stop(process))
        await asyncio.shield(_remove(old_states))


async def _remove(folder: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _end_of_log(log: Path) -> int:
    log.parent.mkdir(parents=True, exist_ok=True)
    return log.stat().st_size if log.exists() else 0


async def _wait_for_port(
    process: asyncio.subprocess.Process, log: Path, start: int
) -> tuple[int, int]:
    loop = asyncio.get_running_loop()
    end = loop.time() + _START_SECONDS
    while loop.time() < end:
        text = _written_since(log, start)
        listening, started = _LISTENING.search(text), _STARTED.search(text)
        if listening is not None and started is not None:
            return int(listening[1]), int(started[1])
        if process.returncode is not None:
            raise ConfigError(
                "anvil-failed",
                f"anvil ended at once: {_last_line(text)}",
                hint=f"see {log}; the port may be taken, or the state file may be damaged",
                output=text[-_LOG_TAIL:],
            )
        await asyncio.sleep(0.02)
    raise ConfigError(
        "anvil-failed",
        f"anvil did not listen within {_START_SECONDS:g} s",
        hint=f"see {log}",
        output=_written_since(log, start)[-_LOG_TAIL:],
    )


def _written_since(log: Path, start: int) -> str:
    with log.open("rb") as file:
        file.seek(start)
        return file.read().decode("utf-8", errors="replace")


def _last_line(text: str) -> str:
    lines = [
        line.strip()
        for line in text.splitlines()
        if line.strip() and _STARTED.fullmatch(line.strip()) is None
    ]
    return lines[-1] if lines else "it said nothing"


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Closes the pipe, upon which the supervisor ends anvil; waits until it has."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
