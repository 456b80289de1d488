"""What a search finds: one listing for each model, made from its versions and their executors.

A model is shown by the version that its holder calls ``stable``; without one, or where it is
deprecated, by the newest that is not deprecated; where all are, by the newest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import Connection, delete, func, insert, select, update

from gateless.adapters.db.upsert import upsert
from gateless.indexer.fulltext import Document, full_text
from gateless.indexer.projector import Change
from gateless.indexer.reputation import success_rate
from gateless.indexer.schema import (
    enrolments,
    executors,
    listing_tags,
    listings,
    manifests,
    models,
    versions,
)
from gateless.indexer.words import gram_words, name_words, words
from gateless.indexer.workset import in_batches

_MODELS_AT_ONCE = 500
#: Most tags of a version that count, and characters of each.
MAX_TAGS = 16
MAX_TAG = 40

SERVED, UNSERVED, DEPRECATED = "served", "unserved", "deprecated"
STATUSES = (SERVED, UNSERVED, DEPRECATED)
#: What of an executor shows in listings.
_SHOWN_OF_EXECUTORS = ("min_price",)
_SHOWN_OF_VERSIONS = (
    versions.c.version_id,
    versions.c.model_id,
    versions.c.manifest_digest,
    versions.c.modes,
    versions.c.published_at,
    versions.c.deprecated,
    versions.c.fulfilled,
    versions.c.expired,
    versions.c.slashed,
    versions.c.score,
    versions.c.latency,
)


def follow(connection: Connection, changed: Iterable[Change]) -> None:
    """Makes the listings right again after these changes."""
    touched: set[int] = set()
    repriced: set[str] = set()
    for projection, key, was, now in changed:
        if projection == "models":
            touched.add(key[0])
        elif projection in ("versions", "enrolments"):
            touched.add(key[0] >> 32)
        elif projection == "executors" and (
            was is None or now is None or any(was[c] != now[c] for c in _SHOWN_OF_EXECUTORS)
        ):
            repriced.add(key[0])
    if touched:
        refresh(connection, touched)
    for some in in_batches(sorted(repriced), _MODELS_AT_ONCE):
        _reprice(connection, some)


def refresh(connection: Connection, model_ids: Collection[int] | None) -> None:
    """Makes the listings of some models again; of all, where None is given."""
    if model_ids is None:
        connection.execute(update(listings).values(words_digest=""))
        query = select(models.c.model_id).union(select(listings.c.model_id))
        model_ids = {model_id for (model_id,) in connection.execute(query)}
    for some in in_batches(sorted(model_ids), _MODELS_AT_ONCE):
        _refresh(connection, some)


def _refresh(connection: Connection, model_ids: Sequence[int]) -> None:
    shown = _shown(connection, model_ids)
    served = _served(connection, [version.version_id for _, version in shown.values()])
    told = _told(connection, {version.manifest_digest for _, version in shown.values()})
    before = {
        row.model_id: row
        for row in connection.execute(
            select(listings.c.model_id, listings.c.words_digest).where(
                listings.c.model_id.in_(model_ids)
            )
        )
    }
    rows: list[dict[str, Any]] = []
    documents: list[Document] = []
    tags: dict[int, list[str]] = {}
    for model, version in shown.values():
        manifest = told.get(version.manifest_digest)
        own_tags = clean_tags(() if manifest is None else manifest.tags)
        document = _document(model, manifest, own_tags)
        row = _listing(model, version, manifest, served.get(version.version_id))
        row["words_digest"] = _digest(document, own_tags)
        rows.append(row)
        known = before.get(model.model_id)
        if known is None or known.words_digest != row["words_digest"]:
            documents.append(document)
            tags[model.model_id] = own_tags
    _write(connection, rows, documents, tags)
    _remove(connection, [model_id for model_id in before if model_id not in shown])


def _reprice(connection: Connection, addresses: Sequence[str]) -> None:
    """Prices of all that some executors serve, in one statement.

    One executor may have enrolled for thousands of versions, and changing a price costs it one
    transaction: nothing but the price is looked at.
    """
    theirs = (
        select(enrolments.c.version_id)
        .where(enrolments.c.executor.in_(addresses), enrolments.c.active)
        .distinct()
    )
    least = (
        select(func.min(executors.c.min_price))
        .join(enrolments, enrolments.c.executor == executors.c.address)
        .where(enrolments.c.version_id == listings.c.version_id, enrolments.c.active)
        .scalar_subquery()
    )
    connection.execute(
        update(listings).where(listings.c.version_id.in_(theirs)).values(price=least)
    )


def _shown(connection: Connection, model_ids: Sequence[int]) -> dict[int, tuple[Any, Any]]:
    """Models and the version by which each is shown; those without any are left out.

    However many versions a model has, at most three of them are read.
    """
    found = connection.execute(
        select(models.c.model_id, models.c.name, models.c.stable).where(
            models.c.model_id.in_(model_ids)
        )
    ).all()
    newest = (
        select(versions.c.model_id, func.max(versions.c.version_id))
        .where(versions.c.model_id.in_(model_ids))
        .group_by(versions.c.model_id)
    )
    latest = {row[0]: row[1] for row in connection.execute(newest)}
    current = {
        row[0]: row[1] for row in connection.execute(newest.where(versions.c.deprecated.is_(False)))
    }
    stable = {model.stable for model in found if model.stable is not None}
    candidates = {*latest.values(), *current.values(), *stable}
    rows: dict[int, Any] = {}
    for some in in_batches(sorted(candidates), _MODELS_AT_ONCE):
        query = select(*_SHOWN_OF_VERSIONS).where(versions.c.version_id.in_(some))
        rows.update((row.version_id, row) for row in connection.execute(query))
    shown = {}
    for model in found:
        if model.model_id not in latest:
            continue
        wanted = rows.get(model.stable)
        if wanted is None or wanted.deprecated or wanted.model_id != model.model_id:
            wanted = rows[current.get(model.model_id, latest[model.model_id])]
        shown[model.model_id] = (model, wanted)
    return shown


def _served(connection: Connection, version_ids: Sequence[int]) -> Mapping[int, tuple[int, Any]]:
    """How many executors serve versions, and the least that one of them asks for."""
    query = (
        select(
            enrolments.c.version_id,
            func.count(func.distinct(enrolments.c.executor)),
            func.min(executors.c.min_price),
        )
        .join(executors, executors.c.address == enrolments.c.executor)
        .where(enrolments.c.version_id.in_(version_ids), enrolments.c.active)
        .group_by(enrolments.c.version_id)
    )
    return {row[0]: (row[1], row[2]) for row in connection.execute(query)}


def _told(connection: Connection, digests: Collection[str]) -> Mapping[str, Any]:
    """What is known of manifests, by digest."""
    query = select(manifests).where(manifests.c.digest.in_(digests), manifests.c.state == "here")
    return {row.digest: row for row in connection.execute(query)}


def _listing(model: Any, version: Any, manifest: Any, served: Any) -> dict[str, Any]:
    count, price = (0, None) if served is None else served
    status = DEPRECATED if version.deprecated else SERVED if count else UNSERVED
    return {
        "model_id": model.model_id,
        "version_id": version.version_id,
        "name": model.name,
        "task": "" if manifest is None else manifest.task,
        "modes": version.modes,
        "price": price,
        "executors": count,
        "success": success_rate(version._mapping),
        "latency": version.latency,
        "score": version.score,
        "status": status,
        "published_at": version.published_at,
    }


def _document(model: Any, manifest: Any, tags: Sequence[str]) -> Document:
    name = name_words(model.name)
    marked = words(" ".join(tags))
    body: list[str] = []
    if manifest is not None:
        marked = words(f"{' '.join(tags)} {manifest.task}")
        body = words(" ".join((manifest.title, manifest.description, *manifest.labels)))
    return Document(model.model_id, name, marked, body, gram_words([*name, *marked]))


def clean_tags(tags: Iterable[Any]) -> list[str]:
    """Tags as they are filtered by: lower case, at most so many, of at most so many characters."""
    spelled = (str(tag).strip().casefold()[:MAX_TAG] for tag in tags)
    return list(dict.fromkeys(tag for tag in spelled if tag))[:MAX_TAGS]


def _digest(document: Document, tags: Sequence[str]) -> str:
    parts = (document.name, document.tags, document.body, tags)
    return hashlib.sha256(repr([list(part) for part in parts]).encode()).hexdigest()


def _write(
    connection: Connection,
    rows: list[dict[str, Any]],
    documents: Sequence[Document],
    tags: Mapping[int, Sequence[str]],
) -> None:
    if not rows:
        return
    statement = upsert(cast(Any, connection), listings)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["model_id"],
            set_={name: statement.excluded[name] for name in rows[0] if name != "model_id"},
        ),
        rows,
    )
    full_text(connection.dialect.name).write(connection, documents)
    if tags:
        connection.execute(delete(listing_tags).where(listing_tags.c.model_id.in_(tags)))
        marks = [{"tag": tag, "model_id": model} for model, own in tags.items() for tag in own]
        if marks:
            connection.execute(insert(listing_tags), marks)


def _remove(connection: Connection, model_ids: Sequence[int]) -> None:
    if model_ids:
        connection.execute(delete(listings).where(listings.c.model_id.in_(model_ids)))
        connection.execute(delete(listing_tags).where(listing_tags.c.model_id.in_(model_ids)))
        full_text(connection.dialect.name).remove(connection, model_ids)
