"""What the routes have in common: paths, promises, conditions."""

from __future__ import annotations

from typing import Annotated, Any

from eth_utils.address import to_checksum_address
from fastapi import Path
from sqlalchemy.sql.elements import ColumnElement

from gateless.indexer.api import answers

#: Most rows that are shown beside a single thing; lists have the rest.
BESIDE = 100

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": answers.Problem, "description": "A parameter cannot be taken."},
    429: {"model": answers.Problem, "description": "Too many requests: see `Retry-After`."},
    503: {
        "model": answers.Problem,
        "description": "The database cannot be read now, or not in the time that there is.",
    },
}
#: Answers of a list.
CACHED: dict[int | str, dict[str, Any]] = {
    304: {"description": "The client has this answer: `If-None-Match` names its ETag."},
    **_PROBLEMS,
}
#: Answers of a single thing.
SINGLE: dict[int | str, dict[str, Any]] = {
    404: {"model": answers.Problem, "description": "There is none."},
    **CACHED,
}

NamePath = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", examples=["digits"])]
VersionPath = Annotated[int, Path(ge=0, lt=1 << 64, examples=[4294967296])]
AddressPath = Annotated[str, Path(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x" + "ab" * 20])]
RequestPath = Annotated[str, Path(pattern=r"^0x[0-9a-f]{64}$", examples=["0x" + "0" * 63 + "1"])]


def equal(*pairs: tuple[Any, Any]) -> list[ColumnElement[bool]]:
    """Conditions for the parameters that were given."""
    return [column == value for column, value in pairs if value is not None]


def checksummed(address: str | None) -> str | None:
    """An address as the index has it."""
    return None if address is None else str(to_checksum_address(address))
