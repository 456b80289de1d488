"""Stake that locks under way will take is not promised twice, whichever market they are at."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from gateless.adapters.db import DatabaseUrl
from gateless.core.types import ExecutorInfo, TrustMode
from gateless.daemon.journals import Position
from gateless.executor import Journal
from gateless.executor.policy import Standing
from gateless.executor.standing import unreserved
from gateless.executor.states import WorkState
from gateless.executor.work import NewWork

ME = "0x" + "11" * 20


@pytest.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[Journal]:
    opened = await Journal.open(database_url, chain_id=31337, market="0xMarket", account=ME)
    yield opened
    await opened.close()


def asked(request_id: int) -> NewWork:
    return NewWork(
        request_id=request_id,
        version_id=1 << 32,
        requester="0x" + "22" * 20,
        mode=TrustMode.ZK,
        price=1,
        collateral=40,
        deadline=2_000,
        input_digest=b"\x01" * 32,
        input_binding=b"\x01" * 32,
        named_executor=None,
        created_block=1,
    )


async def test_locks_under_way_count_as_stake_at_risk(journal: Journal) -> None:
    profile = ExecutorInfo(ME, 0, 0, "", None, 500, 1)
    chain = Standing(profile, frozenset(), available=100, locked=10, earnings=0, lazily_used=5)
    await journal.advance([asked(1), asked(2), asked(3)], Position(1, "0xone"))
    assert await unreserved(chain, journal) == chain
    for number in (1, 2, 3):
        await journal.move(number, WorkState.CHECKED, packed_input=b"in")
    await journal.move(1, WorkState.LOCKING)
    one = await unreserved(chain, journal)
    assert (one.available, one.locked, one.at_risk) == (60, 50, 55)
    for number in (2, 3):
        await journal.move(number, WorkState.LOCKING)
    assert (await unreserved(chain, journal)).available == 0, "never less than nothing"
    await journal.move(1, WorkState.LOCKED, lock_deadline=1_500)
    assert (await unreserved(chain, journal)).locked == 90, "the chain counts the mined one"
