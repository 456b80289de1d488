"""What a further lock would mean, by measurements of this run and of those before it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from gateless.adapters.db import DatabaseUrl
from gateless.core.types import InputBinding, TrustMode
from gateless.daemon.journals import Position
from gateless.executor import Journal, PolicyConfig
from gateless.executor.gather import Gather
from gateless.executor.policy import Policy
from gateless.executor.states import WorkState
from gateless.executor.work import NewWork

OURS, OTHER = 1 << 32, 2 << 32
NOW, DUE = 1_000.0, 1_060.0
ME = "0x" + "11" * 20


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    opened = await Journal.open(database_url, chain_id=31337, market="0xMarket", account=ME)
    yield opened
    await opened.close()


def announced(request_id: int, version_id: int) -> NewWork:
    return NewWork(
        request_id=request_id,
        version_id=version_id,
        requester="0x" + "22" * 20,
        mode=TrustMode.ZK,
        price=1,
        collateral=1,
        deadline=int(DUE) + 1_000,
        input_digest=b"\x01" * 32,
        input_binding=b"\x01" * 32,
        named_executor=None,
        created_block=1,
    )


async def test_promises_of_an_earlier_run_count_before_their_version_is_prepared(
    journal: Journal,
) -> None:
    """After a start the first version that is ready would be promised the time of the others."""
    works = [announced(1, OTHER), announced(2, OTHER), announced(3, OURS)]
    await journal.advance(works, Position(1, "0xone"))
    for number in (1, 2):
        await journal.move(number, WorkState.CHECKED, packed_input=b"in", circuit_index=1)
        await journal.move(number, WorkState.LOCKING)
        await journal.move(number, WorkState.LOCKED, lock_deadline=int(DUE) - 10)
    await journal.measured(OTHER, 1, 25.0)
    await journal.measured(OURS, 0, 5.0)
    ready: Any = SimpleNamespace(
        info=SimpleNamespace(version_id=OURS, binding=InputBinding.KZG),
        bundle=SimpleNamespace(schema=SimpleNamespace(inputs=(), outputs=())),
        circuit_index=0,
        batch_circuits=(),
    )
    config = PolicyConfig()
    parts: Any = SimpleNamespace(
        journal=journal,
        versions=SimpleNamespace(known={OURS: ready}.get),
        policy=Policy(replace(config, time_factor=1.0, margin_seconds=0.0), ME),
        config=SimpleNamespace(policy=config),
    )
    unused: Any = None
    gather = Gather(parts, unused, frozenset)
    found = await gather.forecast(await journal.get(3), ready, due=DUE, now=NOW)
    assert (found.before, found.own) == (50.0, 5.0)
