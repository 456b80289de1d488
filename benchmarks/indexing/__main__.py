"""Measures the indexer: events a second that it follows, and times of searches.

::

    python -m benchmarks.indexing --events 20000 --models 10000

Nothing is asserted: docs/indexer.md has figures that were seen, and on what.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import random
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import structlog
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.clock import SystemClock
from gateless.adapters.db import DatabaseUrl
from gateless.indexer.api import answers
from gateless.indexer.api.app import indexer_app
from gateless.indexer.indexer import token_of
from gateless.indexer.reader import IndexReader
from gateless.indexer.schema import events as events_table
from gateless.indexer.search import Wanted, search
from gateless.indexer.service import index_follower
from gateless.indexer.store import IndexStore
from sqlalchemy import func, select

from benchmarks.indexing.catalogue import fill_catalogue, queries
from benchmarks.indexing.node import StoryNode, serve_story

_SEED = 7


def main() -> None:
    """Reads the arguments, measures, prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="events to follow")
    parser.add_argument("--per-block", type=int, default=20, help="events of a block")
    parser.add_argument("--models", type=int, default=10_000, help="models to search")
    parser.add_argument("--searches", type=int, default=500, help="searches of each kind")
    parser.add_argument("--database", default="", help="URL; a new SQLite file by default")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    found = {
        "following": asyncio.run(_following(options)),
        "searching": asyncio.run(_searching(options)),
    }
    if options.json:
        json.dump(found, sys.stdout, indent=2)
        print()
        return
    for title, figures in found.items():
        print(title)
        for name, value in figures.items():
            print(f"  {name:28} {value}")


# --- following ---


async def _following(options: argparse.Namespace) -> dict[str, Any]:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    process = context.Process(
        target=serve_story, args=(theirs, _SEED, options.events, options.per_block), daemon=True
    )
    process.start()
    theirs.close()
    url, events, height, kinds = await asyncio.to_thread(ours.recv)
    try:
        with tempfile.TemporaryDirectory() as folder:
            database = _database(options, Path(folder) / "following.db")
            seconds, used, stored = await _follow(StoryNode(_SEED, 0, 1).deployment(url), database)
    finally:
        ours.send(None)
        process.join()
    return {
        "events": stored,
        "kinds": kinds,
        "blocks": height,
        "seconds": round(seconds, 2),
        "processor seconds": round(used, 2),
        "events per second": round(events / seconds),
    }


async def _follow(deployment: Any, database: DatabaseUrl) -> tuple[float, float, int]:
    store = await IndexStore.open(database, deployment)
    try:
        async with await ChainClient.connect(deployment) as client:
            follower = index_follower(client, store, deployment)
            start, used = time.perf_counter(), time.process_time()
            async for stretch in follower.poll():
                await store.advance(stretch)
            seconds, used = time.perf_counter() - start, time.process_time() - used
        count = select(func.count()).select_from(events_table)
        stored = await store.write(lambda connection: connection.execute(count).scalar())
        return seconds, used, int(stored or 0)
    finally:
        await store.close()


# --- searching ---


async def _searching(options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        deployment = StoryNode(_SEED, 0, 1).deployment("http://127.0.0.1:1")
        database = _database(options, Path(folder) / "searching.db")
        store = await IndexStore.open(database, deployment)
        try:
            await fill_catalogue(store, options.models)
            reader = await IndexReader.open(database)
            try:
                return await _search(reader, token_of(deployment), options)
            finally:
                await reader.close()
        finally:
            await store.close()


async def _search(
    reader: IndexReader, token: answers.Token, options: argparse.Namespace
) -> dict[str, Any]:
    asked = queries(random.Random(_SEED), options.searches)  # noqa: S311
    app = indexer_app(reader, token, _Still(), SystemClock(), rate_per_second=1e9, burst=10**9)
    figures: dict[str, Any] = {"models": options.models, "searches": len(asked)}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://index") as client:

        async def by_http(parameters: dict[str, Any]) -> None:
            response = await client.get("/v1/search", params=parameters)
            response.raise_for_status()

        async def by_index(parameters: dict[str, Any]) -> None:
            wanted = Wanted(text=parameters.get("q", ""), tags=parameters.get("tag", ()))
            await reader.read(lambda connection: search(connection, wanted))

        figures |= await _timed("by HTTP", asked, by_http)
        figures |= await _timed("the index alone", asked, by_index)
    return figures


async def _timed(
    name: str,
    asked: list[dict[str, Any]],
    ask: Callable[[dict[str, Any]], Coroutine[Any, Any, None]],
) -> dict[str, str]:
    for parameters in asked[:20]:  # statements are compiled once
        await ask(parameters)
    times, used = [], []
    for parameters in asked:
        start, before = time.perf_counter(), time.process_time()
        await ask(parameters)
        times.append(time.perf_counter() - start)
        used.append(time.process_time() - before)
    return {name: _spread(times), f"{name}, processor": _spread(used)}


def _spread(seconds: list[float]) -> str:
    ordered = sorted(seconds)
    p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
    return f"p50 {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, most {ordered[-1] * 1000:.1f} ms"


class _Still:
    """An indexer that does nothing else meanwhile."""

    async def status(self) -> answers.StatusAnswer:
        raise NotImplementedError

    def ready(self) -> answers.Ready:
        return answers.Ready(ready=True, reason="")


def _database(options: argparse.Namespace, path: Path) -> DatabaseUrl:
    return DatabaseUrl.parse(options.database) if options.database else DatabaseUrl.of_path(path)


if __name__ == "__main__":
    main()
