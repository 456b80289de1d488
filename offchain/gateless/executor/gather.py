"""Brings locked requests of one version together, so that one proof answers them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from gateless.core.errors import GatelessError
from gateless.daemon.versions import ReadyVersion
from gateless.executor.batching import BatchCircuit, choose, within_gas
from gateless.executor.faults import is_hopeless
from gateless.executor.owed import UNPROVED, Owed
from gateless.executor.parts import Active, Gone, Parts
from gateless.executor.proofs import Proofs
from gateless.executor.states import UNCOMMITTED, WorkState
from gateless.executor.work import NewBatch, Work

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.05


#: Requests that are worked on now.
Running = Callable[[], frozenset[int]]


@dataclass(slots=True, eq=False)
class _Group:
    """Requests that will share a proof.

    Attributes:
        members: by request id, in the order in which they came.
        open: whether more may come.
        changed: set when one comes.
    """

    ready: ReadyVersion
    members: dict[int, Work] = field(default_factory=dict)
    open: bool = True
    changed: asyncio.Event = field(default_factory=asyncio.Event)


class Gather:
    """Fills batches.

    One batch of a version is proven at a time; whatever is locked meanwhile waits for the next one,
    so batches grow with the load and a quiet executor does not wait.

    Args:
        parts: what to work with.
        proofs: makes them.
        owed: what is promised, and which circuits there are for it.
        running: the requests that are worked on now: those that are not locked yet may join.
    """

    def __init__(self, parts: Parts, proofs: Proofs, owed: Owed, running: Running) -> None:
        self._parts = parts
        self._proofs = proofs
        self._running = running
        self._settings = parts.config.policy
        self._groups: dict[int, tuple[_Group, asyncio.Task[frozenset[int]]]] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._trials: dict[int, asyncio.Lock] = {}
        self._owed = owed
        self._circuits = owed.circuits
        self._fitting = owed.fitting

    # --- before a lock ---

    async def prepare(self, work: Work, ready: ReadyVersion) -> None:
        """Gets everything ready for the batch that the waiting requests ask for, if one is to come:
        those that do not fit its circuit are set apart, and the circuit is tried once.
        """
        waiting = [
            entry
            for entry in await self._parts.journal.find((*UNCOMMITTED, *UNPROVED))
            if entry.version_id == work.version_id
            and entry.named_executor is None
            and not self._fitting.is_apart(entry.request_id)
        ]
        circuits = await self._circuits.of(ready)
        circuit = choose(circuits, len(waiting), least_fill=self._settings.least_batch_fill)
        if circuit is None or self._fitting.is_apart(work.request_id):
            return
        # First of all: a circuit that is tried on a row that it refuses would be given up.
        checked = [entry for entry in waiting if entry.packed_input and not entry.has_proof]
        measured = {entry.index for entry in circuits if entry.seconds is not None}
        for index in sorted({circuit.index, *measured}):
            await self._fitting.sort(checked, ready, index)
        if circuit.seconds is not None or self._fitting.is_apart(work.request_id):
            return
        async with self._trials.setdefault(ready.info.version_id, asyncio.Lock()):
            if await self._parts.journal.timing(ready.info.version_id, circuit.index) is None:
                await self._proofs.try_batch_circuit(work, ready, circuit.index)

    # --- after a lock ---

    async def prove(self, work: Work, ready: ReadyVersion, active: Active) -> bool:
        """Has a locked request proven together with others; False where it is to be proven alone.

        The proof is in the journal, and the request proved, when this returns True.

        Raises:
            Gone: the request ended elsewhere meanwhile. A proof for which nobody waits any more is
                stopped.
            GatelessError: the proof could not be made now.
        """
        if self._fitting.is_apart(work.request_id) or not await self._circuits.measured(ready):
            return False
        group, task = self._join(work, ready)
        gone = asyncio.ensure_future(active.gone.wait())
        try:
            await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return work.request_id in task.result()
            raise Gone
        finally:
            gone.cancel()
            await self._leave(group, task, work.request_id)

    def _join(self, work: Work, ready: ReadyVersion) -> tuple[_Group, asyncio.Task[frozenset[int]]]:
        version_id = ready.info.version_id
        group, task = self._groups.get(version_id, (None, None))
        if group is None or task is None or task.done() or not group.open:
            group = _Group(ready)
            task = asyncio.create_task(self._work(group), name=f"batch-{version_id}")
            self._groups[version_id] = group, task
        group.members[work.request_id] = work
        if len(group.members) >= self._circuits.batch_size(version_id):
            group.open = False
        group.changed.set()
        return group, task

    async def _leave(
        self, group: _Group, task: asyncio.Task[frozenset[int]], request_id: int
    ) -> None:
        group.members.pop(request_id, None)
        if group.members or task.done():
            return
        group.open = False
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task
        log.info("batch-dropped", version_id=group.ready.info.version_id)

    async def _work(self, group: _Group) -> frozenset[int]:
        """Fills a group, proves it and journals the proof; returns whom it answers."""
        structlog.contextvars.clear_contextvars()  # it is about no single request
        ready = group.ready
        version_id = ready.info.version_id
        async with self._turns.setdefault(version_id, asyncio.Lock()):
            await self._fill(group)
            group.open = False
            circuit, works = await self._chosen(group)
            if circuit is None:
                return frozenset()
            for work in works:
                if (await self._parts.journal.get(work.request_id)).state is WorkState.LOCKED:
                    await self._parts.journal.move(work.request_id, WorkState.PROVING)
            try:
                proof = await self._proofs.together(works, ready, circuit.index)
            except GatelessError as error:
                if not is_hopeless(error):
                    raise
                # The circuit cannot be proven after all: nobody shall wait for it once more.
                self._fitting.set_apart(works)
                log.warning("batch-split", version_id=version_id, code=error.code)
                return frozenset()
            ids = tuple(work.request_id for work in works)
            await self._parts.journal.keep_batch(
                NewBatch(
                    version_id=version_id,
                    circuit_index=circuit.index,
                    request_ids=ids,
                    packed_inputs=proof.packed_inputs,
                    packed_outputs=proof.packed_outputs,
                    proof=proof.proof,
                )
            )
            self._fitting.forget(ids)
            return frozenset(ids)

    async def _chosen(self, group: _Group) -> tuple[BatchCircuit | None, list[Work]]:
        """The circuit for a group and those of its members that it proves; None for no circuit."""
        ready = group.ready
        measured = await self._circuits.measured(ready)
        while True:
            works = [
                work
                for request_id, work in group.members.items()
                if not self._fitting.is_apart(request_id)
            ]
            circuit = choose(measured, len(works), least_fill=self._settings.least_batch_fill)
            if circuit is None:
                return None, []
            gas = await self._parts.block_gas_limit()
            works = works[: within_gas(circuit, [work.callback_gas for work in works], gas)]
            if len(works) < 2:
                return None, []
            # Most were run through it before they were locked.
            await self._fitting.sort(works, ready, circuit.index)
            if all(self._fitting.fits(work.request_id, [circuit.index]) for work in works):
                return circuit, works

    async def _fill(self, group: _Group) -> None:
        """Waits for requests that are about to be locked, as long as no promise is risked."""
        clock = self._parts.clock
        end = clock.monotonic() + self._settings.batch_wait_seconds
        while group.open and clock.monotonic() < end:
            if not await self._coming(group) or await self._is_urgent(group):
                return
            group.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(group.changed.wait(), _LOOK_SECONDS)

    async def _coming(self, group: _Group) -> bool:
        """Whether a request of the version is worked on, or about to be, that may join."""
        running = self._running()
        states = (*UNCOMMITTED, *UNPROVED)
        return any(
            work.version_id == group.ready.info.version_id
            and work.named_executor is None
            and (work.request_id in running or not work.reason)
            and work.request_id not in group.members
            and not self._fitting.is_apart(work.request_id)
            and not work.has_proof
            for work in await self._parts.journal.find(states)
        )

    async def _is_urgent(self, group: _Group) -> bool:
        """Whether the time of a member's lock is what its proof may take."""
        needed = self._parts.policy.needs_seconds(
            (await self._owed.times(group.ready))(group.members.keys())
        )
        now = self._parts.time.now
        return any(work.lock_deadline - now <= needed for work in group.members.values())
