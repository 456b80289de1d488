"""Looks for losses and stops what they speak against: nothing is lost twice for one cause."""

from __future__ import annotations

import structlog

from gateless.daemon.operating import Obstacle
from gateless.executor.breaker import Breaker
from gateless.executor.halts import RESUME, Halt, Halted, of_claim, of_lazy, of_work, spell
from gateless.executor.journal import Journal
from gateless.executor.journal_claims import ClaimStanding
from gateless.executor.journal_lazy import subject_of
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.states import WorkState
from gateless.executor.status import Problem

log = structlog.get_logger(__name__)

_LOST = (ClaimStanding.LOST, ClaimStanding.INDEFENSIBLE)


class Losses:
    """The losses of one executor.

    Args:
        journal: where they are.
        breaker: told what is left alone for them.
    """

    def __init__(self, journal: Journal, breaker: Breaker) -> None:
        self._journal = journal
        self._breaker = breaker
        self._known: frozenset[str] | None = None

    @property
    def halted(self) -> Halted:
        """What is not worked on now, and why."""
        return self._breaker.halted

    async def look(self) -> Halted:
        """Finds new losses, and what the operator has resumed; for the executor's loop."""
        if self._known is None:
            self._known = await self._journal.halted_for()
        new = [halt for halt in await self._found() if halt.cause not in self._known]
        await self._journal.halt(new)
        self._known |= {halt.cause for halt in new}
        before, now = self._breaker.halted, Halted(tuple(await self._journal.open_halts()))
        self._breaker.halted = now
        for halt in new:
            log.error(
                "halted",
                version_id=halt.version_id,
                cause=halt.cause,
                code=halt.reason,
                message=halt.text,
                everything=now.everything,
                hint=f"find the cause above, then: {RESUME}",
            )
        if before.versions - now.versions or (before.everything and not now.everything):
            log.info("resumed", version_ids=sorted(before.versions - now.versions))
        return now

    @property
    def problems(self) -> list[Problem]:
        """What is not worked on, why, and how that ends."""
        halted = self.halted
        if halted.everything:
            text = f"no new requests are taken: {spell(halted.halts)}"
            return [Problem("halted", text, f"find the cause in the log, then: {RESUME}")]
        return [
            Problem(
                "version-halted",
                f"nothing new is promised for version {version_id}: {spell(halted.halts)}",
                f"find the cause in the log, then: {RESUME} {version_id};"
                " or put the version on the deny list",
            )
            for version_id in sorted(halted.versions)
        ]

    @property
    def obstacles(self) -> list[Obstacle]:
        """The same, for those who ask by HTTP whether it works."""
        return [Obstacle(found.code, found.message, found.hint) for found in self.problems]

    async def _found(self) -> list[Halt]:
        found = [of_work(work) for work in await self._journal.find([WorkState.FAILED])]
        for lazy in await self._journal.find_lazy([LazyWorkState.FAILED]):
            proven = lazy.claim is not None and await self._is_proven(subject_of(lazy.claim))
            found.append(of_lazy(lazy, was_proven=proven))
        for claim in await self._journal.claims_that(_LOST):
            proven = await self._is_proven(claim.subject)
            found.append(
                of_claim(
                    claim.claim_id, claim.version_id, claim.reason, claim.text, was_proven=proven
                )
            )
        return found

    async def _is_proven(self, subject: bytes) -> bool:
        try:
            return (await self._journal.kept_proof(subject)).proof is not None
        except LookupError:
            return False
