"""What an executor does beside requests for proofs: receipts, lazy requests, quorums.

Each side looks when the loop looks, is closed when nothing new is taken on, and is drained before a
shutdown. A network may lack the contracts of some.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass

from gateless.core.types import Block
from gateless.executor.journal import Journal
from gateless.executor.lazy.desk import LazyDesk
from gateless.executor.policy import Standing
from gateless.executor.quorum import QuorumDesk
from gateless.executor.receipts.counter import ReceiptCounter
from gateless.executor.status import Problem

_HEAD_START_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Sides:
    """The sides of one executor.

    Attributes:
        journal: what was promised.
        receipts: direct calls, pools, challenges.
        lazy: lazy requests; None where the network has no market for them.
        quorums: rounds of quorums; None likewise.
    """

    journal: Journal
    receipts: ReceiptCounter
    lazy: LazyDesk | None
    quorums: QuorumDesk | None

    @property
    def problems(self) -> list[Problem]:
        """What keeps any of them from its work."""
        sides = (self.receipts, self.lazy, self.quorums)
        return [problem for side in sides if side is not None for problem in side.problems]

    async def look(self, head: Block, standing: Standing) -> None:
        """Starts what is to be done; for the executor's loop."""
        await self.receipts.look()
        if self.lazy is not None:
            await self.lazy.look(head, standing)
        if self.quorums is not None:
            await self.quorums.look()

    async def welcome(self, lazy: Collection[int]) -> None:
        """Begins what was just asked for, before everything else is looked at.

        Locks are raced for, so they get a head start before the journal is asked for all that is
        not in such a hurry.
        """
        if self.lazy is None or not lazy:
            return
        begun = []
        for work in await self.journal.lazy_among(lazy):
            task = await self.lazy.welcome(work)
            if task is not None:
                begun.append(task)
        if begun:
            await asyncio.wait(begun, timeout=_HEAD_START_SECONDS)

    async def reconcile(self) -> None:
        """Finds what events do not tell (again): after a start, and after a fork.

        Raises:
            ChainError: the chain cannot be reached now.
        """
        if self.lazy is not None:
            await self.lazy.reconcile()

    async def promised(self) -> bool:
        """Whether anything is left to do for what was promised."""
        return bool(
            await self.journal.open_claims()
            or (self.lazy is not None and await self.lazy.promised())
            or (self.quorums is not None and await self.quorums.promised())
        )

    def hold(self, held: bool) -> None:
        """Puts no stake anywhere while everything is halted."""
        if self.quorums is not None:
            self.quorums.hold(held)

    def close(self) -> None:
        """Takes nothing new on; what is promised is still kept."""
        for side in (self.receipts, self.lazy, self.quorums):
            if side is not None:
                side.close()

    async def drain(self) -> None:
        """Waits for what is promised and under way."""
        for side in (self.receipts, self.lazy, self.quorums):
            if side is not None:
                await side.drain()

    async def stop(self) -> None:
        """Stops at once; the journal knows where to go on."""
        for side in (self.receipts, self.lazy, self.quorums):
            if side is not None:
                await side.stop()
