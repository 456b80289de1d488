"""What a program that runs for long needs around its work: a log and signals."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import structlog

from gateless.core.ids import is_digest, spell_request


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
        _spell_requests,
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


def settle_heap() -> None:
    """Leaves what a start has made out of all later searches for garbage: a search of it all takes
    a tenth of a second, in which nothing is sent. For processes that do one thing until they end.

    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    gc.collect()
    gc.freeze()


def _spell_requests(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Any:
    """Ids that are digests as everybody else writes them; as numbers they are longer than what most
    readers of JSON keep exactly.
    """
    for key in ("request_id", "request_ids", "promised", "running", "skipped"):
        if key in line:
            line[key] = _spelled(line[key])
    return line


def _spelled(told: Any) -> Any:
    if isinstance(told, list | tuple):
        return [_spelled(entry) for entry in told]
    return spell_request(told) if isinstance(told, int) and is_digest(told) else told


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
