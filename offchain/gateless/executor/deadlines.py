"""Which promises may come too late, by this executor's own measurements."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.executor.journal import Journal
from gateless.executor.lazy.states import PROMISED as LAZY_PROMISED
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.policy import Policy
from gateless.executor.states import COMMITTED
from gateless.executor.work import Work


@dataclass(frozen=True, slots=True)
class Endangered:
    """A promise with less time left than is planned for what is still to be done.

    Attributes:
        request_id: of which request.
        market: ``proofs`` or ``lazy``.
        deadline: when it must be kept, seconds since 1970.
        seconds_left: until then; negative where it is over.
        seconds_needed: what the policy plans for it.
    """

    request_id: int
    market: str
    deadline: int
    seconds_left: float
    seconds_needed: float


async def endangered(journal: Journal, policy: Policy, now: float) -> tuple[Endangered, ...]:
    """Promises that may come too late, the most urgent first.

    Args:
        journal: what was promised, and how long proofs take.
        policy: what is planned for it.
        now: seconds since 1970.
    """
    found: list[Endangered] = []
    for work in await journal.find(COMMITTED):
        if not work.lock_deadline:
            continue
        seconds = 0.0 if work.has_proof else await _proof_seconds(journal, work)
        needed = policy.needs_seconds(seconds)
        found.append(_of(work.request_id, "proofs", work.lock_deadline, now, needed))
    for lazy in await journal.list_lazy(LAZY_PROMISED):
        if lazy.state is LazyWorkState.DISPUTED:
            seconds = await journal.timing(lazy.version_id, 0)
            needed, deadline = policy.needs_seconds(seconds), lazy.dispute_deadline
        else:
            needed = policy.needs_seconds(0.0)
            deadline = 0 if lazy.lock is None else lazy.lock.lock_deadline
        if deadline:
            found.append(_of(lazy.request_id, "lazy", deadline, now, needed))
    late = [entry for entry in found if entry.seconds_left < entry.seconds_needed]
    return tuple(sorted(late, key=lambda entry: entry.seconds_left))


async def _proof_seconds(journal: Journal, work: Work) -> float | None:
    return await journal.timing(work.version_id, work.circuit_index)


def _of(request_id: int, market: str, deadline: int, now: float, needed: float) -> Endangered:
    return Endangered(request_id, market, deadline, round(deadline - now, 1), round(needed, 1))
