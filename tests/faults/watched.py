"""A watchtower on trial: a lie that it is told of, and what it sent in the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from dataclasses import dataclass, field, replace
from typing import Any

from dying_watchtower import KEY_VARIABLE
from gateless.core.handovers import Handover
from gateless.core.receipts import SignedReceipt
from gateless.devnet import Devnet
from gateless.watchtower.cases import CaseState
from judge import Docket, judge_watchtower
from market_fixtures import Account, MakeAccount
from patience import eventually
from tried import PATIENCE_SECONDS
from watchtower_fixtures import (
    Signing,
    Watching,
    put_into,
    reading,
    watch_config,
    watching,
    with_bundle,
)


@dataclass
class Watched:
    """A watchtower that is killed.

    Attributes:
        since: the block at which it had not sent anything by itself.
        changes: its settings.
        lie: the receipt in its inbox.
    """

    devnet: Devnet
    tower: Account
    since: int
    changes: dict[str, Any] = field(default_factory=dict)
    lie: SignedReceipt | None = None

    async def dies(self, step: str) -> None:
        """Runs it until it kills itself."""
        home, network = self.tower.home, self.devnet.deployment_file
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "dying_watchtower", str(home), str(network), step, json.dumps(self.changes)),
            env={
                **os.environ,
                KEY_VARIABLE: bytes(self.tower.signer._account.key).hex(),
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

    def runs(self) -> Any:
        return watching(self.devnet, self.tower, **self.changes)

    async def passes(self, until: int) -> None:
        """Lets the time end in which a proof can come."""
        now = (await self.devnet.client.block("pending")).timestamp
        await self.devnet.control.advance(max(until - now + 1, 1))

    async def judged(self) -> None:
        async with reading(self.devnet, self.tower) as journal:
            docket = Docket(since=self.since)
            verdict = await judge_watchtower(
                self.devnet.client, journal, self.tower.address, docket
            )
        assert not verdict.faults, verdict.faults


async def watched(devnet: Devnet, tower: Account) -> Watched:
    return Watched(devnet, tower, (await devnet.client.block()).number)


async def told_a_lie(devnet: Devnet, says: Signing, make_account: MakeAccount) -> Watched:
    """A lie lies in the watchtower's inbox."""
    tower = await with_bundle(await make_account(), says.served)
    lie = await says.receipt(says.lie)
    inbox = watch_config(tower).inbox
    assert inbox is not None
    put_into(inbox, "lie", Handover(lie, says.packed).to_json())
    return replace(await watched(devnet, tower), lie=lie)


async def the_case(watch: Watching, *states: CaseState) -> Any:
    """The only one, in one of these states."""
    found: list[Any] = []

    async def reached() -> bool:
        if watch.task.done():
            watch.task.result()
        found[:] = await watch.journal.find(states)
        return len(found) == 1

    await eventually(f"the case is {states}", reached, PATIENCE_SECONDS)
    return found[0]
