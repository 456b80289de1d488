"""Bonded receipts that somebody doubts, and the board of results: ``ReceiptCourt``,
``ResultBoard``."""

from __future__ import annotations

from typing import Any

from gateless.indexer.facts import Fact
from gateless.indexer.reducers.requests import Reducers, executor_of
from gateless.indexer.reputation import score
from gateless.indexer.workset import Row, WorkingSet

KIND = "receipt"
EQUIVOCATION = "equivocation"


def _pool_opened(rows: WorkingSet, fact: Fact) -> None:
    executor_of(rows, fact, fact.args["executor"])
    rows.edit("pools", fact.args["poolId"]).update(
        executor=fact.args["executor"],
        epoch=fact.args["epoch"],
        bond=fact.args["bond"],
        capacity=fact.args["capacity"],
        state="open",
    )


def _pool_grown(rows: WorkingSet, fact: Fact) -> None:
    rows.edit("pools", fact.args["poolId"])["capacity"] = fact.args["capacity"]


def _pool_released(rows: WorkingSet, fact: Fact) -> None:
    pool = rows.edit("pools", fact.args["poolId"])
    if pool["state"] != "forfeited":
        pool["state"] = "released"


def _committed(rows: WorkingSet, fact: Fact) -> None:
    rows.edit("disputes", KIND, fact.args["claimId"]).update(
        state="committed",
        challenger=fact.args["challenger"],
        bond=fact.args["bond"],
        opened_at=fact.at,
    )


def _withdrawn(rows: WorkingSet, fact: Fact) -> None:
    _end(rows, fact, "withdrawn")


def _challenged(rows: WorkingSet, fact: Fact) -> None:
    executor_of(rows, fact, fact.args["executor"])
    rows.edit("disputes", KIND, fact.args["claimId"]).update(
        state="open",
        executor=fact.args["executor"],
        version_id=fact.args["versionId"],
        beneficiary=fact.args["receipt"]["beneficiary"],
        deadline=fact.args["deadline"],
        opened_at=fact.at,
    )


def _proven(rows: WorkingSet, fact: Fact) -> None:
    claim = _end(rows, fact, "failed")
    paid, burned = fact.args["paid"], fact.args["burned"]
    claim["burned"] = burned
    if claim["executor"] is None:
        return
    if claim["challenger"] != claim["executor"]:
        _count(rows, claim, "defended")
    rows.edit("earnings", claim["executor"])["bonds_won"] += paid
    if claim["challenger"] is not None:
        rows.edit("earnings", claim["challenger"])["bonds_lost"] += paid + burned


def _slashed(rows: WorkingSet, fact: Fact) -> None:
    claim = _end(rows, fact, "won")
    claim.update(
        compensation=fact.args["compensation"],
        reward=fact.args["reward"],
        burned=fact.args["burned"],
    )
    _count(rows, claim, "slashed")
    rows.edit("earnings", fact.args["beneficiary"])["compensation"] += fact.args["compensation"]
    rows.edit("earnings", fact.args["challenger"])["rewards"] += fact.args["reward"]


def _moot(rows: WorkingSet, fact: Fact) -> None:
    _end(rows, fact, "moot")


def _equivocation(rows: WorkingSet, fact: Fact) -> None:
    """Two receipts for one slot: proven by being shown."""
    _end(rows, fact, "reported")
    pool = rows.edit("pools", fact.args["poolId"])
    pool["state"] = "forfeited"
    claim = rows.edit("disputes", EQUIVOCATION, fact.args["claimId"])
    claim.update(
        state="won",
        executor=pool["executor"] or None,
        challenger=fact.args["reporter"],
        opened_at=fact.at,
        ended_at=fact.at,
    )
    _count(rows, claim, "slashed")


def _end(rows: WorkingSet, fact: Fact, state: str) -> Row:
    claim = rows.edit("disputes", KIND, fact.args["claimId"])
    claim["state"], claim["ended_at"] = state, fact.at
    return claim


def _count(rows: WorkingSet, claim: Row, what: str) -> None:
    """Counts a verdict for the executor and, where one is known, for the version."""
    found: list[tuple[str, Any]] = []
    if claim["executor"] is not None:
        found.append(("executors", claim["executor"]))
    if claim["version_id"] is not None:
        found.append(("versions", claim["version_id"]))
    for projection, key in found:
        record = rows.edit(projection, key)
        record[what] += 1
        record["score"] = score(record)


def _board(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    request["topic"], request["board_index"] = fact.args["topic"], fact.args["index"]


RECEIPT_COURT: Reducers = {
    "PoolOpened": _pool_opened,
    "PoolGrown": _pool_grown,
    "PoolReleased": _pool_released,
    "Committed": _committed,
    "CommitmentWithdrawn": _withdrawn,
    "ReceiptChallenged": _challenged,
    "ClaimProven": _proven,
    "ClaimSlashed": _slashed,
    "ClaimMoot": _moot,
    "Equivocation": _equivocation,
}

RESULT_BOARD: Reducers = {"ResultPublished": _board}
