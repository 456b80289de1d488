"""Rows in hand: what reducers read and change while a stretch of events is taken in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from gateless.indexer.schema import PROJECTIONS, blank, key_names

_T = TypeVar("_T")

Row = dict[str, Any]
Key = tuple[Any, ...]
#: Reads rows of a projection by their keys; those that do not exist are left out.
Loader = Callable[[str, list[Key]], Iterable[Row]]

_KEYS = {name: key_names(table) for name, table in PROJECTIONS.items()}
_BLANK = {name: blank(table) for name, table in PROJECTIONS.items()}


class WorkingSet:
    """The rows that events of one stretch touch, and what they were before.

    Values of rows are replaced, never changed in place: lists and mappings too.

    Args:
        load: reads rows that are not here yet.
        addresses: contract's name by its address in lower case, for events that name others.
    """

    def __init__(self, load: Loader, addresses: Mapping[str, str]) -> None:
        self._load = load
        self._addresses = addresses
        self._rows: dict[str, dict[Key, Row | None]] = {name: {} for name in PROJECTIONS}
        self._before: dict[str, dict[Key, Row | None]] = {name: {} for name in PROJECTIONS}

    def contract_at(self, address: str) -> str:
        """Name of the deployment's contract at an address; empty where it is a stranger's."""
        return self._addresses.get(address.lower(), "")

    def preload(self, projection: str, keys: Iterable[Key]) -> list[Row]:
        """Reads rows in one go that are likely to be needed; returns those that exist."""
        rows = self._rows[projection]
        missing = [key for key in dict.fromkeys(keys) if key not in rows]
        if not missing:
            return []
        found = list(self._load(projection, missing))
        rows.update(dict.fromkeys(missing))
        names = _KEYS[projection]
        for row in found:
            rows[tuple(row[name] for name in names)] = row
        return found

    def find(self, projection: str, *key: Any) -> Row | None:
        """A row to read; None where there is none."""
        rows = self._rows[projection]
        if key not in rows:
            self.preload(projection, [key])
        return rows[key]

    def edit(self, projection: str, *key: Any) -> Row:
        """A row to change; a new one, with every column's default, where there was none."""
        row = self.find(projection, *key)
        before = self._before[projection]
        if key not in before:
            before[key] = None if row is None else dict(row)
        if row is None:
            row = dict(zip(_KEYS[projection], key, strict=True)) | _BLANK[projection]
            self._rows[projection][key] = row
        return row

    def changes(self) -> dict[str, dict[Key, tuple[Row | None, Row]]]:
        """Rows that are not what they were, by projection and key: before and now."""
        return {
            projection: {
                key: (was, now)
                for key, was in before.items()
                if (now := self._rows[projection][key]) is not None and now != was
            }
            for projection, before in self._before.items()
            if before
        }


def in_batches(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """The items, so many at a time: databases take only so many values in one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
