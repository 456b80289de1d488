"""Requests of mode ``ZK`` and of attested answers: ``InferenceMarket`` and ``AttestedMarket``."""

from __future__ import annotations

from gateless.core.types import TrustMode
from gateless.indexer.facts import Fact, digest_of_bytes
from gateless.indexer.reducers.requests import (
    FINAL,
    LOCKED,
    Reducers,
    begin,
    count,
    count_request,
    count_times,
    executor_of,
    finish,
    miss_lock,
    pay,
    pay_fee,
    refund,
)
from gateless.indexer.workset import WorkingSet


def _created(rows: WorkingSet, fact: Fact) -> None:
    params = fact.args["params"]
    begin(rows, fact, TrustMode(params["mode"]), params, fact.args["inputHint"])


def _locked(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    executor_of(rows, fact, fact.args["executor"])
    request.update(
        state=LOCKED, executor=fact.args["executor"], price=fact.args["price"], locked_at=fact.at
    )


def lock_missed(rows: WorkingSet, fact: Fact) -> None:
    """A lock was missed and is another's now, as the event after this one says."""
    request = rows.edit("requests", fact.args["requestId"])
    executor_of(rows, fact, fact.args["executor"])
    miss_lock(rows, request, fact.args["executor"])


def _fulfilled(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    executor = fact.args["executor"]
    request.update(
        executor=executor,
        answered_at=fact.at,
        output=fact.args["output"],
        output_digest=digest_of_bytes(fact.args["output"]),
        how="proven",
    )
    finish(request, fact, FINAL)
    executor_of(rows, fact, executor)
    count(rows, request, executor, "fulfilled")
    count_times(rows, request, executor)
    pay(rows, fact, request, fact.args["fee"], fact.args["royalty"])
    pay_fee(rows, executor, fact.args["fee"])


def refunded(rows: WorkingSet, fact: Fact) -> None:
    """A request was refunded: cancelled, never locked, or its lock missed."""
    request = rows.edit("requests", fact.args["requestId"])
    if request["state"] == LOCKED and request["executor"] is not None:
        executor_of(rows, fact, request["executor"])
        miss_lock(rows, request, request["executor"])
    refund(rows, fact, request)


def royalty_withdrawn(rows: WorkingSet, fact: Fact) -> None:
    """A holder fetched what a model had earned."""
    rows.edit("models", fact.args["modelId"])["royalties_withdrawn"] += fact.args["amount"]


def _opened(rows: WorkingSet, fact: Fact) -> None:
    wanted = fact.args["request"]
    begin(rows, fact, TrustMode.ATTESTED, wanted, wanted["inputHint"])


def _attested(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    if not request["state"]:  # signed, and answered in the transaction that brought it
        request.update(
            market=fact.contract,
            mode=int(TrustMode.ATTESTED),
            version_id=fact.args["versionId"],
            requester=fact.args["requester"],
            max_price=fact.args["fee"] + fact.args["royalty"],
            requested_at=fact.at,
            requested_tx=fact.tx_hash,
        )
        count_request(rows, fact, request)
    _fulfilled(rows, fact)
    request["how"] = "attested"


ZK_MARKET: Reducers = {
    "RequestCreated": _created,
    "RequestLocked": _locked,
    "LockMissed": lock_missed,
    "RequestFulfilled": _fulfilled,
    "RequestRefunded": refunded,
    "RoyaltyWithdrawn": royalty_withdrawn,
}

ATTESTED_MARKET: Reducers = {
    "AttestedOpened": _opened,
    "AttestedFulfilled": _attested,
    "AttestedRefunded": refunded,
    "RoyaltyWithdrawn": royalty_withdrawn,
}
