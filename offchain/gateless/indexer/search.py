"""Finding models: words, filters, orders and pages over the listings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, case, func, literal, select
from sqlalchemy.sql.elements import ColumnElement

from gateless.core.types import TrustMode
from gateless.indexer.cursors import Order, page, read_cursor, write_cursor
from gateless.indexer.fulltext import FullText, full_text
from gateless.indexer.reputation import SCALE
from gateless.indexer.schema import (
    LARGEST,
    LARGEST_SMALL,
    Units,
    listing_tags,
    listings,
    manifests,
    models,
    versions,
)
from gateless.indexer.words import MAX_QUERY_WORDS, alikeness, gram_words, name_words, words

#: Sorts after every price: nobody asks for one.
_NO_PRICE = 10**78 - 1
#: Listings whose words are compared where nothing has what was asked for, and the least alikeness.
_COMPARED = 100
_TELLING = 2
_ALIKE = 0.3


class SortBy(StrEnum):
    """Orders of found models; the same always in the same order, then by id."""

    RELEVANCE = "relevance"
    REPUTATION = "reputation"
    PRICE = "price"
    NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for.

    Attributes:
        text: words; models must have all of them, or words that begin with them.
        tags: all of them.
        task: exactly.
        modes: trust modes that it must allow, all of them.
        max_price: least price that executors ask for, at most this, in token units.
        min_success: share of promises kept, in parts of ten thousand, at least.
        max_latency: median time from request to answer, in seconds, at most.
        min_executors: executors that serve it, at least.
        status: ``served``, ``unserved`` or ``deprecated``; None for any.
        sort: order.
        limit: most models of a page.
        cursor: where the page begins; None for the first.
    """

    text: str = ""
    tags: Sequence[str] = ()
    task: str | None = None
    modes: Sequence[TrustMode] = ()
    max_price: int | None = None
    min_success: int | None = None
    max_latency: int | None = None
    min_executors: int | None = None
    status: str | None = None
    sort: SortBy = SortBy.RELEVANCE
    limit: int = 20
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A page of models: rows of listings with what else is shown of them.

    ``fuzzy`` says that nothing had the words asked for and these have similar ones.
    """

    rows: Sequence[RowMapping]
    next_cursor: str | None
    fuzzy: bool = False


def search(connection: Connection, wanted: Wanted) -> Found:
    """The models that are wanted.

    Raises:
        InputError: ``invalid-cursor``.
    """
    engine = full_text(connection.dialect.name)
    asked = words(wanted.text, MAX_QUERY_WORDS)
    if wanted.text.strip() and not asked:
        return Found((), None)
    order = _order(engine, asked, wanted.sort)
    kind = f"search:{wanted.sort.value}"
    kinds = [str if wanted.sort is SortBy.PRICE else int, int]
    after = None if wanted.cursor is None else read_cursor(kind, wanted.cursor, kinds)
    query = select(listings.c.model_id, order[0][0].label("key")).where(*_filters(wanted))
    if asked:
        query = query.where(listings.c.model_id.in_(engine.having(asked)))
    rows, more = page(connection, query, order, _typed(after, wanted.sort), wanted.limit)
    if not rows and asked and after is None:
        alike = _alike(connection, engine, asked, wanted)
        return Found(_details(connection, alike), None, fuzzy=bool(alike))
    cursor = None
    if more:
        last = rows[-1]
        value = str(last.key) if wanted.sort is SortBy.PRICE else int(last.key)
        cursor = write_cursor(kind, [value, last.model_id])
    return Found(_details(connection, [row.model_id for row in rows]), cursor)


def _typed(after: list[Any] | None, sort: SortBy) -> list[Any] | None:
    if after is None:
        return None
    key, model_id = after[0], min(after[1], LARGEST)
    if sort is not SortBy.PRICE:
        return [min(key, LARGEST if sort is SortBy.NEWEST else LARGEST_SMALL), model_id]
    return [int(key) if key.isdecimal() and len(key) <= 78 else _NO_PRICE, model_id]


def _order(engine: FullText, asked: Sequence[str], sort: SortBy) -> Order:
    key: ColumnElement[Any]
    match sort:
        case SortBy.PRICE:
            return [
                (func.coalesce(listings.c.price, literal(_NO_PRICE, Units)), False),
                (listings.c.model_id, False),
            ]
        case SortBy.NEWEST:
            key = listings.c.published_at
        case SortBy.RELEVANCE if asked:
            # Where the words are found weighs more than any score: the name, a word of it, else.
            whole = "".join(asked)
            place = case(
                (func.replace(func.replace(listings.c.name, "-", ""), "_", "") == whole, 3),
                (listings.c.model_id.in_(engine.having(asked, name_only=True)), 2),
                else_=1,
            )
            key = place * (10 * SCALE) + listings.c.score
        case _:
            key = listings.c.score
    return [(key, True), (listings.c.model_id, False)]


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for tag in wanted.tags:
        having = select(listing_tags.c.model_id).where(listing_tags.c.tag == tag.strip().casefold())
        found.append(listings.c.model_id.in_(having))
    for mode in wanted.modes:
        found.append(listings.c.modes.op("&")(mode.bit) != 0)
    if wanted.task is not None:
        found.append(listings.c.task == wanted.task)
    if wanted.max_price is not None:
        found.append(listings.c.price <= wanted.max_price)
    if wanted.min_success is not None:
        found.append(listings.c.success >= wanted.min_success)
    if wanted.max_latency is not None:
        found.append(listings.c.latency <= wanted.max_latency)
    if wanted.min_executors is not None:
        found.append(listings.c.executors >= wanted.min_executors)
    if wanted.status is not None:
        found.append(listings.c.status == wanted.status)
    return found


def _alike(
    connection: Connection, engine: FullText, asked: Sequence[str], wanted: Wanted
) -> list[int]:
    """Models with words like those asked for, the most alike first."""
    # The longest words tell the most; each further one costs time.
    telling = sorted(asked, key=lambda word: (word.isdigit(), -len(word)))[:_TELLING]
    likely = engine.alike(gram_words(telling), _COMPARED)
    candidates = [row[0] for row in connection.execute(likely)]
    query = select(listings.c.model_id, listings.c.name, listings.c.task).where(
        listings.c.model_id.in_(candidates), *_filters(wanted)
    )
    tags: dict[int, list[str]] = {}
    of_candidates = select(listing_tags).where(listing_tags.c.model_id.in_(candidates))
    for row in connection.execute(of_candidates):
        tags.setdefault(row.model_id, []).append(row.tag)
    shares = {
        row.model_id: alikeness(
            asked,
            [*name_words(row.name), *words(" ".join([row.task, *tags.get(row.model_id, [])]))],
        )
        for row in connection.execute(query)
    }
    alike = [model_id for model_id, share in shares.items() if share >= _ALIKE]
    return sorted(alike, key=lambda model_id: (-shares[model_id], model_id))[: wanted.limit]


def _details(connection: Connection, model_ids: Sequence[int]) -> list[RowMapping]:
    """Listings with what is shown beside them, in the order of the ids."""
    if not model_ids:
        return []
    query: Select[Any] = (
        select(
            listings,
            models.c.holder,
            versions.c.manifest_digest,
            versions.c.royalty_bps,
            versions.c.proof_seconds,
            manifests.c.state.label("manifest_state"),
            manifests.c.description,
            manifests.c.tags,
            manifests.c.license,
        )
        .join(models, models.c.model_id == listings.c.model_id)
        .join(versions, versions.c.version_id == listings.c.version_id)
        .outerjoin(manifests, manifests.c.digest == versions.c.manifest_digest)
        .where(listings.c.model_id.in_(model_ids))
    )
    rows = {row["model_id"]: row for row in connection.execute(query).mappings()}
    return [rows[model_id] for model_id in model_ids]
