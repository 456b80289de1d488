"""Typed views of ``QuorumMarket`` and of ``QuorumMembers``, where its members enrol."""

from __future__ import annotations

import asyncio

from gateless.adapters.chain.contract import LATEST, BoundContract
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET, QUORUM_MEMBERS
from gateless.adapters.chain.record_results import RecordReader
from gateless.adapters.chain.rpc import Rpc
from gateless.core.quorums import (
    QuorumLimits,
    QuorumMember,
    QuorumRequest,
    QuorumRound,
    QuorumState,
    SeatState,
)
from gateless.core.types import Event

_LIMITS = (
    "MIN_MEMBERS",
    "MAX_MEMBERS",
    "SEED_DELAY",
    "MIN_WINDOW",
    "MAX_WINDOW",
    "MAX_LIFETIME",
    "MAX_CALLBACK_GAS",
    "MAX_INPUT_LENGTH",
    "MAX_OUTPUT_LENGTH",
)
_MEMBER_LIMITS = ("MIN_STAKE", "SEAT_BOND", "OUTLIER_SLASH")

#: What is to be read to follow requests from their opening to their end.
QUORUM_EVENTS = tuple(
    f"{QUORUM_MARKET}.{name}"
    for name in ("QuorumOpened", "QuorumDrawn", "QuorumReached", "QuorumRefunded")
)


def has_quorum_market(deployment: Deployment) -> bool:
    """Whether a network has a quorum market."""
    return QUORUM_MARKET in deployment.contracts and QUORUM_MEMBERS in deployment.contracts


class QuorumReader(RecordReader):
    """Reads states, seats, results and balances of the quorum market.

    Raises:
        ConfigError: ``unknown-contract`` where the network has none.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, QUORUM_MARKET)
        self.members = MembersReader(rpc, deployment)
        self._limits: QuorumLimits | None = None

    async def limits(self) -> QuorumLimits:
        """The contracts' constants; read once, they cannot change."""
        if self._limits is None:
            values = await asyncio.gather(
                *(self.call(name) for name in _LIMITS),
                *(self.members.call(name) for name in _MEMBER_LIMITS),
            )
            self._limits = QuorumLimits(*(int(value) for value in values))
        return self._limits

    async def state(self, request_id: int, *, block: str = LATEST) -> QuorumState:
        """Where a request stands; ``NONE`` for one that the market never saw."""
        return QuorumState(await self.call("stateOf", request_id, block=block))

    async def seat(self, request_id: int, seat: int, *, block: str = LATEST) -> SeatState:
        """What the holder of a seat has done; ``SILENT`` once the round is settled."""
        found = await self.call("seatOf", request_id, seat, block=block)
        return SeatState(found["state"])

    async def id_of(self, request: QuorumRequest) -> int:
        """Id of a request, by the market's own reckoning."""
        return int(await self.call("idOf", request.struct()))


class MembersReader(BoundContract):
    """Reads enrolments.

    Raises:
        ConfigError: ``unknown-contract`` where the network has none.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, QUORUM_MEMBERS)

    async def member(self, version_id: int, runtime_class: bytes, account: str) -> QuorumMember:
        """An account's enrolment."""
        stored = await self.call("memberOf", version_id, runtime_class, account)
        return QuorumMember(
            stake=int(stored["stake"]),
            capacity=int(stored["capacity"]),
            open_seats=int(stored["openSeats"]),
            min_price=int(stored["minPrice"]),
            min_seconds=int(stored["minSeconds"]),
            is_awake=bool(stored["isAwake"]),
        )

    async def eligible_stake(
        self, version_id: int, runtime_class: bytes, block_number: int
    ) -> tuple[int, int]:
        """Stake that counts for draws at the end of a block that is over; number of positions."""
        found = await self.call("eligibleStakeAt", version_id, runtime_class, block_number)
        return int(found["stake"]), int(found["positions"])


def opened(event: Event) -> tuple[QuorumRequest, int, bytes]:
    """Request, block of the opening and input of a ``QuorumOpened`` event."""
    request = QuorumRequest.of_struct(event.args["request"])
    return request, int(event.args["openedBlock"]), bytes(event.args["input"])


def drawn(event: Event) -> QuorumRound:
    """The round of a ``QuorumDrawn`` event."""
    return QuorumRound.of_struct(event.args["round"])
