"""What a loss stops: the version that it was about, or everything. Pure.

A proof that was not made in time, or an answer that has none, speaks against its version and this
machine's way with it: other versions go on. What was proven and still not delivered speaks against
the node, its account or its connection to the chain, and so does a second version that fails before
anybody has looked at the first: then nothing new is promised at all.

Halts are written down, and end when the operator says so (``gateless executor resume``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gateless.executor.lazy.states import LazyWork
from gateless.executor.states import UNDELIVERED
from gateless.executor.work import Work

RESUME = "gateless executor resume"


@dataclass(frozen=True, slots=True)
class Halt:
    """A loss, and what is not worked on for it.

    Attributes:
        cause: what was lost: each loss halts once.
        version_id: its version.
        is_whole: whether it was not the version's alone, so that everything stops.
        reason: code of what went wrong.
        text: the same in words.
    """

    cause: str
    version_id: int
    is_whole: bool
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Halted:
    """What is not worked on now.

    Attributes:
        halts: why.
    """

    halts: tuple[Halt, ...] = ()

    @property
    def versions(self) -> frozenset[int]:
        """Versions with losses that nobody has looked into."""
        return frozenset(entry.version_id for entry in self.halts)

    @property
    def everything(self) -> bool:
        """Whether nothing new is promised at all."""
        return len(self.versions) > 1 or any(entry.is_whole for entry in self.halts)

    def of(self, version_id: int) -> bool:
        """Whether nothing new is promised for a version."""
        return self.everything or version_id in self.versions


def of_work(work: Work) -> Halt:
    """What a missed lock of the market stops."""
    is_whole = work.reason == UNDELIVERED
    cause = f"request {work.request_id}"
    return Halt(cause, work.version_id, is_whole, work.reason, work.text)


def of_lazy(work: LazyWork, *, was_proven: bool) -> Halt:
    """What a lazy request stops: a lock that was missed although the answer was known before, or
    an answer that was slashed.

    Args:
        work: which failed.
        was_proven: whether the proof of a doubted answer was there.
    """
    is_whole = work.claim is None or was_proven
    cause = f"lazy request 0x{work.request_id:064x}"
    return Halt(cause, work.version_id, is_whole, work.reason, work.text)


def of_claim(claim_id: int, version_id: int, reason: str, text: str, *, was_proven: bool) -> Halt:
    """What a lost bond of a receipt stops."""
    reason, text = reason or "receipt-slashed", text or "no proof was on chain in time"
    return Halt(f"claim {claim_id}", version_id, was_proven, reason, text)


def spell(halts: Iterable[Halt]) -> str:
    """Losses in words."""
    return "; ".join(f"{entry.cause} ({entry.reason}): {entry.text}" for entry in halts)
