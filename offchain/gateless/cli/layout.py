"""Pairs and tables that never break a word.

Ids, addresses, signatures, paths and commands are there to be copied. Where a line is too short for
one of them it goes on a line of its own, and a table whose rows do not fit is shown row by row.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_GAP = 2


class Facts:
    """Name and value, one pair a line; nothing is shortened.

    Args:
        rows: the pairs.
    """

    def __init__(self, rows: Sequence[tuple[str, str]]) -> None:
        self.rows = tuple(rows)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Values are wrapped between words, under each other."""
        indent = max((cell_len(name) for name, _ in self.rows), default=0) + _GAP
        for name, value in self.rows:
            margin = indent
            if _longest_word(value) > options.max_width - indent:
                yield _line(Text(name, style="bold"))
                margin = _GAP if _longest_word(value) <= options.max_width - _GAP else 0
                first = " " * margin
            else:
                first = name + " " * (indent - cell_len(name))
            room = max(options.max_width - margin, _longest_word(value), 1)
            for line in Text(value).wrap(console, room) or [Text()]:
                lead = Text(first, style="bold" if first.strip() else "")
                yield _line(Text.assemble(lead, line))
                first = " " * margin


class Records:
    """A plain table.

    Args:
        columns: their names.
        rows: cells by column.
        right: names of the columns that hold numbers.
    """

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()
    ) -> None:
        self.columns = tuple(columns)
        self.rows = tuple(tuple(row) for row in rows)
        self.right = frozenset(right)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Side by side where every word fits, else one row under the other."""
        widths = self._widths(options.max_width)
        if widths is None:
            for index, row in enumerate(self.rows):
                if index:
                    yield _line(Text())
                yield Facts(list(zip(self.columns, row, strict=True)))
            return
        shown = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
        for column, width in zip(self.columns, widths, strict=True):
            shown.add_column(
                column,
                justify="right" if column in self.right else "left",
                width=width,
                overflow="fold",
            )
        for row in self.rows:
            shown.add_row(*(Text(cell) for cell in row))
        yield shown

    def _widths(self, room: int) -> list[int] | None:
        """Of each column; None where the longest words do not fit beside each other."""
        cells = [self.columns, *self.rows]
        least = [max(map(_longest_word, column)) for column in zip(*cells, strict=True)]
        most = [max(map(_longest_line, column)) for column in zip(*cells, strict=True)]
        spare = room - sum(least) - _GAP * (len(least) - 1)
        if spare < 0:
            return None
        widths = list(least)
        while spare > 0 and widths != most:
            # Who has least room of those that want more: so no column starves beside a talkative.
            poorest = min(
                (index for index, width in enumerate(widths) if width < most[index]),
                key=lambda index: widths[index],
            )
            widths[poorest] += 1
            spare -= 1
        return widths


def _line(text: Text) -> Text:
    """A line that is never wrapped, shortened or cut."""
    text.no_wrap, text.overflow = True, "ignore"
    return text


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split()), default=0)


def _longest_line(text: str) -> int:
    return max(map(cell_len, text.splitlines()), default=0)
