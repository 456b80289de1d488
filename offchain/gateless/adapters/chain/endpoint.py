"""One of several endpoints: what is known of it, and when it is asked again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random
from typing import Any, TypeVar

from gateless.adapters.chain.provider_faults import is_passing, is_unable
from gateless.adapters.chain.rpc import EndpointHealth, Rpc, RpcError
from gateless.adapters.clock import Clock
from gateless.adapters.quiet_log import QuietLog
from gateless.core.errors import ChainError

#: Faults of an endpoint: another one may answer.
ENDPOINT_FAULTS = frozenset(
    {"rpc-unreachable", "rpc-timeout", "rpc-rate-limited", "rpc-refused", "rpc-invalid"}
)
#: What an endpoint may lack that another one has, and what it may have itself in a moment.
_LACKS = frozenset({"logs-unavailable", "unknown-block", "rpc-behind"})
_SOON = frozenset({"unknown-block", "rpc-behind"})
#: Weight of the newest answer in the average latency.
_WEIGHT = 0.2

log = QuietLog(__name__)
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long an endpoint is left alone after faults: doubled with each, with jitter.

    Attributes:
        first: seconds after the first fault.
        most: longest time after faults that pass by themselves.
        most_limited: longest time after a limit of the rate, also where the provider asks for more.
        refused: after a refusal of access, or an answer from another chain.
    """

    first: float = 0.1
    most: float = 5.0
    most_limited: float = 60.0
    refused: float = 60.0


