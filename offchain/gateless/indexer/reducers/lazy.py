"""Answers that are proven only when doubted: ``LazyMarket`` and ``DisputeCourt``."""

from __future__ import annotations

from gateless.core.types import TrustMode
from gateless.indexer.facts import Fact
from gateless.indexer.reducers.markets import lock_missed, refunded, royalty_withdrawn
from gateless.indexer.reducers.requests import (
    ANSWERED,
    DISPUTED,
    FINAL,
    FINALITY,
    LOCKED,
    SLASHED,
    Reducers,
    begin,
    count,
    count_request,
    count_times,
    executor_of,
    finish,
    pay,
    pay_fee,
    usage_of,
)
from gateless.indexer.workset import Row, WorkingSet

#: ``kind`` of a dispute about a lazy answer.
KIND = "lazy"


def _requested(rows: WorkingSet, fact: Fact) -> None:
    wanted = fact.args["request"]
    begin(rows, fact, TrustMode.LAZY_ZK, wanted, wanted["inputHint"])


def _locked(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    executor_of(rows, fact, fact.args["executor"])
    request.update(
        state=LOCKED,
        executor=fact.args["executor"],
        price=fact.args["lock"]["price"],
        locked_at=fact.at,
    )


def _answered(rows: WorkingSet, fact: Fact) -> None:
    claim, executor = fact.args["claim"], fact.args["executor"]
    request = rows.edit("requests", fact.args["requestId"])
    executor_of(rows, fact, executor)
    if not request["state"]:  # signed, locked and answered in one transaction
        request.update(
            market=fact.contract,
            mode=int(TrustMode.LAZY_ZK),
            version_id=fact.args["versionId"],
            requester=claim["requester"],
            max_price=claim["price"],
            collateral=claim["collateral"],
            input_digest=claim["inputDigest"],
            input_binding=claim["inputBinding"],
            input_hint=fact.args["inputHint"],
            requested_at=fact.at,
            requested_tx=fact.tx_hash,
        )
        count_request(rows, fact, request)
    request.update(
        state=ANSWERED,
        executor=executor,
        price=claim["price"],
        output=fact.args["output"],
        output_digest=claim["outputDigest"],
        answered_at=fact.at,
    )
    if request["locked_at"] is None:
        request["locked_at"] = fact.at
    count_times(rows, request, executor)


def _finalized(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    executor = fact.args["executor"]
    request["how"] = FINALITY[fact.args["how"]]
    finish(request, fact, FINAL)
    count(rows, request, executor, "fulfilled")
    pay(rows, fact, request, fact.args["fee"], fact.args["royalty"])
    pay_fee(rows, executor, fact.args["fee"])
    dispute = rows.find("disputes", KIND, fact.args["requestId"])
    if dispute is not None and dispute["state"] == "open":
        # A lot, which has no bond: the executor proved what it had to.
        dispute = rows.edit("disputes", KIND, fact.args["requestId"])
        dispute["state"], dispute["ended_at"] = "failed", fact.at


def _slashed(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    finish(request, fact, SLASHED)
    usage_of(rows, fact, request)["slashed"] += 1
    count(rows, request, fact.args["executor"], "slashed")
    executor_of(rows, fact, fact.args["executor"])
    rows.edit("earnings", request["requester"])["compensation"] += fact.args["compensation"]
    rows.edit("earnings", fact.args["challenger"])["rewards"] += fact.args["reward"]
    dispute = rows.edit("disputes", KIND, fact.args["requestId"])
    dispute.update(
        state="won",
        compensation=fact.args["compensation"],
        reward=fact.args["reward"],
        burned=fact.args["burned"],
        ended_at=fact.at,
    )


def _disputed(rows: WorkingSet, fact: Fact) -> None:
    request = _ours(rows, fact)
    if request is None:
        return
    told = fact.args["dispute"]
    request["state"] = DISPUTED
    rows.edit("disputes", KIND, fact.args["requestId"]).update(
        state="open",
        executor=fact.args["executor"],
        challenger=told["challenger"],
        beneficiary=request["requester"],
        version_id=request["version_id"],
        bond=told["bond"],
        deadline=told["deadline"],
        opened_at=fact.at,
    )


def _failed(rows: WorkingSet, fact: Fact) -> None:
    request = _ours(rows, fact)
    if request is None:
        return
    paid, burned = fact.args["paid"], fact.args["burned"]
    dispute = rows.edit("disputes", KIND, fact.args["requestId"])
    dispute.update(state="failed", burned=burned, ended_at=fact.at)
    executor = request["executor"]
    if fact.args["challenger"] != executor:
        count(rows, request, executor, "defended")
    rows.edit("earnings", executor)["bonds_won"] += paid
    rows.edit("earnings", fact.args["challenger"])["bonds_lost"] += paid + burned


def _won(rows: WorkingSet, fact: Fact) -> None:
    if _ours(rows, fact) is not None:
        dispute = rows.edit("disputes", KIND, fact.args["requestId"])
        dispute["state"], dispute["ended_at"] = "won", fact.at


def _ours(rows: WorkingSet, fact: Fact) -> Row | None:
    """The request that a court's event is about; None where somebody made a market up."""
    if rows.contract_at(fact.args["market"]) != "LazyMarket":
        return None
    if rows.find("requests", fact.args["requestId"]) is None:
        return None
    return rows.edit("requests", fact.args["requestId"])


LAZY_MARKET: Reducers = {
    "Requested": _requested,
    "Locked": _locked,
    "LockMissed": lock_missed,
    "Answered": _answered,
    "Finalized": _finalized,
    "ClaimSlashed": _slashed,
    "RequestRefunded": refunded,
    "RoyaltyWithdrawn": royalty_withdrawn,
}

DISPUTE_COURT: Reducers = {
    "Disputed": _disputed,
    "ChallengeFailed": _failed,
    "ChallengeWon": _won,
}
