"""What a watchtower counts, for Prometheus. Amounts are in token units."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.core import Metric

from gateless.adapters.chain.lane import Trouble
from gateless.daemon.confinement import sandbox_facts
from gateless.daemon.metrics import (
    TransactionTotals,
    chain_facts,
    gauge,
    problem_facts,
    program_facts,
    transaction_facts,
    winning_facts,
)
from gateless.watchtower.status import Status


def watchtower_facts(
    status: Status,
    *,
    ready: bool,
    data_dir: Path,
    transactions: TransactionTotals,
    troubles: tuple[Trouble, ...],
) -> list[Metric]:
    """What a status says, and the journal's transactions."""
    return [
        *program_facts("watchtower", status.network, status.phase, ready=ready, data_dir=data_dir),
        *chain_facts(status.rpc, status.head, status.cursor),
        *transaction_facts(transactions, troubles),
        *problem_facts(problem.code for problem in status.problems),
        *winning_facts(status.winnings),
        *sandbox_facts(status.proving),
        gauge(
            "gateless_watchtower_cases",
            "Answers and receipts in the journal, by state.",
            {(state,): count for state, count in status.counts.items()},
            ("state",),
        ),
        gauge(
            "gateless_watchtower_bonds_at_risk",
            "Bonds of challenges that are not over.",
            {(): status.at_risk},
        ),
        gauge(
            "gateless_watchtower_results",
            "Of the cases in the journal, which keeps them for a month: rewards, and bonds lost.",
            {("rewards",): status.rewards, ("bonds_lost",): status.bonds_lost},
            ("kind",),
        ),
    ]
