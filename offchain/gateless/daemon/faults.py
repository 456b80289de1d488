"""Faults that say nothing but that the chain is out of reach: they pass by themselves."""

from __future__ import annotations

from gateless.core.errors import GatelessError

#: The chain or its node is out of reach, or did not answer usefully: nobody knows anything new.
CHAIN_AWAY = frozenset(
    {
        "rpc-unreachable",
        "rpc-timeout",
        "rpc-rate-limited",
        "rpc-refused",
        "rpc-invalid",
        "rpc-behind",
        "rpc-error",
        "unknown-block",
        "logs-unavailable",
    }
)


def is_chain_away(error: BaseException) -> bool:
    """Whether an error says nothing but that the chain cannot be reached now."""
    return isinstance(error, GatelessError) and error.code in CHAIN_AWAY
