"""Follows the chain: no request is missed, after whatever downtime, and no fork goes unnoticed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from gateless.adapters.chain.calls import MARKET
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.court_calls import COURT
from gateless.adapters.chain.lazy import LAZY_EVENTS, has_lazy_market
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.core.errors import ChainError
from gateless.core.receipts import Receipt
from gateless.core.types import ZERO_ADDRESS, Block, Event, TrustMode
from gateless.daemon.follower import DEFAULT_SPAN, Follower, Stretch
from gateless.executor.journal import Journal
from gateless.executor.journal_claims import CourtNews, NewClaim
from gateless.executor.work import NewWork

log = structlog.get_logger(__name__)

#: Other markets have events of the same names.
_MARKET_EVENTS = tuple(
    f"{MARKET}.{name}"
    for name in ("RequestCreated", "RequestLocked", "RequestFulfilled", "RequestRefunded")
)
_OWN_EVENTS = (
    "ExecutorStaking.Enrolled",
    "ExecutorStaking.Unenrolled",
    "ExecutorStaking.Allocated",
    "ExecutorStaking.Slashed",
    "ExecutorStaking.ProfileSet",
)
_COURT_EVENTS = (f"{COURT}.PoolOpened", f"{COURT}.ReceiptChallenged")


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a look at the chain brought.

    Attributes:
        head: the latest block.
        added: requests that are new in the journal.
        touched: requests that were locked, fulfilled or refunded; True where this executor did it.
        standing_changed: whether this executor's stake, profile or enrolments changed.
        rewound: whether blocks read before are no longer part of the chain.
        lazy: lazy requests that were made.
    """

    head: Block
    added: tuple[int, ...]
    touched: Mapping[int, bool]
    standing_changed: bool
    rewound: bool
    lazy: tuple[int, ...] = ()


