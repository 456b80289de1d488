"""What an executor counts and measures, for Prometheus. Amounts are in token units."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from prometheus_client import Histogram
from prometheus_client.core import Metric

from gateless.adapters.chain.lane import Trouble
from gateless.daemon.confinement import sandbox_facts
from gateless.daemon.metrics import (
    Instruments,
    TransactionTotals,
    chain_facts,
    gauge,
    problem_facts,
    program_facts,
    single,
    total,
    transaction_facts,
    winning_facts,
)
from gateless.executor.status import Status

_PROOF_BUCKETS = (0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200)
_OVERHEAD_BUCKETS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.5, 1, 2, 5)


class ExecutorMetrics(Instruments):
    """What is measured while an executor works.

    Attributes:
        proof_seconds: time of proofs that the verifier took, waiting for room included.
        overhead_seconds: of lazy requests, without what the model and its circuit took.
    """

    def __init__(self) -> None:
        super().__init__()
        self.proof_seconds = Histogram(
            "gateless_executor_proof_seconds",
            "Time of proofs, from being asked for until made; circuit is single or batch.",
            ("circuit",),
            registry=self.registry,
            buckets=_PROOF_BUCKETS,
        )
        self.overhead_seconds = Histogram(
            "gateless_executor_overhead_seconds",
            "Lazy requests: from seen until the first transaction is sent, and from locked until"
            " the answer is, less the time that model and circuit took.",
            ("step",),
            registry=self.registry,
            buckets=_OVERHEAD_BUCKETS,
        )


def executor_facts(
    status: Status,
    *,
    ready: bool,
    data_dir: Path,
    transactions: TransactionTotals,
    troubles: tuple[Trouble, ...],
) -> list[Metric]:
    """What a status says, and the journal's transactions."""
    return [
        *program_facts("executor", status.network, status.phase, ready=ready, data_dir=data_dir),
        *chain_facts(status.rpc, status.head, status.cursor),
        *transaction_facts(transactions, troubles),
        *problem_facts(problem.code for problem in status.problems),
        *_work(status),
        *_money(status),
        *_proving(status),
    ]


def _work(status: Status) -> list[Metric]:
    markets: Mapping[str, Mapping[str, int]] = {
        "proofs": status.counts,
        "lazy": status.lazy,
        "receipts": status.challenges,
    }
    return [
        gauge(
            "gateless_executor_requests",
            "Requests in the journal, by market and state; of receipts, their challenges.",
            {
                (market, state): count
                for market, counts in markets.items()
                for state, count in counts.items()
            },
            ("market", "state"),
        ),
        gauge(
            "gateless_executor_deadlines_at_risk",
            "Promises with less time left than the policy plans for what is still to be done.",
            {(): len(status.endangered)},
        ),
        gauge(
            "gateless_executor_versions_resting",
            "Versions left alone after failures in a row.",
            {(): status.resting},
        ),
    ]


def _money(status: Status) -> list[Metric]:
    stake: dict[tuple[str, ...], float] = {}
    if status.at_risk is not None:
        stake[("at_risk",)] = status.at_risk
    if status.available_stake is not None:
        stake[("available",)] = status.available_stake
    return [
        gauge(
            "gateless_executor_stake",
            "Stake behind requests that are not settled, and what could still be locked.",
            stake,
            ("kind",),
        ),
        total(
            "gateless_executor_earned",
            "Fees of requests that were paid, by market.",
            {("proofs",): status.earned, ("lazy",): status.lazy_earned},
            ("market",),
        ),
        *winning_facts(status.winnings),
        *single("gateless_executor_balance", "Earnings that were not withdrawn.", status.balance),
    ]


def _proving(status: Status) -> list[Metric]:
    proving = status.proving
    shared = [
        total(
            "gateless_executor_shared_proofs",
            "Proofs that answered several requests at once.",
            {(): status.batches.proofs},
        ),
        total(
            "gateless_executor_shared_proof_requests",
            "Requests that such proofs answered.",
            {(): status.batches.requests},
        ),
    ]
    if proving is None:
        return [*shared]
    nodes = proving.nodes
    return [
        *shared,
        gauge(
            "gateless_executor_jobs",
            "Proofs, witnesses and runs of models: under way, and waiting for room.",
            {("running",): sum(node.running for node in nodes), ("waiting",): proving.waiting},
            ("state",),
        ),
        gauge("gateless_executor_nodes", "Machines that make proofs.", {(): len(nodes)}),
        gauge(
            "gateless_executor_memory_bytes",
            "Memory for proofs on all machines, and what of it running ones were granted.",
            {
                ("limit",): sum(node.memory_bytes for node in nodes),
                ("granted",): sum(node.reserved_bytes for node in nodes),
            },
            ("kind",),
        ),
        *sandbox_facts(proving),
    ]
