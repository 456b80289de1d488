"""The executor's main loop: look at the chain, start what is to be done, survive the rest."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpx
import structlog
from gateless_proofs import KeyCache, Limits, Prover

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore
from gateless.core.errors import GatelessError
from gateless.daemon.chain_time import ChainTime
from gateless.daemon.content import ContentSources
from gateless.daemon.operating import Obstacle
from gateless.daemon.versions import Versions
from gateless.executor.auditor import Auditor
from gateless.executor.breaker import Breaker
from gateless.executor.config import ExecutorConfig
from gateless.executor.earnings import Earnings
from gateless.executor.intake.inputs import InputRoom
from gateless.executor.intake.intake import Intake
from gateless.executor.journal import Journal
from gateless.executor.lazy.desk import LazyDesk
from gateless.executor.losses import Losses
from gateless.executor.metrics import ExecutorMetrics
from gateless.executor.owed import Owed
from gateless.executor.parts import Parts
from gateless.executor.pipeline import Pipeline
from gateless.executor.policy import Policy, Standing
from gateless.executor.proofs import Proofs
from gateless.executor.quorum import QuorumDesk, QuorumParts
from gateless.executor.receipts.counter import ReceiptCounter
from gateless.executor.recovery import Recovery
from gateless.executor.report import Report, Sight
from gateless.executor.scheduler import Scheduler
from gateless.executor.sides import Sides
from gateless.executor.standing import StandingReader
from gateless.executor.states import COMMITTED, WorkState
from gateless.executor.status import Problem, Status
from gateless.executor.stopwatch import Stopwatch
from gateless.executor.transactions import Transactions
from gateless.executor.watcher import Sighting, Watcher

log = structlog.get_logger(__name__)

_MAX_CHAIN_PAUSE_SECONDS = 15.0


class Executor:
    """One executor. Everything that it works with is handed in.

    Args:
        client: the chain.
        sender: signs and sends for the executor's account; nobody else may send for it.
        journal: its memory.
        store: its own content store, filled with what it fetches.
        http: client for other people's content stores.
        prover: witnesses and proofs.
        keys: proving keys.
        config: what it may do.
        clock: what time it is.
        serving_at: base URL under which ``store`` is served, for the status.
        receipt_key: signs receipts for direct calls; None signs none.
    """

    def __init__(
        self,
        *,
        client: ChainClient,
        sender: Sender,
        journal: Journal,
        store: LocalStore,
        http: httpx.AsyncClient,
        prover: Prover,
        keys: KeyCache,
        config: ExecutorConfig,
        clock: Clock | None = None,
        serving_at: str = "",
        receipt_key: Signer | None = None,
    ) -> None:
        self._client = client
        self._journal = journal
        self._config = config
        self._clock = clock or SystemClock()
        metrics = ExecutorMetrics()
        stopwatch = Stopwatch(self._clock, metrics)
        self._serving_at = serving_at
        self._time = ChainTime(self._clock)
        self._me = me = sender.address
        sources = ContentSources(store, http, stores=config.stores, follow_uris=config.follow_uris)
        transactions = Transactions(sender, journal)
        self._recovery = Recovery(client, journal, transactions, me)
        self._policy = Policy(config.policy, me, self._load)
        breaker = Breaker(
            self._clock,
            failures=config.policy.failures,
            pause_seconds=config.policy.failure_pause_seconds,
        )
        self._losses = Losses(journal, breaker)
        self._standing = StandingReader(client, me, self._clock)
        self._watcher = Watcher(
            client, journal, me=me, confirmations=config.confirmations, seen=stopwatch.seen
        )
        versions = Versions(
            client, sources, keys, config.bundles_dir, me, max_bundle_bytes=config.max_bundle_bytes
        )
        parts = Parts(
            client=client,
            journal=journal,
            transactions=transactions,
            recovery=self._recovery,
            versions=versions,
            sources=sources,
            inputs=InputRoom(
                config.data_dir / "inputs",
                journal,
                self._clock,
                max_input_bytes=config.intake.max_input_bytes,
                max_stored_bytes=config.intake.max_stored_bytes,
            ),
            watcher=self._watcher,
            standing=self._standing,
            prover=prover,
            policy=self._policy,
            breaker=breaker,
            config=config,
            clock=self._clock,
            time=self._time,
            metrics=metrics,
            stopwatch=stopwatch,
        )
        self._earnings = Earnings(parts, me)
        owed = Owed(parts)
        proofs = Proofs(parts, owed)
        self._scheduler = Scheduler(
            journal,
            Pipeline(parts, proofs, owed),
            self._recovery,
            self._policy,
            self._clock,
            breaker,
            retry_seconds=config.retry_seconds,
        )
        auditor = Auditor(parts, proofs)
        self.receipts = ReceiptCounter(parts, proofs, auditor, me, receipt_key)
        lazy = LazyDesk.of(parts, proofs, auditor, me)
        quorums = QuorumDesk.of(
            QuorumParts(
                client=client,
                transactions=transactions,
                me=me,
                versions=versions,
                prover=prover,
                config=config.quorum,
                limits=Limits(memory_bytes=config.memory_bytes, seconds=config.prove_seconds),
                clock=self._clock,
                journal=journal.quorums,
                retry_seconds=config.retry_seconds,
            )
        )
        self._sides = Sides(journal, self.receipts, lazy, quorums)
        self.intake = Intake(parts, auditor, self.receipts, lazy, me)
        self._sight = Sight()
        self._report = Report(
            parts,
            self._sight,
            sender=sender,
            scheduler=self._scheduler,
            sides=self._sides,
            losses=self._losses,
            winnings=lambda: self._earnings.winnings,
            serving_at=serving_at,
        )
        self._stopping = asyncio.Event()
        self._aborting = asyncio.Event()
        self._withdrawal: asyncio.Task[None] | None = None
        self._recovered = False

    @property
    def serving_at(self) -> str:
        """Base URL of the content store; empty where nothing is served."""
        return self._serving_at

    @property
    def phase(self) -> str:
        """``starting``, ``running``, ``stopping``, ``halted`` or ``stopped``."""
        return self._sight.phase

    @property
    def halted(self) -> list[Obstacle]:
        """What is not worked on since something was lost, why, and how that ends."""
        return self._losses.obstacles

    def stop(self) -> None:
        """Takes on nothing new, finishes what is locked, then :meth:`run` returns."""
        if not self._stopping.is_set():
            log.info(
                "stopping",
                running=self._scheduler.running,
                message="nothing new is taken, what is promised is finished; a second signal ends"
                " it at once",
            )
            self._stopping.set()

    def abort(self) -> None:
        """Makes :meth:`run` return at once; the journal knows where to go on."""
        self._stopping.set()
        self._aborting.set()

    async def run(self) -> None:
        """Works until :meth:`stop` or :meth:`abort`."""
        log.info("starting", address=self._me, network=self._client.deployment.name)
        aborting = asyncio.create_task(self._aborting.wait())
        working = asyncio.create_task(self._work())
        try:
            await asyncio.wait({aborting, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (aborting, working, self._withdrawal):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task
            await self._scheduler.abort()
            await self._sides.stop()
            self._sight.phase = "stopped"
            log.info("stopped")

    async def status(self) -> Status:
        """What this executor does and what keeps it from doing more."""
        return await self._report.status()

    async def obstacles(self) -> list[Obstacle]:
        """Why it cannot take work on and keep its promises now; for ``/ready``."""
        return await self._report.obstacles()

    async def exposition(self) -> bytes:
        """Its metrics, as Prometheus reads them."""
        return await self._report.exposition()

    # --- the loop ---

    async def _work(self) -> None:
        pause = self._config.poll_seconds
        while True:
            try:
                await self._look()
                pause = self._config.poll_seconds
                self._sight.chain_problem = None
            except GatelessError as error:
                # Out of reach, or answers that make no sense, such as a revert that never was: what
                # is promised has to be kept all the same, as soon as another answer is had.
                log.warning("look-failed", code=error.code, message=error.message, pause=pause)
                self._sight.chain_problem = Problem(error.code, error.message, error.hint)
                pause = min(max(pause, 0.25) * 2, _MAX_CHAIN_PAUSE_SECONDS)
            if self._stopping.is_set():
                self._sight.phase = "stopping"
                self._scheduler.close_intake()
                self.intake.close()
                self._sides.close()
                if self._recovered and not self._scheduler.running and not await self._promised():
                    return
                # Wakes as soon as the last promise is kept.
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._drain(pause), pause)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)

    async def _drain(self, pause: float) -> None:
        """Waits for what runs; where something promised is only due later, for the pause."""
        await self._scheduler.drain()
        await self._sides.drain()
        if await self._promised():
            await self._clock.sleep(pause)

    async def _look(self) -> None:
        sighting = await self._watcher.poll()
        if self._recovered and not sighting.rewound:
            await self._sides.welcome(sighting.lazy)  # it asks for what it needs to know
        if sighting.head != self._sight.head:
            await self._time.ask(self._client)
        self._sight.head = sighting.head
        if not self._recovered:
            await self._recover()
        if sighting.rewound:
            await self._recovery.after_fork(sighting.head.timestamp)
            await self._sides.reconcile()
        standing = await self._take_standing(sighting)
        await self._scheduler.observe(sighting.head, sighting.touched)
        await self._see_to_losses()
        await self._scheduler.dispatch(sighting.head, standing)
        await self._sides.look(sighting.head, standing)
        self._collect(standing)

    async def _recover(self) -> None:
        """Once, at the start: what an earlier run, perhaps with other rules, left behind."""
        await self._recovery.adopt()
        await self._recovery.settle_leftovers()
        now = self._sight.head.timestamp if self._sight.head is not None else 0
        # A fork may have undone what was written down, but not read from a block, before a stop.
        await self._recovery.after_fork(now)
        await self._sides.reconcile()
        again = await self._journal.reconsider([WorkState.SKIPPED], now)
        promised = await self._journal.find(COMMITTED)
        log.info(
            "recovered",
            promised=[work.request_id for work in promised],
            reconsidered=again,
        )
        self._recovered = True
        self._sight.phase = "running"

    async def _take_standing(self, sighting: Sighting) -> Standing:
        changed = sighting.standing_changed or any(sighting.touched.values())
        before = self._sight.standing
        standing = await (self._standing.refresh() if changed else self._standing.current())
        if before is not None and standing != before:
            self._scheduler.retry_now()
        if before is not None and standing.enrolled - before.enrolled:
            await self._journal.reconsider([WorkState.SKIPPED], sighting.head.timestamp)
        self._sight.standing = standing
        if before is None:
            for problem in self._report.standing_problems():
                log.warning("idle", code=problem.code, message=problem.message, hint=problem.hint)
        return standing

    async def _see_to_losses(self) -> None:
        """Promises nothing new for what lost something: what lost it would lose more stake."""
        halted = await self._losses.look()
        self._sides.hold(halted.everything)
        if self._sight.phase in ("running", "halted"):
            self._sight.phase = "halted" if halted.everything else "running"

    def _collect(self, standing: Standing) -> None:
        if self._withdrawal is None or self._withdrawal.done():
            self._withdrawal = asyncio.create_task(self._withdraw(standing))

    async def _withdraw(self, standing: Standing) -> None:
        try:
            if await self._earnings.collect(standing):
                self._sight.standing = await self._standing.refresh()
        except GatelessError as error:
            log.warning("withdrawal-failed", code=error.code, message=error.message)

    def _load(self) -> float:
        """The share of the capacity that is in use, but for the request that asks."""
        if self._sight.standing is None:
            return 0.0
        others = max(0, self._scheduler.load - 1)
        return min(1.0, others / self._policy.capacity(self._sight.standing))

    async def _promised(self) -> bool:
        return bool(await self._journal.find(COMMITTED)) or await self._sides.promised()
