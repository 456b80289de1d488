"""How many blocks' logs an endpoint gives at a time: found out, remembered, tried again slowly."""

from __future__ import annotations

#: Blocks asked for at first. Providers allow between ten and some ten thousand.
INITIAL_BLOCKS = 2_000
MAX_BLOCKS = 20_000
#: After a refusal a larger range is tried after that many answers in full, by an eighth more.
_PATIENCE = 16


class LogRange:
    """The range of blocks that one endpoint is asked for.

    Until a range is refused it doubles with each answer, up to :data:`MAX_BLOCKS`. After a refusal
    it is what the refusal names, else what was answered last, else half of what was refused; and it
    grows slowly: limits by result or time depend on what is in the blocks, so what was too much
    once need not be for ever.

    Args:
        blocks: asked for at first.
    """

    def __init__(self, blocks: int = INITIAL_BLOCKS) -> None:
        self.blocks = blocks
        self._was_refused = False
        self._answers = 0
        self._good = 0

    def answered(self, blocks: int) -> None:
        """Logs of so many blocks were given."""
        self._good = max(self._good, blocks)
        if blocks < self.blocks:
            return  # the end of what was wanted: says nothing about the limit
        if not self._was_refused:
            self.blocks = min(2 * self.blocks, MAX_BLOCKS)
            return
        self._answers += 1
        if self._answers >= _PATIENCE:
            self._answers = 0
            self.blocks = min(self.blocks + max(1, self.blocks // 8), MAX_BLOCKS)

    def refused(self, blocks: int, allowed: int | None = None) -> None:
        """Logs of so many blocks were not given; ``allowed`` where the refusal names a range."""
        self._was_refused = True
        self._answers = 0
        half = max(1, blocks // 2)
        if allowed is not None and 0 < allowed < blocks:
            self.blocks = allowed
        elif half < self._good < blocks:
            self.blocks = self._good
        else:
            self.blocks = half
        self._good = 0
