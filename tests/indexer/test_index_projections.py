"""Whatever forks, the index says what it would say had only the last branch ever been."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from database_fixtures import NewDatabase
from gateless.adapters.db import DatabaseUrl
from gateless.core.errors import ConfigError
from gateless.daemon import journals
from gateless.indexer.reducers import REDUCERS
from gateless.indexer.schema import PROJECTIONS, events, listing_tags, listings
from gateless.indexer.store import IndexStore
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Table, select
from told_chain import ToldChain, told_deployment

COMPARED: tuple[Table, ...] = (*PROJECTIONS.values(), listings, listing_tags, events)
#: What happens next: how many of the last stretches a fork takes back (all of them, where there are
#: fewer), whether the process starts anew, what then comes: the lengths of stretches.
STEPS = st.lists(
    st.tuples(
        st.integers(0, 12), st.booleans(), st.lists(st.integers(1, 5), min_size=1, max_size=4)
    ),
    min_size=1,
    max_size=5,
)
#: Blocks that are remembered: from less than a stretch on, so that forks are deeper too.
REMEMBERED = st.sampled_from([1, 6, 256])


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


async def follow(url: DatabaseUrl, chain: ToldChain, steps: Any, remembered: int) -> IndexStore:
    """Lets the chain grow and fork, and tells the store of it as the follower does."""
    store = await IndexStore.open(url, told_deployment(), remembered=remembered)
    try:
        for back, restarts, lengths in steps:
            if restarts:
                await store.close()
                store = await IndexStore.open(url, told_deployment(), remembered=remembered)
            positions = await store.positions()
            if back:
                # Where no position that is remembered holds, the follower goes to the start.
                ancestor = positions[back].number if back < len(positions) else 0
                chain.cut(ancestor)
                await store.rewind(ancestor)
            for length in lengths:
                first = chain.height + 1
                chain.grow(length)
                await store.advance(chain.stretch(first, chain.height))
    except BaseException:
        await store.close()
        raise
    return store


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 1000), steps=STEPS, remembered=REMEMBERED)
async def test_following_forks_is_as_reading_from_the_start(
    new_database: NewDatabase, seed: int, steps: Any, remembered: int
) -> None:
    """The same after forks of any depth and restarts, and after a rebuild from the log."""
    chain = ToldChain(seed)
    store = await follow(new_database(), chain, steps, remembered)
    try:
        followed = await shown_by(store)
        await store.rebuild()
        assert await shown_by(store) == followed
        # What is remembered after a rebuild is taken back as exactly.
        positions = await store.positions()
        ancestor = positions[1].number if len(positions) > 1 else 0
        chain.cut(ancestor)
        await store.rewind(ancestor)
        first = chain.height + 1
        chain.grow(3)
        await store.advance(chain.stretch(first, chain.height))
        followed = await shown_by(store)
    finally:
        await store.close()
    assert await told_at_once(new_database(), chain) == followed


def test_the_story_has_events_of_every_kind() -> None:
    """What the property above holds for is every event that the index is made of."""
    chain = ToldChain(1)
    told: set[tuple[str, str]] = set()
    while not told >= set(REDUCERS) and chain.height < 3_000:
        chain.grow(1, steps=20)
        told |= {(event.contract, event.name) for event in chain.blocks[chain.height]}
        del chain.stories[chain.height - 1]
    assert told == set(REDUCERS)


async def test_a_fork_deeper_than_is_remembered_is_followed_too(
    new_database: NewDatabase,
) -> None:
    chain = ToldChain(5)
    store = await follow(new_database(), chain, [(0, False, [2, 2])], journals.REMEMBERED_BLOCKS)
    try:
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


async def test_what_a_rebuild_forgot_is_not_taken_back_row_by_row(
    new_database: NewDatabase,
) -> None:
    chain = ToldChain(9)
    steps = [(0, False, [3, 3, 3, 3])]
    store = await follow(new_database(), chain, steps, remembered=8)
    try:
        await store.rebuild()
        chain.grow(1)
        await store.advance(chain.stretch(13, 13))
        # Remembered by number, but how it was there went with the rebuild.
        assert 6 in [position.number for position in await store.positions()]
        chain.cut(6)
        await store.rewind(6)
        chain.grow(2)
        await store.advance(chain.stretch(7, 8))
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
