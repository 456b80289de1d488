"""The executor as a process: its parts, its HTTP server, its signals, its log."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import structlog
import uvicorn
from fastapi import FastAPI
from gateless_proofs import KeyCache, Limits, Prover, ProvingPool

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.db import ProcessLock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore, create_app
from gateless.core.errors import ConfigError
from gateless.executor.config import ExecutorConfig
from gateless.executor.executor import Executor
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
) -> None:
    """Runs an executor until it is told to stop.

    The first SIGINT or SIGTERM stops intake and finishes what is locked, the second one ends at
    once. The log must have been set up (:func:`configure_log`).

    Args:
        config: folders, stores, policy.
        deployment: the network.
        signer: the executor's account.
        clock: what time it is.
        journal_type: how it remembers.
        on_ready: told about the executor before it starts.

    Raises:
        ConfigError: ``already-running``, ``journal-of-another``, ``port-taken``.
        ChainError: ``rpc-unreachable``, ``wrong-chain-id``, ``no-contract``.
    """
    async with open_executor(
        config, deployment=deployment, signer=signer, clock=clock, journal_type=journal_type
    ) as executor:
        with _signals(executor):
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
) -> AsyncIterator[Executor]:
    """An executor with all its parts, ready to run; closes them at the end.

    Args:
        config: folders, stores, policy.
        deployment: the network.
        signer: the executor's account.
        clock: what time it is.
        prover: makes the proofs; by default processes on this machine.
        journal_type: how it remembers.
    """
    clock = clock or SystemClock()
    limits = Limits(memory_bytes=config.memory_bytes, seconds=config.prove_seconds)
    keys = KeyCache(config.cache_dir, limits)
    store = LocalStore(config.content_dir)
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(ProcessLock(config.data_dir / "lock", what="the executor"))
        listening = _listen(config)
        if listening is not None:
            stack.enter_context(contextlib.closing(listening))
        client = await stack.enter_async_context(await ChainClient.connect(deployment))
        journal = await journal_type.open(
            config.journal_path,
            chain_id=deployment.chain_id,
            market=client.market.address,
            account=signer.address,
            clock=clock,
        )
        stack.push_async_callback(journal.close)
        http = await stack.enter_async_context(httpx.AsyncClient())
        if prover is None:
            pool = ProvingPool(config.memory_bytes, config.prove_seconds, cores=config.cores)
            prover = Prover(keys, limits, await stack.enter_async_context(pool))
        executor = Executor(
            client=client,
            sender=Sender(client, signer, clock=clock),
            journal=journal,
            store=store,
            http=http,
            prover=prover,
            keys=keys,
            config=config,
            clock=clock,
            serving_at=_base_url(listening),
        )
        if listening is not None:
            await stack.enter_async_context(_serve(_app(store, executor), listening))
            log.info("serving", url=_base_url(listening))
        yield executor


def configure_log(*, json_lines: bool, level: int = logging.INFO) -> None:
    """Sets structlog up for this process: one event per line on stderr.

    Args:
        json_lines: JSON objects for machines; coloured text for a terminal otherwise.
        level: least level that is written.
    """
    renderer: Any = (
        structlog.processors.JSONRenderer() if json_lines else structlog.dev.ConsoleRenderer()
    )
    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if json_lines:
        processors.append(structlog.processors.format_exc_info)
    structlog.configure(
        processors=[*processors, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        # Looked up at each line: whoever replaces stderr gets the lines from then on.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _app(store: LocalStore, executor: Executor) -> FastAPI:
    """The content store, and what the executor says of itself."""
    app = create_app(store)

    @app.get("/v1/status")
    async def status() -> dict[str, Any]:
        """What the executor does and what keeps it from doing more."""
        return (await executor.status()).to_dict()

    return app


def _listen(config: ExecutorConfig) -> socket.socket | None:
    if config.serve_port is None:
        return None
    try:
        return socket.create_server((config.serve_host, config.serve_port))
    except OSError as error:
        raise ConfigError(
            "port-taken",
            f"cannot serve on {config.serve_host}:{config.serve_port}: {error.strerror}",
            hint="choose another port; 0 takes a free one",
        ) from error


def _base_url(listening: socket.socket | None) -> str:
    if listening is None:
        return ""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that leaves signals to the executor."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _serve(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        # Downloads that are under way may not hold up a shutdown.
        server.force_exit = True
        await task


@contextlib.contextmanager
def _signals(executor: Executor) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        if told:
            executor.abort()
        told = True
        executor.stop()

    names = (signal.SIGINT, signal.SIGTERM)
    for name in names:
        loop.add_signal_handler(name, stop)
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)
