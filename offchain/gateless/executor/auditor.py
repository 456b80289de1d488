"""Looks at versions before anything is promised for them without a proof."""

from __future__ import annotations

import asyncio

import structlog

from gateless.daemon.versions import ReadyVersion
from gateless.executor.checks import binding_of
from gateless.executor.parts import Parts
from gateless.executor.proofs import Proofs

log = structlog.get_logger(__name__)


class Auditor:
    """Audits versions before anything is promised without a proof; each once.

    The keys were made again from the published circuit when a version is prepared; what is left is
    one proof that the deployed verifier takes.

    Args:
        parts: what to work with.
        proofs: makes the proof.
    """

    def __init__(self, parts: Parts, proofs: Proofs) -> None:
        self._parts = parts
        self._proofs = proofs
        self._turns: dict[int, asyncio.Lock] = {}

    async def is_audited(self, version_id: int) -> bool:
        """Whether a version is served without further ado."""
        ready = self._parts.versions.known(version_id)
        return ready is not None and await self.seconds(ready) is not None

    async def seconds(self, ready: ReadyVersion) -> float | None:
        """Time of a proof. It is measured only when the deployed verifier took the proof."""
        return await self._parts.journal.timing(ready.info.version_id, ready.circuit_index)

    async def audit(self, version_id: int, packed_input: bytes | None = None) -> ReadyVersion:
        """Makes sure, once, that what this version answers could be proven.

        Args:
            version_id: the version.
            packed_input: input to prove it with; zeros where there is none at hand.

        Raises:
            GatelessError: it must not be served.
        """
        async with self._turns.setdefault(version_id, asyncio.Lock()):
            ready = await self._parts.versions.prepare(version_id)
            if await self.seconds(ready) is not None:
                return ready
            specs = ready.bundle.schema.inputs
            packed = packed_input or bytes(sum(spec.packed_length for spec in specs))
            binding = await binding_of(ready, packed, self._parts.prover)
            await self._proofs.of_input(ready, packed, binding, f"the audit of {version_id}")
            log.info("version-audited", version_id=version_id)
            return ready
