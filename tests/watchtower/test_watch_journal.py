"""The watchtower's journal: whose it is, what may follow on what, what it keeps how long."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.db import DatabaseUrl
from gateless.core.errors import ConfigError, GatelessError
from gateless.daemon.journals import Position
from gateless.watchtower import Journal
from gateless.watchtower.cases import FINAL, TRANSITIONS, CaseKind, CaseState, NewCase
from gateless.watchtower.journal import AskedInput

COURT, ACCOUNT = "0x" + "11" * 20, "0x" + "22" * 20
NOW = 1_900_000_000
MONTH = 31 * 24 * 3600


def case(name: bytes = b"case", **changes: object) -> NewCase:
    values = {
        "case_id": keccak(name),
        "kind": CaseKind.LAZY,
        "document": "{}",
        "executor": ACCOUNT,
        "version_id": 1 << 32,
        "expires": NOW,
        **changes,
    }
    return NewCase(**values)  # type: ignore[arg-type]


async def opened(url: DatabaseUrl, **changes: object) -> Journal:
    identity = {"chain_id": 31337, "court": COURT, "account": ACCOUNT, **changes}
    return await Journal.open(url, **identity)  # type: ignore[arg-type]


async def test_another_networks_journal_is_refused(database_url: DatabaseUrl) -> None:
    await (await opened(database_url)).close()
    for change in ({"chain_id": 1}, {"court": ACCOUNT}, {"account": COURT}):
        with pytest.raises(ConfigError) as caught:
            await opened(database_url, **change)
        assert caught.value.code == "journal-of-another"
    await (await opened(database_url)).close()


def test_what_is_over_stays_over() -> None:
    assert {state for state, after in TRANSITIONS.items() if not after} == FINAL
    assert set(TRANSITIONS) == set(CaseState)


@pytest.mark.parametrize("to", sorted(set(CaseState) - TRANSITIONS[CaseState.NEW]))
async def test_no_step_is_left_out(database_url: DatabaseUrl, to: CaseState) -> None:
    journal = await opened(database_url)
    await journal.take(case())
    with pytest.raises(GatelessError) as caught:
        await journal.move(case().case_id, to)
    assert caught.value.code == "forbidden-transition"
    assert (await journal.get(case().case_id)).state is CaseState.NEW
    await journal.close()


async def test_what_was_handed_over_twice_gains_what_it_lacked(database_url: DatabaseUrl) -> None:
    journal = await opened(database_url)
    assert await journal.take(case())
    assert not await journal.take(case())
    await journal.move(case().case_id, CaseState.UNDECIDED, reason="input-missing")
    assert await journal.take(case(packed_input=b"in"))
    known = await journal.get(case().case_id)
    assert (known.state, known.packed_input, known.reason) == (CaseState.NEW, b"in", "")
    assert not await journal.take(case(packed_input=b"another"))
    await journal.move(case().case_id, CaseState.WRONG)
    assert not await journal.take(case(packed_output=b"out"))
    await journal.close()


async def test_a_fork_takes_back_what_risks_nothing(database_url: DatabaseUrl) -> None:
    journal = await opened(database_url)
    risky, idle = case(b"risky", block=8), case(b"idle", block=9)
    asked = AskedInput(keccak(b"asked"), b"in", 9, NOW)
    await journal.advance([risky], Position(8, "0x8"))
    await journal.advance([idle], Position(9, "0x9"), [asked])
    await journal.move(risky.case_id, CaseState.WRONG)
    await journal.move(risky.case_id, CaseState.COMMITTING, salt=b"salt", bond=5)
    await journal.rewind(7)
    assert await journal.positions() == []
    assert await journal.asked_input(asked.request_id) is None
    assert await journal.counts() == {CaseState.COMMITTING: 1}
    # The same request, answered otherwise on the new branch, is a case beside it.
    assert (
        len(await journal.advance([case(b"risky", block=8, document="[]")], Position(8, "0"))) == 1
    )
    assert await journal.counts() == {CaseState.COMMITTING: 1, CaseState.NEW: 1}
    assert await journal.at_risk() == 5
    await journal.close()


async def test_an_answer_that_changed_gives_way_where_nothing_is_at_risk(
    database_url: DatabaseUrl,
) -> None:
    journal = await opened(database_url)
    await journal.advance([case(block=8)], Position(8, "0x8"))
    await journal.move(case().case_id, CaseState.RIGHT)
    assert await journal.advance([case(block=9)], Position(9, "0x9")) == []
    await journal.advance([case(block=9, document="[]")], Position(9, "0x9"))
    known = await journal.get(case().case_id)
    assert (known.state, known.document) == (CaseState.NEW, "[]")
    await journal.close()


async def test_only_what_brought_or_cost_something_is_kept_for_ever(
    database_url: DatabaseUrl,
) -> None:
    journal = await opened(database_url)
    for name, state in ((b"right", CaseState.RIGHT), (b"won", CaseState.WON)):
        await journal.take(case(name, packed_input=b"in", packed_output=b"out"))
        if state is CaseState.WON:
            for step in (CaseState.WRONG, CaseState.COMMITTING, CaseState.COMMITTED):
                await journal.move(case(name).case_id, step)
        await journal.move(case(name).case_id, state)
    await journal.tidy(NOW)
    assert await journal.counts() == {CaseState.RIGHT: 1, CaseState.WON: 1}
    emptied = await journal.get(keccak(b"right"))
    assert (emptied.packed_input, emptied.packed_output) == (None, None)
    await journal.tidy(NOW + MONTH)
    assert await journal.counts() == {CaseState.WON: 1}
    await journal.close()
