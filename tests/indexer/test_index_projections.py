"""Whatever forks, the index says what it would say had only the last branch ever been."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from database_fixtures import NewDatabase
from gateless.adapters.db import DatabaseUrl
from gateless.core.errors import ConfigError
from gateless.daemon import journals
from gateless.indexer.schema import PROJECTIONS, events, listing_tags, listings
from gateless.indexer.store import IndexStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, select
from told_chain import ToldChain, told_deployment

COMPARED: tuple[Table, ...] = (*PROJECTIONS.values(), listings, listing_tags, events)
#: Blocks that come, and how many of the last stretches a fork takes back before them.
STEPS = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.integers(1, 5), min_size=1, max_size=3)),
    min_size=1,
    max_size=4,
)


def everything(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
        for table in COMPARED
    }


async def shown_by(store: IndexStore) -> dict[str, list[tuple[Any, ...]]]:
    return await store.write(everything)


async def told_at_once(url: DatabaseUrl, chain: ToldChain) -> dict[str, list[tuple[Any, ...]]]:
    store = await IndexStore.open(url, told_deployment())
    try:
        if chain.blocks:
            await store.advance(chain.stretch(1, chain.height))
        return await shown_by(store)
    finally:
        await store.close()


async def follow(store: IndexStore, chain: ToldChain, steps: Any) -> None:
    """Lets the chain grow and fork, and tells the store of it as the follower does."""
    for back, lengths in steps:
        positions = [*await store.positions(), journals.Position(0, "")]
        if back:
            ancestor = positions[min(back, len(positions) - 1)].number
            chain.cut(ancestor)
            await store.rewind(ancestor)
        for length in lengths:
            first = chain.height + 1
            chain.grow(length)
            await store.advance(chain.stretch(first, chain.height))


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 1000), steps=STEPS)
async def test_following_forks_is_as_reading_from_the_start(
    new_database: NewDatabase, seed: int, steps: Any
) -> None:
    chain = ToldChain(seed)
    store = await IndexStore.open(new_database(), told_deployment())
    try:
        await follow(store, chain, steps)
        followed = await shown_by(store)
        await store.rebuild()
        assert await shown_by(store) == followed
    finally:
        await store.close()
    assert await told_at_once(new_database(), chain) == followed


async def test_a_fork_deeper_than_is_remembered_is_followed_too(
    new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain = ToldChain(5)
    store = await IndexStore.open(new_database(), told_deployment())
    try:
        await follow(store, chain, [(0, [2, 2])])
        for _ in range(20):
            first = chain.height + 1
            chain.grow(30, steps=1)
            await store.advance(chain.stretch(first, chain.height))
        kept = await store.positions()
        assert kept[-1].number > 4
        # Below what is remembered there is only the event log to go by.
        chain.cut(3)
        await store.rewind(3)
        assert [position.number for position in await store.positions()] == []
        chain.grow(2)
        await store.advance(chain.stretch(4, 5))
        followed = await shown_by(store)
    finally:
        await store.close()
    assert await told_at_once(new_database(), chain) == followed


async def test_an_index_of_another_network_is_refused(
    database_url: DatabaseUrl,
) -> None:
    store = await IndexStore.open(database_url, told_deployment())
    await store.close()
    with pytest.raises(ConfigError) as caught:
        await IndexStore.open(database_url, replace(told_deployment(), chain_id=5))
    assert caught.value.code == "journal-of-another"
