"""What time it is on the chain: deadlines are in its time, whatever the machine's clock says."""

from __future__ import annotations

from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.clock import Clock
from gateless.core.errors import ChainError
from gateless.core.types import Block

#: Seconds by which a machine's clock may be wrong before its operator is told.
TOLERATED_SECONDS = 60.0
#: What a node answers that shows no block to come.
_NO_PENDING = frozenset({"unknown-block", "rpc-invalid", "rpc-error"})


class ChainTime:
    """The time of the newest block seen, and what has passed since by a clock that never jumps.

    Args:
        clock: of this machine. Its time of day counts only before the first block is seen.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: tuple[Block, float] | None = None

    async def ask(self, client: ChainConnection) -> int:
        """Seconds since 1970, by the block that would be mined now.

        Raises:
            ChainError: the chain cannot be read now.
        """
        try:
            return self.see(await client.block("pending"))
        except ChainError as error:
            if error.code not in _NO_PENDING:
                raise
            return self.see(await client.block())

    def see(self, block: Block) -> int:
        """Takes over a block's time. The same block seen again says nothing new.

        Returns:
            The chain's time now.
        """
        if self._seen is None or self._seen[0] != block:
            self._seen = block, self._clock.monotonic()
        return int(self.now)

    @property
    def now(self) -> float:
        """Seconds since 1970, without asking."""
        if self._seen is None:
            return self._clock.now()
        block, at = self._seen
        return block.timestamp + self._clock.monotonic() - at

    @property
    def height(self) -> int:
        """Number of the newest block seen, the one to come included; 0 before the first."""
        return 0 if self._seen is None else self._seen[0].number

    @property
    def skew(self) -> float:
        """Seconds by which this machine's clock is ahead of the chain; negative where behind."""
        return self._clock.now() - self.now
