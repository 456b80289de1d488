"""What an executor says of itself: to its operator, to whoever asks if it can work, in numbers.

It looks, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateless_proofs import ProvingStatus
from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.adapters.chain.sender import Sender
from gateless.core.types import Block
from gateless.daemon.chain_time import TOLERATED_SECONDS
from gateless.daemon.confinement import unconfined
from gateless.daemon.faults import is_chain_away
from gateless.daemon.operating import Obstacle, unwritable
from gateless.executor.config import Serving
from gateless.executor.deadlines import endangered
from gateless.executor.faults import NEEDS_OPERATOR
from gateless.executor.losses import Losses
from gateless.executor.metrics import executor_facts
from gateless.executor.parts import Parts
from gateless.executor.policy import Standing
from gateless.executor.scheduler import Scheduler
from gateless.executor.sides import Sides
from gateless.executor.states import COMMITTED, UNCOMMITTED
from gateless.executor.status import ActiveWork, Batches, Problem, Status, proving_problems


@dataclass(slots=True)
class Sight:
    """What the executor's loop saw when it looked last.

    Attributes:
        phase: what it is doing, see :class:`Status`.
        head: the latest block; None before the chain was reached.
        standing: what the chain says about this executor; None likewise.
        chain_problem: why the chain is out of reach; None where it is not.
    """

    phase: str = "starting"
    head: Block | None = None
    standing: Standing | None = None
    chain_problem: Problem | None = None


class Report:
    """Puts together what the parts of an executor know.

    Args:
        parts: what it works with.
        sight: what its loop saw.
        sender: sends for its account.
        scheduler: what is worked on, and what waits.
        sides: what it does beside requests for proofs.
        losses: what it has stopped by itself.
        winnings: what contracts hold for it, by their names.
        serving_at: base URL of its content store; empty where nothing is served.
    """

    def __init__(
        self,
        parts: Parts,
        sight: Sight,
        *,
        sender: Sender,
        scheduler: Scheduler,
        sides: Sides,
        losses: Losses,
        winnings: Callable[[], dict[str, int]],
        serving_at: str,
    ) -> None:
        self._parts = parts
        self._sight = sight
        self._sender = sender
        self._scheduler = scheduler
        self._sides = sides
        self._losses = losses
        self._winnings = winnings
        self._serving_at = serving_at

    async def status(self) -> Status:
        """What this executor does and what keeps it from doing more."""
        cursor = await self._parts.journal.cursor()
        counts = await self._parts.journal.counts()
        unfinished = await self._parts.journal.find(UNCOMMITTED | COMMITTED)
        standing = self._sight.standing
        return Status(
            phase=self._sight.phase,
            address=self._sender.address,
            network=self._parts.client.deployment.name,
            head=None if self._sight.head is None else self._sight.head.number,
            cursor=None if cursor is None else cursor.number,
            counts=_by_name(counts),
            active=tuple(
                ActiveWork(
                    work.request_id,
                    work.version_id,
                    work.state.value,
                    work.reason,
                    work.deadline,
                    work.lock_deadline,
                )
                for work in unfinished
            ),
            lazy=_by_name(await self._parts.journal.lazy_counts()),
            lazy_earned=await self._parts.journal.lazy_earned(),
            challenges=_by_name(await self._parts.journal.claim_counts()),
            earned=await self._parts.journal.earned(),
            batches=Batches(*await self._parts.journal.batch_counts()),
            balance=None if standing is None else standing.earnings,
            winnings=self._winnings(),
            available_stake=None if standing is None else standing.available,
            at_risk=None if standing is None else standing.at_risk,
            endangered=await endangered(
                self._parts.journal, self._parts.policy, self._parts.time.now
            ),
            resting=len(self._parts.breaker.resting),
            rpc=self._parts.client.rpc.health,
            enrolled=() if standing is None else tuple(sorted(standing.enrolled)),
            proving=self._proving(),
            serving_at=self._serving_at,
            problems=tuple(self._problems()),
        )

    async def obstacles(self) -> list[Obstacle]:
        """Why it cannot take work on and keep its promises now; for ``/ready``."""
        found = []
        if self._sight.phase == "halted":
            found += self._losses.obstacles
        elif self._sight.phase != "running":
            found.append(Obstacle(self._sight.phase, f"the executor is {self._sight.phase}"))
        if self._sight.chain_problem is not None:
            problem = self._sight.chain_problem
            found.append(Obstacle(problem.code, problem.message, problem.hint))
        found += await unwritable(self._parts.journal.require_writable)
        proving = self._proving()
        if proving is not None and not self._parts.config.allow_unsandboxed:
            found += unconfined(proving)
        return list({entry.code: entry for entry in found}.values())

    async def exposition(self) -> bytes:
        """Its metrics, as Prometheus reads them."""
        facts = executor_facts(
            await self.status(),
            ready=not await self.obstacles(),
            data_dir=self._parts.config.data_dir,
            transactions=await self._parts.journal.transaction_totals(),
            troubles=self._sender.troubles,
        )
        return self._parts.metrics.exposition(facts)

    def _proving(self) -> ProvingStatus | None:
        pool = self._parts.prover.pool
        return None if pool is None else pool.status()

    def _problems(self) -> list[Problem]:
        found = [] if self._sight.chain_problem is None else [self._sight.chain_problem]
        found += [
            Problem(trouble.code, trouble.message, trouble.hint)
            for trouble in self._sender.troubles
        ]
        found += self._clock_problems()
        found += self._losses.problems
        found += [
            Problem(
                "version-resting",
                f"version {version_id} failed again and again; it is left alone for {pause:.0f} s",
                "find the cause in the log, or put the version on the deny list",
            )
            for version_id, pause in self._parts.breaker.resting.items()
        ]
        found += self.standing_problems()
        found += proving_problems(self._proving())
        found += self._sides.problems
        found += [
            Problem(error.code, error.message, error.hint, request_id)
            for request_id, error in self._scheduler.failing.items()
            if not is_chain_away(error) or error.code == "database-full"
        ]
        found += [
            Problem(verdict.reason, verdict.text, verdict.hint, request_id)
            for request_id, verdict in self._scheduler.waiting.items()
        ]
        found.sort(key=lambda problem: problem.code not in NEEDS_OPERATOR)
        return found

    def _clock_problems(self) -> list[Problem]:
        """Whether this machine's clock and the chain's differ by more than blocks explain."""
        most = self._parts.config.clock_tolerance
        if most is None:
            # Time on a development chain is whatever was asked of it.
            is_development = self._parts.client.chain_id == DEVELOPMENT_CHAIN_ID
            most = float("inf") if is_development else TOLERATED_SECONDS
        skew = self._parts.time.skew
        if abs(skew) <= most:
            return []
        which = "ahead of" if skew > 0 else "behind"
        return [
            Problem(
                "clock-skew",
                f"this machine's clock is {abs(skew):.0f} s {which} the chain's; deadlines are"
                " reckoned by the chain's",
                "set the clock: `timedatectl set-ntp true`. If it is right, the RPC endpoint is"
                " behind, or on a chain that stands still",
            )
        ]

    def standing_problems(self) -> list[Problem]:
        """Why no request for a proof can come to this executor at all, unless it wants none."""
        standing, config = self._sight.standing, self._parts.config
        for_quorums_alone = bool(config.quorum.enrolments) and not (
            standing is None or standing.enrolled
        )
        if standing is None or for_quorums_alone:
            return []
        found = []
        if self._parts.config.policy.serving is Serving.ENROLLED and not standing.enrolled:
            found.append(
                Problem(
                    "not-enrolled",
                    "this executor has enrolled for no version",
                    "enrol for what it shall serve: gateless executor stake 0 --serve NAME",
                )
            )
        # Stake that is all at work is no lack of stake.
        if standing.available == 0 and standing.locked == 0:
            found.append(
                Problem(
                    "stake-too-low",
                    "the market can lock no stake of this executor",
                    "stake what it may risk: gateless executor stake AMOUNT",
                )
            )
        return found


def _by_name(counts: Mapping[Any, int]) -> dict[str, int]:
    """Counts by the names of states, for people."""
    return {state.value: count for state, count in sorted(counts.items())}
