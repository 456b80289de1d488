"""What a command prints: results on stdout, everything else on stderr.

With ``--json`` stdout holds exactly one JSON document and an error is one JSON document on stderr.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from gateless.cli.layout import Facts, Records
from gateless.core.errors import GatelessError

#: Columns of what is no terminal.
_ENDLESS = 100_000
#: Embeddings, overrides and isolates of direction, and what ends them: text would read otherwise.
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class PlainConsole(Console):
    """A console on which text is text, whoever wrote it.

    Names, descriptions, reasons and the errors of other people's servers come from strangers; with
    control characters in them they could move the cursor, hide lines or command the terminal. Rich
    leaves ESC and the C1 controls in.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """As of rich, without control characters in texts. None of them takes any room."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(_plain_text(segment.text), segment.style)


def _plain_text(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        for character in text
        if character in "\n\t"
        or (unicodedata.category(character) != "Cc" and character not in _TURNING)
    )


def _result_width() -> int | None:
    """Of lines on stdout; None for that of the terminal. Who reads from a pipe wants whole lines,
    unless he says how wide they may be.
    """
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return None
    return _ENDLESS


class Output:
    """The two streams of a command."""

    def __init__(self, *, json_output: bool) -> None:
        self.json_output = json_output
        self._out = PlainConsole(file=sys.stdout, highlight=False, width=_result_width())
        self._err = PlainConsole(file=sys.stderr, highlight=False, soft_wrap=True)

    @property
    def interactive(self) -> bool:
        """Whether a person watches: progress and prompts make sense."""
        return not self.json_output and self._err.is_terminal and sys.stdin.isatty()

    @property
    def shows_progress(self) -> bool:
        """Whether live progress may be drawn on stderr."""
        return not self.json_output and self._err.is_terminal

    @property
    def is_live(self) -> bool:
        """Whether results may be drawn anew in place: a person sees stdout."""
        return not self.json_output and self._out.is_terminal

    @property
    def result_console(self) -> Console:
        """Where results are drawn."""
        return self._out

    @property
    def progress_console(self) -> Console:
        """Where live progress is drawn."""
        return self._err

    def result(self, data: Any, *renderables: RenderableType) -> None:
        """Prints a command's result: ``data`` with ``--json``, else the renderables."""
        if self.json_output:
            sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, default=_plain) + "\n")
            sys.stdout.flush()
            return
        for renderable in renderables:
            # Lines of text are left to the terminal, which breaks none where it is copied.
            self._out.print(renderable, soft_wrap=True)

    def note(self, text: str) -> None:
        """Tells people something by the way; silent with ``--json``."""
        if not self.json_output:
            self._err.print(Text(text))

    def warn(self, text: str) -> None:
        """Warns on stderr; with ``--json`` warnings belong into the result."""
        if not self.json_output:
            self._err.print(Text.assemble(("warning: ", "yellow"), text))

    def error(self, error: GatelessError) -> None:
        """``error[code]: message`` and ``hint: …`` on stderr, or the error as JSON."""
        if self.json_output:
            sys.stderr.write(json.dumps(error.to_dict(), ensure_ascii=False, default=_plain) + "\n")
            sys.stderr.flush()
            return
        self._err.print(
            Text.assemble(
                (f"error[{error.code}]", "bold red"), ": ", " ".join(error.message.split())
            )
        )
        if error.hint:
            self._err.print(Text.assemble(("hint", "bold cyan"), ": ", error.hint))

    def interrupted(self, resume: Sequence[str]) -> None:
        """Says after Ctrl-C that nothing is lost and how to go on."""
        if self.json_output:
            document = {"error": "Interrupted", "code": "interrupted", "resume": list(resume)}
            sys.stderr.write(json.dumps(document, ensure_ascii=False) + "\n")
            sys.stderr.flush()
            return
        self._err.print(Text("interrupted", style="yellow"))
        for line in resume or ("nothing was left half-done; run the command again to continue",):
            self._err.print(Text.assemble(("hint", "bold cyan"), ": ", line))


def _plain(value: Any) -> Any:
    """JSON form of what results may hold beyond plain values."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)


def table(*columns: str, rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> Records:
    """A plain table; columns named in ``right`` hold numbers."""
    return Records(columns, rows, right)


def facts(rows: Sequence[tuple[str, str]]) -> Facts:
    """Name and value, one pair a line; nothing is shortened."""
    return Facts(rows)


def short(value: str, *, keep: int = 6) -> str:
    """``0x1234…abcd``, for lists whose ``show`` command prints the whole."""
    return value if len(value) <= 2 * keep + 3 else f"{value[: keep + 2]}…{value[-4:]}"
