"""Runs an HTTP application until the command is told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from gateless.core.errors import ConfigError


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: the command decides when to stop."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        ConfigError: ``port-taken``.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise ConfigError(
            "port-taken",
            f"cannot listen on {host} port {port}: {error.strerror or error}",
            hint="choose another --port (0 takes a free one) or --host",
        ) from error


async def serve_until(stopped: asyncio.Event, app: FastAPI, listener: socket.socket) -> None:
    """Serves until ``stopped`` is set, then lets open transfers finish."""
    config = uvicorn.Config(
        app, log_level="warning", lifespan="off", timeout_graceful_shutdown=10, ws="none"
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        waiting.cancel()
