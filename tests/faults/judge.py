"""The one judge of all fault cases: nothing lost, nothing paid twice, no slash, funds conserved.

It reads the chain and the executor's journal once everything has come to rest, and names each
fault that it finds. The chain is believed; the journal must agree with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from books import read_books
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.lazy import LazyReader
from gateless.adapters.chain.lazy_calls import LAZY_MARKET
from gateless.core.claims import ClaimState
from gateless.core.lazy import Finality, LazyState
from gateless.core.types import Event, RequestState
from gateless.daemon.transactions import IntentState
from gateless.executor import Journal
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.states import WorkState
from gateless.executor.work import Intent

#: What an executor must never have caused.
_PUNISHMENTS = (
    "ExecutorStaking.Slashed",
    "InferenceMarket.LockMissed",
    f"{LAZY_MARKET}.ClaimSlashed",
)


@dataclass(frozen=True)
class Docket:
    """What was asked of an executor, and must have ended well.

    Attributes:
        proven: requests for proofs: paid, once.
        refunded: requests for proofs that were given back for no fault of the executor.
        lazy: lazy requests: final, once.
        claims: challenges of receipts: proven.
        since: block after which the executor's account sent nothing that its journal did not say.
        forked: whether blocks were undone; then the journal may hold what the chain forgot.
    """

    proven: Sequence[int] = ()
    refunded: Sequence[int] = ()
    lazy: Sequence[int] = ()
    claims: Sequence[int] = ()
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
    await _judge_punishments(verdict, client, executor)
    intents = await _judge_intents(verdict, client, journal, docket)
    if docket.since is not None:
        await _judge_strangers(verdict, client, executor, intents, docket.since)
    await _judge_earnings(verdict, client, journal, executor)
    books = await read_books(client, client.deployment.start_block)
    verdict.counts["units"] = books.supply
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


async def _judge_punishments(verdict: Verdict, client: ChainClient, executor: str) -> None:
    punished = [
        event
        for event in await _events(client, *_PUNISHMENTS)
        if event.args.get("executor") == executor
    ]
    verdict.counts["slashes"] = len(punished)
    verdict.faults += [
        f"{event.name} in block {event.block_number}: {dict(event.args)}" for event in punished
    ]


async def _judge_intents(
    verdict: Verdict, client: ChainClient, journal: Journal, docket: Docket
) -> list[Intent]:
    intents = await journal.intents()
    verdict.counts["transactions"] = len(intents)
    succeeded: Counter[tuple[str, int]] = Counter()
    for intent in intents:
        name = f"intent {intent.intent_id} ({intent.kind})"
        verdict.require(intent.state is not IntentState.PENDING, f"{name} is still pending")
        receipts = [
            receipt
            for attempt in intent.attempts
            if (receipt := await client.rpc.request("eth_getTransactionReceipt", attempt.tx_hash))
        ]
        verdict.require(len(receipts) <= 1, f"{name} was mined {len(receipts)} times")
        if intent.state is IntentState.MINED and not docket.forked:
            verdict.require(len(receipts) == 1, f"{name} is mined in the journal alone")
        # A nonce that was given up is filled by a transaction that does nothing.
        fillers = {attempt.tx_hash for attempt in intent.attempts if attempt.cancels}
        done = [
            receipt
            for receipt in receipts
            if int(receipt["status"], 16) == 1 and receipt["transactionHash"] not in fillers
        ]
        if intent.request_id is not None and done:
            succeeded[(intent.kind, intent.request_id)] += 1
    verdict.faults += [
        f"{kind} of request {entry:x} succeeded {times} times"
        for (kind, entry), times in succeeded.items()
        if times > 1
    ]
    return intents


async def _judge_strangers(
    verdict: Verdict, client: ChainClient, executor: str, intents: list[Intent], since: int
) -> None:
    """Everything that the account sent was journaled."""
    journaled = {attempt.tx_hash for intent in intents for attempt in intent.attempts}
    for number in range(since + 1, (await client.block()).number + 1):
        block = await client.rpc.request("eth_getBlockByNumber", hex(number), True)
        for transaction in block["transactions"]:
            empty = transaction["input"] == "0x" and int(transaction["value"], 16) == 0
            if empty and transaction["to"] == transaction["from"]:
                continue  # fills a gap of nonces, and does nothing
            if transaction["from"].lower() == executor.lower():
                verdict.require(
                    transaction["hash"] in journaled,
                    f"{transaction['hash']} in block {number} is in no journal",
                )


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
