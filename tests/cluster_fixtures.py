"""Ray clusters for tests: real ones, on this machine, in a process of their own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

PATIENCE_SECONDS = 120.0
_SCRIPT = Path(__file__).with_name("two_nodes.py")


class LocalCluster:
    """A cluster whose nodes can be killed."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, facts: dict) -> None:
        self._process = process
        self.folder = folder
        self.address: str = facts["address"]
        self.remote_address: str = facts["remote_address"]
        self.nodes: list[str] = facts["nodes"]

    def node_named(self, name: str) -> str:
        """The node that a status or a log line names."""
        short = name.rpartition("/")[2]
        return next(node for node in self.nodes if node.startswith(short))

    def cache_of(self, node: str) -> Path:
        """Where a node keeps files."""
        return self.folder / f"cache-{self.nodes.index(node)}"

    def agents_of(self, node: str) -> list[int]:
        """Agents that a node has, or had."""
        return [int(entry.name) for entry in (self.cache_of(node) / "scratch").glob("*")]

    def provers_on(self, node: str) -> list[int]:
        """Worker processes in the middle of a proof: the witness is written, the proof is not."""
        return [
            pid
            for agent in self.agents_of(node)
            if any((self.cache_of(node) / "scratch" / str(agent)).rglob("witness.json"))
            for pid in children_of(agent)
        ]

    async def in_the_middle(self) -> tuple[str, list[int]]:
        """Waits until a node is in the middle of a proof; that node, and its worker processes."""
        end = time.monotonic() + PATIENCE_SECONDS
        while True:
            for node in self.nodes:
                if pids := self.provers_on(node):
                    return node, pids
            assert time.monotonic() < end, "no node is in the middle of a proof"
            await asyncio.sleep(0.005)  # a small proof takes a third of a second

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


def children_of(parent: int) -> list[int]:
    """Worker processes that a process has started and that have not ended."""
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and _is_worker_of(entry, parent)
    ]


def _is_worker_of(entry: Path, parent: int) -> bool:
    try:
        state, ppid = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
        command = (entry / "cmdline").read_bytes()
    except OSError:  # it has ended meanwhile
        return False
    return int(ppid) == parent and state != "Z" and b"gateless_proofs.worker" in command


def is_running(pid: int) -> bool:
    """Whether a process has not ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def environment_of(pid: int) -> bytes:
    """The environment that a process was started with."""
    return Path(f"/proc/{pid}/environ").read_bytes()


@contextmanager
def held(pids: list[int]) -> Iterator[None]:
    """Stops processes for the length of the block: what they are at is not finished meanwhile."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


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
