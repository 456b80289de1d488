"""Structs of contracts as Python values: the same members, in the same order.

The markets that keep one word per request hold hashes of such structs only, so whoever calls them
shows the struct that an event told, and every bit counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, ClassVar, Self

from gateless.core.addresses import is_checksum_address
from gateless.core.errors import InputError

Members = tuple[tuple[str, str], ...]


class Struct:
    """A struct of the contract. Values that do not fit their Solidity type are refused."""

    MEMBERS: ClassVar[Members]

    def __post_init__(self) -> None:
        for (name, kind), value in zip(self.MEMBERS, self._values(), strict=True):
            if not _fits(kind, value):
                raise InputError(
                    "invalid-struct",
                    f"{type(self).__name__}: {name} is no {kind}",
                    hint="give the values exactly as an event or a signed request tells them",
                )

    def struct(self) -> dict[str, Any]:
        """The values by their Solidity names, as calls and typed data take them."""
        return {name: value for (name, _), value in zip(self.MEMBERS, self._values(), strict=True)}

    @classmethod
    def of_struct(cls, values: Mapping[str, Any]) -> Self:
        """From values by their Solidity names, such as an event's."""
        taken = (values[name] for name, _ in cls.MEMBERS)
        return cls(*(tuple(value) if isinstance(value, list) else value for value in taken))

    def _values(self) -> list[Any]:
        return [getattr(self, entry.name) for entry in fields(self)]  # type: ignore[arg-type]


def _fits(kind: str, value: Any) -> bool:
    if kind.endswith("[]"):
        return isinstance(value, tuple) and all(_fits(kind[:-2], entry) for entry in value)
    if kind == "address":
        return isinstance(value, str) and is_checksum_address(value)
    if kind == "string":
        return isinstance(value, str)
    if kind == "bytes32":
        return isinstance(value, bytes) and len(value) == 32
    return type(value) is int and 0 <= value < 1 << int(kind.removeprefix("uint"))
