"""Proofs on a cluster: placed by measured need, begun again elsewhere when a node is lost.

What an executor answers and signs, it computes itself: witnesses and float outputs never leave this
machine. Only proofs do, and a proof that comes back is verified here before anybody uses it: a node
can waste time, but not make an executor say what is false.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

import structlog
from gateless.core.errors import GatelessError, SandboxError
from gateless.core.packing import felt_from_ezkl_hex

from gateless_proofs.backend import NodeStatus, ProvingStatus, Task
from gateless_proofs.cluster.link import Heard, JobLost, Link, closed
from gateless_proofs.cluster.placement import Place, Placement
from gateless_proofs.cluster.wire import Options, SentFile
from gateless_proofs.fingerprints import Fingerprints
from gateless_proofs.isolation import Isolation
from gateless_proofs.needs import Needs
from gateless_proofs.pool import ProvingPool
from gateless_proofs.process import Progress
from gateless_proofs.sandbox import Limits
from gateless_proofs.schedule import Need

log = structlog.get_logger(__name__)

#: nodes that may be lost with a proof before the executor makes it itself
ATTEMPTS = 3
_LONGEST_PAUSE_SECONDS = 60.0
_VERIFIED_WITH = ("settings", "verifying_key", "srs")


#: makes a connection to a cluster, given what to tell about nodes
Connect = Callable[[Options, Heard], Awaitable[Link]]


class _NoRoom(Exception):
    """No node there is could ever do a job."""


class ClusterBackend:
    """Makes proofs on the nodes of a Ray cluster. Use as an async context manager.

    Where no node can take a proof, because there is none or all are too small, or where several
    were lost with it, the executor makes the proof itself if it has the memory: a promise is worth
    more than a division of labour.

    Args:
        options: the cluster, and what to take of each node.
        local: makes everything else, and verifies.
        seconds: longest time for one proof.
        connect: joins the cluster.
    """

    def __init__(
        self,
        options: Options,
        local: ProvingPool,
        seconds: float,
        *,
        connect: Connect = Link.start,
    ) -> None:
        self._connect = connect
        self._options = options
        self._local = local
        self._seconds = seconds
        self._needs = Needs()
        self._placement = Placement()
        self._places: dict[int, asyncio.Future[Place]] = {}
        self._fingerprints = Fingerprints()
        self._names: dict[str, str] = {}
        self._isolations: dict[str, Isolation] = {}
        self._done: dict[str, int] = {}
        self._moved = 0
        self._refusals: dict[str, str] = {}
        self._away = ""
        self._link: Link | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        self._link = await self._connect(self._options, self._heard)
        self._keeping = asyncio.create_task(self._keep(self._link))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed = True
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        if self._link is not None:
            await self._link.close()

    async def run(
        self, task: Task, request: Mapping[str, Any], progress: Progress | None = None
    ) -> dict[str, Any]:
        """Runs a job: a proof on the cluster, everything else here. See :class:`ProvingBackend`."""
        if task.operation != "prove":
            return await self._local.run(task, request, progress)
        avoid: set[str] = set()
        reason = ""
        lost = 0
        while lost < ATTEMPTS:
            try:
                return await self._elsewhere(task, request, progress, avoid)
            except _NoRoom:
                reason = "no node there is has the memory that it needs"
                break
            except JobLost as loss:
                reason = str(loss)
                lost += 1
                self._moved += 1
            except GatelessError as error:
                # What decides a request is not taken on a node's word, if it can be helped.
                if error.code == "time-limit" or not self._local.holds(task):
                    raise
                reason = f"a node says {error}"
                break
            if self._closed:
                raise closed()
        return await self._here(task, request, progress, reason, lost=lost)

    def status(self) -> ProvingStatus:
        """The nodes there are now, and what of them is in use."""
        nodes = tuple(
            NodeStatus(
                self._names[node],
                load.memory_bytes,
                load.cores,
                load.reserved_bytes,
                load.busy_threads,
                load.jobs,
                self._done.get(node, 0),
                self._isolations.get(node),
            )
            for node, load in self._placement.loads.items()
        )
        problem = self._away or "; ".join(self._refusals.values())
        return ProvingStatus("cluster", nodes, len(self._placement.waiting), self._moved, problem)

    # --- one job ---

    async def _elsewhere(
        self,
        task: Task,
        request: Mapping[str, Any],
        progress: Progress | None,
        avoid: set[str],
    ) -> dict[str, Any]:
        """Runs a job on a node; with all memory of the largest one where it was given too little.

        Raises:
            JobLost: its node is gone; it is among those to avoid now.
            _NoRoom: no node there is could ever do it.
        """
        cores = max((load.cores for load in self._placement.loads.values()), default=1)
        need = self._needs.of(task, cores=cores)
        try:
            return await self._on_a_node(task, need, request, progress, avoid)
        except SandboxError as error:
            largest = self._placement.largest_bytes
            if error.code in ("time-limit", "pool-closed") or need.memory_bytes >= largest:
                raise
        alone = replace(need, memory_bytes=largest)
        return await self._on_a_node(task, alone, request, progress, avoid)

    async def _on_a_node(
        self,
        task: Task,
        need: Need,
        request: Mapping[str, Any],
        progress: Progress | None,
        avoid: set[str],
    ) -> dict[str, Any]:
        ticket = self._placement.add(need, f"{task.domain}/{task.what}", avoid)
        self._places[ticket] = placed = asyncio.get_running_loop().create_future()
        try:
            self._start()
            place = await placed
            log.info(
                "proof-placed",
                node=self._names[place.node],
                logrows=task.logrows,
                threads=place.grant.threads,
                memory_bytes=place.grant.memory_bytes,
            )
            limits = Limits(place.grant.memory_bytes, self._seconds, place.grant.threads)
            try:
                result = await self._order(task, place, limits, request, progress)
                self._needs.measured(task, int(result["peak_bytes"]))
                await self._verify(task, place.node, result)
            except JobLost as lost:
                avoid.add(place.node)
                log.warning("proof-lost", node=self._names[place.node], reason=str(lost))
                raise
            self._done[place.node] = self._done.get(place.node, 0) + 1
            return result
        finally:
            self._places.pop(ticket, None)
            self._placement.release(ticket)
            self._start()

    async def _order(
        self,
        task: Task,
        place: Place,
        limits: Limits,
        request: Mapping[str, Any],
        progress: Progress | None,
    ) -> dict[str, Any]:
        link = self._link
        if link is None:
            raise JobLost("the cluster is away")
        files = {
            name: SentFile(path, await self._fingerprints.sha256(path))
            for name, path in task.files.items()
        }
        order = {
            "node": place.node,
            "domain": task.domain,
            "operation": task.operation,
            "request": dict(request),
            "files": files,
            "limits": asdict(limits),
        }
        return await link.run(order, progress)

    async def _verify(self, task: Task, node: str, result: dict[str, Any]) -> None:
        """Checks a proof here; a node that sends one that does not hold is used no more.

        Raises:
            JobLost: it does not hold.
            GatelessError: it is none for this job.
        """
        try:
            if task.check is not None:
                task.check(result)
            request = {
                "instances": [felt_from_ezkl_hex(text) for text in result["instances"]],
                "proof": str(result["proof"]),
            }
            float(result["witness_seconds"] + result["prove_seconds"])
        except (KeyError, TypeError, ValueError):
            valid = False
        else:
            files = {name: task.files[name] for name in _VERIFIED_WITH}
            check = Task(task.domain, "verify", task.what, files=files, due=task.due)
            valid = bool((await self._local.run(check, request))["valid"])
        if not valid:
            reason = "it sent a proof that does not hold"
            if self._link is not None:
                await self._link.drop(node, reason)
            raise JobLost(reason)

    async def _here(
        self,
        task: Task,
        request: Mapping[str, Any],
        progress: Progress | None,
        reason: str,
        *,
        lost: int,
    ) -> dict[str, Any]:
        if self._local.holds(task):
            log.warning("proof-made-here", logrows=task.logrows, reason=reason, lost_nodes=lost)
            return await self._local.run(task, request, progress)
        needed = self._needs.memory_bytes(task)
        if lost >= ATTEMPTS:
            raise SandboxError(
                "cluster-lost-job",
                f"{lost} nodes were lost with a proof: {reason}",
                hint="look at what ends them; `ray status` and the nodes' logs say it",
            )
        raise SandboxError(
            "cluster-has-no-room",
            f"a proof needs {needed / 2**30:.3g} GiB of memory, and no node offers that",
            hint="start a node with more memory (ray start --memory), or raise --memory here",
            needed_bytes=needed,
            largest_node_bytes=self._placement.largest_bytes,
        )

    # --- the nodes ---

    def _start(self) -> None:
        for ticket in self._placement.homeless():
            self._placement.release(ticket)
            future = self._places[ticket]
            if not future.done():
                future.set_exception(_NoRoom)
        for ticket, place in self._placement.start().items():
            future = self._places[ticket]
            # One that was cancelled in this very moment gives its place back when it wakes.
            if not future.done():
                future.set_result(place)

    def _heard(self, message: dict[str, Any]) -> None:
        node = str(message.get("node", ""))
        match message["event"]:
            case "joined":
                self._names[node] = str(message["name"])
                self._refusals.pop(node, None)
                memory, cores = int(message["memory_bytes"]), int(message["cores"])
                self._isolations[node] = isolation = Isolation.from_dict(message["isolation"])
                self._placement.join(node, memory, cores)
                log.info(
                    "proving-node-joined",
                    node=self._names[node],
                    memory_bytes=memory,
                    cores=cores,
                    sandbox=isolation.text(),
                )
            case "left":
                self._placement.leave(node)
                log.warning(
                    "proving-node-left", node=self._names.get(node, node), reason=message["reason"]
                )
            case "refused":
                self._refusals[node] = str(message["reason"])
                log.warning("proving-node-refused", node=node, reason=message["reason"])
            case _:
                return
        self._start()

    async def _keep(self, link: Link) -> None:
        """Joins the cluster again when the driver has ended."""
        pause = 1.0
        while True:
            await link.ended()
            self._link = None
            self._away = f"the driver has ended: {link.last_words[-200:]}"
            for node in list(self._placement.loads):
                self._placement.leave(node)
            self._start()
            log.warning("cluster-away", reason=self._away)
            await link.close()
            while self._link is None:
                await asyncio.sleep(pause)
                try:
                    self._link = link = await self._connect(self._options, self._heard)
                except GatelessError as error:
                    self._away = error.message
                    pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
            self._away, pause = "", 1.0
            log.info("cluster-joined")
