"""Challenges are read off the chain once, by slot, and forgotten where the chain forks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gateless.adapters.chain.court_calls import COURT
from gateless.devnet import Devnet
from gateless.watchtower import Journal
from gateless.watchtower.court_events import CourtEvents
from market_fixtures import MakeAccount, MakeServed
from watchtower_fixtures import signing_executor


async def test_challenges_by_slot(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, tmp_path: Path
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "watched-court")
    doubter = await make_account()
    lie = await says.receipt(says.lie)
    journal = await Journal.open(
        tmp_path / "journal.db",
        chain_id=devnet.deployment.chain_id,
        court=devnet.client.court.address,
        account=doubter.address,
    )
    try:
        book = journal.court
        events = CourtEvents(devnet.client, book)
        await events.poll()
        assert await book.claims_on(lie.receipt) == []
        fork = await devnet.control.snapshot()
        await doubter.client.challenge_receipt(lie, says.packed)
        await events.poll()
        told = await devnet.client.events([f"{COURT}.ReceiptChallenged"], 0)
        assert await book.claims_on(lie.receipt) == [int(told[-1].args["claimId"])]
        # The largest slot that a receipt can name is another one.
        other = replace(lie.receipt, epoch=2**64 - 1, slot=2**32 - 1)
        assert await book.claims_on(other) == []
        cursor = (await book.positions(1))[0].number
        await events.poll()
        assert (await book.positions(1))[0].number >= cursor
        # A branch without the challenge, longer than the first one.
        await devnet.control.revert(fork)
        await devnet.control.mine(20)
        await events.poll()
        assert await book.claims_on(lie.receipt) == []
    finally:
        await journal.close()
