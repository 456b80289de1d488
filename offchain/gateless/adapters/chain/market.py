"""Typed view of ``InferenceMarket``."""

from __future__ import annotations

import asyncio

from gateless.adapters.chain.calls import MARKET
from gateless.adapters.chain.contract import PENDING, BoundContract, optional
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc
from gateless.core.errors import NotFoundError
from gateless.core.types import MarketLimits, RequestInfo, RequestState, TrustMode


class MarketReader(BoundContract):
    """Reads requests, balances and limits."""

    def __init__(self, rpc: Rpc, deployment: Deployment) -> None:
        super().__init__(rpc, deployment, MARKET)
        self._limits: MarketLimits | None = None

    async def request(self, request_id: int) -> RequestInfo:
        """A request, and whether it can be refunded now.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        stored, status = await asyncio.gather(
            self.call("requestOf", request_id),
            # Whether a deadline has passed is asked of the block that would be mined now.
            self.call("statusOf", request_id, block=PENDING),
        )
        if stored["state"] == RequestState.NONE:
            raise NotFoundError(
                "unknown-request",
                f"there is no request {request_id}",
                hint="check the request id and the network",
                request_id=request_id,
            )
        return RequestInfo(
            request_id=request_id,
            requester=stored["requester"],
            version_id=stored["versionId"],
            state=RequestState(stored["state"]),
            mode=TrustMode(stored["mode"]),
            royalty_bps=stored["royaltyBps"],
            input_digest=stored["inputDigest"],
            input_binding=stored["inputBinding"],
            price=stored["price"],
            collateral=stored["collateral"],
            deadline=stored["deadline"],
            lock_deadline=stored["lockDeadline"],
            lock_duration=stored["lockDuration"],
            callback_gas=stored["callbackGas"],
            lock_block=stored["lockBlock"],
            named_executor=optional(stored["namedExecutor"]),
            executor=optional(stored["executor"]),
            callback=optional(stored["callback"]),
            output_digest=stored["outputDigest"],
            refundable=status["refundable"],
            paid_block=stored["paidBlock"],
            max_price=stored["maxPrice"],
            min_price=stored["minPrice"],
            ramp_start=stored["rampStart"],
            ramp_length=stored["rampLength"],
        )

    async def request_count(self) -> int:
        """Number of requests ever sent; their ids go from 1 to this. Signed ones do not count."""
        return int(await self.call("requestCount"))

    async def balance_of(self, account: str) -> int:
        """Deposited, not escrowed, withdrawable balance."""
        return int(await self.call("balanceOf", account))

    async def nonce_word(self, account: str, word_index: int) -> int:
        """Used and cancelled nonces of an account: bit i is nonce ``256 * word_index + i``."""
        return int(await self.call("nonceWord", account, word_index))

    async def royalty_of(self, model_id: int) -> int:
        """Royalties that the model's holder can withdraw."""
        return int(await self.call("royaltyOf", model_id))

    async def limits(self) -> MarketLimits:
        """The contract's constants; read once, they cannot change."""
        if self._limits is None:
            values = await asyncio.gather(
                self.call("COLLATERAL_FLOOR"),
                self.call("MAX_LIFETIME"),
                self.call("MIN_LOCK_DURATION"),
                self.call("MAX_LOCK_DURATION"),
                self.call("MAX_CALLBACK_GAS"),
                self.call("MAX_INPUT_LENGTH"),
            )
            self._limits = MarketLimits(*(int(value) for value in values))
        return self._limits
