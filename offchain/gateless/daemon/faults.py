"""Faults that say nothing but that the chain or the journal is out of reach: they pass."""

from __future__ import annotations

from gateless.core.disks import disk_full
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

#: The journal cannot be written now: nothing was, so nothing that rests on it was sent.
JOURNAL_AWAY = frozenset({"database-busy", "database-full", "database-unreachable"})


def fault_of(error: GatelessError | OSError) -> GatelessError:
    """An error as one with a code: of those of the system, a full disk is the one that passes.

    Raises:
        OSError: the error itself, where it is another one: a defect.
    """
    if isinstance(error, GatelessError):
        return error
    full = disk_full(error)
    if full is None:
        raise error
    return full


def is_chain_away(error: BaseException) -> bool:
    """Whether an error says nothing but that chain or journal cannot be reached now.

    Either way nothing was learnt and nothing was done: the same is tried again later.
    """
    return isinstance(error, GatelessError) and error.code in CHAIN_AWAY | JOURNAL_AWAY
