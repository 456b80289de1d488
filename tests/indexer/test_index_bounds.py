"""What strangers can make long stays short: models, pages deep down, questions that take long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from database_fixtures import NewDatabase
from gateless.adapters.db import DatabaseUrl
from gateless.core.errors import DatabaseError
from gateless.core.types import Event
from gateless.daemon.follower import Stretch
from gateless.daemon.journals import Position
from gateless.indexer.reader import IndexReader
from gateless.indexer.schema import executors, listings, versions
from gateless.indexer.store import IndexStore
from index_fixtures import asking, told_app
from sqlalchemy import Connection, event, select, text, update
from told_chain import told_deployment

OWNER = "0x5F8521D4a7BECD3e21348f5Fb3c6e39Eb2B2e54b"
MANY = 400
PARAMS = {
    "modelDigest": bytes(32),
    "ioSchema": b"",
    "binding": 0,
    "modes": 1,
    "royaltyBps": 0,
    "proofSeconds": 1,
    "repeatable": False,
    "circuits": [],
    "uri": "https://models.example/" + "x" * 2_000,
}


class Telling:
    """Blocks with the events that a test makes up."""

    def __init__(self, store: IndexStore) -> None:
        self._store = store
        self._block = 0

    async def tell(self, *told: tuple[str, str, dict[str, Any]]) -> None:
        self._block += 1
        number = self._block
        events = tuple(
            Event(name, args, number, "0x00", "0x00", place, contract)
            for place, (contract, name, args) in enumerate(told)
        )
        position = Position(number, f"0x{number:064x}")
        await self._store.advance(Stretch(number, position, events, {number: 1_700_000_000}))


def published(model: int, index: int) -> tuple[str, str, dict[str, Any]]:
    params = PARAMS | {"manifestDigest": (model << 32 | index).to_bytes(32, "big")}
    ids = {"modelId": model, "versionId": model << 32 | index, "publisher": OWNER}
    return "ModelRegistry", "VersionPublished", ids | {"params": params}


def aliased(model: int, alias: str, index: int) -> tuple[str, str, dict[str, Any]]:
    ids = {"modelId": model, "versionId": model << 32 | index, "aliasName": alias}
    return "ModelRegistry", "AliasSet", ids


def founded(model: int, name: str) -> list[tuple[str, str, dict[str, Any]]]:
    nobody = "0x" + "00" * 20
    return [
        ("ModelRegistry", "Transfer", {"from": nobody, "to": OWNER, "tokenId": model}),
        ("ModelRegistry", "ModelRegistered", {"modelId": model, "creator": OWNER, "name": name}),
    ]


def priced(executor: str, price: int) -> tuple[str, str, dict[str, Any]]:
    profile = {"endpoint": "", "receiptKey": executor, "minPrice": price, "capacity": 1}
    return "ExecutorStaking", "ProfileSet", {"executor": executor, "profile": profile}


def enrolled(executor: str, version: int) -> tuple[str, str, dict[str, Any]]:
    return "ExecutorStaking", "Enrolled", {"executor": executor, "versionId": version}


class Index:
    """An index that is told things, and its API."""

    def __init__(self, store: IndexStore, reader: IndexReader, client: httpx.AsyncClient) -> None:
        self.store = store
        self.reader = reader
        self.client = client
        self.telling = Telling(store)

    async def get(self, path: str) -> httpx.Response:
        response = await self.client.get(path)
        assert response.status_code == 200, response.text
        return response


@pytest_asyncio.fixture
async def index(new_database: NewDatabase) -> AsyncIterator[Index]:
    url: DatabaseUrl = new_database()
    store = await IndexStore.open(url, told_deployment())
    try:
        reader = await IndexReader.open(url)
        try:
            async with asking(told_app(reader)) as client:
                yield Index(store, reader, client)
        finally:
            await reader.close()
    finally:
        await store.close()


async def test_a_model_of_many_versions_is_shown_in_pages(index: Index) -> None:
    await index.telling.tell(*founded(1, "many"))
    for start in range(0, MANY, 100):
        await index.telling.tell(
            *(published(1, number) for number in range(start, start + 100)),
            *(aliased(1, f"alias-{number:04}", number) for number in range(start, start + 100)),
        )
    for path in ("/v1/models", "/v1/models/many", "/v1/search"):
        response = await index.get(path)
        assert len(response.content) < 100_000, path
    shown = (await index.get("/v1/models/many")).json()
    assert len(shown["versions"]) == len(shown["aliases"]) == 100
    assert shown["versions"][0]["index"] == MANY - 1
    for name in ("versions", "aliases"):
        seen, cursor = [], ""
        while True:
            page = (await index.get(f"/v1/models/many/{name}?limit=77{cursor}")).json()
            seen += [item["version_id"] for item in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(seen) == [1 << 32 | number for number in range(MANY)]


async def test_only_versions_that_may_be_shown_are_read(index: Index) -> None:
    """What happens to a model of many versions costs what it costs one of few."""
    await index.telling.tell(*founded(1, "many"), *(published(1, n) for n in range(MANY)))
    rows = 0

    def count(connection: Connection) -> None:
        nonlocal rows
        from gateless.indexer.listings import refresh

        def executed(_c: Any, cursor: Any, statement: str, *_: Any) -> None:
            nonlocal rows
            if "versions.publi" in statement or "versions.score" in statement:
                rows += 1

        event.listen(connection, "after_cursor_execute", executed)
        refresh(connection, [1])
        event.remove(connection, "after_cursor_execute", executed)

    await index.store.write(count)
    assert rows == 1
    await index.telling.tell(aliased(1, "stable", 7))
    assert (await index.get("/v1/search")).json()["items"][0]["version_id"] == 1 << 32 | 7


async def test_a_price_changes_wherever_it_is_the_least(index: Index) -> None:
    cheap, dear = "0x" + "11" * 20, "0x" + "22" * 20
    models = range(1, 21)
    for model in models:
        await index.telling.tell(*founded(model, f"model-{model}"), published(model, 0))
    await index.telling.tell(
        priced(cheap, 5),
        priced(dear, 9),
        *(enrolled(dear, model << 32) for model in models),
        *(enrolled(cheap, model << 32) for model in models if model % 2),
    )

    async def prices() -> list[int]:
        query = select(listings.c.price).order_by(listings.c.model_id)
        return await index.store.write(lambda connection: list(connection.scalars(query)))

    assert await prices() == [5 if model % 2 else 9 for model in models]
    await index.telling.tell(priced(cheap, 20))
    assert await prices() == [9] * 20
    await index.telling.tell(priced(dear, 1))
    assert await prices() == [1] * 20


async def test_many_accounts_without_a_record_do_not_hide_who_has_one(index: Index) -> None:
    good = "0x" + "fF" * 20
    await index.telling.tell(*founded(1, "wanted"), published(1, 0))
    await index.telling.tell(
        *(enrolled(f"0x{number:040x}", 1 << 32) for number in range(300)),
        enrolled(good, 1 << 32),
    )
    record = update(executors).where(executors.c.address == good).values(score=9_000)
    await index.store.write(lambda connection: connection.execute(record).rowcount)
    told = (await index.get(f"/v1/versions/{1 << 32}")).json()
    assert len(told["executors"]) == 100
    assert told["executors"][0]["executor"] == good


async def test_a_question_that_takes_long_is_ended(new_database: NewDatabase) -> None:
    url: DatabaseUrl = new_database()
    store = await IndexStore.open(url, told_deployment())
    reader = await IndexReader.open(url, seconds=0.2)
    endless = text(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    try:
        with pytest.raises(DatabaseError) as caught:
            await reader.read(lambda connection: connection.execute(endless).scalar())
        assert caught.value.code == "database-too-slow"
        # The connection is as good as before, and who writes has all the time he needs.
        query = select(versions.c.version_id)
        assert await reader.read(lambda connection: connection.execute(query).all()) == []
    finally:
        await reader.close()
        await store.close()


async def test_a_page_deep_down_begins_in_the_index(index: Index) -> None:
    if index.reader.dialect != "sqlite":
        pytest.skip("SQLite says in words how it goes about it")
    from gateless.indexer.cursors import page
    from gateless.indexer.schema import requests

    plans: list[str] = []

    def explain(connection: Connection) -> None:
        def executed(_c: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
            if statement.startswith("SELECT"):
                told = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
                plans.extend(row[3] for row in told)

        event.listen(connection, "after_cursor_execute", executed)
        order = [(requests.c.requested_at, True), (requests.c.request_id, True)]
        page(connection, select(requests), order, [1_700_000_000, 5], 10)
        event.remove(connection, "after_cursor_execute", executed)

    await index.reader.read(explain)
    assert plans == ["SEARCH requests USING INDEX requests_by_time (requested_at<?)"], plans
