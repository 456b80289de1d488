"""Waiting for what comes by and by: tests poll, they never assert right after a step."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

#: Long enough for a busy machine; nothing waits that long where all is well.
PATIENCE_SECONDS = 60.0


async def eventually(
    what: str, condition: Callable[[], Awaitable[bool]], seconds: float = PATIENCE_SECONDS
) -> None:
    """Waits until a condition holds; fails, naming it, where it does not come true."""
    end = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        await asyncio.sleep(0.1)
