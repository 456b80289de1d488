"""Finds out what keeps processes that run models apart on this machine: by trying to get out."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
from gateless.core.errors import SandboxError

from gateless_proofs.isolation import EVERYTHING, Files, Isolation, Network, View, Ways
from gateless_proofs.process import WorkerProcess
from gateless_proofs.sandbox import Limits, exchange, result_of

log = structlog.get_logger(__name__)

_LIMITS = Limits(memory_bytes=1 << 30, seconds=60, threads=1)


async def probe(ways: Ways = EVERYTHING) -> Isolation:
    """What holds here. A process is confined as those that run models are, and tries to get out:
    what it could do all the same counts as not prevented, whatever the kernel said.

    Raises:
        SandboxError: ``sandbox-unavailable``, ``worker-crashed``.
    """
    with tempfile.TemporaryDirectory(prefix="gateless-probe-") as folder:
        canary = Path(folder) / "canary"
        await asyncio.to_thread(canary.write_text, "out of reach", encoding="ascii")
        process = await WorkerProcess.start(
            ceiling_bytes=_LIMITS.memory_bytes, threads=1, ways=ways
        )
        try:
            request = {"canary": str(canary)}
            answer = await exchange(process, "probe", request, limits=_LIMITS, view=View())
        finally:
            await process.kill()
    escaped = result_of(answer, _LIMITS)["escaped"]
    found = answer.isolation
    return Isolation(
        Network.NONE if "network" in escaped else found.network,
        Files.NONE if "files" in escaped else found.files,
        found.filtered and "processes" not in escaped,
    )


def require_sandbox(isolation: Isolation) -> None:
    """Refuses to run strangers' models where nothing keeps them from the network.

    Raises:
        SandboxError: ``sandbox-unavailable``.
    """
    if not isolation.sufficient:
        raise SandboxError(
            "sandbox-unavailable",
            "nothing on this machine keeps a model from the network: neither a network namespace"
            " nor a filter of system calls is permitted",
            hint="permit one of them (docs/sandbox.md says how), or accept the risk with"
            " --allow-unsandboxed",
        )


async def isolation_of_models(ways: Ways = EVERYTHING, *, accept_none: bool) -> Isolation:
    """What keeps models apart here, for a program that is about to run strangers' models.

    Args:
        ways: what may be used.
        accept_none: whether its operator accepted that nothing keeps them from the network.

    Raises:
        SandboxError: ``sandbox-unavailable`` where that is so, and nobody accepted it.
    """
    found = await probe(ways)
    if accept_none and not found.sufficient:
        log.warning("unsandboxed", **found.to_dict())
        return found
    require_sandbox(found)
    log.info("sandbox", **found.to_dict())
    return found


def try_to_leave(request: dict[str, Any], _emit: Callable[[str, float], None]) -> dict[str, Any]:
    """Tries what must not be possible, and touches nothing by it. Runs in the subprocess."""
    ways_out: dict[str, Callable[[], bool]] = {
        "network": _has_network,
        "files": lambda: bool(Path(request["canary"]).read_bytes()),
        "processes": _can_fork,
    }
    escaped = []
    for name, leave in ways_out.items():
        with contextlib.suppress(OSError):
            if leave():
                escaped.append(name)
    return {"escaped": escaped}


def _has_network() -> bool:
    """Whether a socket can be made that could be bound to an address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", 0))
        # In a network namespace of its own the loopback interface is down: nothing is routed.
        own.connect(("127.0.0.1", 9))
    return True


def _can_fork() -> bool:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return True
