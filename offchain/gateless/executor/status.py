"""What an executor says of itself: to its operator, over HTTP and in logs."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from gateless_proofs import ProvingStatus

from gateless.adapters.chain.rpc import EndpointHealth
from gateless.executor.deadlines import Endangered


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps work from being done, and what to do about it."""

    code: str
    message: str
    hint: str
    request_id: int | None = None


@dataclass(frozen=True, slots=True)
class ActiveWork:
    """A request that is worked on or waits; ``lock_deadline`` is 0 where it is not locked."""

    request_id: int
    version_id: int
    state: str
    reason: str
    deadline: int
    lock_deadline: int = 0


@dataclass(frozen=True, slots=True)
class Batches:
    """Proofs that several requests shared, and how many requests those were."""

    proofs: int
    requests: int


@dataclass(frozen=True, slots=True)
class Status:
    """A snapshot.

    Attributes:
        phase: ``starting``, ``running``, ``stopping``, ``halted`` (takes no work) or ``stopped``.
        address: the executor's account.
        network: name of the deployment.
        head: number of the latest block; None before the chain was reached.
        cursor: last block whose requests are in the journal.
        counts: requests by state.
        active: requests worked on or waiting.
        lazy: lazy requests by state.
        lazy_earned: fees of all of them.
        challenges: challenges of own receipts by how they ended.
        earned: fees of all fulfilled requests.
        batches: shared proofs.
        balance: earnings in the market that were not withdrawn.
        winnings: what other contracts hold for it, by their names: other markets, courts, the
            staking contract.
        available_stake: what the market could still lock.
        at_risk: stake behind requests that are not settled yet.
        endangered: promises with less time left than the policy plans for them.
        resting: versions left alone after failures in a row.
        rpc: the endpoints of the chain.
        enrolled: versions enrolled for.
        proving: where proofs are made, and what of it is in use.
        serving_at: base URL of the content store; empty where nothing is served.
        problems: what keeps work from being done.
    """

    phase: str
    address: str
    network: str
    head: int | None
    cursor: int | None
    counts: dict[str, int]
    active: tuple[ActiveWork, ...]
    lazy: dict[str, int]
    lazy_earned: int
    challenges: dict[str, int]
    earned: int
    batches: Batches
    balance: int | None
    winnings: dict[str, int]
    available_stake: int | None
    at_risk: int | None
    endangered: tuple[Endangered, ...]
    resting: int
    rpc: tuple[EndpointHealth, ...]
    enrolled: tuple[int, ...]
    proving: ProvingStatus | None
    serving_at: str
    problems: tuple[Problem, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def proving_problems(proving: ProvingStatus | None) -> list[Problem]:
    """What keeps nodes of a cluster from working."""
    if proving is None or not proving.problem:
        return []
    return [
        Problem(
            "cluster-impaired",
            proving.problem,
            "proofs that find no node are made here if the memory suffices; see docs/scaling.md",
        )
    ]
