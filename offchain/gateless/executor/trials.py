"""Proofs that nobody was promised: to measure a version, to see whether the verifier takes it, or
ahead of a lock. They use what is left of the machine, and give it up when what is owed needs it.

The pool starts the most urgent proof first, but interrupts none: one of minutes, begun on an idle
machine, would hold up a lock that was taken a second later until its collateral was gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import structlog

from gateless.adapters.clock import Clock
from gateless.core.errors import ProofError
from gateless.executor.owed import Owed

log = structlog.get_logger(__name__)

T = TypeVar("T")

PUT_OFF = "proof-put-off"
_LOOK_SECONDS = 0.2


class Trials:
    """Makes proofs that give way.

    Args:
        owed: what they give way to.
        clock: for how long one was under way.
    """

    def __init__(self, owed: Owed, clock: Clock) -> None:
        self._owed = owed
        self._clock = clock

    async def run(self, make: Callable[[], Coroutine[Any, Any, T]], purpose: str) -> T:
        """Makes a proof unless, or until, something that is owed needs the machine.

        Args:
            make: makes it; cancelled, it frees its place at once.
            purpose: what it is for, in words.

        Raises:
            ProofError: ``proof-put-off``: it is to be begun again some time later.
            GatelessError: whatever ``make`` raises.
        """
        if await self._owed.presses():
            raise _put_off(purpose)
        started = self._clock.monotonic()
        task = asyncio.ensure_future(make())
        try:
            while True:
                await asyncio.wait({task}, timeout=_LOOK_SECONDS)
                if task.done():
                    return task.result()
                if await self._owed.presses():
                    seconds = round(self._clock.monotonic() - started, 1)
                    log.info(PUT_OFF, purpose=purpose, seconds=seconds)
                    raise _put_off(purpose)
        finally:
            if not task.done():
                task.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await task


def _put_off(purpose: str) -> ProofError:
    return ProofError(
        "proof-put-off",
        f"the proof for {purpose} waits: what was promised needs the machine",
        hint="it is tried again by itself; a faster machine has more room beside its promises",
    )
