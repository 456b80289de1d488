"""Several endpoints of one chain as one: fail-over, comparison, and each transaction to all.

``docs/following-the-chain.md`` says what is guaranteed with endpoints that fail or lie.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from eth_utils.crypto import keccak

from gateless.adapters.chain.endpoint import Backoff, Endpoint
from gateless.adapters.chain.nonce_counts import believed_count
from gateless.adapters.chain.provider_faults import is_passing
from gateless.adapters.chain.refusals import Refusal, classify_refusal
from gateless.adapters.chain.rpc import EndpointHealth, Rpc, RpcError, is_repeatable
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.quiet_log import QuietLog
from gateless.core.errors import ChainError

#: An endpoint that is more blocks behind the others is passed over.
DEFAULT_MAX_LAG = 5
#: How often endpoints are compared, in seconds; only while something is asked.
COMPARE_SECONDS = 5.0
#: A request waits that long for endpoints that rest, and asks all of them that often.
_PATIENCE_SECONDS = 5.0
_ROUNDS = 7
#: So often, where what they lack may be there in a moment.
_ROUNDS_FOR_SOON = 5
#: Of several answers to one question, those that come later than that do not count.
_EVERYWHERE_SECONDS = 4.0
#: A comparison takes no longer than that; who is slower is as far behind as before.
_COMPARE_WAIT_SECONDS = 3.0

log = QuietLog(__name__)
_T = TypeVar("_T")


class RpcPool(Rpc):
    """Several endpoints behind the interface of one.

    Endpoints are asked in the order given: the first that is neither resting after a fault nor
    behind. List the most trusted one first.

    Args:
        endpoints: connections, which must not retry by themselves.
        chain_id: the chain that all must be on.
        clock: for pauses.
        random: for jitter.
        backoff: how long an endpoint is left alone after faults.
        max_lag: blocks.
    """

    def __init__(
        self,
        endpoints: Sequence[Rpc],
        chain_id: int,
        *,
        clock: Clock | None = None,
        random: Random | None = None,
        backoff: Backoff | None = None,
        max_lag: int = DEFAULT_MAX_LAG,
    ) -> None:
        super().__init__(endpoints[0].url)
        self._clock = clock or SystemClock()
        jitter = random or Random()  # noqa: S311 - spreads requests, protects nothing
        pauses = backoff or Backoff()
        self._endpoints = [
            Endpoint(entry, chain_id, self._clock, jitter, pauses) for entry in endpoints
        ]
        self._max_lag = max_lag
        self._compared_at: float | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def health(self) -> tuple[EndpointHealth, ...]:
        """Of each endpoint, in the order given; of several on one host the later ones numbered."""
        seen: Counter[str] = Counter()
        told = []
        for endpoint in self._endpoints:
            state = endpoint.state(self._max_lag)
            seen[state.name] += 1
            number = seen[state.name]
            told.append(replace(state, name=f"{state.name} #{number}") if number > 1 else state)
        return tuple(told)

    @property
    def name(self) -> str:
        """The endpoints, fit to be shown."""
        return ", ".join(endpoint.name for endpoint in self._endpoints)

    async def request(self, method: str, *params: Any) -> Any:
        """The result of a JSON-RPC call, from the first endpoint that can answer.

        ``eth_sendRawTransaction`` goes to all, ``eth_getTransactionCount`` asks all. Methods that
        are not Ethereum's go to the first endpoint, once.

        Raises:
            RpcError: a node answered with an error.
            ChainError: the last fault, where no endpoint could answer.
        """
        if method == "eth_sendRawTransaction":
            return await self._broadcast(*params)
        if method == "eth_getTransactionCount":
            return hex(await self._count(*params))
        if not is_repeatable(method):
            return await self._endpoints[0].request(method, *params)
        return await self.together(lambda endpoint: endpoint.request(method, *params))

    async def quantity(self, method: str, *params: Any) -> int:
        """A call whose result is a hex quantity; another endpoint is asked for one that is none."""
        if method == "eth_getTransactionCount":
            return await self._count(*params)
        return await self.together(lambda endpoint: endpoint.quantity(method, *params))

    async def data(self, method: str, *params: Any) -> bytes:
        """A call whose result is hex data; another endpoint is asked for one that is none."""
        return await self.together(lambda endpoint: endpoint.data(method, *params))

    async def together(self, read: Callable[[Rpc], Awaitable[_T]]) -> _T:
        """Several reads from one endpoint, all of them again from another one after a fault.

        Raises:
            ChainError: the last fault, where no endpoint could answer.
        """
        self._compare_now_and_then()
        last: ChainError | None = None
        waited = 0.0
        hopeless: set[Endpoint] = set()
        for turn in range(_ROUNDS):
            pauses = {}
            for endpoint in self._usable():
                if endpoint in hopeless:
                    continue
                if endpoint.rest:
                    pauses[endpoint] = endpoint.rest
                    continue
                try:
                    await endpoint.require_chain()
                    return await read(endpoint)
                except ChainError as error:
                    if not endpoint.may_be_better_elsewhere(error):
                        raise
                    last = error
                    if error.code != "rpc-timeout" and endpoint.rest:
                        pauses[endpoint] = endpoint.rest
                    elif turn + 1 < _ROUNDS_FOR_SOON and endpoint.may_pass(error):
                        pauses[endpoint] = endpoint.pause(turn)
                    else:
                        hopeless.add(endpoint)  # the same again would take long, or end the same
            pause = min(pauses.values(), default=None)
            if pause is None or waited + pause > _PATIENCE_SECONDS:
                break
            await self._clock.sleep(pause)
            waited += pause
        raise last or self._all_rest()

    async def everywhere(self, read: Callable[[Rpc], Awaitable[_T]]) -> list[_T]:
        """What each endpoint says whose last answer was one; the most trusted one first.

        Raises:
            ChainError: none answered.
        """
        asked = [entry for entry in self._endpoints if entry.is_sound and not entry.rest]
        tasks = [self._start(_answer(entry, read)) for entry in asked]
        if tasks:
            await asyncio.wait(tasks, timeout=_EVERYWHERE_SECONDS)
        said = [answer for task in tasks if task.done() for answer in task.result()]
        return said or [await self.together(read)]

    def distrust(self, error: ChainError) -> bool:
        """Leaves the endpoint alone for a while that is asked first, where another one can be."""
        asked = [entry for entry in self._usable() if not entry.rest and not entry.is_elsewhere]
        if len(asked) < 2:
            return False
        asked[0].set_aside(error)
        return True

    async def compare(self) -> None:
        """Asks all endpoints that do not rest for their chain and their latest block."""
        self._compared_at = self._clock.monotonic()
        asked = [endpoint for endpoint in self._endpoints if not endpoint.rest]
        looks = {endpoint: self._start(endpoint.look()) for endpoint in asked}
        if not looks:
            return
        await asyncio.wait(looks.values(), timeout=_COMPARE_WAIT_SECONDS)
        heads = {
            endpoint: head
            for endpoint, look in looks.items()
            if look.done() and (head := look.result()) is not None
        }
        if not heads:
            return
        known = sorted(heads.values(), reverse=True)
        # Of three and more the highest may be a lie that would put all others behind.
        best = known[1] if len(known) > 2 else known[0]
        for endpoint, head in heads.items():
            endpoint.lag = max(0, best - head)

    def require_one_chain(self) -> None:
        """Refuses endpoints of another chain, as far as they were compared.

        Raises:
            ChainError: ``wrong-chain-id``.
        """
        for endpoint in self._endpoints:
            if endpoint.is_elsewhere and endpoint.last_error is not None:
                raise endpoint.last_error

    async def close(self) -> None:
        """Closes all connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(endpoint.close() for endpoint in self._endpoints))

    # --- which endpoint ---

    def _usable(self) -> list[Endpoint]:
        """Endpoints in the order in which they are asked."""
        return sorted(self._endpoints, key=lambda endpoint: endpoint.is_behind(self._max_lag))

    def _all_rest(self) -> ChainError:
        """The fault for which the first endpoint rests."""
        known = [entry.last_error for entry in self._endpoints if entry.last_error is not None]
        return copy.copy(known[0])  # raised again, it would gather tracebacks

    def _compare_now_and_then(self) -> None:
        if len(self._endpoints) == 1:
            return
        last, now = self._compared_at, self._clock.monotonic()
        if last is None or now - last >= COMPARE_SECONDS:
            self._compared_at = now
            self._start(self.compare())

    def _start(self, work: Coroutine[Any, Any, _T]) -> asyncio.Task[_T]:
        """Runs beside the caller; ended by closing."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    # --- all endpoints ---

    async def _broadcast(self, raw: str) -> str:
        """Sends a signed transaction to all endpoints; done as soon as one has it.

        Raises:
            ChainError: a fault, where one may have taken it although it did not say so.
            RpcError: the refusal of the first endpoint, where all refused it.
        """
        waited = 0.0
        for turn in range(1, _ROUNDS + 1):
            fault = await self._offer(raw)
            if fault is None:
                break
            pause = min(entry.rest for entry in self._endpoints)
            is_over = fault.code == "rpc-timeout"
            if isinstance(fault, RpcError):
                # The same bytes again: whoever took them says that it knows them.
                pause = self._endpoints[0].pause(turn - 1)
                is_over = not is_passing(fault)
            if is_over or turn == _ROUNDS or waited + pause > _PATIENCE_SECONDS:
                raise fault
            await self._clock.sleep(pause)
            waited += pause
        return "0x" + keccak(hexstr=raw).hex()

    async def _offer(self, raw: str) -> ChainError | None:
        """Sends it once to all; None if one has it, else what is least certain."""
        asked = [entry for entry in self._endpoints if not entry.rest and not entry.is_elsewhere]
        asked = asked or self._endpoints
        pending = {self._start(self._send(entry, raw)): entry for entry in asked}
        faults: dict[Endpoint, ChainError] = {}
        while pending:
            done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                endpoint = pending.pop(task)
                outcome = task.result()
                if outcome is None:
                    return None  # the others go on
                faults[endpoint] = outcome
        in_order = [faults[entry] for entry in asked]
        return next((fault for fault in in_order if not isinstance(fault, RpcError)), in_order[0])

    async def _send(self, endpoint: Endpoint, raw: str) -> ChainError | None:
        try:
            await endpoint.require_chain()
            await endpoint.request("eth_sendRawTransaction", raw)
        except RpcError as error:
            if classify_refusal(error.rpc_message) is not Refusal.ALREADY_KNOWN:
                log.info("transaction-not-taken", endpoint=endpoint.name, why=error.rpc_message)
                return error
        except ChainError as error:
            return error
        return None

    async def _count(self, *params: Any) -> int:
        """How many transactions an account has sent: see :func:`believed_count`.

        Raises:
            ChainError: no endpoint could say.
        """
        method = "eth_getTransactionCount"
        return believed_count(await self.everywhere(lambda one: one.quantity(method, *params)))


async def _answer(endpoint: Endpoint, read: Callable[[Rpc], Awaitable[_T]]) -> list[_T]:
    """What an endpoint says; nothing where it fails."""
    try:
        await endpoint.require_chain()
        return [await read(endpoint)]
    except ChainError:
        return []
