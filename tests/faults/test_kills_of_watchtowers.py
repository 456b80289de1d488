"""kill -9 of a watchtower while it challenges a lie: one challenge, one reward, no bond left."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import pytest
from books import read_books
from dying_watchtower import KEY_VARIABLE
from gateless.core.handovers import Handover
from gateless.devnet import Devnet
from gateless.watchtower.cases import CaseState
from market_fixtures import Account, MakeAccount, MakeServed
from tried import PATIENCE_SECONDS
from watchtower_fixtures import (
    COMMIT_BOND,
    put_into,
    signing_executor,
    watch_config,
    watching,
    with_bundle,
)


async def dies(devnet: Devnet, tower: Account, step: str) -> None:
    """Runs a watchtower until it kills itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "dying_watchtower", str(tower.home), str(devnet.deployment_file), step),
        env={
            **os.environ,
            KEY_VARIABLE: bytes(tower.signer._account.key).hex(),
            "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry),
        },
    )
    try:
        ended = await asyncio.wait_for(process.wait(), PATIENCE_SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert ended == -signal.SIGKILL


@pytest.mark.parametrize(
    "step",
    ["intended:commit", "moved:committed", "intended:open", "moved:open"],
)
async def test_a_lie_is_challenged_once(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, step: str
) -> None:
    devnet = isolated_devnet
    says = await signing_executor(devnet, make_served, "lying")
    tower = await with_bundle(await make_account(), says.served)
    lie = await says.receipt(says.lie)
    inbox = watch_config(tower).inbox
    assert inbox is not None
    put_into(inbox, "lie", Handover(lie, says.packed).to_json())
    await dies(devnet, tower, step)
    async with watching(devnet, tower) as watch:
        case = await watch.reaches(lie.digest, CaseState.OPEN)
        now = (await says.chain.block("pending")).timestamp
        await devnet.control.advance(case.deadline - now + 1)
        await watch.reaches(lie.digest, CaseState.WON)
    events = await says.chain.events(["ReceiptCourt.Committed", "ReceiptCourt.ClaimSlashed"], 0)
    names = sorted(event.name for event in events)
    assert names == ["ClaimSlashed", "Committed"]
    # Both bonds are back; the reward is there once.
    assert await says.chain.court.balance_of(tower.address) >= COMMIT_BOND
    books = await read_books(says.chain, devnet.deployment.start_block)
    assert not books.faults()
