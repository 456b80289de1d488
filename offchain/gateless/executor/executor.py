"""The executor's main loop: look at the chain, start what is to be done, survive the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import httpx
import structlog
from gateless_proofs import KeyCache, Limits, Prover, ProvingStatus

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore
from gateless.core.errors import GatelessError
from gateless.core.types import Block
from gateless.daemon.content import ContentSources
from gateless.daemon.faults import is_chain_away
from gateless.daemon.operating import Obstacle, unwritable
from gateless.daemon.versions import Versions
from gateless.executor.auditor import Auditor
from gateless.executor.breaker import Breaker
from gateless.executor.config import ExecutorConfig, Serving
from gateless.executor.deadlines import endangered
from gateless.executor.earnings import Earnings
from gateless.executor.faults import NEEDS_OPERATOR
from gateless.executor.intake.inputs import InputRoom
from gateless.executor.intake.intake import Intake
from gateless.executor.journal import Journal
from gateless.executor.lazy.desk import LazyDesk
from gateless.executor.lazy.states import LazyWorkState
from gateless.executor.metrics import ExecutorMetrics, executor_facts
from gateless.executor.parts import Parts
from gateless.executor.pipeline import Pipeline
from gateless.executor.policy import Policy, Standing
from gateless.executor.proofs import Proofs
from gateless.executor.quorum import QuorumDesk, QuorumParts
from gateless.executor.receipts.counter import ReceiptCounter
from gateless.executor.recovery import Recovery
from gateless.executor.scheduler import Scheduler
from gateless.executor.sides import Sides
from gateless.executor.standing import StandingReader
from gateless.executor.states import COMMITTED, UNCOMMITTED, WorkState
from gateless.executor.status import ActiveWork, Batches, Problem, Status, proving_problems
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
        self._sender = sender
        self._journal = journal
        self._config = config
        self._clock = clock or SystemClock()
        self._metrics = ExecutorMetrics()
        stopwatch = Stopwatch(self._clock, self._metrics)
        self._serving_at = serving_at
        self._me = me = sender.address
        sources = ContentSources(store, http, stores=config.stores, follow_uris=config.follow_uris)
        transactions = Transactions(sender, journal)
        self._recovery = Recovery(client, journal, transactions, me)
        self._policy = Policy(config.policy, me, self._load)
        self._breaker = Breaker(
            self._clock,
            failures=config.policy.failures,
            pause_seconds=config.policy.failure_pause_seconds,
        )
        self._standing = StandingReader(client, me, self._clock)
        self._watcher = Watcher(
            client, journal, me=me, confirmations=config.confirmations, seen=stopwatch.seen
        )
        self._versions = Versions(
            client, sources, keys, config.bundles_dir, me, max_bundle_bytes=config.max_bundle_bytes
        )
        parts = Parts(
            client=client,
            journal=journal,
            transactions=transactions,
            recovery=self._recovery,
            versions=self._versions,
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
            breaker=self._breaker,
            config=config,
            clock=self._clock,
            metrics=self._metrics,
            stopwatch=stopwatch,
        )
        self._pool = prover.pool
        self._earnings = Earnings(parts, me)
        proofs = Proofs(parts)
        self._scheduler = Scheduler(
            journal,
            Pipeline(parts, proofs),
            self._recovery,
            self._policy,
            self._clock,
            self._breaker,
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
                versions=self._versions,
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
        self._phase = "starting"
        self._stopping = asyncio.Event()
        self._aborting = asyncio.Event()
        self._head: Block | None = None
        self._last_standing: Standing | None = None
        self._chain_problem: Problem | None = None
        self._withdrawal: asyncio.Task[None] | None = None
        self._recovered = False
        self._failed_at_start: int | None = None

    @property
    def serving_at(self) -> str:
        """Base URL of the content store; empty where nothing is served."""
        return self._serving_at

    @property
    def phase(self) -> str:
        """``starting``, ``running``, ``stopping``, ``halted`` or ``stopped``."""
        return self._phase

    def stop(self) -> None:
        """Takes on nothing new, finishes what is locked, then :meth:`run` returns."""
        if not self._stopping.is_set():
            log.info("stopping", running=self._scheduler.running)
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
            self._phase = "stopped"
            log.info("stopped")

    async def status(self) -> Status:
        """What this executor does and what keeps it from doing more."""
        cursor = await self._journal.cursor()
        counts = await self._journal.counts()
        unfinished = await self._journal.find(UNCOMMITTED | COMMITTED)
        standing = self._last_standing
        return Status(
            phase=self._phase,
            address=self._me,
            network=self._client.deployment.name,
            head=None if self._head is None else self._head.number,
            cursor=None if cursor is None else cursor.number,
            counts=_by_name(counts),
            active=tuple(
                ActiveWork(
                    work.request_id,
                    work.version_id,
                    work.state.value,
                    work.reason,
                    work.deadline,
                    work.lock_deadline,
                )
                for work in unfinished
            ),
            lazy=_by_name(await self._journal.lazy_counts()),
            lazy_earned=await self._journal.lazy_earned(),
            challenges=_by_name(await self._journal.claim_counts()),
            earned=await self._journal.earned(),
            batches=Batches(*await self._journal.batch_counts()),
            balance=None if standing is None else standing.earnings,
            winnings=self._earnings.winnings,
            available_stake=None if standing is None else standing.available,
            at_risk=None if standing is None else standing.at_risk,
            endangered=await endangered(self._journal, self._policy, self._clock.now()),
            resting=len(self._breaker.resting),
            rpc=self._client.rpc.health,
            enrolled=() if standing is None else tuple(sorted(standing.enrolled)),
            proving=self._proving(),
            serving_at=self._serving_at,
            problems=tuple(self._problems()),
        )

    async def obstacles(self) -> list[Obstacle]:
        """Why it cannot take work on and keep its promises now; for ``/ready``."""
        found = []
        if self._phase != "running":
            texts = {"halted": "a lock was missed; no new requests are taken until a restart"}
            text = texts.get(self._phase, f"the executor is {self._phase}")
            found.append(Obstacle(self._phase, text))
        if self._chain_problem is not None:
            problem = self._chain_problem
            found.append(Obstacle(problem.code, problem.message, problem.hint))
        found += await unwritable(self._journal.require_writable)
        proving = self._proving()
        nodes = () if proving is None else proving.nodes
        known = [node.isolation for node in nodes if node.isolation is not None]
        lacking = any(not isolation.sufficient for isolation in known)
        if lacking and not self._config.allow_unsandboxed:
            text = "nothing keeps models from the network"
            found.append(Obstacle("sandbox-unavailable", text, "see docs/sandbox.md"))
        return list({entry.code: entry for entry in found}.values())

    async def exposition(self) -> bytes:
        """Its metrics, as Prometheus reads them."""
        facts = executor_facts(
            await self.status(),
            ready=not await self.obstacles(),
            data_dir=self._config.data_dir,
            transactions=await self._journal.transaction_totals(),
            troubles=self._sender.troubles,
        )
        return self._metrics.exposition(facts)

    def _proving(self) -> ProvingStatus | None:
        return None if self._pool is None else self._pool.status()

    # --- the loop ---

    async def _work(self) -> None:
        pause = self._config.poll_seconds
        while True:
            try:
                await self._look()
                pause = self._config.poll_seconds
                self._chain_problem = None
            except GatelessError as error:
                if not is_chain_away(error):
                    raise
                log.warning("chain-away", code=error.code, message=error.message, pause=pause)
                self._chain_problem = Problem(error.code, error.message, error.hint)
                pause = min(max(pause, 0.25) * 2, _MAX_CHAIN_PAUSE_SECONDS)
            if self._stopping.is_set():
                self._phase = "stopping"
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
        self._head = sighting.head
        if not self._recovered:
            await self._recover()
        if sighting.rewound:
            await self._recovery.after_fork(sighting.head.timestamp)
            await self._sides.reconcile()
        await self._sides.welcome(sighting.lazy)
        standing = await self._take_standing(sighting)
        await self._scheduler.observe(sighting.head, sighting.touched)
        await self._halt_after_miss()
        await self._scheduler.dispatch(sighting.head, standing)
        await self._sides.look(sighting.head, standing)
        self._collect(standing)

    async def _recover(self) -> None:
        """Once, at the start: what an earlier run, perhaps with other rules, left behind."""
        await self._recovery.adopt()
        await self._recovery.settle_leftovers()
        now = self._head.timestamp if self._head is not None else 0
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
        self._phase = "running"

    async def _take_standing(self, sighting: Sighting) -> Standing:
        changed = sighting.standing_changed or any(sighting.touched.values())
        before = self._last_standing
        standing = await (self._standing.refresh() if changed else self._standing.current())
        if before is not None and standing != before:
            self._scheduler.retry_now()
        if before is not None and standing.enrolled - before.enrolled:
            await self._journal.reconsider([WorkState.SKIPPED], sighting.head.timestamp)
        self._last_standing = standing
        if before is None:
            for problem in self._standing_problems():
                log.warning("idle", code=problem.code, message=problem.message, hint=problem.hint)
        return standing

    async def _halt_after_miss(self) -> None:
        """After a missed lock nothing new is locked: what made it miss one would cost more stake.

        A restart by the operator, who has seen it, ends this.
        """
        failed = (await self._journal.counts()).get(WorkState.FAILED, 0)
        failed += (await self._journal.lazy_counts()).get(LazyWorkState.FAILED, 0)
        if self._failed_at_start is None:
            self._failed_at_start = failed
        if failed > self._failed_at_start and self._phase == "running":
            log.error(
                "halted",
                failed=failed,
                message="a lock was missed; no new requests are taken until a restart",
                hint="find the cause above, then restart the executor",
            )
            self._phase = "halted"
            self._scheduler.close_intake()
            self.intake.close()
            self._sides.close()

    def _collect(self, standing: Standing) -> None:
        if self._withdrawal is None or self._withdrawal.done():
            self._withdrawal = asyncio.create_task(self._withdraw(standing))

    async def _withdraw(self, standing: Standing) -> None:
        try:
            if await self._earnings.collect(standing):
                self._last_standing = await self._standing.refresh()
        except GatelessError as error:
            log.warning("withdrawal-failed", code=error.code, message=error.message)

    def _load(self) -> float:
        """The share of the capacity that is in use, but for the request that asks."""
        if self._last_standing is None:
            return 0.0
        others = max(0, len(self._scheduler.running) - 1)
        return min(1.0, others / self._policy.capacity(self._last_standing))

    async def _promised(self) -> bool:
        return bool(await self._journal.find(COMMITTED)) or await self._sides.promised()

    def _problems(self) -> list[Problem]:
        found = [] if self._chain_problem is None else [self._chain_problem]
        found += [
            Problem(trouble.code, trouble.message, trouble.hint)
            for trouble in self._sender.troubles
        ]
        if self._phase == "halted":
            found.append(
                Problem(
                    "lock-missed",
                    "a locked request was not fulfilled in time; no new requests are taken",
                    "find the cause in the log, then restart the executor",
                )
            )
        found += [
            Problem(
                "version-resting",
                f"version {version_id} failed again and again; it is left alone for {pause:.0f} s",
                "find the cause in the log, or put the version on the deny list",
            )
            for version_id, pause in self._breaker.resting.items()
        ]
        found += self._standing_problems()
        found += proving_problems(self._proving())
        found += self._sides.problems
        found += [
            Problem(verdict.reason, verdict.text, verdict.hint, request_id)
            for request_id, verdict in self._scheduler.waiting.items()
        ]
        found.sort(key=lambda problem: problem.code not in NEEDS_OPERATOR)
        return found

    def _standing_problems(self) -> list[Problem]:
        """Why no request can come to this executor at all."""
        standing = self._last_standing
        if standing is None:
            return []
        found = []
        if self._config.policy.serving is Serving.ENROLLED and not standing.enrolled:
            found.append(
                Problem(
                    "not-enrolled",
                    "this executor has enrolled for no version",
                    "enrol for what it shall serve: gateless executor stake 0 --serve NAME",
                )
            )
        # Stake that is all at work is no lack of stake.
        if standing.available == 0 and standing.locked == 0:
            found.append(
                Problem(
                    "stake-too-low",
                    "the market can lock no stake of this executor",
                    "stake what it may risk: gateless executor stake AMOUNT",
                )
            )
        return found


def _by_name(counts: Mapping[Any, int]) -> dict[str, int]:
    """Counts by the names of states, for people."""
    return {state.value: count for state, count in sorted(counts.items())}
