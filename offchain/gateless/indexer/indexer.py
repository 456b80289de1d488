"""The indexer's main loop: follow the chain, fetch manifests, survive the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress

import structlog
from sqlalchemy import Connection

from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.rpc import Rpc
from gateless.adapters.clock import Clock
from gateless.core.errors import DatabaseError, GatelessError
from gateless.daemon.follower import Follower
from gateless.daemon.journals import Position
from gateless.daemon.metrics import Instruments
from gateless.daemon.operating import Obstacle
from gateless.indexer.api import answers
from gateless.indexer.config import IndexerConfig
from gateless.indexer.manifests import ManifestReader
from gateless.indexer.metrics import indexer_facts
from gateless.indexer.reader import IndexReader, counts, revision
from gateless.indexer.store import IndexStore

_MAX_PAUSE_SECONDS = 15.0
#: How old counts of everything may be.
_COUNT_SECONDS = 5.0

log = structlog.get_logger(__name__)


class Indexer:
    """One indexer. Everything that it works with is handed in.

    Args:
        deployment: the network.
        store: the index, to write.
        reader: the index, to read.
        follower: of the chain; writes to the store.
        rpc: the endpoints that it reads from, for the metrics.
        manifests: fetches what publishers say.
        config: how it runs.
        clock: what time it is.
        serving_at: base URL of the API.
    """

    def __init__(
        self,
        *,
        deployment: Deployment,
        store: IndexStore,
        reader: IndexReader,
        follower: Follower,
        rpc: Rpc,
        manifests: ManifestReader,
        config: IndexerConfig,
        clock: Clock,
        serving_at: str = "",
    ) -> None:
        self._deployment = deployment
        self._store = store
        self._reader = reader
        self._follower = follower
        self._rpc = rpc
        self._manifests = manifests
        self._config = config
        self._clock = clock
        self._serving_at = serving_at
        self._head: int | None = None
        self._indexed: Position | None = None
        self._problem: GatelessError | None = None
        self._counted: tuple[float, Mapping[str, int]] | None = None
        self._stopping = asyncio.Event()
        self._metrics = Instruments()

    @property
    def serving_at(self) -> str:
        """Base URL of the API; empty where nothing is served."""
        return self._serving_at

    def stop(self) -> None:
        """Makes :meth:`run` return; what was stored is whole."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until :meth:`stop`."""
        log.info("starting", network=self._deployment.name)
        stopping = asyncio.create_task(self._stopping.wait())
        working = [
            asyncio.create_task(self._follow()),
            asyncio.create_task(self._fetch_manifests()),
        ]
        try:
            done, _ = await asyncio.wait({stopping, *working}, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # work ends by a defect only
        finally:
            for task in (stopping, *working):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            log.info("stopped")

    async def catch_up(self) -> None:
        """Reads everything up to the head.

        Raises:
            ChainError: the chain cannot be read now; what was read stays stored.
            DatabaseError: the index cannot be written now.
        """
        look = await self._follower.look()
        self._head = look.head.number
        if look.ancestor is not None or self._indexed is None:
            stored = await self._store.positions(1)
            self._indexed = stored[0] if stored else None
        async for stretch in self._follower.read(look.head):
            await self._store.advance(stretch)
            self._indexed = stretch.last
            if stretch.events:
                log.info(
                    "indexed",
                    events=len(stretch.events),
                    first=stretch.first,
                    last=stretch.last.number,
                )

    # --- how it stands ---

    @property
    def behind(self) -> int | None:
        """Blocks that could be indexed and are not; None where the chain was not seen yet."""
        if self._head is None:
            return None
        before_first = self._deployment.start_block - 1
        indexed = before_first if self._indexed is None else self._indexed.number
        return max(0, self._head - self._config.confirmations - indexed)

    async def status(self) -> answers.StatusAnswer:
        """How far the index is, and what keeps it.

        Raises:
            DatabaseError: the index cannot be read now.
        """
        state, found = await self._reader.read(
            lambda connection: (revision(connection), self._counts(connection))
        )
        indexed = self._indexed
        return answers.StatusAnswer(
            network=self._deployment.name,
            chain_id=self._deployment.chain_id,
            token=token_of(self._deployment),
            contracts=dict(self._deployment.contracts),
            revision=state,
            indexed=None
            if indexed is None
            else answers.Block(number=indexed.number, hash=indexed.hash),
            head=self._head,
            blocks_behind=self.behind,
            confirmations=self._config.confirmations,
            # Its text may name endpoints and databases, which are not everybody's business.
            problem=None if self._problem is None else self._problem.code,
            counts=dict(found),
        )

    def _counts(self, connection: Connection) -> Mapping[str, int]:
        """How much there is; everything is counted for that, so not for everybody who asks."""
        now = self._clock.monotonic()
        if self._counted is None or now - self._counted[0] >= _COUNT_SECONDS:
            self._counted = now, counts(connection)
        return self._counted[1]

    def ready(self) -> answers.Ready:
        """Whether the index is up with the chain."""
        if self._problem is not None:
            return answers.Ready(ready=False, reason=self._problem.code)
        behind = self.behind
        if behind is None:
            return answers.Ready(ready=False, reason="starting")
        if behind > self._config.ready_blocks:
            return answers.Ready(ready=False, reason="behind")
        return answers.Ready(ready=True, reason="")

    async def obstacles(self) -> list[Obstacle]:
        """Why the index is not up with the chain."""
        told = self.ready()
        return [] if told.ready else [Obstacle(told.reason, "the index is not up with the chain")]

    async def exposition(self) -> bytes:
        """Its metrics, as Prometheus reads them."""
        status = await self.status()
        facts = indexer_facts(
            network=status.network,
            phase="stopping" if self._stopping.is_set() else "running",
            ready=self.ready().ready,
            data_dir=self._config.data_dir,
            rpc=self._rpc.health,
            head=status.head,
            indexed=None if status.indexed is None else status.indexed.number,
            problem=status.problem,
            counts=status.counts,
        )
        return self._metrics.exposition(facts)

    # --- loops ---

    async def _follow(self) -> None:
        pause = self._config.poll_seconds
        while True:
            try:
                await self.catch_up()
            except GatelessError as error:
                # Whatever a node makes of an answer: what is indexed is still told to who asks.
                self._problem = error
                pause = min(pause * 2, _MAX_PAUSE_SECONDS)
                log.warning("not-followed", code=error.code, text=error.message, again_in=pause)
            else:
                self._problem = None
                pause = self._config.poll_seconds
            await self._clock.sleep(pause)

    async def _fetch_manifests(self) -> None:
        while True:
            try:
                busy = await self._manifests.fetch_some()
            except DatabaseError as error:
                log.warning("manifests-not-fetched", code=error.code, text=error.message)
                busy = 0
            await self._clock.sleep(0 if busy else self._config.poll_seconds)


def token_of(deployment: Deployment) -> answers.Token:
    """The network's token as the API tells it."""
    token = deployment.token
    return answers.Token(address=token.address, symbol=token.symbol, decimals=token.decimals)
