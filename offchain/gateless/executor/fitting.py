"""Which requests a batch circuit can prove beside others.

A batch has one proof or none: a single row without a witness would send all the others, locked
already, to be proven one by one. Circuits with dense words and those with narrower ranges refuse
some inputs that the circuit for single inferences takes, so every row is run through the batch
circuit before it may join. That takes milliseconds, and rows that wait are run together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from gateless.core.errors import GatelessError
from gateless.daemon.versions import ReadyVersion
from gateless.executor.parts import Parts, kept_input
from gateless.executor.work import Work

log = structlog.get_logger(__name__)


class Fitting:
    """Remembers which requests fit which batch circuit, and who has to be proven alone."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._fitting: set[tuple[int, int]] = set()
        self._apart: set[int] = set()
        self._turns: dict[int, asyncio.Lock] = {}

    def is_apart(self, request_id: int) -> bool:
        """Whether a request is proven alone, whoever waits."""
        return request_id in self._apart

    def set_apart(self, works: Iterable[Work]) -> None:
        """Has requests proven alone from now on."""
        self._apart |= {work.request_id for work in works}

    def fits(self, request_id: int, circuits: Iterable[int]) -> bool:
        """Whether a request is known to fit all of some circuits of its version."""
        return not self.is_apart(request_id) and all(
            (request_id, index) in self._fitting for index in circuits
        )

    def forget(self, request_ids: Iterable[int]) -> None:
        """Requests that were proven are asked for no more."""
        gone = frozenset(request_ids)
        self._apart -= gone
        self._fitting = {entry for entry in self._fitting if entry[0] not in gone}

    async def sort(self, works: Iterable[Work], ready: ReadyVersion, circuit_index: int) -> None:
        """Finds out which of some requests fit a batch circuit; sets the others apart.

        Raises:
            GatelessError: it cannot be found out now.
        """
        async with self._turns.setdefault(ready.info.version_id, asyncio.Lock()):
            unknown = [
                work
                for work in works
                if not self.is_apart(work.request_id)
                and not self.fits(work.request_id, [circuit_index])
            ]
            size = ready.batch_size(circuit_index)
            for start in range(0, len(unknown), size):
                await self._sort(unknown[start : start + size], ready, circuit_index)

    async def _sort(self, works: Sequence[Work], ready: ReadyVersion, circuit_index: int) -> None:
        prover = self._parts.prover
        rows = [kept_input(work) for work in works]
        try:
            together = await prover.witness_batch(ready.bundle, rows, circuit_index)
        except GatelessError as error:
            if error.code == "pool-closed":  # this executor ends; nothing is wrong with the rows
                raise
            if len(works) > 1:
                middle = len(works) // 2
                await self._sort(works[:middle], ready, circuit_index)
                await self._sort(works[middle:], ready, circuit_index)
            else:
                self._refuse(works[0], circuit_index, error.code)
            return
        for work, row, found in zip(works, rows, together, strict=True):
            # What was compared with the model before the lock is the single circuit's output.
            single = await prover.witness(ready.bundle, row, ready.circuit_index)
            if single.packed_output == found.packed_output:
                self._fitting.add((work.request_id, circuit_index))
            else:
                self._refuse(work, circuit_index, "witness-mismatch")

    def _refuse(self, work: Work, circuit_index: int, code: str) -> None:
        self._apart.add(work.request_id)
        log.info(
            "request-set-apart",
            request_id=work.request_id,
            version_id=work.version_id,
            circuit_index=circuit_index,
            code=code,
        )
