"""From events to rows: pure functions, one for each event that changes what the index shows."""

from __future__ import annotations

from collections.abc import Iterable

from gateless.indexer.facts import Fact
from gateless.indexer.reducers.lazy import DISPUTE_COURT, LAZY_MARKET
from gateless.indexer.reducers.markets import ATTESTED_MARKET, ZK_MARKET
from gateless.indexer.reducers.quorum import QUORUM_MARKET
from gateless.indexer.reducers.receipts import RECEIPT_COURT, RESULT_BOARD
from gateless.indexer.reducers.registry import REGISTRY
from gateless.indexer.reducers.requests import Reducer, Reducers
from gateless.indexer.reducers.staking import MEMBERS, STAKING
from gateless.indexer.workset import WorkingSet

_BY_CONTRACT: dict[str, Reducers] = {
    "ModelRegistry": REGISTRY,
    "ExecutorStaking": STAKING,
    "QuorumMembers": MEMBERS,
    "InferenceMarket": ZK_MARKET,
    "LazyMarket": LAZY_MARKET,
    "DisputeCourt": DISPUTE_COURT,
    "QuorumMarket": QUORUM_MARKET,
    "AttestedMarket": ATTESTED_MARKET,
    "ReceiptCourt": RECEIPT_COURT,
    "ResultBoard": RESULT_BOARD,
}

REDUCERS: dict[tuple[str, str], Reducer] = {
    (contract, name): reducer
    for contract, reducers in _BY_CONTRACT.items()
    for name, reducer in reducers.items()
}


def followed_events(contracts: Iterable[str]) -> tuple[str, ...]:
    """The events to follow, as ``Contract.Event``, where these contracts are deployed."""
    known = set(contracts)
    return tuple(f"{contract}.{name}" for contract, name in REDUCERS if contract in known)


def reduce(rows: WorkingSet, fact: Fact) -> None:
    """Applies one event. Events must come in the order of the chain, each once."""
    REDUCERS[fact.contract, fact.name](rows, fact)
