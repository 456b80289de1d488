"""Searches find what a look at every model would find, on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio
from database_fixtures import NewDatabase
from gateless.core.types import TrustMode
from gateless.indexer.search import SortBy, Wanted, search
from gateless.indexer.store import IndexStore
from told_chain import told_deployment

from benchmarks.indexing.catalogue import fill_catalogue

COUNT = 300
Row = Any


@pytest_asyncio.fixture
async def store(new_database: NewDatabase) -> AsyncIterator[IndexStore]:
    made = await IndexStore.open(new_database(), told_deployment())
    await fill_catalogue(made, COUNT)
    yield made
    await made.close()


async def find(store: IndexStore, wanted: Wanted) -> Any:
    return await store.write(lambda connection: search(connection, wanted))


async def find_all(store: IndexStore, **wanted: Any) -> list[Row]:
    rows: list[Row] = []
    cursor = None
    while True:
        page = await find(store, Wanted(**wanted, limit=37, cursor=cursor))
        rows += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return rows


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({"tags": ["digits"]}, lambda row: "digits" in row["tags"]),
        ({"tags": ["Digits", "open"]}, lambda row: {"digits", "open"} <= set(row["tags"])),
        ({"task": "ranking"}, lambda row: row["task"] == "ranking"),
        ({"modes": [TrustMode.QUORUM]}, lambda row: row["modes"] & 4),
        ({"modes": [TrustMode.ZK, TrustMode.ATTESTED]}, lambda row: row["modes"] & 9 == 9),
        (
            {"max_price": 2_000_000},
            lambda row: row["price"] is not None and row["price"] <= 2_000_000,
        ),
        ({"min_success": 9_000}, lambda row: (row["success"] or 0) >= 9_000),
        ({"max_latency": 60}, lambda row: row["latency"] <= 60),
        ({"min_executors": 2}, lambda row: row["executors"] >= 2),
        ({"status": "unserved"}, lambda row: row["executors"] == 0),
        ({"text": "birds"}, lambda row: "birds" in row["name"]),
        ({"text": "bir tag"}, lambda row: "birds" in row["name"] and "tagger" in row["name"]),
    ],
)
async def test_filters(
    store: IndexStore, wanted: dict[str, Any], fits: Callable[[Row], Any]
) -> None:
    everything = await find_all(store)
    assert len(everything) == COUNT
    expected = {row["model_id"] for row in everything if fits(row)}
    found = [row["model_id"] for row in await find_all(store, **wanted)]
    assert 0 < len(found) < COUNT
    assert len(set(found)) == len(found)
    if "text" in wanted:
        assert expected <= set(found)  # tags and descriptions have words too
    else:
        assert set(found) == expected


async def test_orders(store: IndexStore) -> None:
    def keys(row: Row) -> dict[SortBy, Any]:
        price = 10**78 if row["price"] is None else row["price"]
        return {
            SortBy.REPUTATION: (-row["score"], row["model_id"]),
            SortBy.PRICE: (price, row["model_id"]),
            SortBy.NEWEST: (-row["published_at"], row["model_id"]),
            SortBy.RELEVANCE: (-row["score"], row["model_id"]),
        }

    for sort in SortBy:
        rows = await find_all(store, sort=sort)
        assert rows == sorted(rows, key=lambda row, sort=sort: keys(row)[sort])


async def test_the_model_of_that_name_comes_first_then_names_with_the_words(
    store: IndexStore,
) -> None:
    rows = await find_all(store)
    named = rows[100]["name"]
    page = await find(store, Wanted(named))
    assert page.rows[0]["name"] == named and not page.fuzzy
    topic = named.split("-")[0]
    places = [topic in row["name"] for row in await find_all(store, text=topic)]
    assert places == sorted(places, reverse=True)


async def test_typing_errors_find_similar_words(store: IndexStore) -> None:
    for wrong, right in (("weathre", "weather"), ("satelite", "satellite"), ("medcial", "medical")):
        page = await find(store, Wanted(wrong))
        assert page.fuzzy and page.next_cursor is None
        assert all(right in row["name"] for row in page.rows[:3])
    nothing = await find(store, Wanted("qqqqzzzz"))
    assert (list(nothing.rows), nothing.fuzzy) == ([], False)
