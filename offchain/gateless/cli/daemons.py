"""Asks a running program how it does, and shows that again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from gateless.cli.context import Cli
from gateless.cli.foreground import stop_signal
from gateless.cli.urls import http_url
from gateless.core.errors import GatelessError

_TIMEOUT_SECONDS = 5.0
_MAX_ANSWER_BYTES = 16 << 20

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", metavar="URL", help="Where it serves (default: the one whose journal is here)."
    ),
]
WatchOption = Annotated[
    bool, typer.Option("--watch", "-w", help="Show it until Ctrl-C, as it changes.")
]
IntervalOption = Annotated[
    float, typer.Option(metavar="SECONDS", min=0.2, help="Pause between two looks.")
]


async def ask_program(folder: Path, url: str | None, account: str) -> dict[str, Any] | None:
    """The status of the program of an account; None where none answers.

    Args:
        folder: of its journal.
        url: where it serves; None takes what it wrote into its folder.
        account: whose it must be.

    Raises:
        InputError: ``invalid-url``.
    """
    import httpx
    from pydantic_core import from_json

    from gateless.adapters.bounded_http import request_bounded
    from gateless.daemon.whereabouts import find_announced

    where = http_url(url, "--url") if url else find_announced(folder)
    if where is None:
        return None
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as http:
            answer = await request_bounded(
                http, "GET", f"{where.rstrip('/')}/v1/status", most=_MAX_ANSWER_BYTES
            )
            told = from_json(answer.content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return None
    if not isinstance(told, Mapping):
        return None
    return dict(told) if str(told.get("address", "")).lower() == account.lower() else None


async def keep_showing(
    cli: Cli, look: Callable[[], Awaitable[RenderableType]], interval: float
) -> None:
    """Draws what ``look`` returns until Ctrl-C, on the whole terminal.

    A chain that is away for a while is shown like everything else.
    """
    with (
        stop_signal() as stopped,
        Live(
            await look(), console=cli.output.result_console, screen=True, auto_refresh=False
        ) as live,
    ):
        while not stopped.is_set():
            live.update(await _shown(look), refresh=True)
            try:
                await asyncio.wait_for(stopped.wait(), interval)
            except TimeoutError:
                continue


async def _shown(look: Callable[[], Awaitable[RenderableType]]) -> RenderableType:
    try:
        return await look()
    except GatelessError as error:
        return Group(
            Text.assemble((error.code, "yellow"), f": {error.message}"),
            Text.assemble(("hint", "cyan"), f": {error.hint}"),
        )
