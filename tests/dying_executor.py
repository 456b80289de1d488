"""An executor that is killed at a chosen step: the real one, whose journal pulls the trigger.

``GATELESS_DIE_AT`` names the step: ``after:<state>`` dies when a request was journaled in that
state, ``intent:<kind>`` when a transaction was journaled and not yet sent, ``attempted`` when one
that replaces it was, ``batch:proved`` when a shared proof was journaled, ``claim:read`` when a
challenge was, ``claim:proved`` when the proof of one was, ``lazy:<state>`` when a lazy request was
journaled in that state, ``lazy:doubted`` when doubt about one was, ``concluding`` when what became
of a transaction is known and not yet journaled, ``concluded`` when it was journaled.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from gateless.adapters.chain.prepared import PreparedTx
from gateless.core.types import Event
from gateless.daemon.journals import Position
from gateless.daemon.transactions import IntentState
from gateless.executor.__main__ import main
from gateless.executor.journal import Journal
from gateless.executor.journal_claims import NO_NEWS, CourtNews
from gateless.executor.lazy.states import LazyWork, LazyWorkState
from gateless.executor.states import WorkState
from gateless.executor.work import Intent, IntentKind, NewBatch, NewWork, Work


def _die_at(step: str) -> None:
    if os.environ["GATELESS_DIE_AT"] == step:
        os.kill(os.getpid(), signal.SIGKILL)


class DyingJournal(Journal):
    """Writes, then kills its process without a chance to clean up."""

    async def move(self, request_id: int, to: WorkState, **facts: Any) -> Work:
        work = await super().move(request_id, to, **facts)
        _die_at(f"after:{to}")
        return work

    async def keep_batch(self, batch: NewBatch) -> int:
        batch_id = await super().keep_batch(batch)
        _die_at("batch:proved")
        return batch_id

    async def advance(
        self, found: Iterable[NewWork], position: Position, news: CourtNews = NO_NEWS
    ) -> list[int]:
        added = await super().advance(found, position, news)
        if news.claims:
            _die_at("claim:read")
        if any(event.name == "Disputed" for event in news.lazy):
            _die_at("lazy:doubted")
        return added

    async def move_lazy(self, request_id: int, state: LazyWorkState, **facts: Any) -> LazyWork:
        work = await super().move_lazy(request_id, state, **facts)
        _die_at(f"lazy:{work.state}")
        return work

    async def keep_lazy_receipt(self, events: Sequence[Event], me: str) -> dict[int, LazyWork]:
        taken = await super().keep_lazy_receipt(events, me)
        for work in taken.values():
            _die_at(f"lazy:{work.state}")
        return taken

    async def keep_proof(
        self, subject: bytes, packed_output: bytes, circuit_index: int, proof: bytes
    ) -> None:
        await super().keep_proof(subject, packed_output, circuit_index, proof)
        _die_at("claim:proved")

    async def intend(
        self,
        kind: IntentKind,
        prepared: PreparedTx,
        request_id: int | None = None,
        *,
        batch_id: int | None = None,
        request_ids: Iterable[int] = (),
    ) -> Intent:
        intent = await super().intend(
            kind, prepared, request_id, batch_id=batch_id, request_ids=request_ids
        )
        _die_at(f"intent:{kind}")
        return intent

    async def attempted(self, intent_id: int, attempt: PreparedTx) -> None:
        await super().attempted(intent_id, attempt)
        _die_at("attempted")

    async def conclude(self, intent_id: int, state: IntentState, **facts: Any) -> None:
        _die_at("concluding")
        await super().conclude(intent_id, state, **facts)
        _die_at("concluded")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], journal_type=DyingJournal))
