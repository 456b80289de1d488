"""Prometheus metrics that all programs share. No global registry: each program has its own.

What changes between two scrapes without being counted anywhere is a fact, read when somebody asks;
what happens and is gone (how long a proof took) is kept by instruments. Transactions are counted in
the journal, so their totals go on after a restart. Labels have few values by construction: states,
kinds and codes of the source, endpoints of the configuration. Never requests, accounts or versions.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from gateless.adapters.chain.lane import Trouble
from gateless.adapters.chain.rpc import EndpointHealth

#: What a scrape is answered with.
CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_PHASES = ("starting", "running", "stopping", "halted", "stopped")


@dataclass(frozen=True, slots=True)
class TransactionTotals:
    """What a journal knows of its transactions.

    Attributes:
        counts: how many, by what they are for and what became of them.
        gas_used: by what they are for.
        replacements: attempts beyond the first: sped up, or cancelled.
    """

    counts: Mapping[tuple[str, str], int]
    gas_used: Mapping[str, int]
    replacements: int


class Instruments:
    """A program's own registry. Programs derive from it and add what they measure."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # Memory, processor time and open files of this process.
        ProcessCollector(registry=self.registry)

    def exposition(self, facts: Iterable[Metric]) -> bytes:
        """What was measured, and facts of this moment, as Prometheus reads them."""
        registry = CollectorRegistry()
        registry.register(_Together([*self.registry.collect(), *facts]))
        return generate_latest(registry)


class _Together:
    """Metrics that are there already, as a collector."""

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def gauge(
    name: str,
    text: str,
    values: Mapping[tuple[str, ...], float],
    labels: Sequence[str] = (),
) -> GaugeMetricFamily:
    """A fact of this moment, by the values of its labels."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def single(name: str, text: str, value: float | None) -> list[Metric]:
    """A fact without labels; none where it is not known."""
    return [] if value is None else [gauge(name, text, {(): value})]


def total(
    name: str, text: str, values: Mapping[tuple[str, ...], float], labels: Sequence[str] = ()
) -> CounterMetricFamily:
    """What only grows; ``_total`` is added to the name."""
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, float(value))
    return family


def program_facts(
    program: str, network: str, phase: str, *, ready: bool, data_dir: Path
) -> list[Metric]:
    """What any program says of itself."""
    return [
        gauge(
            "gateless_program",
            "1, with what runs where in its labels.",
            {(program, network): 1},
            ("program", "network"),
        ),
        gauge(
            "gateless_phase",
            "1 for the phase that the program is in.",
            {(name,): float(name == phase) for name in _PHASES},
            ("phase",),
        ),
        gauge("gateless_ready", "Whether /ready answers 200.", {(): float(ready)}),
        *_disk(data_dir),
    ]


def _disk(folder: Path) -> list[Metric]:
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return []
    text = "Bytes free where the program keeps its data."
    return [gauge("gateless_disk_free_bytes", text, {(): free})]


def chain_facts(
    health: Sequence[EndpointHealth], head: int | None, cursor: int | None
) -> list[Metric]:
    """The chain as the program sees it."""
    lag = None if head is None or cursor is None else max(0, head - cursor)
    by_name = {(entry.name,): entry for entry in health}
    return [
        *single("gateless_head_block", "Latest block seen.", head),
        *single("gateless_follower_lag_blocks", "Blocks seen whose events were not read.", lag),
        gauge(
            "gateless_rpc_up",
            "Whether an RPC endpoint is asked: neither resting nor behind nor of another chain.",
            {name: float(entry.state == "ok") for name, entry in by_name.items()},
            ("endpoint",),
        ),
        gauge(
            "gateless_rpc_latency_seconds",
            "Moving average of an RPC endpoint's answers.",
            {
                name: entry.latency_seconds
                for name, entry in by_name.items()
                if entry.latency_seconds is not None
            },
            ("endpoint",),
        ),
        total(
            "gateless_rpc_requests",
            "How often an RPC endpoint was asked.",
            {name: entry.requests for name, entry in by_name.items()},
            ("endpoint",),
        ),
        gauge(
            "gateless_rpc_faults",
            "Faults of an RPC endpoint since it last answered.",
            {name: entry.faults for name, entry in by_name.items()},
            ("endpoint",),
        ),
        gauge(
            "gateless_rpc_head_block",
            "Latest block that an RPC endpoint showed.",
            {name: entry.head for name, entry in by_name.items() if entry.head is not None},
            ("endpoint",),
        ),
        gauge(
            "gateless_rpc_lag_blocks",
            "Blocks by which an RPC endpoint is behind the best one.",
            {name: entry.lag for name, entry in by_name.items()},
            ("endpoint",),
        ),
    ]


def transaction_facts(totals: TransactionTotals, troubles: Sequence[Trouble]) -> list[Metric]:
    """Transactions, and what holds them up."""
    stuck: dict[tuple[str, ...], float] = {}
    for trouble in troubles:
        stuck[(trouble.code,)] = stuck.get((trouble.code,), 0.0) + 1
    return [
        total(
            "gateless_transactions",
            "Transactions by what they were for and what became of them.",
            {key: float(count) for key, count in totals.counts.items()},
            ("kind", "outcome"),
        ),
        total(
            "gateless_gas_used",
            "Gas of transactions that were mined.",
            {(kind,): gas for kind, gas in totals.gas_used.items()},
            ("kind",),
        ),
        total(
            "gateless_transactions_replaced",
            "Times that a transaction was signed anew at a higher fee, or cancelled.",
            {(): totals.replacements},
        ),
        gauge("gateless_transactions_stuck", "Transactions held up, by why.", stuck, ("code",)),
    ]


def winning_facts(winnings: Mapping[str, int]) -> list[Metric]:
    """What contracts hold for the account, by their names."""
    return [
        gauge(
            "gateless_winnings",
            "What contracts hold for the account, in token units.",
            {(contract,): units for contract, units in winnings.items()},
            ("contract",),
        )
    ]


def problem_facts(codes: Iterable[str]) -> list[Metric]:
    """What keeps a program from its work, by code."""
    found: dict[tuple[str, ...], float] = {}
    for code in codes:
        found[(code,)] = found.get((code,), 0.0) + 1
    return [gauge("gateless_problems", "Problems that the status shows.", found, ("code",))]