class Endpoint(Rpc):
    """An endpoint of a pool.

    Args:
        inner: the connection.
        chain_id: the chain that it must be on.
        clock: for pauses and latency.
        random: for jitter.
        backoff: how long it is left alone.
    """

    def __init__(
        self, inner: Rpc, chain_id: int, clock: Clock, random: Random, backoff: Backoff
    ) -> None:
        super().__init__(inner.url)
        self._inner = inner
        self._chain_id = chain_id
        self._clock = clock
        self._random = random
        self._backoff = backoff
        self._faults = 0
        self._requests = 0
        self._latency: float | None = None
        self._rests_until = clock.monotonic()
        self._last: ChainError | None = None
        self._is_checked = False
        self._is_elsewhere = False
        self.head: int | None = None
        self.lag = 0

    @property
    def is_elsewhere(self) -> bool:
        """Whether it answered for another chain."""
        return self._is_elsewhere

    @property
    def last_error(self) -> ChainError | None:
        """Its last fault since it answered."""
        return self._last

    @property
    def is_sound(self) -> bool:
        """Whether its last answer was one."""
        return not self._faults and not self._is_elsewhere

    @property
    def rest(self) -> float:
        """Seconds until it is asked again; 0 where it may be asked."""
        return max(0.0, self._rests_until - self._clock.monotonic())

    def is_behind(self, most: int) -> bool:
        """Whether it was more blocks behind the others when they were last compared."""
        return self.lag > most

    def state(self, most_lag: int) -> EndpointHealth:
        """What is known of it."""
        state = "ok"
        if self._is_elsewhere:
            state = "wrong-chain"
        elif self.rest:
            state = "resting"
        elif self.is_behind(most_lag):
            state = "behind"
        return EndpointHealth(
            name=self.name,
            state=state,
            head=self.head,
            lag=self.lag,
            faults=self._faults,
            requests=self._requests,
            latency_seconds=self._latency,
            resting_seconds=self.rest,
            last_error="" if self._last is None else self._last.code,
            last_message="" if self._last is None else self._last.message,
        )

    async def request(self, method: str, *params: Any) -> Any:
        """As of the connection; counts."""
        result = await self._counted(lambda: self._inner.request(method, *params))
        self._notice(method, params, result)
        return result

    async def quantity(self, method: str, *params: Any) -> int:
        """As of the connection; counts."""
        return await self._counted(lambda: self._inner.quantity(method, *params))

    async def data(self, method: str, *params: Any) -> bytes:
        """As of the connection; counts."""
        return await self._counted(lambda: self._inner.data(method, *params))

    async def close(self) -> None:
        """Closes the connection."""
        await self._inner.close()

    async def require_chain(self) -> None:
        """Refuses an endpoint of another chain. Asks once, and again after it was out of reach.

        Raises:
            ChainError: ``wrong-chain-id``, and those of the transport.
        """
        if self._is_checked:
            return
        found = await self.quantity("eth_chainId")
        self._is_elsewhere = found != self._chain_id
        if self._is_elsewhere:
            error = ChainError(
                "wrong-chain-id",
                f"{self.name} is chain {found}, the network is on chain {self._chain_id}",
                hint="check the network's RPC URLs, or choose another network with --network",
                expected=self._chain_id,
                found=found,
            )
            log.error("rpc-of-another-chain", endpoint=self.name, found=found)
            self._rest_for(error, self._backoff.refused)
            raise error
        self._is_checked = True

    async def look(self) -> int | None:
        """Its latest block, for comparing; None where it cannot be had now."""
        try:
            await self.require_chain()
            self.head = await self.quantity("eth_blockNumber")
        except ChainError:
            return None
        return self.head

    def may_be_better_elsewhere(self, error: ChainError) -> bool:
        """Whether another endpoint may answer where this one raised that."""
        if isinstance(error, RpcError):
            return is_unable(error)
        return error.code in ENDPOINT_FAULTS | _LACKS | {"wrong-chain-id"}

    def may_pass(self, error: ChainError) -> bool:
        """Whether it is worth asking this endpoint again in a moment, although it is no fault."""
        return is_passing(error) if isinstance(error, RpcError) else error.code in _SOON

    def set_aside(self, error: ChainError) -> None:
        """Leaves it alone for a while for an answer that is not true."""
        self._faults += 1
        self._rest_for(error, self._backoff.refused)

    def pause(self, turn: int) -> float:
        """Seconds until it is asked once more what it could not answer ``turn`` times before."""
        whole = min(self._backoff.first * 2.0**turn, self._backoff.most)
        return whole * (0.5 + self._random.random() / 2)

    async def _counted(self, ask: Callable[[], Awaitable[_T]]) -> _T:
        started = self._clock.monotonic()
        self._requests += 1
        try:
            result = await ask()
        except RpcError:
            self._answered(started)
            raise
        except ChainError as error:
            if error.code in ENDPOINT_FAULTS:
                self._failed(error, started)
            raise
        self._answered(started)
        return result

    def _answered(self, started: float) -> None:
        took = self._clock.monotonic() - started
        old = self._latency
        self._latency = took if old is None else old + _WEIGHT * (took - old)
        if started < self._rests_until:
            return  # of several requests at once another one failed since
        if self._faults:
            log.info("rpc-back", endpoint=self.name, after=self._faults)
        self._faults = 0
        self._last = None

    def _failed(self, error: ChainError, started: float) -> None:
        if started < self._rests_until:
            return  # one of several requests at once: the fault is known
        self._faults += 1
        # Out of reach, it may come back as another chain's node: a restarted one, a moved name.
        self._is_checked = self._is_checked and error.code != "rpc-unreachable"
        backoff = self._backoff
        if error.code == "rpc-refused":
            self._rest_for(error, backoff.refused)
            return
        is_limit = error.code == "rpc-rate-limited"
        most = backoff.most_limited if is_limit else backoff.most
        pause = min(backoff.first * 2.0 ** min(self._faults - 1, 16), most)
        pause *= 0.5 + self._random.random() / 2
        asked = error.context.get("retry_after")
        if isinstance(asked, float):
            pause = min(max(pause, asked), backoff.most_limited)
        self._rest_for(error, pause)

    def _rest_for(self, error: ChainError, pause: float) -> None:
        self._last = error
        self._rests_until = self._clock.monotonic() + pause
        log.warning(
            "rpc-fault",
            endpoint=self.name,
            code=error.code,
            message=error.message,
            faults=self._faults,
            pause=round(pause, 2),
        )

    def _notice(self, method: str, params: tuple[Any, ...], result: Any) -> None:
        """Keeps the latest block that answers show."""
        try:
            if method == "eth_blockNumber":
                self.head = int(result, 16)
            elif method == "eth_getBlockByNumber" and params[0] == "latest":
                self.head = int(result["number"], 16)
        except (TypeError, ValueError, KeyError, IndexError):
            return
