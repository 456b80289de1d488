"""The installed command as a process of its own, for tests."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli_fixtures import CLEAN

#: SIGINT is set back first: a shell starts what it puts into the background, these tests perhaps
#: among it, with SIGINT ignored, and every child inherits that.
COMMAND = (
    sys.executable,
    "-c",
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    " from gateless.cli.main import run; run()",
)
PATIENCE = 60.0


@dataclass
class Running:
    """A command that is running."""

    process: asyncio.subprocess.Process

    async def line(self, wanted: str, stream: str = "stdout") -> str:
        """The next line that holds ``wanted``."""
        reader = getattr(self.process, stream)
        async with asyncio.timeout(PATIENCE):
            while raw := await reader.readline():
                if wanted in (text := raw.decode()):
                    return text
        raise AssertionError(f"{wanted!r} was never printed on {stream}")

    async def document(self) -> Any:
        """The next JSON document on stdout, which ends with a closing brace in column one."""
        assert self.process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while raw := await self.process.stdout.readline():
                lines.append(raw.decode())
                if lines[-1] == "}\n":
                    return json.loads("".join(lines))
        raise AssertionError("".join(lines))

    async def stop(self, number: signal.Signals = signal.SIGINT) -> tuple[int, str, str]:
        """Sends a signal and returns exit code and remaining output."""
        self.process.send_signal(number)
        async with asyncio.timeout(PATIENCE):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def command(home: Path, *arguments: str, **environ: str) -> AsyncIterator[Running]:
    """Runs the command in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **CLEAN, "COLUMNS": "80", "GATELESS_HOME": str(home), **environ},
    )
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            out, err = await process.communicate()
            print(arguments, out.decode(), err.decode(), sep="\n")  # shown where a test fails


async def finished(home: Path, *arguments: str, **environ: str) -> tuple[int, str, str]:
    """Runs a command to its end."""
    async with command(home, *arguments, **environ) as running, asyncio.timeout(PATIENCE):
        out, err = await running.process.communicate()
        assert running.process.returncode is not None
        return running.process.returncode, out.decode(), err.decode()
