"""What an indexer counts, for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from prometheus_client.core import Metric

from gateless.adapters.chain.rpc import EndpointHealth
from gateless.daemon.metrics import chain_facts, gauge, problem_facts, program_facts


def indexer_facts(
    *,
    network: str,
    phase: str,
    ready: bool,
    data_dir: Path,
    rpc: Sequence[EndpointHealth],
    head: int | None,
    indexed: int | None,
    problem: str | None,
    counts: Mapping[str, int],
) -> list[Metric]:
    """How far the index is, and what is in it."""
    return [
        *program_facts("indexer", network, phase, ready=ready, data_dir=data_dir),
        *chain_facts(rpc, head, indexed),
        *problem_facts([] if problem is None else [problem]),
        gauge(
            "gateless_indexer_entries",
            "What the index holds, by kind.",
            {(kind,): count for kind, count in counts.items()},
            ("kind",),
        ),
    ]
