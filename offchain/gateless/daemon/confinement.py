"""What programs that run strangers' models say about what keeps those apart."""

from __future__ import annotations

from gateless_proofs.backend import ProvingStatus
from gateless_proofs.isolation import Isolation, Network
from prometheus_client.core import Metric

from gateless.daemon.metrics import gauge
from gateless.daemon.operating import Obstacle


def unconfined(proving: ProvingStatus) -> list[Obstacle]:
    """What is lacking where models could reach the network."""
    if all(isolation.sufficient for isolation in _known(proving)):
        return []
    text = "nothing keeps models from the network"
    return [Obstacle("sandbox-unavailable", text, "see docs/sandbox.md")]


def sandbox_facts(proving: ProvingStatus) -> list[Metric]:
    """Machines by what keeps models from their network."""
    known = _known(proving)
    return [
        gauge(
            "gateless_sandbox",
            "Machines by what keeps models from their network.",
            {(way.value,): sum(entry.network is way for entry in known) for way in Network},
            ("network",),
        )
    ]


def _known(proving: ProvingStatus) -> list[Isolation]:
    return [node.isolation for node in proving.nodes if node.isolation is not None]
