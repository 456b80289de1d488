"""What the steps of a request's life work with, and the request that is worked on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gateless_proofs import Prover

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.headers import read_block
from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError
from gateless.core.types import InputBinding
from gateless.daemon.chain_time import ChainTime
from gateless.daemon.content import ContentSources
from gateless.daemon.versions import ReadyVersion, Versions
from gateless.executor.breaker import Breaker
from gateless.executor.config import ExecutorConfig
from gateless.executor.intake.inputs import InputRoom
from gateless.executor.journal import Journal
from gateless.executor.metrics import ExecutorMetrics
from gateless.executor.policy import Policy
from gateless.executor.recovery import Recovery
from gateless.executor.standing import StandingReader
from gateless.executor.stopwatch import Stopwatch
from gateless.executor.transactions import Transactions
from gateless.executor.watcher import Watcher
from gateless.executor.work import Work

T = TypeVar("T")


class Gone(Exception):
    """The request ended elsewhere while it was worked on."""


@dataclass(slots=True, eq=False)
class Active:
    """A request that is worked on now.

    Attributes:
        request_id: the request.
        committed: whether stake is, or may be, at risk: such work is finished before a shutdown.
        gone: set when the request ended elsewhere: proving stops.
        fetching: whether it waits for a stranger's store, and takes up nobody's place meanwhile.
        has_room: whether there is a place for it when it has what it waited for.
    """

    request_id: int
    committed: bool = False
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    fetching: bool = False
    has_room: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pipeline works with."""

    client: ChainClient
    journal: Journal
    transactions: Transactions
    recovery: Recovery
    versions: Versions
    sources: ContentSources
    inputs: InputRoom
    watcher: Watcher
    standing: StandingReader
    prover: Prover
    policy: Policy
    breaker: Breaker
    config: ExecutorConfig
    clock: Clock
    time: ChainTime
    metrics: ExecutorMetrics
    stopwatch: Stopwatch

    async def now(self) -> int:
        """The chain's time, which deadlines are in: seconds since 1970.

        Raises:
            ChainError: the chain cannot be read now.
        """
        return await self.time.ask(self.client)

    async def block_gas_limit(self) -> int:
        """Gas that a block of the chain holds now."""
        return int((await read_block(self.client.rpc))["gasLimit"], 16)


def kept_input(work: Work) -> bytes:
    """The packed input of checked work."""
    if work.packed_input is None:
        raise GatelessError("journal-incomplete", f"request {work.request_id} lost its input")
    return work.packed_input


def kept_proof(work: Work) -> tuple[bytes, bytes]:
    """Packed output and proof of work that was proven alone."""
    if work.packed_output is None or work.proof is None:
        raise GatelessError("journal-incomplete", f"request {work.request_id} lost its proof")
    return work.packed_output, work.proof


def input_argument(ready: ReadyVersion, packed_input: bytes) -> bytes:
    """What the contract takes as input: nothing where the proof itself carries the commitment."""
    return packed_input if ready.info.binding is InputBinding.PACKED else b""


async def unless_gone(work: Coroutine[Any, Any, T], active: Active) -> T:
    """Runs something that is stopped as soon as the request has ended elsewhere.

    Raises:
        Gone: it was stopped.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(active.gone.wait())
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise Gone
    finally:
        gone.cancel()
        if not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await task
