"""The executor as a process: its parts, its HTTP server, its signals, its log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from gateless_proofs import KeyCache, Limits, Prover, ProvingBackend, ProvingPool
from gateless_proofs.isolation import EVERYTHING, Ways
from gateless_proofs.probing import isolation_of_models
from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.relay import open_relay
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.db import ProcessLock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore, guarded_client
from gateless.daemon.process import signals
from gateless.daemon.serving import WITH_STATUS, base_url, listen, serve_parted
from gateless.daemon.whereabouts import announced
from gateless.executor.config import ExecutorConfig
from gateless.executor.executor import Executor
from gateless.executor.intake.app import intake_app
from gateless.executor.journal import Journal

log = structlog.get_logger(__name__)

#: Called with the running executor as soon as it works, for status views.
Ready = Callable[[Executor], None]


async def run_executor(
    config: ExecutorConfig,
    *,
    deployment: Deployment,
    signer: Signer,
    clock: Clock | None = None,
    journal_type: type[Journal] = Journal,
    on_ready: Ready | None = None,
    receipt_key: Signer | None = None,
) -> None:
    """Runs an executor until it is told to stop.

    The first SIGINT or SIGTERM stops intake and finishes what is locked, the second one ends at
    once. The log must have been set up (:func:`gateless.daemon.process.configure_log`).

    Args:
        config: folders, stores, policy.
        deployment: the network.
        signer: the executor's account.
        clock: what time it is.
        journal_type: how it remembers.
        on_ready: told about the executor before it starts.
        receipt_key: signs receipts for direct calls; None signs none.

    Raises:
        ConfigError: ``already-running``, ``journal-of-another``, ``port-taken``.
        ChainError: ``rpc-unreachable``, ``wrong-chain-id``, ``no-contract``.
        SandboxError: ``sandbox-unavailable``.
    """
    async with open_executor(
        config,
        deployment=deployment,
        signer=signer,
        clock=clock,
        journal_type=journal_type,
        receipt_key=receipt_key,
    ) as executor:
        with signals(executor.stop, executor.abort):
            if on_ready is not None:
                on_ready(executor)
            await executor.run()


@asynccontextmanager
async def open_executor(
    config: ExecutorConfig,
    *,
    deployment: Deployment,
    signer: Signer,
    clock: Clock | None = None,
    prover: Prover | None = None,
    journal_type: type[Journal] = Journal,
    receipt_key: Signer | None = None,
    ways: Ways = EVERYTHING,
) -> AsyncIterator[Executor]:
    """An executor with all its parts, ready to run; closes them at the end.

    Args:
        config: folders, stores, policy.
        deployment: the network.
        signer: the executor's account.
        clock: what time it is.
        prover: makes the proofs; by default processes on this machine, or the cluster that the
            configuration names.
        journal_type: how it remembers.
        receipt_key: signs receipts for direct calls; None signs none.
        ways: what may be used to keep models apart.
    """
    clock = clock or SystemClock()
    limits = Limits(memory_bytes=config.memory_bytes, seconds=config.prove_seconds)
    keys = KeyCache(config.cache_dir, limits) if prover is None else prover.keys
    store = LocalStore(config.content_dir)
    await asyncio.to_thread(store.remove_leftovers)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(ProcessLock(config.data_dir / "lock", what="the executor"))
        listening = listen(config.serve_host, config.serve_port)
        if listening is not None:
            stack.enter_context(contextlib.closing(listening))
        client = await stack.enter_async_context(await ChainClient.connect(deployment))
        client.turns_folder = config.turns_dir or config.data_dir
        journal = await journal_type.open(
            config.journal,
            chain_id=deployment.chain_id,
            market=client.market.address,
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
        relay = await stack.enter_async_context(open_relay(config.relay))
        if prover is None:
            pool = ProvingPool(
                config.memory_bytes,
                config.prove_seconds,
                cores=config.cores,
                shared=(config.cache_dir,),
                isolation=await isolation_of_models(ways, accept_none=config.allow_unsandboxed),
            )
            await stack.enter_async_context(pool)
            prover = Prover(keys, limits, await _backend(config, pool, stack))
        executor = Executor(
            client=client,
            sender=Sender(client, signer, clock=clock, policy=config.sending, relay=relay),
            journal=journal,
            store=store,
            http=http,
            prover=prover,
            keys=keys,
            config=config,
            clock=clock,
            serving_at=base_url(listening),
            receipt_key=receipt_key,
        )
        app = intake_app(store, executor, config.intake, clock)
        operators = await stack.enter_async_context(
            serve_parted(app, listening, config.server, WITH_STATUS)
        )
        stack.enter_context(announced(config.data_dir, operators))
        if operators:
            log.info("serving", url=base_url(listening), metrics=operators)
        yield executor


async def _backend(
    config: ExecutorConfig, pool: ProvingPool, stack: contextlib.AsyncExitStack
) -> ProvingBackend:
    """What makes the proofs: the pool, or a cluster with the pool for everything else."""
    if config.cluster is None:
        return pool
    from gateless_proofs.cluster.backend import ClusterBackend
    from gateless_proofs.cluster.wire import Options

    options = Options(
        config.cluster,
        config.cluster_node_memory_bytes,
        config.cluster_node_cores,
        allow_unsandboxed=config.allow_unsandboxed,
    )
    return await stack.enter_async_context(ClusterBackend(options, pool, config.prove_seconds))
