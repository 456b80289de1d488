"""A circuit breaker: what fails again and again is left alone for a while. Pure but for the clock.

Losses halt for longer: what they stop is left alone until the operator resumes it (:mod:`.halts`).

The pattern is M. Nygard's ("Release It!", 2007): closed while all is well, open after some failures
in a row, half open after a pause, when a single attempt shows whether it works again. The pause
doubles each time it does not.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.clock import Clock
from gateless.executor.halts import RESUME, Halted


@dataclass(frozen=True, slots=True)
class Obstruction:
    """Why a version is left alone: a code, the same in words, and what to do about it."""

    code: str
    text: str
    hint: str


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    opened: int = 0
    closed_until: float = 0.0
    trying: bool = False


class Breaker:
    """Remembers failures by version.

    Args:
        clock: what time it is.
        failures: in a row after which a version is left alone; 0 never leaves one alone.
        pause_seconds: for how long the first time.
        longest_seconds: the pause grows no longer than this.

    Attributes:
        halted: what is left alone until the operator resumes it.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        failures: int,
        pause_seconds: float,
        longest_seconds: float = 3600.0,
    ) -> None:
        self._clock = clock
        self._limit = failures
        self._pause = pause_seconds
        self._longest = longest_seconds
        self._circuits: dict[int, _Circuit] = {}
        self.halted = Halted()

    @property
    def resting(self) -> dict[int, float]:
        """Versions that are left alone now, and for how many seconds yet."""
        now = self._clock.monotonic()
        return {
            version_id: circuit.closed_until - now
            for version_id, circuit in self._circuits.items()
            if circuit.opened and circuit.closed_until > now
        }

    def admits(self, version_id: int) -> bool:
        """Whether work on a version may begin; after a pause one attempt at a time."""
        if self.halted.of(version_id):
            return False
        circuit = self._circuits.get(version_id)
        if circuit is None or not circuit.opened:
            return True
        return not circuit.trying and self._clock.monotonic() >= circuit.closed_until

    def obstacle(self, version_id: int) -> Obstruction | None:
        """Why nothing may be promised for a version now, whoever has begun with it; None where it
        may.
        """
        if self.halted.of(version_id):
            what = "nothing" if self.halted.everything else f"nothing of version {version_id}"
            return Obstruction(
                "halted" if self.halted.everything else "version-halted",
                f"{what} is promised since something was lost",
                f"find the cause in the log, then: {RESUME}",
            )
        pause = self.resting.get(version_id)
        if pause is None:
            return None
        return Obstruction(
            "version-resting",
            f"version {version_id} failed again and again; it is left alone for {pause:.0f} s",
            "find the cause in the log, or put the version on the deny list",
        )

    def begun(self, version_id: int) -> None:
        """Work on a version begins."""
        circuit = self._circuits.get(version_id)
        if circuit is not None and circuit.opened:
            circuit.trying = True

    def ended(self, version_id: int) -> None:
        """An attempt ended that showed nothing, such as one that was not wanted any more."""
        circuit = self._circuits.get(version_id)
        if circuit is not None:
            circuit.trying = False

    def succeeded(self, version_id: int) -> None:
        """Something of a version worked: all is forgotten."""
        self._circuits.pop(version_id, None)

    def failed(self, version_id: int) -> bool:
        """Something of a version failed; returns whether it is left alone from now on."""
        if self._limit == 0:
            return False
        circuit = self._circuits.setdefault(version_id, _Circuit())
        circuit.failures += 1
        if circuit.failures < self._limit and not circuit.opened:
            return False
        pause = min(self._longest, self._pause * 2.0**circuit.opened)
        circuit.opened += 1
        circuit.trying = False
        circuit.closed_until = self._clock.monotonic() + pause
        return True
