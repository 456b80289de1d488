"""A made-up but well-formed history of the network: events of every kind in an order that the
contracts allow, the same for the same seed."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator

from benchmarks.indexing.story.asking import Asking
from benchmarks.indexing.story.offers import KINDS, TOPICS, Offers
from benchmarks.indexing.story.receipts import Receipts
from benchmarks.indexing.story.world import Told

__all__ = ["KINDS", "TOPICS", "Story", "Told"]


class Story(Offers, Asking, Receipts):
    """Events without end."""

    def events(self) -> Iterator[Told]:
        """The events, one after the other, without end."""
        while True:
            yield from self.step()

    def step(self) -> list[Told]:
        """What happens next, at least one event."""
        if not self._names:
            return [*self._found_model(), *self._enter(self._executors[0])]
        steps: list[tuple[int, Callable[[], Iterator[Told]]]] = [
            (3, self._model_step),
            (6, self._executor_step),
            (30, self._ask),
            (60, self._go_on),
            (5, self._receipt_step),
        ]
        while True:
            choices = self._random.choices(steps, [weight for weight, _ in steps])
            told = list(choices[0][1]())
            if told:
                return told

    def fork(self, seed: int) -> Story:
        """The same up to here, and from here on something else."""
        other = copy.deepcopy(self)
        other._random = random.Random(seed)  # noqa: S311
        return other

    def _go_on(self) -> Iterator[Told]:
        if not self._open:
            return
        request = self._random.choice(list(self._open.values()))
        steps = (self._prove_step, self._lazy_step, self._quorum_step, self._attested_step)
        yield from steps[request.mode](request)