class Watcher:
    """Reads blocks in order, each once, and journals the requests in them.

    Args:
        client: the chain.
        journal: holds the cursor.
        me: this executor's address.
        confirmations: blocks that must follow a block before it is read.
        span: blocks read and journaled at a time, so that a long catch-up survives an
            interruption.
        seen: told about each lazy request that was made.
    """

    def __init__(
        self,
        client: ChainClient,
        journal: Journal,
        *,
        me: str,
        confirmations: int = 0,
        span: int = DEFAULT_SPAN,
        seen: Callable[[int], None] | None = None,
    ) -> None:
        self._seen = seen
        self._client = client
        self._journal = journal
        self._me = me.lower()
        names = [*_MARKET_EVENTS, *_OWN_EVENTS]
        if COURT in client.deployment.contracts:
            names += _COURT_EVENTS
        if has_lazy_market(client.deployment):
            names += LAZY_EVENTS
        self._follower = Follower(
            client,
            names,
            journal,
            start_block=client.deployment.start_block,
            confirmations=confirmations,
            span=span,
        )

    async def poll(self) -> Sighting:
        """Reads everything up to the head.

        Raises:
            ChainError: the chain cannot be read now; what was read stays journaled.
        """
        look = await self._follower.look()
        added: list[int] = []
        touched: dict[int, bool] = {}
        lazy: list[int] = []
        standing_changed = False
        rewound = look.ancestor is not None
        async for stretch in self._follower.read(look.head):
            if await self._is_foreseen_undone(stretch):
                await self._journal.rewind(stretch.first - 1)
                rewound = True
            lazy += self._tell(stretch.events)
            at_market = [event for event in stretch.events if event.contract == MARKET]
            new = [_new_work(event) for event in at_market if event.name == "RequestCreated"]
            added += await self._journal.advance(new, stretch.last, self._news(stretch.events))
            for event in at_market:
                if event.name != "RequestCreated":
                    request_id = int(event.args["requestId"])
                    touched[request_id] = touched.get(request_id, False) or self._is_me(event)
            standing_changed |= any(self._is_own(event) for event in stretch.events)
        return Sighting(look.head, tuple(added), touched, standing_changed, rewound, tuple(lazy))

    async def _is_foreseen_undone(self, stretch: Stretch) -> bool:
        """Whether a receipt told of a transaction in these blocks which they do not hold.

        What receipts say is taken over before its block is read. A fork in between is none that the
        cursor shows.
        """
        for intent in await self._journal.mined_in(stretch.first, stretch.last.number):
            for attempt in intent.attempts:
                found = await self._client.rpc.request("eth_getTransactionReceipt", attempt.tx_hash)
                if found is not None:
                    break
            else:
                log.warning(
                    "undone-before-read",
                    kind=intent.label,
                    **intent.facts,
                    tx_hash=intent.tx_hash,
                )
                return True
        return False

    async def created_input(self, work_block: int, request_id: int) -> tuple[bytes, str]:
        """The input bytes and the hint that a request was made with.

        Raises:
            ChainError: ``unknown-block`` where the event is not where it was: the chain forked.
        """
        for event in await self._client.events(_MARKET_EVENTS[:1], work_block, work_block):
            if int(event.args["requestId"]) == request_id:
                return bytes(event.args["input"]), str(event.args["inputHint"])
        raise ChainError(
            "unknown-block",
            f"block {work_block} does not hold the creation of request {request_id}",
            hint="the chain was reorganised; the request is read again",
        )

    def _tell(self, events: Sequence[Event]) -> list[int]:
        """Lazy requests that were made."""
        made = [
            int(event.args["requestId"])
            for event in events
            if event.contract == LAZY_MARKET and event.name == "Requested"
        ]
        if self._seen is not None:
            for request_id in made:
                self._seen(request_id)
        return made

    def _news(self, events: Sequence[Event]) -> CourtNews:
        """What other contracts than the market say."""
        own = [event for event in events if event.contract == COURT and self._is_me(event)]
        return CourtNews(
            pools=tuple(int(event.args["epoch"]) for event in own if event.name == "PoolOpened"),
            claims=tuple(_new_claim(event) for event in own if event.name == "ReceiptChallenged"),
            lazy=tuple(event for event in events if self._is_lazy(event)),
            me=self._me,
        )

    def _is_lazy(self, event: Event) -> bool:
        """Whether it is about a lazy request. Anybody may take made-up markets to the court."""
        if event.contract == DISPUTE_COURT:
            return bool(event.args["market"] == self._client.deployment.address(LAZY_MARKET))
        return event.contract == LAZY_MARKET

    def _is_own(self, event: Event) -> bool:
        return event.contract == "ExecutorStaking" and self._is_me(event)

    def _is_me(self, event: Event) -> bool:
        return str(event.args.get("executor", "")).lower() == self._me


def _new_work(event: Event) -> NewWork:
    params = event.args["params"]
    named = str(params["executor"])
    return NewWork(
        request_id=int(event.args["requestId"]),
        version_id=int(event.args["versionId"]),
        requester=str(event.args["requester"]),
        mode=TrustMode(params["mode"]),
        price=int(params["maxPrice"]),
        collateral=int(params["collateral"]),
        deadline=int(params["deadline"]),
        input_digest=bytes(params["inputDigest"]),
        input_binding=bytes(params["inputBinding"]),
        named_executor=None if named == ZERO_ADDRESS else named,
        created_block=event.block_number,
        callback_gas=int(params["callbackGas"]),
    )


def _new_claim(event: Event) -> NewClaim:
    receipt = Receipt.of_struct(event.args["receipt"])
    return NewClaim(
        claim_id=int(event.args["claimId"]),
        subject=receipt.subject,
        version_id=receipt.version_id,
        input_binding=receipt.input_binding,
        output_digest=receipt.output_digest,
        packed_input=bytes(event.args["input"]),
        epoch=receipt.epoch,
        slot=receipt.slot,
        deadline=int(event.args["deadline"]),
        created_block=event.block_number,
    )
