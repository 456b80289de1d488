"""Turns of the processes that send from one account: no two of them take the same nonce.

From the moment a nonce is taken until a node has its transaction, a process holds the account's
lock, a file that the operating system unlocks when its holder dies. After that the node's count
shows the nonce to everybody.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from gateless.adapters.quiet_log import QuietLog

#: Pause between two tries to take the lock.
_POLL_SECONDS = 0.02
#: A process that has held it for so long lets others have a turn before it takes on more.
_LONG_SECONDS = 0.5
#: Nobody waits longer: then the chain decides whose transaction takes a nonce, as it does for
#: wallets on other machines.
_PATIENCE_SECONDS = 15.0
#: What was taken and is neither sent nor given back after that time was forgotten.
_FORGOTTEN_SECONDS = 30.0

log = QuietLog(__name__)


class AccountTurns:
    """One process's turns; it may hold several nonces in one.

    Args:
        path: of the lock; the same for all processes that send from the account.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entering = asyncio.Lock()
        self._held: int | None = None
        self._since = 0.0
        self._count = 0

    async def enter(self) -> Callable[[], None]:
        """Waits for a turn; returns what ends it, which may be called more than once."""
        async with self._entering:
            loop = asyncio.get_running_loop()
            end = loop.time() + _PATIENCE_SECONDS
            if self._count and loop.time() - self._since > _LONG_SECONDS:
                while self._count and loop.time() < end:  # noqa: ASYNC110 -- ends with any of them
                    await asyncio.sleep(_POLL_SECONDS)
                await asyncio.sleep(2 * _POLL_SECONDS)  # others look for it now
            while self._held is None and not self._taken():
                if loop.time() >= end:
                    log.warning("account-in-use", lock=self._path.name)
                    break
                await asyncio.sleep(_POLL_SECONDS)
            if not self._count:
                self._since = loop.time()
            self._count += 1
            is_over = False

            def leave() -> None:
                nonlocal is_over
                if not is_over:
                    is_over = True
                    timer.cancel()
                    self._left()

            timer = loop.call_later(_FORGOTTEN_SECONDS, leave)
            return leave

    def _taken(self) -> bool:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._held = descriptor
        return True

    def _left(self) -> None:
        self._count -= 1
        if not self._count and self._held is not None:
            os.close(self._held)
            self._held = None
