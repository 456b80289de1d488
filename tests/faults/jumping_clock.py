"""The machine's clock, set wrong: what shows the time jumps, what measures it goes on."""

from __future__ import annotations

from gateless.adapters.clock import SystemClock


class JumpingClock(SystemClock):
    """``offset`` seconds away from the machine's clock; may be set at any time."""

    def __init__(self) -> None:
        self.offset = 0.0

    def now(self) -> float:
        return super().now() + self.offset
