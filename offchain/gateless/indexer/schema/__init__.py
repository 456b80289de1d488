"""The index's tables.

``events`` is the log as the chain told it. What :data:`PROJECTIONS` names follows from it and from
nothing else, so it can be made again at any time. ``listings`` and what belongs to it follow from
the projections and from manifests; ``manifests`` holds what was fetched by digest.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Table

from gateless.indexer.schema.business import disputes, earnings, pools, requests, usage
from gateless.indexer.schema.columns import LARGEST, LARGEST_SMALL, Units, metadata
from gateless.indexer.schema.finding import listing_tags, listings, manifests
from gateless.indexer.schema.history import blocks, events, meta, undo
from gateless.indexer.schema.offers import aliases, enrolments, executors, models, versions

__all__ = [
    "LARGEST",
    "LARGEST_SMALL",
    "PROJECTIONS",
    "SCHEMA_VERSION",
    "Units",
    "aliases",
    "blank",
    "blocks",
    "disputes",
    "earnings",
    "enrolments",
    "events",
    "executors",
    "key_names",
    "listing_tags",
    "listings",
    "manifests",
    "meta",
    "metadata",
    "models",
    "pools",
    "requests",
    "undo",
    "usage",
    "versions",
]

#: Raised by every change of the tables.
SCHEMA_VERSION = 1

#: Derived from ``events`` alone.
PROJECTIONS: dict[str, Table] = {
    table.name: table
    for table in (
        models,
        aliases,
        versions,
        executors,
        enrolments,
        requests,
        disputes,
        pools,
        earnings,
        usage,
    )
}


def blank(table: Table) -> dict[str, Any]:
    """A row of a table without its key: every column's default."""
    return {
        column.name: getattr(column.default, "arg", None)
        for column in table.columns
        if not column.primary_key
    }


def key_names(table: Table) -> tuple[str, ...]:
    """Names of a table's key columns."""
    return tuple(column.name for column in table.primary_key.columns)
