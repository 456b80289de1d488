"""The watchtower's main loop: take in, judge, challenge, follow, survive the rest."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from gateless_proofs import ProvingBackend

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.clock import Clock
from gateless.core.errors import GatelessError
from gateless.core.types import Block
from gateless.daemon.confinement import unconfined
from gateless.daemon.faults import fault_of, is_chain_away
from gateless.daemon.metrics import Instruments
from gateless.daemon.operating import Obstacle, unwritable
from gateless.watchtower.answers import AnswerReader, InputFinder
from gateless.watchtower.cases import AT_RISK, Case, CaseKind, CaseState
from gateless.watchtower.challenging import Challenges
from gateless.watchtower.collecting import Collector
from gateless.watchtower.config import WatchtowerConfig
from gateless.watchtower.court_events import CourtEvents
from gateless.watchtower.forum import Forum
from gateless.watchtower.inbox import Inbox, case_data
from gateless.watchtower.journal import Journal
from gateless.watchtower.judging import Judge, Verdict
from gateless.watchtower.metrics import watchtower_facts
from gateless.watchtower.status import Problem, Status

log = structlog.get_logger(__name__)

_S = CaseState
_MAX_CHAIN_PAUSE_SECONDS = 15.0
_MAX_RETRY_SECONDS = 3600.0
_MOVES = {Verdict.RIGHT: _S.RIGHT, Verdict.WRONG: _S.WRONG, Verdict.UNDECIDED: _S.UNDECIDED}
#: What is known without computing anything.
_NEED_NO_JUDGEMENT = {
    CaseKind.EQUIVOCATION: "two-receipts-for-a-slot",
    CaseKind.LOT: "lot-asked-for",
}
#: Reasons why a wrong answer waits that only the operator can end.
_NEEDS_OPERATOR = {
    "token-balance-too-low": "send tokens for the bond to the watchtower's account",
    "gas-balance-too-low": "send the chain's currency for gas to the watchtower's account",
    "budget-used": "wait for other claims to end, or raise --max-at-risk",
}


class Watchtower:
    """One watchtower. Everything that it works with is handed in.

    Args:
        client: the chain.
        journal: its memory.
        inbox: takes receipts in.
        judge: computes answers anew.
        challenges: makes and follows challenges.
        collector: withdraws what they won.
        forums: where cases of each kind are challenged.
        court_events: reads who challenged receipts.
        answers: reads the lazy market; None where it is not watched.
        finder: finds the inputs of lazy answers.
        pool: where answers are computed.
        config: what it may do.
        clock: what time it is.
        address: its account.
        serving_at: base URL of the HTTP inbox, for the status.
    """

    def __init__(
        self,
        *,
        client: ChainClient,
        journal: Journal,
        inbox: Inbox,
        judge: Judge,
        challenges: Challenges,
        collector: Collector,
        forums: dict[CaseKind, Forum],
        court_events: CourtEvents,
        answers: AnswerReader | None,
        finder: InputFinder | None,
        pool: ProvingBackend,
        config: WatchtowerConfig,
        clock: Clock,
        address: str,
        serving_at: str = "",
    ) -> None:
        self._client = client
        self._journal = journal
        self._inbox = inbox
        self._judge = judge
        self._challenges = challenges
        self._collector = collector
        self._forums = forums
        self._court_events = court_events
        self._answers = answers
        self._finder = finder
        self._pool = pool
        self._config = config
        self._clock = clock
        self._address = address
        self._serving_at = serving_at
        self._phase = "starting"
        self._metrics = Instruments()
        self._head: Block | None = None
        self._chain_problem: Problem | None = None
        self._stopping = asyncio.Event()
        self._aborting = asyncio.Event()
        self._judging: asyncio.Task[None] | None = None
        self._retries: dict[bytes, tuple[float, float]] = {}

    @property
    def serving_at(self) -> str:
        """Base URL of the inbox; empty where nothing is served."""
        return self._serving_at

    def stop(self) -> None:
        """Takes nothing new on, opens what is announced, then :meth:`run` returns.

        An announced challenge has put a bond up, and only opening it in time makes it worth that.
        What is open already is for its executor to answer; the next start looks what came of it.
        """
        if not self._stopping.is_set():
            log.info("stopping")
            self._inbox.close()
            self._stopping.set()

    def abort(self) -> None:
        """Makes :meth:`run` return at once; the journal knows where to go on."""
        self._inbox.close()
        self._stopping.set()
        self._aborting.set()

    async def run(self) -> None:
        """Works until :meth:`stop` or :meth:`abort`."""
        log.info("starting", address=self._address, network=self._client.deployment.name)
        aborting = asyncio.create_task(self._aborting.wait())
        working = asyncio.create_task(self._work())
        try:
            await asyncio.wait({aborting, working}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (aborting, working, self._judging):
                if task is not None:
                    task.cancel()
                    with suppress(asyncio.CancelledError, GatelessError):
                        await task
            self._phase = "stopped"
            log.info("stopped")

    async def status(self) -> Status:
        """What this watchtower does and what keeps it from doing more."""
        counts = await self._journal.counts()
        active = await self._journal.find([*AT_RISK, _S.WRONG])
        problems = [] if self._chain_problem is None else [self._chain_problem]
        problems += [
            Problem(trouble.code, trouble.message, trouble.hint)
            for trouble in self._challenges.troubles
        ]
        problems += [
            Problem(case.reason, case.text, _NEEDS_OPERATOR[case.reason], case.name)
            for case in active
            if case.reason in _NEEDS_OPERATOR
        ]
        positions = await self._journal.positions(1)
        rewards, bonds_lost = await self._journal.booked()
        return Status(
            phase=self._phase,
            address=self._address,
            network=self._client.deployment.name,
            head=None if self._head is None else self._head.number,
            cursor=positions[0].number if positions else None,
            counts={state.value: count for state, count in sorted(counts.items())},
            active=tuple(case_data(case) for case in active),
            at_risk=await self._journal.at_risk(),
            rewards=rewards,
            bonds_lost=bonds_lost,
            rpc=self._client.rpc.health,
            winnings=self._collector.winnings,
            proving=self._pool.status(),
            serving_at=self._serving_at,
            problems=tuple(problems),
        )

    async def obstacles(self) -> list[Obstacle]:
        """Why it cannot judge and challenge now; for ``/ready``."""
        found = []
        if self._phase != "running":
            found.append(Obstacle(self._phase, f"the watchtower is {self._phase}"))
        if self._chain_problem is not None:
            problem = self._chain_problem
            found.append(Obstacle(problem.code, problem.message, problem.hint))
        found += await unwritable(self._journal.require_writable)
        if not self._config.allow_unsandboxed:
            found += unconfined(self._pool.status())
        return list({entry.code: entry for entry in found}.values())

    async def exposition(self) -> bytes:
        """Its metrics, as Prometheus reads them."""
        facts = watchtower_facts(
            await self.status(),
            ready=not await self.obstacles(),
            data_dir=self._config.data_dir,
            transactions=await self._journal.transaction_totals(),
            troubles=self._challenges.troubles,
        )
        return self._metrics.exposition(facts)

    # --- the loop ---

    async def _work(self) -> None:
        pause = self._config.poll_seconds
        while not self._stopping.is_set() or await self._is_announced():
            if self._stopping.is_set():
                self._phase = "stopping"
            try:
                await self._look()
                pause = self._config.poll_seconds
                self._chain_problem = None
            except GatelessError as error:
                # Whatever a node makes of an answer: there is stake behind what is announced.
                log.warning("look-failed", code=error.code, message=error.message, pause=pause)
                self._chain_problem = Problem(error.code, error.message, error.hint)
                pause = min(max(pause, 0.25) * 2, _MAX_CHAIN_PAUSE_SECONDS)
            if self._stopping.is_set():
                await self._clock.sleep(pause)
            else:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), pause)
        self._phase = "stopping"

    async def _is_announced(self) -> bool:
        return bool(await self._journal.find([_S.COMMITTING, _S.COMMITTED]))

    async def _look(self) -> None:
        if self._phase == "starting":
            await self._challenges.settle_leftovers()
            self._phase = "running"
        self._head = head = await self._client.block()
        try:
            await self._inbox.read_folder()
        except GatelessError as error:
            if is_chain_away(error):
                raise
            log.warning("inbox-not-read", code=error.code, message=error.message)
        await self._court_events.poll()
        if self._answers is not None:
            await self._answers.poll()
        await self._sweep(head)
        if not self._stopping.is_set():
            self._start_judging()
        for case in await self._journal.find([*AT_RISK, _S.WRONG]):
            if self._stopping.is_set() and case.state is _S.WRONG:
                continue
            await self._advance(case, head)
        await self._collector.look()
        await self._journal.tidy(head.timestamp)

    async def _advance(self, case: Case, head: Block) -> None:
        with structlog.contextvars.bound_contextvars(case=case.name):
            try:
                await self._challenges.advance(case, head)
            except GatelessError as error:
                if is_chain_away(error):
                    raise
                log.warning("step-failed", code=error.code, message=error.message)
                await self._journal.note(case.case_id, error.code, error.message)

    async def _sweep(self, head: Block) -> None:
        """Lets go of what can be challenged no more."""
        for case in await self._journal.find([_S.NEW, _S.UNDECIDED]):
            if case.expires < head.timestamp:
                text = case.text or "it could be challenged no more when it came"
                await self._journal.move(
                    case.case_id, _S.LEFT, reason=case.reason or "too-late", text=text
                )

    # --- judging ---

    def _start_judging(self) -> None:
        """Beside the chain's work: deadlines do not wait for keys to be made."""
        if self._judging is not None and self._judging.done():
            done, self._judging = self._judging, None
            done.result()  # a defect ends the watchtower, not its judgement alone
        if self._judging is None:
            self._judging = asyncio.create_task(self._judge_all())

    async def _judge_all(self) -> None:
        for case in await self._journal.find([_S.UNDECIDED]):
            again, _ = self._retries.get(case.case_id, (float("inf"), 0.0))
            if self._clock.monotonic() >= again:
                await self._journal.move(case.case_id, _S.NEW)
        for case in await self._journal.find([_S.NEW]):
            try:
                with structlog.contextvars.bound_contextvars(case=case.name):
                    await self._decide(case)
            except LookupError:
                continue  # swept or rewound meanwhile
            except (GatelessError, OSError) as raised:
                error = fault_of(raised)
                if is_chain_away(error):
                    return
                if error.code == "forbidden-transition":
                    continue  # swept meanwhile
                log.warning("not-judged", case=case.name, code=error.code)
                await self._wait(case, error.code, error.message)

    async def _decide(self, case: Case) -> None:
        if case.kind in _NEED_NO_JUDGEMENT:
            await self._journal.move(case.case_id, _S.WRONG, reason=_NEED_NO_JUDGEMENT[case.kind])
            return
        case = await self._with_input(case)
        said = self._forums[case.kind].statement(case)
        judgement = await self._judge.judge(said)
        log.info(
            "judged",
            case=case.name,
            verdict=judgement.verdict.value,
            reason=judgement.code,
            text=judgement.text,
        )
        if judgement.verdict is Verdict.UNDECIDED and judgement.passing:
            await self._wait(case, judgement.code, judgement.text)
            return
        self._retries.pop(case.case_id, None)
        await self._journal.move(
            case.case_id, _MOVES[judgement.verdict], reason=judgement.code, text=judgement.text
        )

    async def _with_input(self, case: Case) -> Case:
        """The case with its input, where that can be had.

        Raises:
            StorageError: it cannot be had now.
        """
        if case.packed_input is not None or self._finder is None:
            return case
        packed = await self._finder.find(case)
        if packed is None:
            return case
        await self._journal.give_input(case.case_id, packed)
        return await self._journal.get(case.case_id)

    async def _wait(self, case: Case, code: str, text: str) -> None:
        """Undecided for now; looked at again after a pause that grows."""
        _, before = self._retries.get(case.case_id, (0.0, self._config.retry_seconds / 2))
        pause = min(before * 2, _MAX_RETRY_SECONDS)
        self._retries[case.case_id] = (self._clock.monotonic() + pause, pause)
        await self._journal.move(case.case_id, _S.UNDECIDED, reason=code, text=text)
