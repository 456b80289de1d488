"""The one judge of all fault cases: nothing lost, nothing paid twice, no slash, funds conserved.

It reads the chain and the executor's journal once everything has come to rest, and names each
fault that it finds. The chain is believed; the journal must agree with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from books import read_books
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.lazy import LazyReader
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.adapters.chain.quorum import QuorumReader
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET, QUORUM_MEMBERS
from gateless.core.claims import ClaimState
from gateless.core.lazy import Finality, LazyState
from gateless.core.quorums import QuorumState
from gateless.core.types import Event, RequestState
from gateless.daemon.transactions import IntentState
from gateless.executor import Journal
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.quorum_journal import Standing
from gateless.executor.states import WorkState
from gateless.executor.work import Intent, IntentKind
from gateless.watchtower import Journal as WatchJournal
from gateless.watchtower.journal_intents import Intent as WatchIntent

#: What an executor must never have caused.
_PUNISHMENTS = (
    "ExecutorStaking.Slashed",
    "InferenceMarket.LockMissed",
    f"{LAZY_MARKET}.LockMissed",
    f"{LAZY_MARKET}.ClaimSlashed",
    f"{QUORUM_MEMBERS}.MemberSlashed",
)
#: What happens once to whatever these arguments name.
_ONCE = {
    "InferenceMarket.RequestFulfilled": ("requestId",),
    "InferenceMarket.RequestRefunded": ("requestId",),
    f"{LAZY_MARKET}.Locked": ("requestId", "executor"),
    f"{LAZY_MARKET}.Answered": ("requestId",),
    f"{LAZY_MARKET}.Finalized": ("requestId",),
    f"{COURT}.PoolOpened": ("executor", "epoch"),
    f"{COURT}.PoolReleased": ("poolId",),
    f"{COURT}.ClaimProven": ("claimId",),
    f"{QUORUM_MARKET}.QuorumDrawn": ("requestId",),
    f"{QUORUM_MARKET}.QuorumCommitted": ("requestId", "member"),
    f"{QUORUM_MARKET}.QuorumRevealed": ("requestId", "member"),
    f"{QUORUM_MARKET}.QuorumReached": ("requestId",),
    f"{QUORUM_MARKET}.QuorumRefunded": ("requestId",),
}
#: Steps that any member of a quorum may take: whoever comes second in a block does so in vain.
_RACED = (IntentKind.QUORUM_DRAW, IntentKind.QUORUM_SETTLE, IntentKind.QUORUM_REFUND)
#: Parts of a transaction that came to nothing: what they were for had been done.
_IN_VAIN = (
    "InferenceMarket.LockSkipped",
    "InferenceMarket.FulfilmentSkipped",
    f"{LAZY_MARKET}.FinalizationSkipped",
    f"{LAZY_MARKET}.CallSkipped",
    f"{DISPUTE_COURT}.ProofSkipped",
    f"{COURT}.ResponseSkipped",
)


@dataclass(frozen=True)
class Docket:
    """What was asked of an executor, and must have ended well.

    Attributes:
        proven: requests for proofs: paid, once.
        refunded: requests for proofs that were given back for no fault of the executor.
        lazy: lazy requests: final, once.
        claims: challenges of receipts: proven.
        quorums: requests to quorums in which it sat: final, and it was paid.
        quorums_refunded: requests to quorums that came to nothing for no fault of its own.
        reverted: transactions that may have been mined in vain.
        fillers: nonces that were given up and that no journal tells of: what the case's faults
            explain, and no more.
        since: block after which the executor's account sent nothing that its journal did not say.
        forked: whether blocks were undone; then the journal may hold what the chain forgot.
    """

    proven: Sequence[int] = ()
    refunded: Sequence[int] = ()
    lazy: Sequence[int] = ()
    claims: Sequence[int] = ()
    quorums: Sequence[int] = ()
    quorums_refunded: Sequence[int] = ()
    reverted: int = 0
    fillers: int = 0
    since: int | None = None
    forked: bool = False


@dataclass
class Verdict:
    """What the judge found.

    Attributes:
        counts: what was looked at, by what it is.
        faults: everything that is not as it must be; empty where all is well.
    """

    counts: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def require(self, holds: bool, otherwise: str) -> None:
        """Names a fault where something does not hold."""
        if not holds:
            self.faults.append(otherwise)


async def judge(client: ChainClient, journal: Journal, executor: str, docket: Docket) -> Verdict:
    """Looks at everything.

    Args:
        client: of the chain itself, not of anything that lies about it.
        journal: the executor's.
        executor: its address.
        docket: what was asked of it.
    """
    verdict = Verdict()
    await _judge_requests(verdict, client, journal, executor, docket)
    await _judge_lazy(verdict, client, journal, executor, docket)
    await _judge_claims(verdict, client, docket)
    await _judge_quorums(verdict, client, journal, executor, docket)
    await _judge_punishments(verdict, client, executor)
    await _judge_effects(verdict, client, executor, docket)
    intents = await _judge_intents(verdict, client, journal, docket)
    if docket.since is not None:
        await _judge_strangers(verdict, client, executor, intents, docket)
    await _judge_earnings(verdict, client, journal, executor)
    books = await read_books(client, client.deployment.start_block)
    verdict.counts["units"] = books.supply
    verdict.faults += books.faults()
    return verdict


async def judge_watchtower(
    client: ChainClient, journal: WatchJournal, account: str, docket: Docket
) -> Verdict:
    """What a watchtower sent, and that no unit is lost; cases say what became of challenges."""
    verdict = Verdict()
    intents = await _judge_intents(verdict, client, journal, docket)
    await _judge_strangers(verdict, client, account, intents, docket)
    books = await read_books(client, client.deployment.start_block)
    verdict.faults += books.faults()
    return verdict


async def _events(client: ChainClient, *names: str) -> list[Event]:
    return await client.events(list(names), client.deployment.start_block)


async def _judge_requests(
    verdict: Verdict, client: ChainClient, journal: Journal, executor: str, docket: Docket
) -> None:
    names = ("RequestFulfilled", "RequestRefunded")
    events = await _events(client, *(f"InferenceMarket.{name}" for name in names))
    ends = Counter((event.name, event.args["requestId"]) for event in events)
    fees = {
        event.args["requestId"]: event.args["fee"]
        for event in events
        if event.name == "RequestFulfilled"
    }
    verdict.counts |= {"paid": len(docket.proven), "refunded": len(docket.refunded)}
    for entry in docket.proven:
        info = await client.market.request(entry)
        paid = info.state is RequestState.PAID and info.executor == executor
        verdict.require(paid, f"request {entry:x} is {info.state.name} by {info.executor}")
        times = tuple(ends[(name, entry)] for name in names)
        verdict.require(times == (1, 0), f"request {entry:x}: paid, refunded {times} times")
        try:
            work = await journal.get(entry)
        except LookupError:
            verdict.faults.append(f"request {entry:x} is not in the journal")
            continue
        verdict.require(
            work.state is WorkState.FULFILLED and work.fee == fees.get(entry),
            f"request {entry:x} is {work.state} with fee {work.fee} in the journal",
        )
    for entry in docket.refunded:
        times = tuple(ends[(name, entry)] for name in names)
        verdict.require(times == (0, 1), f"request {entry:x}: paid, refunded {times} times")


async def _judge_lazy(
    verdict: Verdict, client: ChainClient, journal: Journal, executor: str, docket: Docket
) -> None:
    verdict.counts["final"] = len(docket.lazy)
    if not docket.lazy:
        return
    ends = Counter(
        event.args["requestId"]
        for event in await _events(client, f"{LAZY_MARKET}.Finalized")
        if event.args["executor"] == executor
    )
    for entry in docket.lazy:
        state = await LazyReader(client.rpc, client.deployment).state(entry)
        verdict.require(
            state is LazyState.FINAL and ends[entry] == 1,
            f"lazy request {entry:x} is {state.name}, final {ends[entry]} times",
        )
        how = (await LazyReader(client.rpc, client.deployment).result(entry)).how
        verdict.require(
            how in (Finality.PROVEN, Finality.UNCHALLENGED), f"lazy request {entry:x} ended {how}"
        )
        try:
            kept = (await journal.lazy(entry)).state
        except LookupError:
            continue  # ended long ago, and put away
        verdict.require(
            kept is LazyWorkState.FINAL, f"lazy request {entry:x} is {kept} in the journal"
        )


async def _judge_claims(verdict: Verdict, client: ChainClient, docket: Docket) -> None:
    verdict.counts["challenges proven"] = len(docket.claims)
    for entry in docket.claims:
        state = (await client.court.claim(entry)).state
        verdict.require(state is ClaimState.PROVEN, f"challenge {entry} is {state.name}")


async def _judge_quorums(
    verdict: Verdict, client: ChainClient, journal: Journal, executor: str, docket: Docket
) -> None:
    market = QuorumReader(client.rpc, client.deployment)
    verdict.counts["quorums"] = len(docket.quorums)
    for entry in docket.quorums:
        state = await market.state(entry)
        verdict.require(state is QuorumState.FINAL, f"quorum {entry:x} is {state.name}")
        kept = (await journal.quorums.get(entry)).standing
        verdict.require(kept is Standing.SETTLED, f"quorum {entry:x} is {kept} in the journal")
        took_part = [
            event.args["member"] == executor
            for event in await client.events(
                [f"{QUORUM_MARKET}.QuorumRevealed"],
                client.deployment.start_block,
                indexed=[entry],
            )
        ]
        verdict.require(any(took_part), f"it revealed nothing in quorum {entry:x}")
    for entry in docket.quorums_refunded:
        state = await market.state(entry)
        verdict.require(state is QuorumState.REFUNDED, f"quorum {entry:x} is {state.name}")


async def _judge_punishments(verdict: Verdict, client: ChainClient, executor: str) -> None:
    punished = [
        event
        for event in await _events(client, *_PUNISHMENTS)
        if executor in (event.args.get("executor"), event.args.get("account"))
    ]
    verdict.counts["slashes"] = len(punished)
    verdict.faults += [
        f"{event.name} in block {event.block_number}: {dict(event.args)}" for event in punished
    ]


async def _judge_effects(
    verdict: Verdict, client: ChainClient, executor: str, docket: Docket
) -> None:
    """By the chain's own account nothing was done twice, and nothing for the second time in vain.

    Intents about several requests, or about none, name none of them in the journal.
    """
    times: Counter[tuple[Any, ...]] = Counter()
    for name, keys in _ONCE.items():
        for event in await _events(client, name):
            times[(name, *(event.args[key] for key in keys))] += 1
    verdict.faults += [
        f"{what} happened {count} times" for what, count in times.items() if count > 1
    ]
    if docket.forked:
        return  # what was done on an undone branch is done again on the other one
    for event in await _events(client, *_IN_VAIN):
        sent = await client.rpc.request("eth_getTransactionByHash", event.tx_hash)
        verdict.require(
            sent["from"].lower() != executor.lower(),
            f"{event.name} in block {event.block_number}: {dict(event.args)}",
        )


async def _judge_intents(
    verdict: Verdict, client: ChainClient, journal: Journal | WatchJournal, docket: Docket
) -> Sequence[Intent | WatchIntent]:
    intents: Sequence[Intent | WatchIntent] = await journal.intents()
    verdict.counts["transactions"] = len(intents)
    succeeded: Counter[tuple[str, int | bytes]] = Counter()
    reverted: list[str] = []
    for intent in intents:
        name = f"intent {intent.intent_id} ({intent.kind})"
        verdict.require(intent.state is not IntentState.PENDING, f"{name} is still pending")
        receipts = [
            receipt
            for attempt in intent.attempts
            if (receipt := await client.rpc.request("eth_getTransactionReceipt", attempt.tx_hash))
        ]
        verdict.require(len(receipts) <= 1, f"{name} was mined {len(receipts)} times")
        failed = any(int(receipt["status"], 16) == 0 for receipt in receipts)
        if (failed or intent.state is IntentState.REVERTED) and intent.kind not in _RACED:
            reverted.append(f"{name} was mined in vain: {intent.text}")
        if intent.state is IntentState.MINED and not docket.forked:
            verdict.require(len(receipts) == 1, f"{name} is mined in the journal alone")
        # A nonce that was given up is filled by a transaction that does nothing.
        fillers = {attempt.tx_hash for attempt in intent.attempts if attempt.cancels}
        done = [
            receipt
            for receipt in receipts
            if int(receipt["status"], 16) == 1 and receipt["transactionHash"] not in fillers
        ]
        empty = [receipt for receipt in done if not receipt["logs"]]
        verdict.require(not empty, f"{name} did nothing")
        subject = intent.request_id if isinstance(intent, Intent) else intent.case_id
        if subject is not None and done:
            succeeded[(intent.kind, subject)] += 1
    verdict.faults += [
        f"{kind} of {entry:x} succeeded {times} times"
        if isinstance(entry, int)
        else f"{kind} of case {entry.hex()} succeeded {times} times"
        for (kind, entry), times in succeeded.items()
        if times > 1
    ]
    verdict.counts["reverted"] = len(reverted)
    if len(reverted) > docket.reverted:
        verdict.faults += reverted
    return intents


async def _judge_strangers(
    verdict: Verdict,
    client: ChainClient,
    executor: str,
    intents: Sequence[Intent | WatchIntent],
    docket: Docket,
) -> None:
    """Everything that the account sent was journaled, but for as many empty transfers to itself as
    the case explains: they fill nonces that were given up, and are for no intent."""
    journaled = {attempt.tx_hash for intent in intents for attempt in intent.attempts}
    cancels = {a.tx_hash for intent in intents for a in intent.attempts if a.cancels}
    fillers: list[str] = []
    for number in range((docket.since or 0) + 1, (await client.block()).number + 1):
        block = await client.rpc.request("eth_getBlockByNumber", hex(number), True)
        for transaction in block["transactions"]:
            if transaction["from"].lower() != executor.lower():
                continue
            told = f"{transaction['hash']} in block {number}"
            empty = transaction["input"] == "0x" and int(transaction["value"], 16) == 0
            if empty and transaction["to"] == transaction["from"]:
                if transaction["hash"] not in cancels:
                    fillers.append(f"{told} fills nonce {int(transaction['nonce'], 16)}")
            elif transaction["hash"] not in journaled:
                verdict.faults.append(f"{told} is in no journal")
    verdict.counts["nonces filled"] = len(fillers)
    if len(fillers) > docket.fillers:
        verdict.faults += fillers


async def _judge_earnings(
    verdict: Verdict, client: ChainClient, journal: Journal, executor: str
) -> None:
    """Fees are on the account or were withdrawn from it; the journal knows each."""
    for market, end, kept in (
        ("InferenceMarket", "RequestFulfilled", await journal.earned()),
        (LAZY_MARKET, "Finalized", None),
    ):
        events = await _events(client, *(f"{market}.{name}" for name in (end, "Withdrawn")))
        fees = sum(
            event.args["fee"]
            for event in events
            if event.name == end and event.args["executor"] == executor
        )
        gone = sum(
            event.args["amount"]
            for event in events
            if event.name == "Withdrawn" and event.args["account"] == executor
        )
        lazy = LazyReader(client.rpc, client.deployment)
        reader = client.market if market == "InferenceMarket" else lazy
        held = await reader.balance_of(executor)
        verdict.require(
            held + gone == fees, f"{market}: {fees} were paid, {held} are there, {gone} withdrawn"
        )
        if kept is not None:
            verdict.require(kept == fees, f"{market}: {fees} were paid, the journal says {kept}")
        verdict.counts[f"fees of {market}"] = fees
