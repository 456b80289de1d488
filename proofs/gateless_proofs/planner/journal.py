"""What a plan has found out so far, on disk: an interrupted build goes on where it was.

Lines of JSON, written when they are true and never changed. A line that was cut off by a kill is
ignored. The folder's name says what the findings are about, so they are never read for another
model, other data, other options or other versions of the libraries.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gateless.core.ids import sha256_hex

_ASKED = "asked"
_FATAL = "fatal"


class FatalQuestionError(Exception):
    """A process died when it was asked this; it is not asked again."""


def journal_name(subject: Mapping[str, Any]) -> str:
    """Digest of all that findings depend on."""
    return sha256_hex(json.dumps(subject, sort_keys=True).encode())


class Journal:
    """Findings by key, kept in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, Any] = {}
        self._open: list[str] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file():
            for line in path.read_bytes().splitlines():
                try:
                    key, value = json.loads(line)
                except (ValueError, TypeError):
                    continue  # the writer was killed in the middle of this line
                self._known[key] = value

    def __len__(self) -> int:
        return len(self._known)

    def find(self, kind: str, subject: Mapping[str, Any]) -> Any | None:
        """What was found out before, or None."""
        return self._known.get(_key(kind, subject))

    def keep(self, kind: str, subject: Mapping[str, Any], value: Any) -> None:
        """Remembers a finding; it outlives this process from here on."""
        key = _key(kind, subject)
        self._known[key] = value
        self._write([key, value])

    def once(self, kind: str, subject: Mapping[str, Any], find: Callable[[], Any]) -> Any:
        """A finding from the file, or found now and kept.

        Raises:
            FatalQuestionError: an earlier process died over this question.
        """
        known = self.find(kind, subject)
        if known is None:
            self._open.append(_key(kind, subject))
            self._write([_ASKED, self._open[-1]])
            try:
                known = find()
            finally:
                self._open.pop()
            self.keep(kind, subject, known)
            if self._open:  # the question that this one was part of goes on
                self._write([_ASKED, self._open[-1]])
        elif isinstance(known, dict) and _FATAL in known:
            raise FatalQuestionError(known[_FATAL])
        return known

    def blame(self, reason: str) -> bool:
        """Marks the question that was asked last and never answered as fatal.

        Returns:
            Whether there was one; if not, asking again would end the same way.
        """
        asked = self._known.get(_ASKED)
        if not isinstance(asked, str) or asked in self._known:
            return False
        self._write([asked, {_FATAL: reason}])
        return True

    def _write(self, line: list[Any]) -> None:
        # A line break first: the last line may have been cut off.
        with self.path.open("ab") as stream:
            stream.write(b"\n" + json.dumps(line).encode() + b"\n")


def _key(kind: str, subject: Mapping[str, Any]) -> str:
    return kind + ":" + sha256_hex(json.dumps(subject, sort_keys=True).encode())
