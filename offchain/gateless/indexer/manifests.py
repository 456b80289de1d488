"""Fetches what publishers say about their versions: manifests, by the digests that are on chain.

Their authors are strangers. A manifest counts if its bytes have the digest and are one; its text is
cleaned and cut, its absence is no fault and it is asked for again later, less and less often.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import Connection, func, select, update

from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError, StorageError
from gateless.core.manifest import MAX_MANIFEST_BYTES, Manifest, Tensor, parse_manifest
from gateless.daemon.content import ContentSources
from gateless.indexer import listings
from gateless.indexer.listings import clean_tags
from gateless.indexer.schema import enrolments, executors, manifests, versions
from gateless.indexer.store import IndexStore, bump_revision
from gateless.indexer.text import clean_text

_AT_ONCE = 8
_OF_ONE_PUBLISHER = 2
#: Seconds for one manifest, from whomever it is had.
_FETCH_SECONDS = 15.0
_MAX_PAUSE = 86_400.0
#: Executors that are asked for a manifest which its publisher does not serve.
_ASKED = 5
#: The bytes are those on chain, so a second look at them changes nothing. What a store sends too
#: much of is not known to be: it may be a lie, and the manifest be had elsewhere, or later.
_FINAL = frozenset({"invalid-manifest"})
_MAX_TITLE, _MAX_DESCRIPTION, _MAX_TASK, _MAX_LICENSE, _MAX_LABEL = 120, 2_000, 80, 80, 80
_MAX_LABELS, _MAX_TENSORS, _MAX_RANK = 256, 32, 16

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Wanted:
    digest: str
    attempts: int
    places: tuple[str, ...]


class ManifestReader:
    """Fetches the manifests that the index wants.

    Args:
        store: the index.
        sources: where content comes from.
        clock: when to ask again.
        retry_seconds: first pause after a failure.
    """

    def __init__(
        self, store: IndexStore, sources: ContentSources, clock: Clock, retry_seconds: float
    ) -> None:
        self._store = store
        self._sources = sources
        self._clock = clock
        self._retry_seconds = retry_seconds

    async def fetch_some(self) -> int:
        """Asks for some manifests that are due; returns how many were.

        Raises:
            DatabaseError: the index cannot be written now.
        """
        now = int(self._clock.now())
        wanted = await self._store.write(lambda connection: _due(connection, now))
        told = await asyncio.gather(*(self._fetch(each) for each in wanted))
        if told:
            await self._store.write(lambda connection: _keep(connection, told))
        return len(told)

    async def _fetch(self, wanted: _Wanted) -> dict[str, Any]:
        """What is to be stored about a manifest, had or not."""
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                store = self._sources.store(wanted.places)
                data = await store.get(wanted.digest, max_bytes=MAX_MANIFEST_BYTES)
            return _shown(wanted.digest, parse_manifest(data))
        except TimeoutError:
            return self._failed(wanted, "store-unreachable")
        except GatelessError as error:
            if isinstance(error, StorageError) and error.code in _FINAL:
                return {"digest": wanted.digest, "state": "refused", "problem": error.code}
            return self._failed(wanted, error.code)

    def _failed(self, wanted: _Wanted, code: str) -> dict[str, Any]:
        pause = min(self._retry_seconds * 2 ** min(wanted.attempts, 20), _MAX_PAUSE)
        log.info("manifest-not-had", digest=wanted.digest, code=code, again_in=pause)
        return {
            "digest": wanted.digest,
            "state": "wanted",
            "problem": code,
            "attempts": wanted.attempts + 1,
            "next_attempt": int(self._clock.now() + pause),
        }


def _due(connection: Connection, now: int) -> list[_Wanted]:
    """Some that are due, of each publisher few: nobody's many or slow ones keep others waiting."""
    turn = (
        func.row_number()
        .over(
            partition_by=versions.c.publisher,
            order_by=(manifests.c.next_attempt, manifests.c.digest),
        )
        .label("turn")
    )
    due = (
        select(manifests.c.digest, manifests.c.attempts, manifests.c.next_attempt, turn)
        .join(versions, versions.c.manifest_digest == manifests.c.digest)
        .where(manifests.c.state == "wanted", manifests.c.next_attempt <= now)
        .subquery()
    )
    query = (
        select(due.c.digest, due.c.attempts)
        .where(due.c.turn <= _OF_ONE_PUBLISHER)
        .group_by(due.c.digest, due.c.attempts)
        .order_by(func.min(due.c.turn), func.min(due.c.next_attempt), due.c.digest)
        .limit(_AT_ONCE)
    )
    return [
        _Wanted(row.digest, row.attempts, _places(connection, row.digest))
        for row in connection.execute(query)
    ]


def _places(connection: Connection, digest: str) -> tuple[str, ...]:
    """Where a manifest may be: at its publisher's, and at executors that serve its version."""
    own = select(versions.c.uri).where(versions.c.manifest_digest == digest)
    own = own.order_by(versions.c.version_id).limit(_ASKED)
    served = (
        select(executors.c.endpoint)
        .join(enrolments, enrolments.c.executor == executors.c.address)
        .join(versions, versions.c.version_id == enrolments.c.version_id)
        .where(versions.c.manifest_digest == digest, enrolments.c.active)
        .order_by(executors.c.score.desc(), executors.c.address)
        .limit(_ASKED)
    )
    found = [row[0] for query in (own, served) for row in connection.execute(query)]
    return tuple(dict.fromkeys(url for url in found if url))


def _keep(connection: Connection, told: Sequence[dict[str, Any]]) -> None:
    changed: set[str] = set()
    for each in told:
        connection.execute(
            update(manifests).where(manifests.c.digest == each["digest"]).values(each)
        )
        if each["state"] != "wanted":
            changed.add(each["digest"])
    if changed:
        query = select(versions.c.model_id).where(versions.c.manifest_digest.in_(changed))
        listings.refresh(connection, {row[0] for row in connection.execute(query)})
        bump_revision(connection)


def _shown(digest: str, manifest: Manifest) -> dict[str, Any]:
    """What of a manifest is shown and searched."""
    return {
        "digest": digest,
        "state": "here",
        "problem": "",
        "title": clean_text(manifest.name, _MAX_TITLE),
        "description": clean_text(manifest.description, _MAX_DESCRIPTION),
        "task": clean_text(manifest.task, _MAX_TASK).casefold(),
        "license": clean_text(manifest.license, _MAX_LICENSE),
        "tags": clean_tags(clean_text(tag, 4 * _MAX_LABEL) for tag in manifest.tags[:64]),
        "labels": [clean_text(label, _MAX_LABEL) for label in manifest.labels[:_MAX_LABELS]],
        "inputs": [_tensor(tensor) for tensor in manifest.inputs[:_MAX_TENSORS]],
        "outputs": [_tensor(tensor) for tensor in manifest.outputs[:_MAX_TENSORS]],
    }


def _tensor(tensor: Tensor) -> dict[str, Any]:
    return {
        "name": clean_text(tensor.name, _MAX_LABEL),
        "shape": list(tensor.shape[:_MAX_RANK]),
        "dtype": clean_text(tensor.onnx_dtype, _MAX_LABEL),
    }
