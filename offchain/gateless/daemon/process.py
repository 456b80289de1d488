"""What a program that runs for long needs around its work: a log, an HTTP server, signals."""

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

import structlog
import uvicorn
from fastapi import FastAPI

from gateless.core.errors import ConfigError


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


def listen(host: str, port: int | None) -> socket.socket | None:
    """A socket to serve on: a port of 0 takes a free one, None serves nothing.

    Raises:
        ConfigError: ``port-taken``.
    """
    if port is None:
        return None
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise ConfigError(
            "port-taken",
            f"cannot serve on {host}:{port}: {error.strerror}",
            hint="choose another port; 0 takes a free one",
        ) from error


def base_url(listening: socket.socket | None) -> str:
    """Where a socket is reached; empty where nothing is served."""
    if listening is None:
        return ""
    host, port = listening.getsockname()[:2]
    return f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A server that leaves signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serve(app: FastAPI, listening: socket.socket) -> AsyncIterator[None]:
    """Serves an application for the length of the block."""
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
def signals(stop: Callable[[], None], abort: Callable[[], None]) -> Iterator[None]:
    """The first SIGINT or SIGTERM calls ``stop``, each later one ``abort`` too."""
    loop = asyncio.get_running_loop()
    told = False

    def tell() -> None:
        nonlocal told
        if told:
            abort()
        told = True
        stop()

    names = (signal.SIGINT, signal.SIGTERM)
    for name in names:
        loop.add_signal_handler(name, tell)
    try:
        yield
    finally:
        for name in names:
            loop.remove_signal_handler(name)
