"""The indexer as a process: its parts, its API, its signals."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.storage import LocalStore, guarded_client
from gateless.daemon.content import ContentSources
from gateless.daemon.follower import Follower
from gateless.daemon.operating import add_metrics
from gateless.daemon.process import signals
from gateless.daemon.serving import base_url, listen, serve_parted
from gateless.indexer.api.app import indexer_app
from gateless.indexer.config import IndexerConfig
from gateless.indexer.indexer import Indexer, token_of
from gateless.indexer.manifests import ManifestReader
from gateless.indexer.reader import IndexReader
from gateless.indexer.reducers import followed_events
from gateless.indexer.store import IndexStore

log = structlog.get_logger(__name__)

#: Called with the running indexer as soon as it works.
Ready = Callable[[Indexer], None]


async def run_indexer(
    config: IndexerConfig,
    *,
    deployment: Deployment,
    clock: Clock | None = None,
    on_ready: Ready | None = None,
) -> None:
    """Runs an indexer until SIGINT or SIGTERM.

    The log must have been set up (:func:`gateless.daemon.process.configure_log`).

    Raises:
        ConfigError: ``already-running``, ``journal-of-another``, ``port-taken``.
        ChainError: ``rpc-unreachable``, ``wrong-chain-id``, ``no-contract``.
        DatabaseError: ``database-unreachable``.
    """
    async with open_indexer(config, deployment=deployment, clock=clock) as indexer:
        with signals(indexer.stop, indexer.stop):
            if on_ready is not None:
                on_ready(indexer)
            await indexer.run()


@asynccontextmanager
async def open_indexer(
    config: IndexerConfig, *, deployment: Deployment, clock: Clock | None = None
) -> AsyncIterator[Indexer]:
    """An indexer with all its parts, ready to run; closes them at the end.

    Args:
        config: folders, database, port.
        deployment: the network.
        clock: what time it is.
    """
    clock = clock or SystemClock()
    async with contextlib.AsyncExitStack() as stack:
        listening = listen(config.serve_host, config.serve_port)
        if listening is not None:
            stack.enter_context(contextlib.closing(listening))
        store = await IndexStore.open(config.index, deployment)
        stack.push_async_callback(store.close)
        reader = await IndexReader.open(config.index)
        stack.push_async_callback(reader.close)
        client = await stack.enter_async_context(await ChainClient.connect(deployment))
        loopback = deployment.chain_id == DEVELOPMENT_CHAIN_ID
        http = await stack.enter_async_context(
            guarded_client(trusted=config.stores, loopback=loopback)
        )
        sources = ContentSources(
            LocalStore(config.content_dir),
            http,
            stores=config.stores,
            follow_uris=config.follow_uris,
        )
        indexer = Indexer(
            deployment=deployment,
            store=store,
            reader=reader,
            follower=index_follower(client, store, deployment, config.confirmations),
            rpc=client.rpc,
            manifests=ManifestReader(store, sources, clock, config.retry_seconds),
            config=config,
            clock=clock,
            serving_at=base_url(listening),
        )
        app = indexer_app(
            reader,
            token_of(deployment),
            indexer,
            clock,
            rate_per_second=config.rate_per_second,
            burst=config.burst,
        )
        add_metrics(app, indexer)
        operators = await stack.enter_async_context(serve_parted(app, listening, config.server))
        if operators:
            log.info("serving", url=base_url(listening), metrics=operators)
        yield indexer


def index_follower(
    client: ChainClient, store: IndexStore, deployment: Deployment, confirmations: int = 0
) -> Follower:
    """The follower of all events that the index is made of."""
    return Follower(
        client,
        followed_events(deployment.contracts),
        store,
        start_block=deployment.start_block,
        confirmations=confirmations,
        timestamps=True,
    )
