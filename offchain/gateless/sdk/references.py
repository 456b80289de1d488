"""How people write down which version they mean.

=================  =====================================================
``digits``         the version that the alias ``latest`` points to
``digits@stable``  the version that another alias points to
``digits@3``       the version with index 3 (indices start at 0)
``4294967299``     a version id, as printed by the tools
=================  =====================================================

Version ids start at 2^32, so a short all-digit name stays a name; a longer one is written
``name@latest``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gateless.core.errors import InputError

DEFAULT_ALIAS = "latest"

_FIRST_VERSION_ID = 1 << 32
_LAST_VERSION_ID = (1 << 64) - 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_HINT = "write a model name, name@alias, name@index or a version id"


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference: either a version id, or a model name with an alias or an index."""

    version_id: int | None = None
    name: str | None = None
    alias: str | None = None
    index: int | None = None

    def __str__(self) -> str:
        if self.version_id is not None:
            return str(self.version_id)
        return f"{self.name}@{self.index if self.index is not None else self.alias}"


def check_model_name(name: str) -> str:
    """Returns a name that ``ModelRegistry`` takes.

    Raises:
        InputError: ``invalid-name``.
    """
    if not _NAME.fullmatch(name):
        raise InputError(
            "invalid-name",
            f"{name!r} is not a model name",
            hint="use 1 to 64 of a-z, 0-9, '-', '_' and '.', starting with a letter or digit",
        )
    return name


def parse_reference(text: str | int) -> Reference:
    """Reads a reference; does not look anything up.

    Raises:
        InputError: ``invalid-reference``.
    """
    if isinstance(text, int):
        return _version_id(text)
    value = text.strip()
    if value.isascii() and value.isdigit() and int(value) >= _FIRST_VERSION_ID:
        return _version_id(int(value))
    name, at, pointer = value.partition("@")
    if not _NAME.fullmatch(name) or (at and not pointer):
        raise InputError("invalid-reference", f"{text!r} names no version", hint=_HINT)
    if pointer.isascii() and pointer.isdigit():
        index = int(pointer)
        if index >= _FIRST_VERSION_ID:
            raise InputError("invalid-reference", f"{text!r}: index out of range", hint=_HINT)
        return Reference(name=name, index=index)
    if at and not _NAME.fullmatch(pointer):
        raise InputError("invalid-reference", f"{pointer!r} is not an alias", hint=_HINT)
    return Reference(name=name, alias=pointer or DEFAULT_ALIAS)


def _version_id(value: int) -> Reference:
    if not _FIRST_VERSION_ID <= value <= _LAST_VERSION_ID:
        raise InputError("invalid-reference", f"{value} is not a version id", hint=_HINT)
    return Reference(version_id=value)
