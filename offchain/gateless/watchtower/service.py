"""The watchtower as a process: its parts, its HTTP inbox, its signals."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import structlog
from gateless_proofs import KeyCache, Limits, Prover, ProvingPool
from gateless_proofs.isolation import EVERYTHING, Ways
from gateless_proofs.probing import isolation_of_models
from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.lazy import has_lazy_market
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.db import ProcessLock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore, guarded_client
from gateless.daemon.content import ContentSources
from gateless.daemon.operating import add_operating
from gateless.daemon.process import signals
from gateless.daemon.serving import WITH_STATUS, base_url, listen, serve_parted
from gateless.daemon.versions import Versions
from gateless.daemon.whereabouts import announced
from gateless.watchtower.answers import AnswerReader, InputFinder
from gateless.watchtower.audits import VersionAudits
from gateless.watchtower.cases import CaseKind
from gateless.watchtower.challenging import Challenges
from gateless.watchtower.collecting import Collector
from gateless.watchtower.config import WatchtowerConfig
from gateless.watchtower.court import CourtForum
from gateless.watchtower.court_events import CourtEvents
from gateless.watchtower.forum import Forum
from gateless.watchtower.inbox import Inbox, inbox_app
from gateless.watchtower.journal import Journal
from gateless.watchtower.judging import Judge
from gateless.watchtower.lazy import LazyForum
from gateless.watchtower.watchtower import Watchtower

log = structlog.get_logger(__name__)

#: Called with the running watchtower as soon as it works, for status views.
Ready = Callable[[Watchtower], None]


async def run_watchtower(
    config: WatchtowerConfig,
    *,
    deployment: Deployment,
    signer: Signer,
    clock: Clock | None = None,
    on_ready: Ready | None = None,
) -> None:
    """Runs a watchtower until SIGINT or SIGTERM; a second one ends it at once.

    The log must have been set up (:func:`gateless.daemon.process.configure_log`).

    Raises:
        ConfigError: ``already-running``, ``journal-of-another``, ``port-taken``.
        ChainError: ``rpc-unreachable``, ``wrong-chain-id``, ``no-contract``.
        SandboxError: ``sandbox-unavailable``.
    """
    async with open_watchtower(
        config, deployment=deployment, signer=signer, clock=clock
    ) as watchtower:
        with signals(watchtower.stop, watchtower.abort):
            if on_ready is not None:
                on_ready(watchtower)
            await watchtower.run()


@asynccontextmanager
async def open_watchtower(
    config: WatchtowerConfig,
    *,
    deployment: Deployment,
    signer: Signer,
    clock: Clock | None = None,
    journal_type: type[Journal] = Journal,
    ways: Ways = EVERYTHING,
) -> AsyncIterator[Watchtower]:
    """A watchtower with all its parts, ready to run; closes them at the end.

    Args:
        config: folders, budgets.
        deployment: the network.
        signer: the account whose money is put up.
        clock: what time it is.
        journal_type: how it remembers.
        ways: what may be used to keep models apart.
    """
    clock = clock or SystemClock()
    limits = Limits(memory_bytes=config.memory_bytes, seconds=config.job_seconds)
    keys = KeyCache(config.cache_dir, limits)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(ProcessLock(config.data_dir / "lock", what="the watchtower"))
        listening = listen(config.serve_host, config.serve_port)
        if listening is not None:
            stack.enter_context(contextlib.closing(listening))
        client = await stack.enter_async_context(await ChainClient.connect(deployment))
        journal = await journal_type.open(
            config.journal,
            chain_id=deployment.chain_id,
            court=client.court.address,
            account=signer.address,
            clock=clock,
            alone=True,
        )
        stack.push_async_callback(journal.close)
        loopback = config.loopback_stores
        if loopback is None:
            loopback = deployment.chain_id == DEVELOPMENT_CHAIN_ID
        http = await stack.enter_async_context(
            guarded_client(trusted=config.stores, loopback=loopback)
        )
        pool = ProvingPool(
            config.memory_bytes,
            config.job_seconds,
            shared=(config.cache_dir,),
            isolation=await isolation_of_models(ways, accept_none=config.allow_unsandboxed),
        )
        prover = Prover(keys, limits, await stack.enter_async_context(pool))
        store = LocalStore(config.content_dir)
        sources = ContentSources(store, http, stores=config.stores, follow_uris=config.follow_uris)
        versions = Versions(
            client,
            sources,
            keys,
            config.bundles_dir,
            signer.address,
            max_bundle_bytes=config.max_bundle_bytes,
        )
        court = CourtForum(client, journal.court, signer.address)
        forums: dict[CaseKind, Forum] = {
            CaseKind.RECEIPT: court,
            CaseKind.EQUIVOCATION: court,
        }
        answers = finder = None
        if config.watch_lazy and has_lazy_market(deployment):
            lazy = LazyForum(client, signer.address)
            forums |= {CaseKind.LAZY: lazy, CaseKind.LOT: lazy}
            answers = AnswerReader(client, journal, config, signer.address)
            finder = InputFinder(client, journal, sources)
        inbox = Inbox(client, journal, config)
        sender = Sender(client, signer, clock=clock, policy=config.sending)
        watchtower = Watchtower(
            client=client,
            journal=journal,
            inbox=inbox,
            judge=Judge(
                versions,
                prover,
                VersionAudits(keys, limits),
                challenge_unprovable=config.challenge_unprovable,
            ),
            challenges=Challenges(client, sender, signer, journal, forums, config, clock),
            collector=Collector(
                client,
                sender,
                journal,
                clock,
                threshold=config.withdraw_threshold,
                pause=config.retry_seconds,
            ),
            forums=forums,
            court_events=CourtEvents(client, journal.court),
            answers=answers,
            finder=finder,
            pool=pool,
            config=config,
            clock=clock,
            address=signer.address,
            serving_at=base_url(listening),
        )
        app = inbox_app(inbox, journal, clock)

        @app.get("/v1/status")
        async def status() -> dict[str, Any]:
            """What the watchtower does and what keeps it from doing more."""
            return (await watchtower.status()).to_dict()

        add_operating(app, watchtower)
        operators = await stack.enter_async_context(
            serve_parted(app, listening, config.server, WITH_STATUS)
        )
        stack.enter_context(announced(config.data_dir, operators))
        if operators:
            log.info("serving", url=base_url(listening), metrics=operators)
        yield watchtower
