"""Measures what an executor adds to the work of model and circuit, for each lazy request.

Two stretches count: from a request being seen (its event read, or its signed form taken in) until
its first transaction is sent, and from its lock being mined until its answer is sent. Time that
witness and model take is left out, and so is everything of a request that had to wait: for a price,
for stake, for a node that was away.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from gateless.adapters.clock import Clock
from gateless.executor.metrics import ExecutorMetrics

log = structlog.get_logger(__name__)

#: Requests that are timed at once: what nobody ever takes up is not remembered for ever.
_MOST = 1_000


@dataclass(slots=True)
class _Stretch:
    step: str
    started: float
    left_out: float = 0.0


class Stopwatch:
    """Times requests by their ids.

    Args:
        clock: what time it is.
        metrics: where the times go.
    """

    def __init__(self, clock: Clock, metrics: ExecutorMetrics) -> None:
        self._clock = clock
        self._metrics = metrics
        self._stretches: dict[int, _Stretch] = {}

    def seen(self, request_id: int) -> None:
        """A request is known from now on. (That a signed one is locked is told as its making.)"""
        if request_id not in self._stretches:
            self._start(request_id, "lock")

    def locked(self, request_id: int) -> None:
        """Its lock is mined: the answer may be sent."""
        self._start(request_id, "answer")

    @contextmanager
    def without(self, request_id: int) -> Iterator[None]:
        """What runs inside does not count."""
        started = self._clock.monotonic()
        try:
            yield
        finally:
            stretch = self._stretches.get(request_id)
            if stretch is not None:
                stretch.left_out += self._clock.monotonic() - started

    def sent(self, request_id: int) -> None:
        """A node has its transaction: the stretch is over."""
        stretch = self._stretches.pop(request_id, None)
        if stretch is not None:
            took = self._clock.monotonic() - stretch.started - stretch.left_out
            self._metrics.overhead_seconds.labels(stretch.step).observe(max(0.0, took))
            log.info(
                "lazy-overhead", request_id=request_id, step=stretch.step, seconds=round(took, 4)
            )

    def forget(self, request_id: int) -> None:
        """It has to wait, or has ended: its time says nothing."""
        self._stretches.pop(request_id, None)

    def _start(self, request_id: int, step: str) -> None:
        while len(self._stretches) >= _MOST:
            del self._stretches[next(iter(self._stretches))]
        self._stretches[request_id] = _Stretch(step, self._clock.monotonic())
