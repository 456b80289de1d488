"""A catalogue of made-up models to search, and what people might ask it."""

from __future__ import annotations

import random
from typing import Any

from gateless.indexer import listings
from gateless.indexer.reputation import score, with_time
from gateless.indexer.schema import enrolments, executors, manifests, models, versions
from gateless.indexer.store import IndexStore
from sqlalchemy import Connection, Table, insert

from benchmarks.indexing.story import KINDS, TOPICS

_WORDS = (
    "reads", "finds", "counts", "ranks", "small", "fast", "accurate", "quantised", "grayscale",
    "colour", "images", "sounds", "numbers", "daily", "hourly", "of", "for", "from", "with",
    "trained", "open", "public", "data", "camera", "sensor", "field", "city", "river", "patient",
    "invoice", "card", "user", "page", "token", "price", "volume", "season", "crop", "cloud",
    "rain", "wind", "star", "galaxy", "vessel", "bird",
)  # fmt: skip
_TASKS = ("image-classification", "forecasting", "ranking", "segmentation", "tagging")
_SIZES = ("tiny", "small", "base", "large")
_EXECUTORS = 200
_UNIT = 10**6


async def fill_catalogue(store: IndexStore, count: int, seed: int = 11) -> None:
    """Puts so many models into an empty index, each with a version and a manifest."""
    chance = random.Random(seed)  # noqa: S311

    def run(connection: Connection) -> None:
        _write(connection, executors, [_executor(chance, n) for n in range(_EXECUTORS)])
        rows = [_model(chance, number) for number in range(1, count + 1)]
        _write(connection, models, [row[0] for row in rows])
        _write(connection, versions, [row[1] for row in rows])
        _write(connection, manifests, [row[2] for row in rows])
        _write(connection, enrolments, [each for row in rows for each in row[3]])
        listings.refresh(connection, None)

    await store.write(run)


def queries(chance: random.Random, count: int) -> list[dict[str, Any]]:
    """What people ask: words, beginnings of words, typing errors, filters, orders, nothing."""
    found: list[dict[str, Any]] = []
    for _ in range(count):
        topic, kind = chance.choice(TOPICS), chance.choice(KINDS)
        word = chance.choice(_WORDS)
        wrong = topic[:2] + topic[3:] + "x"
        found.append(
            chance.choice(
                [
                    {"q": topic},
                    {"q": f"{topic} {kind}"},
                    {"q": topic[:2]},
                    {"q": word[:1]},
                    {"q": f"{word} {topic}", "mode": "LAZY_ZK"},
                    {"q": wrong},
                    {"q": f"{topic}-{kind}-{chance.randrange(1, 10_000)}"},
                    {"q": word, "sort": "price", "max_price": str(3 * _UNIT)},
                    {"tag": [topic], "min_success": 0.5, "sort": "reputation"},
                    {"tag": [topic, "open"], "max_latency": 60, "min_executors": 1},
                    {"sort": "newest"},
                    {},
                ]
            )
        )
    return found


def _executor(chance: random.Random, number: int) -> dict[str, Any]:
    row = {"fulfilled": chance.randrange(500), "expired": chance.randrange(20)}
    row |= {"slashed": 0, "defended": 0}
    price = chance.randrange(1, 500) * _UNIT // 100
    return row | {"address": f"0x{number:040x}", "min_price": price, "score": score(row)}


def _model(
    chance: random.Random, number: int
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], list[dict[str, Any]]]:
    topic, kind, size = chance.choice(TOPICS), chance.choice(KINDS), chance.choice(_SIZES)
    version_id = number << 32
    digest = f"{number:064x}"
    record = {"fulfilled": chance.randrange(300), "expired": chance.randrange(30)}
    record |= {"slashed": 0, "defended": 0}
    model = {
        "model_id": number,
        "name": f"{topic}-{kind}-{number}",
        "holder": f"0x{number:040x}",
        "versions": 1,
        "latest": version_id,
    }
    version = record | {
        "version_id": version_id,
        "model_id": number,
        "modes": chance.choice((3, 7, 15)),
        "manifest_digest": digest,
        "published_at": 1_700_000_000 + number,
        "score": score(record),
        "total_times": with_time({}, chance.randrange(200)),
        "latency": chance.randrange(200),
    }
    manifest = {
        "digest": digest,
        "state": "here",
        "title": f"{topic} {kind} {size}",
        "description": " ".join(chance.choices(_WORDS, k=40)),
        "task": chance.choice(_TASKS),
        "license": "MIT",
        "tags": [topic, kind, size, chance.choice(("open", "research"))],
    }
    serving = [
        {
            "version_id": version_id,
            "executor": f"0x{place:040x}",
            "runtime_class": "",
            "active": True,
        }
        for place in chance.sample(range(_EXECUTORS), chance.randrange(4))
    ]
    return model, version, manifest, serving


def _write(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(table), rows)
