"""Looks at versions before anything is promised for them without a proof."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog
from structlog.contextvars import bound_contextvars

from gateless.core.errors import GatelessError
from gateless.daemon.versions import ReadyVersion
from gateless.executor.checks import binding_of
from gateless.executor.parts import Parts
from gateless.executor.proofs import Proofs

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 60.0


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
        self._ahead: asyncio.Task[None] | None = None
        self._not_before: dict[int, float] = {}

    def look(self, version_ids: Iterable[int]) -> None:
        """Audits versions before anybody asks for them, one after the other."""
        if self._ahead is None or self._ahead.done():
            self._ahead = asyncio.create_task(self._audit_ahead(sorted(version_ids)), name="audit")

    async def stop(self) -> None:
        """Stops what is under way."""
        if self._ahead is not None:
            self._ahead.cancel()
            with suppress(asyncio.CancelledError):
                await self._ahead

    async def _audit_ahead(self, version_ids: Iterable[int]) -> None:
        clock = self._parts.clock
        for version_id in version_ids:
            if self._not_before.get(version_id, 0.0) > clock.monotonic():
                continue
            self._not_before[version_id] = clock.monotonic() + _RETRY_SECONDS
            try:
                await self.audit(version_id)
            except GatelessError as error:
                log.warning(
                    "audit-failed", version_id=version_id, code=error.code, message=error.message
                )

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
            with bound_contextvars(version_id=version_id):
                await self._proofs.of_input(ready, packed, binding, f"the audit of {version_id}")
            log.info("version-audited", version_id=version_id)
            return ready
