"""The circuits that prove several inferences at once, as far as this machine can use them."""

from __future__ import annotations

import structlog

from gateless.core.errors import GatelessError
from gateless.core.types import InputBinding
from gateless.daemon.versions import ReadyVersion
from gateless.executor.batching import BatchCircuit
from gateless.executor.parts import Parts

log = structlog.get_logger(__name__)


class BatchCircuits:
    """Knows which batch circuits may be used, and how long their proofs take here.

    Args:
        parts: what to work with.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._unusable: set[tuple[int, int]] = set()

    def give_up(self, version_id: int, circuit_index: int, error: GatelessError) -> None:
        """Uses a batch circuit no more, until a restart."""
        self._unusable.add((version_id, circuit_index))
        log.warning(
            "batch-circuit-unusable",
            version_id=version_id,
            circuit_index=circuit_index,
            code=error.code,
            message=error.message,
        )

    def batch_size(self, version_id: int) -> int:
        """Most requests of a version that may share a proof; 1 before it was prepared."""
        ready = self._parts.versions.known(version_id)
        return 1 if ready is None else max((1, *map(ready.batch_size, self._usable(ready))))

    async def of(self, ready: ReadyVersion) -> list[BatchCircuit]:
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

    async def measured(self, ready: ReadyVersion) -> list[BatchCircuit]:
        """Those of them whose proofs were measured."""
        return [circuit for circuit in await self.of(ready) if circuit.seconds is not None]

    def _usable(self, ready: ReadyVersion) -> list[int]:
        if ready.info.binding is not InputBinding.PACKED:
            return []
        return [
            index
            for index in ready.batch_circuits
            if ready.batch_size(index) <= self._parts.config.policy.max_batch
            and (ready.info.version_id, index) not in self._unusable
        ]
