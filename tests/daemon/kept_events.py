"""A consumer of the follower, which notices what no consumer may be given."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateless.core.types import Event
from gateless.daemon.follower import Follower, Stretch
from gateless.daemon.journals import Position

Row = tuple[int, int, str, str, int]


@dataclass
class Store:
    """A consumer's database. Refuses what comes twice, out of order or with a hole before it."""

    start: int
    remembered: int = 256
    rows: dict[tuple[int, int], Row] = field(default_factory=dict)
    read: list[Position] = field(default_factory=list)
    rewinds: list[int] = field(default_factory=list)

    async def positions(self, limit: int = 256) -> list[Position]:
        return self.read[::-1][:limit]

    async def rewind(self, ancestor: int) -> None:
        assert ancestor == self.start - 1 or ancestor in {entry.number for entry in self.read}
        self.rewinds.append(ancestor)
        self.read = [entry for entry in self.read if entry.number <= ancestor]
        self.rows = {place: row for place, row in self.rows.items() if place[0] <= ancestor}

    def advance(self, stretch: Stretch) -> None:
        assert stretch.first == (self.read[-1].number + 1 if self.read else self.start)
        assert stretch.last.number >= stretch.first
        before = (0, 0)
        for event in stretch.events:
            assert stretch.first <= event.block_number <= stretch.last.number
            row = row_of(event)
            place = row[:2]
            assert place not in self.rows
            assert place > before
            self.rows[place] = row
            before = place
        self.read = [*self.read, stretch.last][-self.remembered :]

    @property
    def all_rows(self) -> list[Row]:
        return [self.rows[place] for place in sorted(self.rows)]


def row_of(event: Event) -> Row:
    return (
        event.block_number,
        event.log_index,
        event.block_hash,
        event.contract,
        int(event.args["amount"] if "amount" in event.args else event.args["value"]),
    )


async def follow(follower: Follower, store: Store) -> None:
    """Reads to the head."""
    async for stretch in follower.poll():
        store.advance(stretch)
