"""A time limit for what is read of a SQLite database; PostgreSQL has one of its own.

Whoever may ask a database whatever he likes may ask what takes it long.
https://www.sqlite.org/c3ref/progress_handler.html
"""

from __future__ import annotations

import time
from typing import Any

#: Steps of SQLite's machine between two looks at the clock: a fraction of a millisecond.
_STEPS = 10_000


class TimeLimit:
    """Interrupts whatever a connection does when a transaction has taken too long.

    Args:
        connection: SQLAlchemy's, over aiosqlite.
        seconds: from the beginning of a transaction.
    """

    def __init__(self, connection: Any, seconds: float) -> None:
        self._seconds = seconds
        self._end = float("inf")
        connection.run_async(lambda driver: driver.set_progress_handler(self._is_over, _STEPS))

    def start(self) -> None:
        """A transaction begins."""
        self._end = time.monotonic() + self._seconds

    def _is_over(self) -> bool:
        return time.monotonic() > self._end
