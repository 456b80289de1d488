"""The driver's view of a cluster: nodes that come and go, an agent on each. Knows Ray."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from gateless_proofs.cluster.agent import Agent, versions
from gateless_proofs.cluster.wire import Options, Order, SentFile
from gateless_proofs.isolation import Isolation
from gateless_proofs.needs import beside_idle

_PIECE_BYTES = 8 << 20
_LOOK_SECONDS = 0.5
#: pause before a node that could not be used is tried again
_AGAIN_SECONDS = 30.0
#: sendings of a file that arrives damaged
_SENDINGS = 2

Tell = Callable[[dict[str, Any]], None]


class NodeLost(Exception):
    """A node, or the agent on it, does not answer any more."""


@dataclass(slots=True)
class _Node:
    agent: Any
    #: files that are being sent, so that none is sent twice at once
    sending: dict[tuple[str, str], asyncio.Lock] = field(default_factory=dict)
    lost: asyncio.Event = field(default_factory=asyncio.Event)


class Nodes:
    """Keeps an agent on every node of the cluster that has memory and cores to give.

    Args:
        options: what to take of a node.
        tell: is told messages for the executor: nodes that join and leave, progress of jobs.
    """

    def __init__(self, options: Options, tell: Tell) -> None:
        self._options = options
        self._tell = tell
        self._nodes: dict[str, _Node] = {}
        self._refused: dict[str, float] = {}

    async def look(self) -> None:
        """Takes in nodes that came, lets go of those that went, asks the others how they are."""
        alive = {
            str(node["NodeID"]): node
            for node in await asyncio.to_thread(ray.nodes)
            if node["Alive"]
        }
        for name in [name for name in self._nodes if name not in alive]:
            self.drop(name, "it left the cluster")
        now = asyncio.get_running_loop().time()
        fresh = [
            (name, node["Resources"])
            for name, node in alive.items()
            if name not in self._nodes and self._refused.get(name, 0.0) <= now
        ]
        await asyncio.gather(*(self._join(name, offer) for name, offer in fresh))
        known = [name for name, _ in fresh]
        await asyncio.gather(*(self._beat(name) for name in self._nodes if name not in known))

    async def tend(self) -> None:
        """Looks again and again."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self.look()

    def drop(self, name: str, reason: str) -> None:
        """Uses a node no more, for a while; its jobs are lost."""
        node = self._nodes.pop(name, None)
        self._refused[name] = asyncio.get_running_loop().time() + _AGAIN_SECONDS
        if node is not None:
            node.lost.set()
            with suppress(ray.exceptions.RayError, ValueError):
                ray.kill(node.agent)
            self._tell({"event": "left", "node": name, "reason": reason})

    async def run(self, order: Order) -> dict[str, Any]:
        """Has a job done; returns its ``result`` or ``error``.

        Raises:
            NodeLost: the node is gone, or does not answer.
        """
        node = self._nodes.get(order.node)
        if node is None:
            raise NodeLost("it is not there any more")
        try:
            for file in order.files.values():
                await self._bring(node, order.domain, file)
            payload = {
                "domain": order.domain,
                "operation": order.operation,
                "request": order.request,
                "files": {name: file.sha256 for name, file in order.files.items()},
                "limits": order.limits,
            }
            self._tell({"event": "working", "job": order.job})
            job = str(order.job)
            data, digest = await self._call(node, node.agent.run, job, json.dumps(payload).encode())
        except asyncio.CancelledError:
            node.agent.cancel.remote(str(order.job))
            raise
        except NodeLost as lost:
            self.drop(order.node, str(lost))
            raise
        if hashlib.sha256(data).hexdigest() != digest:
            raise NodeLost("its answer arrived damaged")
        said: dict[str, Any] = json.loads(data)
        return said

    async def _join(self, name: str, offer: dict[str, float]) -> None:
        options = self._options
        memory, cores = int(offer.get("memory", 0)), int(offer.get("CPU", 0))
        memory = min(memory, options.node_memory_bytes or memory)
        cores = min(cores, options.node_cores or cores)
        self._refused[name] = asyncio.get_running_loop().time() + _AGAIN_SECONDS
        if not memory or not cores:
            return
        made: Any = ray.remote(Agent)
        actor = made.options(
            num_cpus=cores,
            memory=memory,
            max_restarts=0,
            max_concurrency=1000,
            scheduling_strategy=NodeAffinitySchedulingStrategy(name, soft=False),
        )
        usable = beside_idle(memory, cores)
        agent = actor.remote(usable, cores, options.cache_bytes, options.ways)
        try:
            async with asyncio.timeout(options.join_seconds):
                hello = await _answer(agent.hello.remote())
        except (TimeoutError, ray.exceptions.RayError) as error:
            # Ray repeats whole stack traces; what was wrong is in the last line.
            why = str(error).strip().rpartition("\n")[2]
            reason = why or "it gave no room in time: others have its memory or cores"
            self._refuse(name, agent, reason[:500])
            return
        reason = _unfit(hello, allow_unsandboxed=options.allow_unsandboxed)
        if reason:
            self._refuse(name, agent, f"{hello['host']}/{name[:8]} {reason}")
            return
        self._nodes[name] = _Node(agent)
        self._tell(
            {
                "event": "joined",
                "node": name,
                "name": f"{hello['host']}/{name[:8]}",
                "pid": hello["pid"],
                "memory_bytes": usable,
                "cores": cores,
                "isolation": hello["isolation"],
            }
        )

    def _refuse(self, name: str, agent: Any, reason: str) -> None:
        ray.kill(agent)
        self._tell({"event": "refused", "node": name, "reason": reason})

    async def _beat(self, name: str) -> None:
        node = self._nodes.get(name)
        if node is None:
            return
        try:
            async with asyncio.timeout(self._options.join_seconds):
                progress = await _answer(node.agent.beat.remote())
        except (TimeoutError, ray.exceptions.RayError) as error:
            self.drop(name, f"it does not answer: {type(error).__name__}")
            return
        for job, (stage, fraction) in progress.items():
            self._tell({"event": "progress", "job": int(job), "progress": [stage, fraction]})

    async def _bring(self, node: _Node, domain: str, file: SentFile) -> None:
        """Sends a file that the node lacks."""
        async with node.sending.setdefault((domain, file.sha256), asyncio.Lock()):
            for _ in range(_SENDINGS):
                if not await self._call(node, node.agent.missing, domain, [file.sha256]):
                    return
                await self._send(node, domain, file)
        raise NodeLost("files do not arrive there whole")

    async def _send(self, node: _Node, domain: str, file: SentFile) -> None:
        size, offset = file.path.stat().st_size, 0
        while True:
            piece = await asyncio.to_thread(_read, file.path, offset)
            last = offset + len(piece) >= size
            whole = await self._call(
                node, node.agent.receive, domain, file.sha256, offset, piece, last
            )
            offset += len(piece)
            if last or not whole:
                return  # the node is asked again what it has

    async def _call(self, node: _Node, method: Any, *arguments: Any) -> Any:
        """Calls an agent; stops waiting when its node is given up."""
        answer = asyncio.ensure_future(_answer(method.remote(*arguments)))
        lost = asyncio.ensure_future(node.lost.wait())
        try:
            await asyncio.wait({answer, lost}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                raise NodeLost("it was given up")
            return answer.result()
        except ray.exceptions.RayError as error:
            raise NodeLost(type(error).__name__) from error
        finally:
            lost.cancel()
            answer.cancel()


def _unfit(hello: dict[str, Any], *, allow_unsandboxed: bool) -> str:
    """Why a node must not be given work, by what its agent said; empty where it may."""
    if hello["versions"] != versions():
        return f"has {hello['versions']}, here is {versions()}"
    if not allow_unsandboxed and not Isolation.from_dict(hello["isolation"]).sufficient:
        return (
            "has nothing that keeps models from the network: permit it there (docs/sandbox.md), or"
            " accept the risk with --allow-unsandboxed"
        )
    return ""


def _answer(reference: Any) -> Awaitable[Any]:
    """Waits for a call; futures are what Ray has both in a cluster and for its remote clients."""
    return asyncio.wrap_future(reference.future())


def _read(path: Path, offset: int) -> bytes:
    with path.open("rb") as stream:
        stream.seek(offset)
        return stream.read(_PIECE_BYTES)
