"""Executors, their stake and what they serve: ``ExecutorStaking`` and ``QuorumMembers``."""

from __future__ import annotations

from gateless.indexer.facts import Fact
from gateless.indexer.reducers.requests import Reducers, count, executor_of
from gateless.indexer.workset import Row, WorkingSet

#: What is allocated to contracts that are not the deployment's own.
OTHERS = "others"


def _staked(rows: WorkingSet, fact: Fact) -> None:
    executor_of(rows, fact, fact.args["executor"])["stake"] += fact.args["amount"]


def _withdrawn(rows: WorkingSet, fact: Fact) -> None:
    executor_of(rows, fact, fact.args["executor"])["stake"] -= fact.args["amount"]


def _allocated(rows: WorkingSet, fact: Fact) -> None:
    _allocate(rows, fact, executor_of(rows, fact, fact.args["executor"]), fact.args["amount"])


def _left(rows: WorkingSet, fact: Fact) -> None:
    _allocate(rows, fact, executor_of(rows, fact, fact.args["executor"]), -fact.args["amount"])


def _slashed(rows: WorkingSet, fact: Fact) -> None:
    """Books the stake that is gone. What it says about the executor, the markets' events say."""
    executor = executor_of(rows, fact, fact.args["executor"])
    executor["stake"] -= fact.args["amount"]
    executor["slashed_amount"] += fact.args["amount"]
    _allocate(rows, fact, executor, -fact.args["amount"])


def _allocate(rows: WorkingSet, fact: Fact, executor: Row, amount: int) -> None:
    slasher = rows.contract_at(fact.args["slasher"]) or OTHERS
    held = dict(executor["allocations"])
    left = held.pop(slasher, 0) + amount
    executor["allocations"] = held | ({slasher: left} if left else {})


def _profile(rows: WorkingSet, fact: Fact) -> None:
    profile = fact.args["profile"]
    executor_of(rows, fact, fact.args["executor"]).update(
        endpoint=profile["endpoint"],
        receipt_key=profile["receiptKey"],
        min_price=profile["minPrice"],
        capacity=profile["capacity"],
    )


def _enrolled(rows: WorkingSet, fact: Fact) -> None:
    executor_of(rows, fact, fact.args["executor"])
    rows.edit("enrolments", fact.args["versionId"], fact.args["executor"], "")["active"] = True


def _unenrolled(rows: WorkingSet, fact: Fact) -> None:
    executor_of(rows, fact, fact.args["executor"])
    rows.edit("enrolments", fact.args["versionId"], fact.args["executor"], "")["active"] = False


def _member(rows: WorkingSet, fact: Fact) -> None:
    member = fact.args["member"]
    executor_of(rows, fact, fact.args["account"])
    key = fact.args["versionId"], fact.args["account"], fact.args["runtimeClass"]
    rows.edit("enrolments", *key).update(
        active=bool(member["isAwake"]) and member["stake"] > 0,
        stake=member["stake"],
        min_price=member["minPrice"],
    )


def _member_slashed(rows: WorkingSet, fact: Fact) -> None:
    """Who showed another output than the quorum was wrong; who showed none broke a promise."""
    request = rows.find("requests", fact.args["requestId"])
    account = fact.args["account"]
    executor_of(rows, fact, account)
    if request is None:
        return
    revealed = any(
        seat["member"] == account and seat.get("output_digest") for seat in request["seats"]
    )
    count(rows, request, account, "slashed" if revealed else "expired")
    if fact.args["compensation"]:
        rows.edit("earnings", fact.args["beneficiary"])["compensation"] += fact.args["compensation"]


STAKING: Reducers = {
    "Staked": _staked,
    "Withdrawn": _withdrawn,
    "Allocated": _allocated,
    "ExitCompleted": _left,
    "Slashed": _slashed,
    "ProfileSet": _profile,
    "Enrolled": _enrolled,
    "Unenrolled": _unenrolled,
}

MEMBERS: Reducers = {"MemberChanged": _member, "MemberSlashed": _member_slashed}
