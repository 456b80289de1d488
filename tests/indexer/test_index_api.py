"""The API: what is asked for comes, in pages that neither repeat nor hide, cached by revision."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from database_fixtures import NewDatabase
from gateless.indexer.store import IndexStore
from index_fixtures import asking, filled_index, told_app

PAGED = (
    "/v1/models",
    "/v1/executors",
    "/v1/enrolments",
    "/v1/pools",
    "/v1/requests",
    "/v1/results",
    "/v1/disputes",
    "/v1/usage",
    "/v1/search",
    "/v1/search?sort=price",
    "/v1/search?sort=newest",
    "/v1/search?sort=reputation",
    "/v1/search?q=ima",
)


class Asked:
    """The API's client, and the store behind it."""

    def __init__(self, client: httpx.AsyncClient, store: IndexStore) -> None:
        self.client = client
        self.store = store

    async def get(self, path: str, status: int = 200) -> dict[str, Any]:
        response = await self.client.get(path)
        assert response.status_code == status, response.text
        found: dict[str, Any] = response.json()
        return found

    async def all(self, path: str, limit: int) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            joint = "&" if "?" in path else "?"
            page = await self.get(f"{path}{joint}limit={limit}{cursor}")
            assert len(page["items"]) <= limit
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = f"&cursor={page['next_cursor']}"


@pytest_asyncio.fixture
async def asked(new_database: NewDatabase) -> AsyncIterator[Asked]:
    async with (
        filled_index(new_database()) as (store, reader),
        asking(told_app(reader)) as client,
    ):
        yield Asked(client, store)


async def test_pages_neither_repeat_nor_hide(asked: Asked) -> None:
    for path in PAGED:
        whole = await asked.all(path, 100)
        assert whole, path
        assert await asked.all(path, 3) == whole, path
        keys = [repr(item) for item in whole]
        assert len(set(keys)) == len(keys), path


async def test_single_things_are_those_of_the_lists(asked: Asked) -> None:
    for item in await asked.all("/v1/models", 100):
        told = await asked.get(f"/v1/models/{item['name']}")
        assert told["model"] == item
        assert len(told["versions"]) == item["versions"]
        path = f"/v1/models/{item['name']}"
        assert await asked.all(f"{path}/versions", 1) == told["versions"]
        assert await asked.all(f"{path}/aliases", 1) == told["aliases"]
        ids = [version["version_id"] for version in told["versions"]]
        assert ids == sorted(ids, reverse=True) and ids[0] == item["latest"]
        named = {alias["alias"]: alias["version_id"] for alias in told["aliases"]}
        assert named["latest"] == item["latest"] and named.get("stable") == item["stable"]
        for version in told["versions"]:
            shown = (await asked.get(f"/v1/versions/{version['version_id']}"))["version"]
            record = shown | shown["record"]
            assert version == {name: record[name] for name in version}
    for item in await asked.all("/v1/executors", 100):
        assert (await asked.get(f"/v1/executors/{item['address']}"))["executor"] == item
        assert (await asked.get(f"/v1/executors/{item['address'].lower()}"))["executor"] == item
        told = await asked.get(f"/v1/executors/{item['address']}")
        for path, name in (("/v1/enrolments", "enrolments"), ("/v1/pools", "pools")):
            assert await asked.all(f"{path}?executor={item['address']}", 7) == told[name]
    for item in (await asked.all("/v1/requests", 100))[:20]:
        assert (await asked.get(f"/v1/requests/{item['request_id']}"))["request"] == item


async def test_filters_are_about_what_is_shown(asked: Asked) -> None:
    requests = await asked.all("/v1/requests", 100)
    states = {item["state"] for item in requests}
    assert {"final", "refunded"} <= states
    for state in states:
        expected = [item for item in requests if item["state"] == state]
        assert await asked.all(f"/v1/requests?state={state}", 100) == expected
    one = requests[0]
    assert await asked.all(f"/v1/requests?version={one['version_id']}&mode={one['mode']}", 7) == [
        item
        for item in requests
        if (item["version_id"], item["mode"]) == (one["version_id"], one["mode"])
    ]
    results = await asked.all("/v1/results", 100)
    assert len(results) == sum(item["state"] == "final" for item in requests)
    bound = next(item for item in results if item["input_binding"])
    found = await asked.all(f"/v1/results?input={bound['input_binding']}", 10)
    assert bound in found


async def test_money_adds_up(asked: Asked) -> None:
    requests = await asked.all("/v1/requests", 100)
    final = [item for item in requests if item["state"] == "final"]
    fees = sum(int(item["fee"]) for item in final)
    royalties = sum(int(item["royalty"]) for item in final)
    accounts = {item["address"] for item in await asked.all("/v1/executors", 100)}
    accounts |= {item["requester"] for item in requests}
    accounts |= {item["holder"] for item in await asked.all("/v1/models", 100)}
    told = [(await asked.get(f"/v1/earnings/{address}"))["earnings"] for address in accounts]
    assert sum(int(item["fees"]) for item in told) == fees
    assert sum(int(item["spent"]) for item in told) == fees + royalties
    usage = await asked.all("/v1/usage", 100)
    assert sum(int(item["fees"]) for item in usage) == fees
    assert sum(int(item["royalties"]) for item in usage) == royalties
    models = await asked.all("/v1/models", 100)
    assert sum(int(item["royalties"]) for item in models) == royalties


