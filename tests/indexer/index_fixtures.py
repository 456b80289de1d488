"""An index that was told a story, and its API in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.db import DatabaseUrl
from gateless.indexer.api import answers
from gateless.indexer.api.app import indexer_app
from gateless.indexer.indexer import token_of
from gateless.indexer.reader import IndexReader
from gateless.indexer.schema import manifests
from gateless.indexer.store import IndexStore
from sqlalchemy import select, update
from told_chain import ToldChain, told_deployment


class ToldStanding:
    """An indexer that is up with its chain."""

    async def status(self) -> answers.StatusAnswer:
        return answers.StatusAnswer(
            network="told",
            chain_id=31337,
            token=token_of(told_deployment()),
            contracts={},
            revision="1",
            indexed=answers.Block(number=1, hash="0x00"),
            head=1,
            blocks_behind=0,
            confirmations=0,
            problem=None,
            counts={"models": 1},
        )

    def ready(self) -> answers.Ready:
        return answers.Ready(ready=True, reason="")


async def fill(store: IndexStore, *, blocks: int = 60, seed: int = 3) -> ToldChain:
    """Tells a story to an index, and makes its manifests as if they had been fetched."""
    chain = ToldChain(seed)
    chain.grow(blocks, steps=4)
    await store.advance(chain.stretch(1, chain.height))
    await give_manifests(store)
    return chain


async def give_manifests(store: IndexStore) -> None:
    def run(connection: object) -> None:
        from gateless.indexer import listings
        from sqlalchemy import Connection

        assert isinstance(connection, Connection)
        for place, (digest,) in enumerate(connection.execute(select(manifests.c.digest)).all()):
            connection.execute(
                update(manifests)
                .where(manifests.c.digest == digest)
                .values(
                    state="here",
                    title=f"Model {place}",
                    description="Reads handwritten digits. <b>Not</b> markup & more.",
                    task="image-classification",
                    tags=["digits", "mnist"] if place % 2 else ["weather"],
                    license="MIT",
                    inputs=[{"name": "x", "shape": [1, 28], "dtype": "FLOAT"}],
                )
            )
        listings.refresh(connection, None)

    await store.write(run)


def told_app(
    reader: IndexReader, *, clock: Clock | None = None, rate: float = 1e6, burst: int = 10**6
) -> FastAPI:
    """The API over an index."""
    return indexer_app(
        reader,
        token_of(told_deployment()),
        ToldStanding(),
        clock or SystemClock(),
        rate_per_second=rate,
        burst=burst,
    )


@asynccontextmanager
async def asking(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application in this process."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://index") as client:
        yield client


@asynccontextmanager
async def filled_index(url: DatabaseUrl) -> AsyncIterator[tuple[IndexStore, IndexReader]]:
    """An index with a story in it."""
    store = await IndexStore.open(url, told_deployment())
    try:
        await fill(store)
        reader = await IndexReader.open(url)
        try:
            yield store, reader
        finally:
            await reader.close()
    finally:
        await store.close()
