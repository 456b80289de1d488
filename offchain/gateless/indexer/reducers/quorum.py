"""Answers on which a quorum agrees: ``QuorumMarket``."""

from __future__ import annotations

from typing import Any

from gateless.core.types import TrustMode
from gateless.indexer.facts import Fact, digest_of_bytes
from gateless.indexer.reducers.markets import royalty_withdrawn
from gateless.indexer.reducers.requests import (
    DRAWN,
    FINAL,
    Reducers,
    begin,
    count,
    count_times,
    executor_of,
    finish,
    pay,
    pay_fee,
    refund,
)
from gateless.indexer.reputation import score
from gateless.indexer.workset import Row, WorkingSet

#: Why a request was refunded, by the number that the event gives it.
REASONS = ("not-enough-members", "seed-missed", "no-quorum")


def _opened(rows: WorkingSet, fact: Fact) -> None:
    wanted = fact.args["request"]
    begin(rows, fact, TrustMode.QUORUM, wanted, wanted["inputHint"])


def _drawn(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    round_ = fact.args["round"]
    request.update(
        state=DRAWN,
        price=round_["price"],
        locked_at=fact.at,
        seats=[{"member": member} for member in round_["members"]],
    )
    for member in round_["members"]:
        executor_of(rows, fact, member)


def _committed(rows: WorkingSet, fact: Fact) -> None:
    _seat(rows, fact, {"committed_at": fact.at})


def _revealed(rows: WorkingSet, fact: Fact) -> None:
    _seat(rows, fact, {"revealed_at": fact.at, "output_digest": fact.args["outputDigest"]})


def _seat(rows: WorkingSet, fact: Fact, said: dict[str, Any]) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    place = fact.args["seat"]
    request["seats"] = [
        {**seat, **said} if index == place else seat for index, seat in enumerate(request["seats"])
    ]


def _reached(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    digest = digest_of_bytes(fact.args["output"])
    share, royalty = fact.args["share"], fact.args["royalty"]
    fees = request["price"] - royalty
    request.update(
        answered_at=fact.at, output=fact.args["output"], output_digest=digest, how="quorum"
    )
    finish(request, fact, FINAL)
    # For the version it is one answer, for each of those who agreed one as well.
    count(rows, request, None, "fulfilled")
    count_times(rows, request, None)
    pay(rows, fact, request, fees, royalty)
    rest = fees - share * fact.args["agreed"]
    for member in _agreed(request, digest):
        executor = executor_of(rows, fact, member)
        _count_member(executor, request, member)
        # What the division leaves is the first one's, in the order of the draw.
        pay_fee(rows, member, share + rest)
        rest = 0


def _agreed(request: Row, digest: str) -> list[str]:
    return [seat["member"] for seat in request["seats"] if seat.get("output_digest") == digest]


def _count_member(executor: Row, request: Row, member: str) -> None:
    if member == request["requester"]:
        executor["self_dealt"] += 1
        return
    executor["fulfilled"] += 1
    executor["score"] = score(executor)


def _refunded(rows: WorkingSet, fact: Fact) -> None:
    request = rows.edit("requests", fact.args["requestId"])
    request["reason"] = REASONS[fact.args["reason"]]
    if request["reason"] == "no-quorum":
        count(rows, request, None, "expired")
    refund(rows, fact, request)


QUORUM_MARKET: Reducers = {
    "QuorumOpened": _opened,
    "QuorumDrawn": _drawn,
    "QuorumCommitted": _committed,
    "QuorumRevealed": _revealed,
    "QuorumReached": _reached,
    "QuorumRefunded": _refunded,
    "RoyaltyWithdrawn": royalty_withdrawn,
}
