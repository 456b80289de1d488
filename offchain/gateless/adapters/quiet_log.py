"""A log for parts that libraries and commands use too: it says nothing until a program wants it."""

from __future__ import annotations

from typing import Any

import structlog


class QuietLog:
    """Writes events by structlog in programs that have set it up, and nothing in others.

    A command's output is its answer, and a library's caller has a log of his own.

    Args:
        name: of the module.
    """

    def __init__(self, name: str) -> None:
        self._log = structlog.get_logger(name)

    def info(self, event: str, **facts: Any) -> None:
        """What an operator may want to know."""
        if structlog.is_configured():
            self._log.info(event, **facts)

    def warning(self, event: str, **facts: Any) -> None:
        """What passes, but should not happen often."""
        if structlog.is_configured():
            self._log.warning(event, **facts)

    def error(self, event: str, **facts: Any) -> None:
        """What an operator should see to."""
        if structlog.is_configured():
            self._log.error(event, **facts)
