"""Ray clusters for tests: real ones, on this machine, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

PATIENCE_SECONDS = 120.0
_SCRIPT = Path(__file__).with_name("two_nodes.py")


class LocalCluster:
    """A cluster whose nodes can be killed."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, facts: dict) -> None:
        self._process = process
        self.folder = folder
        self.address: str = facts["address"]
        self.nodes: list[str] = facts["nodes"]

    def node_named(self, name: str) -> str:
        """The node that a status or a log line names."""
        short = name.rpartition("/")[2]
        return next(node for node in self.nodes if node.startswith(short))

    def cache_of(self, node: str) -> Path:
        """Where a node keeps files."""
        return self.folder / f"cache-{self.nodes.index(node)}"

    async def kill(self, node: str) -> None:
        """SIGKILL to a node."""
        await self._say(f"kill {node}")

    async def add(self) -> str:
        """One more node."""
        await self._say("add")
        node = (await self.read())["node"]
        self.nodes.append(node)
        return node

    async def _say(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{text}\n".encode())
        await self._process.stdin.drain()

    async def read(self) -> dict:
        return await _read(self._process)


async def _read(process: asyncio.subprocess.Process) -> dict:
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_SECONDS)
    assert line, "the cluster did not start"
    return json.loads(line)


@asynccontextmanager
async def local_cluster(nodes: int = 2) -> AsyncIterator[LocalCluster]:
    """A cluster for the length of the block; nothing of it is left afterwards."""
    # Not below pytest's folders: the paths of Ray's sockets would be too long.
    folder = Path(tempfile.mkdtemp(prefix="gl-"))
    log = folder / "log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(_SCRIPT), str(folder), str(nodes)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=output,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)},
        )
    try:
        yield LocalCluster(process, folder, await _read(process))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()
        shutil.rmtree(folder, ignore_errors=True)
