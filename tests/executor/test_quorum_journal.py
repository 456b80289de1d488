"""The journal on quorums: salts stay, forks give way, restarts go on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from eth_utils.crypto import keccak
from gateless.adapters.db import DatabaseUrl
from gateless.adapters.signer import LocalSigner
from gateless.core.quorums import QuorumRequest, QuorumRound
from gateless.daemon.journals import Position
from gateless.executor import Journal
from gateless.executor.quorum_journal import QuorumBook, Standing

ME, OTHER = LocalSigner.random().address, LocalSigner.random().address
MARKET = LocalSigner.random().address
REQUEST = QuorumRequest(
    requester=OTHER,
    version_id=(1 << 32) | 5,
    runtime_class=keccak(text="class"),
    input_digest=keccak(b"input"),
    input_binding=keccak(b"input"),
    price=1 << 87,
    members=3,
    threshold=2,
    min_eligible=0,
    deadline=2_000_000_000,
    commit_window=60,
    reveal_window=60,
    nonce=(1 << 256) - 1,
    input_hint="naïve",
)
ID = (1 << 255) + 3


def drawn(*members: str) -> QuorumRound:
    return QuorumRound(
        request_id=ID,
        requester=OTHER,
        version_id=REQUEST.version_id,
        runtime_class=REQUEST.runtime_class,
        input_digest=REQUEST.input_digest,
        price=REQUEST.price,
        threshold=2,
        commit_deadline=1_900_000_060,
        reveal_deadline=1_900_000_120,
        callback=OTHER,
        callback_gas=0,
        members=members,
    )


async def opened_journal(url: DatabaseUrl) -> Journal:
    return await Journal.open(url, chain_id=31337, market=MARKET, account=ME)


@pytest_asyncio.fixture
async def journal(database_url: DatabaseUrl) -> AsyncIterator[QuorumBook]:
    journal = await opened_journal(database_url)
    yield journal.quorums
    await journal.close()


def at(number: int) -> Position:
    return Position(number, f"0x{number:064x}")


async def test_everything_reads_back(journal: QuorumBook) -> None:
    await journal.advance({ID: (REQUEST, 10, b"input")}, {}, at(10))
    (kept,) = await journal.active()
    assert kept == await journal.get(ID)
    assert (kept.request, kept.opened_block, kept.packed_input) == (REQUEST, 10, b"input")
    assert (kept.round, kept.salt, kept.packed_output) == (None, None, None)
    assert kept.standing is Standing.OPEN
    held = drawn(OTHER, ME)
    await journal.advance({}, {ID: (held, 12)}, at(12))
    assert (await journal.get(ID)).round == held
    assert [position.number for position in await journal.positions()] == [12, 10]
    with pytest.raises(LookupError):
        await journal.get(ID + 1)


async def test_a_draw_of_a_request_that_nobody_follows_is_nothing(journal: QuorumBook) -> None:
    await journal.advance({}, {ID: (drawn(ME), 12)}, at(12))
    assert await journal.active() == []


async def test_salt_and_output_are_written_once(journal: QuorumBook) -> None:
    await journal.advance({ID: (REQUEST, 10, b"input")}, {}, at(10))
    first = await journal.keep_answer(ID, b"\1" * 32, b"output")
    assert (first.salt, first.packed_output) == (b"\1" * 32, b"output")
    again = await journal.keep_answer(ID, b"\2" * 32, b"another")
    assert (again.salt, again.packed_output) == (b"\1" * 32, b"output")


async def test_an_output_may_be_empty(journal: QuorumBook) -> None:
    await journal.advance({ID: (REQUEST, 10, b"input")}, {}, at(10))
    assert (await journal.keep_answer(ID, b"\1" * 32, b"")).packed_output == b""


async def test_no_fork_takes_a_salt(journal: QuorumBook) -> None:
    await journal.advance({ID: (REQUEST, 10, b"input")}, {}, at(10))
    await journal.advance({}, {ID: (drawn(ME, OTHER), 12)}, at(12))
    await journal.keep_answer(ID, b"\1" * 32, b"output")
    await journal.move(ID, Standing.SETTLED)
    assert await journal.active() == []
    # The draw is undone: others may be drawn, and this request is looked at again.
    await journal.rewind(11)
    (kept,) = await journal.active()
    assert (kept.round, kept.standing) == (None, Standing.OPEN)
    assert (kept.salt, kept.packed_output) == (b"\1" * 32, b"output")
    assert [position.number for position in await journal.positions()] == [10]
    # The request itself is undone and mined again, in another block.
    await journal.rewind(5)
    await journal.advance({ID: (REQUEST, 11, b"input")}, {ID: (drawn(OTHER, ME), 13)}, at(13))
    (kept,) = await journal.active()
    assert kept.opened_block == 11
    assert kept.round == drawn(OTHER, ME)
    assert kept.salt == b"\1" * 32


async def test_what_is_long_over_stays_over(journal: QuorumBook) -> None:
    await journal.advance({ID: (REQUEST, 10, b"input")}, {}, at(10))
    await journal.move(ID, Standing.REFUNDED, reason="why", text="in words")
    await journal.rewind(10_000)
    assert await journal.active() == []
    kept = await journal.get(ID)
    assert (kept.reason, kept.text) == ("why", "in words")
    assert await journal.counts() == {Standing.REFUNDED: 1}


async def test_a_restart_goes_on(database_url: DatabaseUrl) -> None:
    first = await opened_journal(database_url)
    await first.quorums.advance({ID: (REQUEST, 10, b"input")}, {ID: (drawn(ME), 11)}, at(11))
    await first.quorums.keep_answer(ID, b"\7" * 32, b"output")
    await first.close()
    again = await opened_journal(database_url)
    (kept,) = await again.quorums.active()
    assert kept.salt == b"\7" * 32
    assert kept.round == drawn(ME)
    await again.close()


async def test_requests_stand_in_the_order_in_which_they_came(journal: QuorumBook) -> None:
    later = replace(REQUEST, nonce=1)
    await journal.advance({1: (later, 12, b""), ID: (REQUEST, 10, b"")}, {}, at(12))
    assert [kept.request_id for kept in await journal.active()] == [ID, 1]