async def test_an_answer_that_is_known_is_not_sent_again(asked: Asked) -> None:
    first = await asked.client.get("/v1/models?limit=2&cursor=")
    assert first.status_code == 400  # an empty cursor is none
    first = await asked.client.get("/v1/requests?limit=2&state=final")
    tag = first.headers["etag"]
    assert tag.startswith('"') and "max-age" in first.headers["cache-control"]
    same = await asked.client.get(
        "/v1/requests?state=final&limit=2", headers={"if-none-match": f'"other", W/{tag}'}
    )
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    other = await asked.client.get(
        "/v1/requests?limit=3&state=final", headers={"if-none-match": tag}
    )
    assert other.status_code == 200
    for named in ("*", '"other", "another"'):
        for path, status in (("/v1/models", 304), ("/v1/models/nothing", 404)):
            told = await asked.client.get(path, headers={"if-none-match": named})
            assert told.status_code == (status if named == "*" or status == 404 else 200)
    twice = [("if-none-match", '"other"'), ("if-none-match", tag)]
    told = await asked.client.get("/v1/requests?limit=2&state=final", headers=twice)
    assert told.status_code == 304
    await asked.store.rebuild()
    changed = await asked.client.get(
        "/v1/requests?limit=2&state=final", headers={"if-none-match": tag}
    )
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert changed.json() == first.json()


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/models/nothing", 404, "unknown-model"),
        ("/v1/models/No%20Name", 400, "invalid-parameter"),
        ("/v1/versions/18446744073709551615", 404, "unknown-version"),
        ("/v1/versions/-1", 400, "invalid-parameter"),
        ("/v1/executors/0x" + "00" * 20, 404, "unknown-executor"),
        ("/v1/requests/0x" + "00" * 32, 404, "unknown-request"),
        ("/v1/requests?cursor=W10", 400, "invalid-cursor"),
        ("/v1/requests?limit=101", 400, "invalid-parameter"),
        ("/v1/requests?colour=red", 400, "invalid-parameter"),
        ("/nothing", 404, "unknown-path"),
    ],
)
async def test_mistakes_are_answered_in_words(
    asked: Asked, path: str, status: int, code: str
) -> None:
    told = await asked.get(path, status)
    assert told["code"] == code
    assert set(told) == {"error", "code", "message", "hint", "context"}


async def test_who_asks_too_much_waits(new_database: NewDatabase) -> None:
    async with (
        filled_index(new_database()) as (_, reader),
        asking(told_app(reader, rate=0.001, burst=3)) as client,
    ):
        statuses = [(await client.get("/v1/models")).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = await client.get("/health")
        assert refused.json()["code"] == "rate-limited"
        assert int(refused.headers["retry-after"]) > 0


async def test_a_cursor_is_of_one_list_in_one_order(asked: Asked) -> None:
    cursor = (await asked.get("/v1/search?sort=newest&limit=1"))["next_cursor"]
    for path in ("/v1/search?sort=price", "/v1/search", "/v1/models"):
        told = await asked.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}", 400)
        assert told["code"] == "invalid-cursor"


async def test_browsers_of_anybody_may_read_and_take_text_for_text(asked: Asked) -> None:
    response = await asked.client.get("/v1/search", headers={"origin": "https://page.example"})
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-type"] == "application/json"
    assert "<b>" in response.json()["items"][0]["description"]
    written = await asked.client.post("/v1/search")
    assert written.status_code == 405
    assert written.json()["code"] == "method-not-allowed"


@pytest.mark.parametrize("value", [1 << 63, (1 << 256) - 1, "\0", "\ud800", "9" * 400])
async def test_forged_cursors_are_answered(asked: Asked, value: int | str) -> None:
    """A cursor is anybody's text: what no database stores is no reason to fail."""
    for path in PAGED:
        joint = "&" if "?" in path else "?"
        cursor = (await asked.get(f"{path}{joint}limit=1"))["next_cursor"]
        kind, *held = json.loads(base64.urlsafe_b64decode(cursor + "=="))
        forged = [value if type(entry) is type(value) else entry for entry in held]
        text = json.dumps([kind, *forged], separators=(",", ":"))
        given = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")[:512]
        response = await asked.client.get(f"{path}{joint}cursor={given}")
        assert response.status_code in (200, 400), (path, response.text)


@pytest.mark.parametrize("name", ["tag", "task", "q"])
async def test_text_that_no_database_stores_is_found_nowhere(asked: Asked, name: str) -> None:
    response = await asked.client.get("/v1/search", params={name: "a\0b"})
    assert response.status_code in (200, 400), response.text
