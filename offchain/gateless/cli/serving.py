"""Commands that serve HTTP: their options, and serving until they are told to stop."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Annotated

import typer

from gateless.core.errors import InputError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from gateless.daemon.serving import ServerConfig, ServerLimits

#: For transfers that are under way.
_SHUTDOWN_SECONDS = 10


async def serve_until(
    stopped: asyncio.Event,
    app: FastAPI,
    listener: socket.socket,
    limits: ServerLimits | None = None,
) -> None:
    """Serves until ``stopped`` is set, then lets open transfers finish."""
    from gateless.daemon.serving import server_for

    server = server_for(app, limits, shutdown_seconds=_SHUTDOWN_SECONDS)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    waiting = asyncio.create_task(stopped.wait())
    try:
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        await serving
    finally:
        waiting.cancel()


# --- options of all commands that serve ---

_PANEL = "Serving"

MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        rich_help_panel=_PANEL,
        help="Serve what is the operator's alone (metrics, readiness) here and not at --port.",
    ),
]
MetricsHost = Annotated[
    str, typer.Option(rich_help_panel=_PANEL, help="Address for --metrics-port.")
]
TrustedProxies = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=_PANEL,
        help="Believe X-Forwarded-For of this proxy; may be given several times.",
    ),
]


def server_config(
    metrics_port: int | None, metrics_host: str, trusted_proxies: list[str] | None
) -> ServerConfig:
    """What these options say.

    Raises:
        InputError: ``invalid-proxy``.
    """
    for address in trusted_proxies or ():
        try:
            ip_address(address)
        except ValueError as error:
            raise InputError(
                "invalid-proxy",
                f"{address!r} is no IP address",
                hint="give the address that the proxy connects from, such as 127.0.0.1",
            ) from error
    from gateless.daemon.serving import ServerConfig, ServerLimits

    limits = ServerLimits(trusted_proxies=tuple(trusted_proxies or ()))
    return ServerConfig(metrics_port, metrics_host, limits)
