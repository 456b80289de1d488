"""What reducers of several contracts do alike: requests begin, end, and count for somebody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateless.core.types import ZERO_ADDRESS, TrustMode
from gateless.indexer.facts import Fact
from gateless.indexer.reputation import percentile, score, with_time
from gateless.indexer.workset import Row, WorkingSet

Reducer = Callable[[WorkingSet, Fact], None]
Reducers = Mapping[str, Reducer]

#: What ``state`` of a request can be.
OPEN, LOCKED, ANSWERED, DISPUTED, DRAWN = "open", "locked", "answered", "disputed", "drawn"
FINAL, REFUNDED, SLASHED = "final", "refunded", "slashed"
STATES = (OPEN, LOCKED, ANSWERED, DISPUTED, DRAWN, FINAL, REFUNDED, SLASHED)

#: How an output became final, by the number that events give it.
FINALITY = ("", "proven", "unchallenged", "quorum", "attested")


def address_or_none(value: str) -> str | None:
    """An address, None for the zero address."""
    return None if value == ZERO_ADDRESS else value


def executor_of(rows: WorkingSet, fact: Fact, address: str) -> Row:
    """The row of an executor, to be changed."""
    row = rows.edit("executors", address)
    row["seen_at"] = fact.at
    return row


def begin(
    rows: WorkingSet, fact: Fact, mode: TrustMode, wanted: Mapping[str, Any], input_hint: str
) -> Row:
    """Enters a request. ``wanted`` is the struct in which every market tells what is asked for."""
    version_id, requester = int(wanted["versionId"]), str(fact.args["requester"])
    row = rows.edit("requests", fact.args["requestId"])
    row.update(
        market=fact.contract,
        mode=int(mode),
        version_id=version_id,
        requester=requester,
        state=OPEN,
        max_price=wanted["maxPrice"] if "maxPrice" in wanted else wanted["price"],
        collateral=wanted.get("collateral", 0),
        deadline=wanted["deadline"],
        named_executor=address_or_none(wanted.get("executor", ZERO_ADDRESS)),
        input_digest=wanted["inputDigest"],
        input_binding=wanted["inputBinding"],
        input_hint=input_hint,
        requested_at=fact.at,
        requested_tx=fact.tx_hash,
    )
    count_request(rows, fact, row)
    return row


def count_request(rows: WorkingSet, fact: Fact, request: Row) -> None:
    """Counts a new request for its version, its requester and its day."""
    rows.edit("versions", request["version_id"])["requests"] += 1
    rows.edit("earnings", request["requester"])["asked"] += 1
    usage_of(rows, fact, request)["requests"] += 1


def usage_of(rows: WorkingSet, fact: Fact, request: Row) -> Row:
    """The row of the fact's day for a request's version and mode."""
    return rows.edit("usage", fact.day, request["version_id"], request["mode"])


def records(rows: WorkingSet, request: Row, executor: str | None) -> list[Row]:
    """The records that a request counts for: its version's and, where given, its executor's.

    Who asks himself proves nothing about himself: such requests count for neither.
    """
    if executor is not None and executor == request["requester"]:
        row = rows.edit("executors", executor)
        row["self_dealt"] += 1
        return []
    found = [rows.edit("versions", request["version_id"])]
    if executor is not None:
        found.append(rows.edit("executors", executor))
    return found


def count(rows: WorkingSet, request: Row, executor: str | None, what: str) -> None:
    """Counts one fulfilled, expired, slashed or defended promise."""
    for record in records(rows, request, executor):
        record[what] += 1
        record["score"] = score(record)


def count_times(rows: WorkingSet, request: Row, executor: str | None) -> None:
    """Counts how long a request that was just answered took."""
    if executor is not None and executor == request["requester"]:
        return
    counted = [rows.edit("versions", request["version_id"])]
    if executor is not None:
        counted.append(rows.edit("executors", executor))
    requested, locked, answered = (
        request["requested_at"],
        request["locked_at"],
        request["answered_at"],
    )
    for record in counted:
        if locked is not None:
            record["lock_times"] = with_time(record["lock_times"], locked - requested)
            record["work_times"] = with_time(record["work_times"], answered - locked)
        record["total_times"] = with_time(record["total_times"], answered - requested)
        record["latency"] = percentile(record["total_times"], 0.5)


def miss_lock(rows: WorkingSet, request: Row, executor: str) -> None:
    """Counts a lock whose holder did not answer."""
    request["missed_locks"] += 1
    count(rows, request, executor, "expired")


def pay(rows: WorkingSet, fact: Fact, request: Row, fee: int, royalty: int) -> None:
    """Books the price of a final answer; whom the fee goes to is :func:`pay_fee`'s."""
    request["fee"], request["royalty"] = fee, royalty
    if request["price"] is None:
        request["price"] = fee + royalty
    rows.edit("earnings", request["requester"])["spent"] += fee + royalty
    model = rows.edit("models", request["version_id"] >> 32)
    model["royalties"] += royalty
    if royalty and model["holder"]:
        rows.edit("earnings", model["holder"])["royalties"] += royalty
    day = usage_of(rows, fact, request)
    day["fulfilled"] += 1
    day["fees"] += fee
    day["royalties"] += royalty
    version = rows.edit("versions", request["version_id"])
    version["volume"] += fee + royalty


def pay_fee(rows: WorkingSet, executor: str, fee: int) -> None:
    """Books the fee of an answer to whoever gave it."""
    earned = rows.edit("earnings", executor)
    earned["fees"] += fee
    earned["answers"] += 1
    rows.edit("executors", executor)["volume"] += fee


def finish(request: Row, fact: Fact, state: str) -> None:
    """Writes down that a request has ended."""
    request["state"] = state
    request["ended_at"] = fact.at
    request["ended_tx"] = fact.tx_hash


def refund(rows: WorkingSet, fact: Fact, request: Row) -> None:
    """Ends a request whose requester has his money back."""
    finish(request, fact, REFUNDED)
    usage_of(rows, fact, request)["refunded"] += 1
