"""Things to send, a journal that survives crashes, and processes that do not."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account import Account
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.prepared import DecodedTx, PreparedTx
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import GatelessError
from gateless.daemon.transactions import IntentState, JournaledSender
from memory_node import GWEI, MemoryClock, MemoryNode

CHAIN_ID = 31337
CAP = 40 * GWEI
TIP_CAP = 20 * GWEI
POLICY = SendingPolicy(
    FeePolicy(max_fee_per_gas=CAP, max_priority_fee_per_gas=TIP_CAP),
    stuck_seconds=6.0,
    stuck_blocks=2,
    look_seconds=1.0,
)
SIGNER = LocalSigner(Account.from_key(b"\x05" * 32))
TARGET = "0x" + "11" * 20


class CrashError(BaseException):
    """In place of a kill -9."""


@dataclass(frozen=True)
class Intent:
    intent_id: int
    thing: int
    attempts: tuple[PreparedTx, ...]
    state: IntentState = IntentState.PENDING

    @property
    def label(self) -> str:
        return f"thing {self.thing}"

    @property
    def facts(self) -> Mapping[str, Any]:
        return {}


@dataclass
class Journal:
    """Survives its process. Dies before or after any write."""

    intents: dict[int, Intent] = field(default_factory=dict)
    crash: Any = lambda _what: None

    async def intend(self, thing: int, attempt: PreparedTx) -> Intent:
        self.crash("intend")
        number = len(self.intents)
        intent = self.intents[number] = Intent(number, thing, (attempt,))
        self.crash("intended")
        return intent

    async def attempted(self, intent_id: int, attempt: PreparedTx) -> None:
        self.crash("attempt")
        intent = self.intents[intent_id]
        self.intents[intent_id] = replace(intent, attempts=(*intent.attempts, attempt))
        self.crash("attempted")

    async def owner_of(self, tx_hash: str) -> str | None:
        for intent in self.intents.values():
            if any(attempt.tx_hash == tx_hash for attempt in intent.attempts):
                return intent.label
        return None

    async def last_nonce(self) -> int | None:
        over = (e for e in self.intents.values() if e.state is IntentState.MINED)
        return max((entry.attempts[0].nonce for entry in over), default=None)

    async def conclude(self, intent_id: int, state: IntentState, **_facts: Any) -> None:
        self.crash("conclude")
        self.intents[intent_id] = replace(self.intents[intent_id], state=state)
        self.crash("concluded")

    def pending(self) -> list[Intent]:
        return [e for e in self.intents.values() if e.state is IntentState.PENDING]

    def is_done(self, thing: int) -> bool:
        states = {e.state for e in self.intents.values() if e.thing == thing}
        return IntentState.MINED in states

    def hashes(self) -> set[str]:
        return {a.tx_hash for intent in self.intents.values() for a in intent.attempts}


@dataclass
class World:
    """Some things to send.

    Attributes:
        unwanted: things that are given up when a process finds them pending.
        crashes: steps at which a process dies.
        forgetting: steps at which the node loses its mempool.
    """

    node: MemoryNode
    things: int
    unwanted: frozenset[int] = frozenset()
    journal: Journal = field(default_factory=Journal)
    crashes: set[int] = field(default_factory=set)
    forgetting: set[int] = field(default_factory=set)
    steps: int = 0

    def __post_init__(self) -> None:
        self.node.before = self.step
        self.node.shown = self.require_journaled
        self.journal.crash = self.step
        self.clock = MemoryClock(self.node)

    def step(self, _what: str) -> None:
        self.steps += 1
        if self.steps in self.forgetting:
            self.node.restart()
        if self.steps in self.crashes:
            raise CrashError(f"at step {self.steps}")

    def require_journaled(self, tx_hash: str, tx: DecodedTx) -> None:
        """Before any node sees it. What fills a gap is for nobody."""
        nonces = {entry.attempts[0].nonce for entry in self.journal.pending()}
        if tx.data or tx.nonce in nonces:
            assert tx_hash in self.journal.hashes(), "sent before it was journaled"

    async def live(self) -> None:
        """Runs processes, one after the other, until everything is done."""
        for _ in range(len(self.crashes) + 1):
            try:
                await self._process()
            except BaseExceptionGroup as crash:
                if crash.split(CrashError)[1] is not None:
                    raise
                continue
            return
        raise AssertionError("more crashes than were planned")

    async def _process(self) -> None:
        client = ChainConnection(self.node, CHAIN_ID)
        sender = Sender(client, SIGNER, clock=self.clock, policy=POLICY, timeout=60)
        sends: JournaledSender[Intent] = JournaledSender(sender, self.journal)
        await sends.recall(self.journal.pending())
        async with asyncio.TaskGroup() as group:
            for thing in range(self.things):
                group.create_task(self._care_for(thing, sender, sends))

    async def _care_for(self, thing: int, sender: Sender, sends: JournaledSender[Intent]) -> None:
        async def wanted() -> bool:
            return not self.journal.is_done(thing)

        for _ in range(200):
            mine = [e for e in self.journal.pending() if e.thing == thing]
            with suppress(GatelessError):
                if mine and thing in self.unwanted:
                    await sends.give_up(mine[0])
                elif mine:
                    await sends.drive(mine[0], still_wanted=wanted)
                elif self.is_over(thing):
                    return
                else:
                    prepared = await sender.prepare(self.call(thing))
                    intent = await self.journal.intend(thing, prepared)
                    await sends.drive(intent, still_wanted=wanted, fresh=True)
                continue
            await self.clock.sleep(1.0)
        raise AssertionError(f"thing {thing} is never done")

    def is_over(self, thing: int) -> bool:
        """Done, or tried once and not wanted any more."""
        tried = any(entry.thing == thing for entry in self.journal.intents.values())
        return self.journal.is_done(thing) or (tried and thing in self.unwanted)

    @staticmethod
    def call(thing: int) -> Call:
        return Call(TARGET, bytes([thing + 1]) * 64, f"thing {thing}")

    # --- what must hold ---

    def check(self) -> None:
        mined = [entry.tx.data for entry in self.node.mined if entry.tx.data]
        for thing in range(self.things):
            times = mined.count(self.call(thing).data)
            assert times <= 1, f"thing {thing} was mined {times} times"
            if thing not in self.unwanted:
                assert times == 1, f"thing {thing} was not mined"
            states = [e.state for e in self.journal.intents.values() if e.thing == thing]
            assert IntentState.PENDING not in states
            assert (IntentState.MINED in states) == (times == 1)
        assert [entry.tx.nonce for entry in self.node.mined] == list(range(self.node.count))
        assert not self.node.pool, "something waits behind a gap"
        for tx in self.node.seen:
            assert tx.fees.per_gas <= CAP
            assert (tx.fees.priority or 0) <= TIP_CAP
