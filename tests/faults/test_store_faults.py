"""Stores that give wrong bytes, stop half-way, trickle, never end, or are not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
from aiohttp import web
from executor_fixtures import running
from gateless.adapters.chain import lazy_calls
from gateless.adapters.storage import LocalStore, content_hint
from gateless.core.lazy import LazyState
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from lazy_serving import LAZY
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from tried import PATIENCE_SECONDS, PRICE, Tried, on_trial, rows

KINDS = (
    *("wrong-bytes", "truncated", "trickling", "silent", "endless", "oversize"),
    *("500", "404", "a-redirect"),
)


class FaultyStore:
    """A content store that answers as ``kind`` says, or well where that is empty."""

    def __init__(self, store: LocalStore, kind: str) -> None:
        self._store = store
        self.kind = kind
        self.asked = 0
        self.open = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        path = self._store.path_of(request.path.rpartition("/")[2])
        body = await asyncio.to_thread(path.read_bytes) if path.is_file() else b""
        if self.kind in ("500", "404") or not body:
            return web.Response(status=int(self.kind or 404))
        if self.kind == "a-redirect":
            raise web.HTTPFound("http://169.254.169.254/latest/meta-data")
        if self.kind == "wrong-bytes":
            return web.Response(body=body[:-1] + bytes([body[-1] ^ 1]))
        if self.kind == "oversize":
            return web.Response(body=body + b"more")
        if not self.kind:
            return web.Response(body=body)
        response = web.StreamResponse()
        await response.prepare(request)
        self.open += 1
        try:
            with suppress(ConnectionError):  # the caller has enough of it, as it should
                await self._misbehave(response, body)
        finally:
            self.open -= 1
        return response

    async def _misbehave(self, response: web.StreamResponse, body: bytes) -> None:
        if self.kind == "truncated":
            await response.write(body[: len(body) // 2])
        while self.kind == "trickling":
            await response.write(b"x")
            await asyncio.sleep(0.5)
        if self.kind == "silent":
            await asyncio.sleep(120)
        while self.kind == "endless":
            await response.write(bytes(1 << 16))


@asynccontextmanager
async def faulty_store(store: LocalStore, kind: str) -> AsyncIterator[FaultyStore]:
    faulty = FaultyStore(store, kind)
    application = web.Application()
    application.router.add_get("/{path:.*}", faulty.handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        faulty.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield faulty
    finally:
        await runner.cleanup()


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(isolated_devnet, make_served, make_account, "stored")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_store_of_an_input(tried: Tried, kind: str) -> None:
    """Nothing is locked whose input is not here; others are served meanwhile."""
    executor, user = tried.ask.served.executor, tried.ask.user
    async with (
        faulty_store(user.client.services.store, kind) as store,
        running(tried.devnet, executor, tried.config) as run,
    ):
        made = await user.client.submit(
            tried.ask.served.name, [0.1, 0.2, 0.3, 0.4], price=PRICE, input_store=store.url
        )

        async def asked() -> bool:
            return store.asked > 0

        await eventually("the store is asked", asked, PATIENCE_SECONDS)
        await tried.asks()
        await tried.at_rest(run.journal)
        info = await tried.devnet.client.market.request(made.request_id)
        assert info.state is RequestState.OPEN
        # The store mends its ways: the request is served then, if its time is not over. Whatever it
        # sent before, the digest alone says what the input is.
        store.kind = ""
        tried.proven.append(made.request_id)
        await tried.at_rest(run.journal)
    await tried.judged()


async def test_stores_that_trickle_take_nobodys_place(tried: Tried) -> None:
    """Three requests whose inputs never come, at an executor that works on one at a time."""
    executor, user = tried.ask.served.executor, tried.ask.user
    policy = replace(tried.config.policy, max_concurrent=1)
    tried.config = replace(tried.config, policy=policy)
    async with (
        faulty_store(user.client.services.store, "trickling") as store,
        running(tried.devnet, executor, tried.config) as run,
    ):
        waiting = [
            await user.client.submit(tried.ask.served.name, row, price=PRICE, input_store=store.url)
            for row in rows(3)
        ]

        async def all_wait() -> bool:
            return store.open == len(waiting)

        await eventually("the store is asked for all of them at once", all_wait, PATIENCE_SECONDS)
        await tried.asks()
        await tried.at_rest(run.journal)
        store.kind = ""
        tried.proven += [made.request_id for made in waiting]
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("kind", ["wrong-bytes", "truncated", "endless", "404"])
async def test_the_store_of_a_bundle(tried: Tried, kind: str) -> None:
    """An executor that has lost the version's files gets them where they are right."""
    executor, builder = tried.ask.served.executor, tried.ask.served.builder
    empty = executor.home / "empty"
    bundles = executor.home / "other-bundles"
    async with (
        faulty_store(builder.client.services.store, kind) as bad,
        faulty_store(executor.client.services.store, "") as good,
    ):
        tried.config = replace(
            tried.config, content_dir=empty, bundles_dir=bundles, stores=(bad.url, good.url)
        )
        async with running(tried.devnet, executor, tried.config) as run:
            await tried.asks()
            await tried.at_rest(run.journal)
        assert bad.asked > 0
    await tried.judged()


@pytest.mark.parametrize("kind", ["wrong-bytes", "silent", "endless"])
async def test_the_store_of_a_lazy_input(tried: Tried, kind: str) -> None:
    tried.config = replace(tried.config, lazy=LAZY)
    executor, user = tried.ask.served.executor, tried.ask.user
    async with (
        faulty_store(user.client.services.store, kind) as store,
        running(tried.devnet, executor, tried.config) as run,
    ):
        digest = await user.client.services.store.put(tried.ask.packed)
        hint = content_hint(digest, store.url)
        lost = await tried.ask.request(input_hint=hint)
        sender = tried.ask.sender(user)
        await sender.send(lazy_calls.request(lost, b""))
        served = await tried.asks_lazily()
        await tried.ask.reaches(served, LazyState.ANSWERED)
        lost_id = await tried.ask.market.id_of(lost)
        assert await tried.ask.market.state(lost_id) in (LazyState.OPEN, LazyState.ANSWERED)
        await tried.window_passes(served)
        await tried.at_rest(run.journal)
    await tried.judged()
