"""Brings locked requests of one version together, so that one proof answers them all."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from gateless.core.errors import GatelessError
from gateless.core.types import InputBinding
from gateless.daemon.versions import ReadyVersion
from gateless.executor.admission import Debt, Forecast, Promise, forecast
from gateless.executor.batching import BatchCircuit, choose, seconds_to_prove, within_gas
from gateless.executor.faults import is_hopeless
from gateless.executor.fitting import Fitting
from gateless.executor.journal_lazy import subject_of
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.parts import Active, Gone, Parts
from gateless.executor.proofs import Proofs
from gateless.executor.states import UNCOMMITTED, WorkState
from gateless.executor.work import NewBatch, Work

log = structlog.get_logger(__name__)

_LOOK_SECONDS = 0.05
_UNPROVED = (WorkState.LOCKING, WorkState.LOCKED, WorkState.PROVING)


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
        running: the requests that are worked on now: those that are not locked yet may join.
    """

    def __init__(self, parts: Parts, proofs: Proofs, running: Running) -> None:
        self._parts = parts
        self._proofs = proofs
        self._running = running
        self._settings = parts.config.policy
        self._groups: dict[int, tuple[_Group, asyncio.Task[frozenset[int]]]] = {}
        self._turns: dict[int, asyncio.Lock] = {}
        self._trials: dict[int, asyncio.Lock] = {}
        self._fitting = Fitting(parts)

    def batch_size(self, version_id: int) -> int:
        """Most requests of a version that may share a proof; 1 before it was prepared."""
        ready = self._parts.versions.known(version_id)
        return 1 if ready is None else max((1, *map(ready.batch_size, self._usable(ready))))

    # --- before a lock ---

    async def prepare(self, work: Work, ready: ReadyVersion) -> None:
        """Gets everything ready for the batch that the waiting requests ask for, if one is to come:
        those that do not fit its circuit are set apart, and the circuit is tried once.
        """
        waiting = [
            entry
            for entry in await self._parts.journal.find((*UNCOMMITTED, *_UNPROVED))
            if entry.version_id == work.version_id
            and entry.named_executor is None
            and not self._fitting.is_apart(entry.request_id)
        ]
        circuits = await self._circuits(ready)
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

    async def forecast(
        self, work: Work, ready: ReadyVersion, *, due: float, now: float
    ) -> Forecast:
        """What locking a request now would mean: proofs are made by earliest deadline first.

        Waiting for others is not in it: that ends where the time of a lock asks for it.

        Args:
            work: the request.
            ready: its version.
            due: when its lock would end.
            now: seconds since 1970.
        """
        promised = await self._parts.journal.find(_UNPROVED)
        times = {work.version_id: await self._times(ready)}
        for version_id in {entry.version_id for entry in promised} - times.keys():
            known = self._parts.versions.known(version_id)
            if known is not None:
                times[version_id] = await self._times(known)
            else:
                times[version_id] = await self._times_before(promised, version_id)
        # What runs is not interrupted, and the deadline of a lock under way is not known yet: both
        # count as if they came first.
        promises = [
            Promise(
                entry.request_id,
                entry.version_id,
                float(entry.lock_deadline) if entry.state is WorkState.LOCKED else -math.inf,
            )
            for entry in promised
        ]
        return forecast(
            Promise(work.request_id, work.version_id, due),
            promises,
            await self._debts(),
            now=now,
            seconds_of=lambda version_id, ids: times[version_id](ids),
            needs=self._parts.policy.needs_seconds,
        )

    async def _debts(self) -> list[Debt]:
        """Proofs that doubt about receipts and lazy answers asks for now."""
        journal = self._parts.journal
        owed: dict[bytes, tuple[int, float]] = {}
        for claim in await journal.open_claims():
            owed[claim.subject] = claim.version_id, float(claim.deadline)
        for lazy in await journal.find_lazy([LazyWorkState.DISPUTED]):
            if lazy.claim is not None:
                owed[subject_of(lazy.claim)] = lazy.version_id, float(lazy.dispute_deadline)
        debts = []
        for version_id, due in owed.values():
            ready = self._parts.versions.known(version_id)
            if ready is not None:
                seconds = await journal.timing(version_id, ready.circuit_index)
                debts.append(Debt(seconds or 0.0, due))
        return debts

    async def _times(self, ready: ReadyVersion) -> Callable[[Collection[int]], float]:
        """How long proofs of a version take: for some requests, whatever becomes of their batch."""
        measured = await self._measured(ready)
        single = await self._parts.journal.timing(ready.info.version_id, ready.circuit_index)
        indices = [circuit.index for circuit in measured]

        def seconds(request_ids: Collection[int]) -> float:
            alone = sum(self._fitting.is_apart(entry) for entry in request_ids)
            sure = sum(self._fitting.fits(entry, indices) for entry in request_ids)
            return seconds_to_prove(
                len(request_ids),
                single,
                measured,
                least_fill=self._settings.least_batch_fill,
                alone=alone,
                doubtful=len(request_ids) - alone - sure,
            )

        return seconds

    async def _times_before(
        self, promised: Sequence[Work], version_id: int
    ) -> Callable[[Collection[int]], float]:
        """The same for a version that this run has not prepared yet, such as just after a start:
        what its proofs took before, one by one.
        """
        taken = {
            work.request_id: await self._parts.journal.timing(version_id, work.circuit_index) or 0.0
            for work in promised
            if work.version_id == version_id
        }
        return lambda request_ids: sum(taken.get(entry, 0.0) for entry in request_ids)

    # --- after a lock ---

    async def prove(self, work: Work, ready: ReadyVersion, active: Active) -> bool:
        """Has a locked request proven together with others; False where it is to be proven alone.

        The proof is in the journal, and the request proved, when this returns True.

        Raises:
            Gone: the request ended elsewhere meanwhile. A proof for which nobody waits any more is
                stopped.
            GatelessError: the proof could not be made now.
        """
        if self._fitting.is_apart(work.request_id) or not await self._measured(ready):
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
        if len(group.members) >= self.batch_size(version_id):
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
        measured = await self._measured(ready)
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
        states = (*UNCOMMITTED, *_UNPROVED)
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
            (await self._times(group.ready))(group.members.keys())
        )
        now = self._parts.clock.now()
        return any(work.lock_deadline - now <= needed for work in group.members.values())

    async def _measured(self, ready: ReadyVersion) -> list[BatchCircuit]:
        return [entry for entry in await self._circuits(ready) if entry.seconds is not None]

    async def _circuits(self, ready: ReadyVersion) -> list[BatchCircuit]:
        """The batch circuits of a version that may be used."""
        schema = ready.bundle.schema
        specs = (*schema.inputs, *schema.outputs)
        found = []
        for index in self._usable(ready):
            pinned = ready.info.circuits[index]
            per_row = sum(-(-spec.count // max(1, pinned.digits_per_word)) for spec in specs)
            found.append(
                BatchCircuit(
                    index=index,
                    size=pinned.batch_size,
                    words=pinned.batch_size * per_row,
                    row_bytes=sum(spec.packed_length for spec in specs),
                    seconds=await self._parts.journal.timing(ready.info.version_id, index),
                )
            )
        return found

    def _usable(self, ready: ReadyVersion) -> list[int]:
        if ready.info.binding is not InputBinding.PACKED:
            return []
        return [
            index
            for index in ready.batch_circuits
            if ready.batch_size(index) <= self._settings.max_batch
            and self._proofs.usable(ready.info.version_id, index)
        ]
