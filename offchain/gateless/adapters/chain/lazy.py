"""Typed views of ``LazyMarket`` and of the ``DisputeCourt`` where its answers are doubted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from gateless.adapters.chain.contract import LATEST, PENDING, BoundContract
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.adapters.chain.rpc import Rpc
from gateless.core.lazy import (
    Backing,
    Finality,
    FinalResult,
    LazyClaim,
    LazyDispute,
    LazyLimits,
    LazyLock,
    LazyRequest,
    LazyState,
)
from gateless.core.types import Event, TrustMode

_LIMITS = (
    "COLLATERAL_FLOOR",
    "MIN_LOCK_DURATION",
    "MAX_LOCK_DURATION",
    "MIN_CHALLENGE_WINDOW",
    "MAX_CHALLENGE_WINDOW",
    "MIN_RESPONSE_WINDOW",
    "MAX_RESPONSE_WINDOW",
    "MAX_LIFETIME",
    "MAX_CALLBACK_GAS",
    "MAX_INPUT_LENGTH",
    "MAX_OUTPUT_LENGTH",
)

#: Events of the market and of the court, by the names that event scans take.
MARKET_EVENTS = tuple(
    f"{LAZY_MARKET}.{name}"
    for name in (
        "Requested",
        "Locked",
        "LockMissed",
        "Answered",
        "Finalized",
        "ClaimSlashed",
        "RequestRefunded",
    )
)
COURT_EVENTS = tuple(
    f"{DISPUTE_COURT}.{name}"
    for name in ("Disputed", "ChallengeFailed", "ChallengeWon", "ChallengeCommitted")
)

#: What is to be read to follow requests from their making to their end.
LAZY_EVENTS = (*MARKET_EVENTS, f"{DISPUTE_COURT}.Disputed")


def has_lazy_market(deployment: Deployment) -> bool:
    """Whether a network has a lazy market and its court."""
    return LAZY_MARKET in deployment.contracts and DISPUTE_COURT in deployment.contracts


class LazyReader(BoundContract):
    """Reads states, results, backing and balances of the lazy market.

    Raises:
        ConfigError: ``unknown-contract`` where the network has none.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, LAZY_MARKET)
        self._limits: LazyLimits | None = None

    async def limits(self) -> LazyLimits:
        """The contract's constants; read once, they cannot change."""
        if self._limits is None:
            values = await asyncio.gather(*(self.call(name) for name in _LIMITS))
            self._limits = LazyLimits(*(int(value) for value in values))
        return self._limits

    async def state(self, request_id: int, *, block: str = LATEST) -> LazyState:
        """Where a request stands; ``NONE`` for one that the market never saw."""
        return LazyState(await self.call("stateOf", request_id, block=block))

    async def result(self, request_id: int) -> FinalResult:
        """What became final; ``how`` is ``NONE`` while nothing did."""
        stored = await self.call("resultOf", request_id)
        return FinalResult(
            version_id=stored["versionId"],
            mode=TrustMode(stored["mode"]),
            how=Finality(stored["how"]),
            final_at=stored["finalAt"],
            bond=stored["bond"],
            output_digest=stored["outputDigest"],
        )

    async def id_of(self, request: LazyRequest) -> int:
        """Id of a request, by the market's own reckoning."""
        return int(await self.call("idOf", request.struct()))

    async def backing(self, executor: str) -> Backing:
        """What an executor has behind its answers."""
        stored = await self.call("backingOf", executor)
        return Backing(int(stored["total"]), int(stored["used"]))

    async def balance_of(self, account: str) -> int:
        """Deposited, not escrowed, withdrawable balance."""
        return int(await self.call("balanceOf", account))

    async def nonce_word(self, account: str, word_index: int) -> int:
        """Used and cancelled nonces of an account: bit i is nonce ``256 * word_index + i``."""
        return int(await self.call("nonceWord", account, word_index))

    async def royalty_of(self, model_id: int) -> int:
        """Royalties that the model's holder can withdraw."""
        return int(await self.call("royaltyOf", model_id))


class DisputeReader(BoundContract):
    """Reads disputes, commitments and balances of the court for lazy answers.

    Raises:
        ConfigError: ``unknown-contract`` where the network has none.
    """

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, DISPUTE_COURT)
        self._market = deployment.address(LAZY_MARKET)
        self._bond: int | None = None

    async def challenge_bond(self) -> int:
        """What a challenger puts up; it cannot change."""
        if self._bond is None:
            self._bond = int(await self.call("CHALLENGE_BOND"))
        return self._bond

    async def dispute(self, request_id: int) -> LazyDispute | None:
        """The open dispute about an answer; None where there is none."""
        stored = await self.call("disputeOf", self._market, request_id)
        found = LazyDispute.of_struct(stored)
        return found if found.deadline else None

    async def queue(self, executor: str) -> tuple[int, int]:
        """An executor's open challenges, and when the last of them is due; lots do not queue."""
        stored = await self.call("queueOf", self._market, executor)
        values = list(stored.values()) if isinstance(stored, Mapping) else list(stored)
        return int(values[0]), int(values[1])

    async def is_drawn(self, claim: LazyClaim) -> bool:
        """Whether the lot fell on an answer.

        Raises:
            ContractError: ``dispute-court-no-seed``: not yet, or not any more.
        """
        return bool(await self.call("isDrawn", claim.struct(), block=PENDING))

    async def committed_at(self, challenger: str, commitment: bytes) -> int:
        """Block of a commitment that was not opened; 0 where there is none."""
        return int(await self.call("committedAt", challenger, commitment))

    async def balance_of(self, account: str) -> int:
        """What an account can withdraw or challenge with."""
        return int(await self.call("balanceOf", account))


# --- events ---


def requested(event: Event) -> tuple[int, LazyRequest, bytes]:
    """Id, request and input (empty where it is elsewhere) of ``Requested``."""
    request = LazyRequest.of_struct(event.args["request"])
    return int(event.args["requestId"]), request, bytes(event.args["input"])


def locked(event: Event) -> tuple[int, LazyLock]:
    """Id and lock of ``Locked``."""
    return int(event.args["requestId"]), LazyLock.of_struct(event.args["lock"])


def answered(event: Event) -> tuple[LazyClaim, bytes, str]:
    """Claim, packed output and input hint of ``Answered``."""
    args: Mapping[str, Any] = event.args
    return LazyClaim.of_struct(args["claim"]), bytes(args["output"]), str(args["inputHint"])


def disputed(event: Event) -> tuple[LazyClaim, LazyDispute]:
    """Claim and dispute of ``Disputed``."""
    claim = LazyClaim.of_struct(event.args["claim"])
    return claim, LazyDispute.of_struct(event.args["dispute"])
