"""A member of quorums on trial: the first of some executors who can be drawn."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from executor_fixtures import config_of, executor_process, reading, running
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig
from judge import Docket, judge
from market_fixtures import Account, MakeAccount
from patience import eventually
from quorum_fixtures import ROW, STAKE, QuorumStage, quorum_stage
from tried import PATIENCE_SECONDS

WINDOW = 1800


@dataclass
class Seated:
    """A stage, and the member of it that is killed: the first."""

    stage: QuorumStage
    name: str
    config: ExecutorConfig
    since: int
    asked: int = 0

    @property
    def devnet(self) -> Devnet:
        return self.stage.devnet

    @property
    def account(self) -> Account:
        return self.stage.executors[0]

    def process(self, **options: Any) -> Any:
        return executor_process(self.devnet, self.account, self.config, **options)

    async def dies(self, *steps: str) -> None:
        for step in steps:
            async with self.process(die_at=step) as process:
                assert await process.ended() == -signal.SIGKILL, step

    @asynccontextmanager
    async def others(self) -> AsyncIterator[None]:
        """The other members, here."""
        async with AsyncExitStack() as stack:
            for account in self.stage.executors[1:]:
                config = config_of(account, quorum=self.stage.config)
                await stack.enter_async_context(running(self.devnet, account, config))
            yield

    async def all_can_be_drawn(self) -> None:
        """They enrol, and stop without a word."""
        async with self.others(), self.process():
            await eventually("all can be drawn", self.stage.are_awake, PATIENCE_SECONDS)

    async def is_awake(self) -> bool:
        return (await self.stage.member(self.account)).is_awake

    async def asks(self) -> None:
        made = await self.stage.user.client.ask_quorum(
            self.name, ROW, commit_window=WINDOW, reveal_window=WINDOW
        )
        self.asked = made.request_id

    async def ended(self) -> bool:
        return (await self.stage.market.state(self.asked)).is_final

    async def settled(self) -> None:
        """Waits until nothing of the member's is under way any more."""
        async with reading(self.devnet, self.account, self.config) as journal:

            async def rests() -> bool:
                pending = await journal.intents(state=IntentState.PENDING)
                return not pending and not await journal.quorums.active()

            await eventually("nothing is under way", rests, PATIENCE_SECONDS)

    async def judged(self, **docket: Any) -> None:
        async with reading(self.devnet, self.account, self.config) as journal:
            verdict = await judge(
                self.devnet.client,
                journal,
                self.account.address,
                Docket(since=self.since, **docket),
            )
        assert not verdict.faults, verdict.faults
        assert (await self.stage.member(self.account)).stake == STAKE


async def seated(
    devnet: Devnet, make_account: MakeAccount, folder: Path, name: str, executors: int
) -> Seated:
    stage = await quorum_stage(devnet, make_account, folder, name, executors=executors)
    config = config_of(stage.executors[0], quorum=stage.config)
    return Seated(stage, name, config, (await devnet.client.block()).number)
