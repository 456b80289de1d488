"""What runs on a node: a Ray actor that gives jobs to limited worker processes and keeps files.

Models never run in the actor's own process: it starts the same sandboxed workers as the local pool
does, each for one bundle only (:mod:`gateless_proofs.warm`). The books are kept by the executor; an
agent does what it is told with the memory and the threads that it is told.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import json
import os
import platform
import shutil
import socket
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from gateless.core.errors import GatelessError, SandboxError, StorageError

import gateless_proofs
from gateless_proofs.cluster.files import NodeFiles
from gateless_proofs.isolation import Ways
from gateless_proofs.needs import idle_workers
from gateless_proofs.probing import probe
from gateless_proofs.sandbox import Limits, result_of
from gateless_proofs.warm import WarmWorkers

#: where a node keeps files, if its environment names no other folder
CACHE_VARIABLE = "GATELESS_CLUSTER_CACHE"
_PACKAGES = ("ezkl", "onnxruntime")


def versions() -> dict[str, str]:
    """What must be the same on all nodes and at the executor: libraries, and our own code."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    found["python"] = ".".join(platform.python_version_tuple()[:2])
    sources = hashlib.sha256()
    for path in sorted(Path(gateless_proofs.__file__).parent.rglob("*.py")):
        sources.update(hashlib.sha256(path.read_bytes()).digest())
    found["gateless_proofs"] = sources.hexdigest()[:16]
    return found


class Agent:
    """Workers and files of one executor on one node.

    Args:
        memory_bytes: address space that no job may exceed.
        cores: as many worker processes are kept twice over.
        cache_bytes: room for files of bundles and proving keys.
        ways: what may be used to keep models apart, as :class:`Ways` spells it.
    """

    def __init__(self, memory_bytes: int, cores: int, cache_bytes: int, ways: str) -> None:
        usual = Path.home() / ".cache" / "gateless-cluster"
        root = Path(os.environ.get(CACHE_VARIABLE) or usual)
        self._files = NodeFiles(root / "files", cache_bytes)
        _settle_in(root / "scratch")
        self._ways = Ways.from_text(ways)
        self._workers = WarmWorkers(memory_bytes, keep=idle_workers(cores), ways=self._ways)
        self._jobs: dict[str, asyncio.Task[dict[str, Any]]] = {}
        self._progress: dict[str, tuple[str, float]] = {}
        self._in_use: dict[str, frozenset[Path]] = {}

    async def hello(self) -> dict[str, Any]:
        """Who this is, and what keeps models apart here, found out by trying."""
        return {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "versions": versions(),
            "isolation": (await probe(self._ways)).to_dict(),
        }

    async def missing(self, domain: str, digests: Sequence[str]) -> list[str]:
        """Those of some files of a bundle that are not here, or are damaged."""
        return [
            digest
            for digest in digests
            if not await self._files.has(self._files.path_of(domain, digest))
        ]

    async def receive(
        self, domain: str, digest: str, offset: int, piece: bytes, last: bool
    ) -> bool:
        """Takes a piece of a file of a bundle; whether it arrived as it should."""
        path = self._files.path_of(domain, digest)
        if offset == 0:
            await self._files.make_room(frozenset().union(*self._in_use.values()))
        try:
            await self._files.receive(path, offset, piece, last=last)
        except StorageError:
            return False
        return True

    async def run(self, job: str, payload: bytes) -> tuple[bytes, str]:
        """Does a job; returns ``result`` or ``error`` as JSON, and the sha256 of that.

        Args:
            job: its name, for :meth:`cancel` and :meth:`beat`.
            payload: JSON with ``domain``, ``operation``, ``request``, ``files`` (digests by the
                names under which the request has their paths) and ``limits``.
        """
        order: dict[str, Any] = json.loads(payload)
        paths = {
            name: self._files.path_of(order["domain"], digest)
            for name, digest in order["files"].items()
        }
        self._in_use[job] = frozenset(paths.values())
        self._jobs[job] = task = asyncio.ensure_future(self._work(job, order, paths))
        said: dict[str, Any]
        try:
            said = {"result": await task}
        except GatelessError as error:
            said = {"error": error.to_dict()}
        except asyncio.CancelledError:
            said = {"error": SandboxError("pool-closed", "the job was cancelled").to_dict()}
        finally:
            del self._jobs[job], self._in_use[job]
            self._progress.pop(job, None)
        data = json.dumps(said).encode()
        return data, hashlib.sha256(data).hexdigest()

    async def cancel(self, job: str) -> None:
        """Stops a job and kills its process."""
        if job in self._jobs:
            self._jobs[job].cancel()

    async def beat(self) -> dict[str, tuple[str, float]]:
        """Shows that this agent lives, and how far its jobs are."""
        return dict(self._progress)

    async def close(self) -> None:
        """Kills all worker processes."""
        await self._workers.close()

    async def _work(
        self, job: str, order: dict[str, Any], paths: dict[str, Path]
    ) -> dict[str, Any]:
        def progress(stage: str, fraction: float) -> None:
            self._progress[job] = stage, fraction

        limits = Limits(**order["limits"])
        answer = await self._workers.run(
            order["domain"],
            order["operation"],
            {**order["request"], **{name: str(path) for name, path in paths.items()}},
            limits=limits,
            progress=progress,
        )
        return result_of(answer, limits)


def _settle_in(folder: Path) -> None:
    """Has temporary files in a folder of this process; removes those of agents that were killed."""
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.iterdir():
        with suppress(OSError, ValueError):
            if not Path(f"/proc/{int(left.name)}").exists():
                shutil.rmtree(left, ignore_errors=True)
    own = folder / str(os.getpid())
    own.mkdir(exist_ok=True)
    tempfile.tempdir = str(own)
