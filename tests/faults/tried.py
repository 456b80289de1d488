"""An executor on trial: who asks it, what becomes of that, and the judge's verdict in the end."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from executor_fixtures import config_of, executor_process, reading
from gateless.adapters.chain.deployment import save_deployment
from gateless.core.claims import ClaimState
from gateless.core.errors import NotFoundError
from gateless.core.lazy import LazyState
from gateless.core.types import RequestState
from gateless.daemon.transactions import IntentState
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, Journal
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.states import WorkState
from judge import Docket, Verdict, judge
from lazy_serving import Asking, asking
from market_fixtures import ROW, MakeAccount, MakeServed
from patience import eventually

#: Long enough for a machine that runs several such cases at once.
PATIENCE_SECONDS = 180.0
PRICE = 1_000_000
Condition = Callable[[], Awaitable[bool]]


@dataclass
class Tried:
    """One executor, one requester, and what was asked.

    Attributes:
        ask: version, accounts and the lazy market.
        config: how the executor runs.
        since: the block at which it had not sent anything by itself.
        proven: requests for proofs that must be paid in the end.
        lazy: lazy requests that must be final in the end.
        claims: challenges of receipts that must be proven in the end.
        forked: whether blocks were undone.
        reverted: transactions that may have been mined in vain.
        fillers: nonces that the case's faults make it give up, at most.
    """

    ask: Asking
    config: ExecutorConfig
    since: int
    proven: list[int] = field(default_factory=list)
    lazy: list[int] = field(default_factory=list)
    claims: list[int] = field(default_factory=list)
    forked: bool = False
    reverted: int = 0
    fillers: int = 0

    @property
    def devnet(self) -> Devnet:
        return self.ask.devnet

    @property
    def address(self) -> str:
        return self.ask.served.executor.address

    @property
    def docket(self) -> Docket:
        return Docket(
            proven=self.proven,
            lazy=self.lazy,
            claims=self.claims,
            since=self.since,
            forked=self.forked,
            reverted=self.reverted,
            fillers=self.fillers,
        )

    async def asks(self, row: list[float] = ROW, **terms: Any) -> int:
        """A request for a proof, sent on chain."""
        submit = self.ask.user.client.submit
        made = await submit(self.ask.served.name, row, price=PRICE, **terms)
        self.proven.append(made.request_id)
        return made.request_id

    async def asks_lazily(self, **changes: Any) -> int:
        """A lazy request, sent on chain."""
        request_id = await self.ask.sent(await self.ask.request(**changes))
        self.lazy.append(request_id)
        return request_id

    async def window_passes(self, request_id: int) -> None:
        """Lets the time end in which a lazy answer can be doubted."""
        claim = await self.ask.claim_of(request_id)
        rest = claim.challenge_deadline - await self.ask.now() + 1
        await self.devnet.control.advance(max(rest, 1))

    async def knows_its_speed(self, *circuits: int) -> None:
        """The executor measured earlier how long proofs take, so it locks before it proves."""
        async with self.journal() as journal:
            for index in circuits or (0,):
                await journal.measured(self.ask.served.published.version_id, index, 0.5)

    def journal(self) -> Any:
        """Its journal, for reading while it may run."""
        return reading(self.devnet, self.ask.served.executor, self.config)

    def process(self, devnet: Devnet | None = None, **options: Any) -> Any:
        """It, in a process of its own."""
        return executor_process(
            devnet or self.devnet, self.ask.served.executor, self.config, **options
        )

    async def dies(self, *steps: str, **options: Any) -> None:
        """Runs it until it kills itself at each of these steps, one process after the other."""
        for step in steps:
            async with self.process(die_at=step, **options) as process:
                assert await process.ended() == -signal.SIGKILL, step

    async def rests(self, journal: Journal) -> bool:
        """Whether all that was asked has ended, on chain and in the journal."""
        return not await self.unended(journal) and not await journal.intents(
            state=IntentState.PENDING
        )

    async def unended(self, journal: Journal) -> int:
        """How much of what was asked has not ended, on chain or in the journal."""
        lazy = [entry for entry in self.lazy if not await self._is_final(entry, journal)]
        return await self._unproven(journal) + len(lazy)

    async def _is_final(self, entry: int, journal: Journal) -> bool:
        if await self.ask.market.state(entry) is not LazyState.FINAL:
            return False
        try:
            return (await journal.lazy(entry)).state is LazyWorkState.FINAL
        except LookupError:
            return True  # it ended long ago, and was put away

    async def answered(self, journal: Journal) -> bool:
        """Whether nothing is open but lazy answers that can still be doubted."""
        states = {await self.ask.market.state(entry) for entry in self.lazy}
        return not await self._unproven(journal) and states <= {
            LazyState.ANSWERED,
            LazyState.FINAL,
        }

    async def _unproven(self, journal: Journal) -> int:
        chain = self.devnet.client
        found = 0
        for entry in self.proven:
            try:
                kept = (await journal.get(entry)).state
            except LookupError:
                kept = WorkState.SEEN
            try:
                paid = (await chain.market.request(entry)).state is RequestState.PAID
            except NotFoundError:  # handed in, and not on chain yet
                paid = False
            found += not (paid and kept is WorkState.FULFILLED)
        for entry in self.claims:
            found += (await chain.court.claim(entry)).state is not ClaimState.PROVEN
        return found

    async def at_rest(self, journal: Journal, seconds: float = PATIENCE_SECONDS) -> None:
        """Waits until everything has ended."""

        async def rests() -> bool:
            return await self.rests(journal)

        await eventually("all that was asked has ended", rests, seconds)

    async def recovers(self, until: Condition | None = None, **options: Any) -> None:
        """Runs it once more, until everything has ended, and ``until`` holds; judges."""
        async with self.process(**options), self.journal() as journal:
            if until is not None:
                await eventually("what was begun is done", until, PATIENCE_SECONDS)
            await self.at_rest(journal)
        await self.judged()

    async def judged(self) -> Verdict:
        """What the judge says, which must be: no fault."""
        async with self.journal() as journal:
            verdict = await judge(self.devnet.client, journal, self.address, self.docket)
        assert not verdict.faults, verdict.faults
        return verdict

    def reached_by(self, *urls: str) -> Devnet:
        """The same network, by other endpoints: for processes too."""
        deployment = replace(self.devnet.deployment, name="faulty").reached_by(urls)
        path = save_deployment(deployment, self.ask.served.executor.home)
        return replace(self.devnet, deployment=deployment, deployment_file=path)


async def on_trial(
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    name: str,
    **changes: Any,
) -> Tried:
    """A version, an executor that serves it and has stake for lazy answers, and who asks it."""
    ask = await asking(devnet, make_served, make_account, name)
    await ask.user.client.services.store.put(ask.served.bundle.root / "manifest.json")
    since = (await devnet.client.block()).number
    return Tried(ask, config_of(ask.served.executor, **changes), since)


def rows(count: int) -> Sequence[list[float]]:
    """Different inputs."""
    return [[ROW[0], ROW[1], ROW[2], number / 256] for number in range(count)]
