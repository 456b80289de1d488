"""`make soak`: an executor in half an hour of kills, reorgs, restarts of the chain and bad RPC.

Everything is on loopback and bounded: requests by rate, the whole by ``--minutes``. At the end, or
upon Ctrl-C, faults stop, what was asked is given time to end, and the judge looks at all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import httpx
from eth_utils.crypto import keccak
from executor_fixtures import config_of
from faulty_rpc import FaultyRpc, faulty_rpc
from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.lazy import DisputeReader, LazyReader
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import GatelessError
from gateless.core.lazy import LazyState
from gateless.core.receipts import SignedReceipt, parse_receipt
from gateless.executor import LazyConfig, ReceiptsConfig
from gateless.sdk import PoolTerms
from gateless.sdk.tensors import pack_inputs
from judge import Verdict, judge
from lazy_serving import Asking
from market_fixtures import Account
from rpc_faults import FAULTS
from soaking import Accounts, Kept, RestartableChain, remove, tiny_bundle
from tried import PRICE, Tried

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=DOLLAR, capacity=500, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond, capacity=TERMS.capacity, challenge_bond=TERMS.challenge_bond, epochs_ahead=0
)
HOUR = 3600
LAZY = LazyConfig(backing=1_500 * DOLLAR, finalize_seconds=1.0)
#: How long what was asked may take to end when nothing goes wrong any more.
DRAIN_SECONDS = 600.0
#: Seconds between two events of a kind, on average, and at most twice as many.
EVERY = {"ask": 3.0, "doubt": 25.0, "kill": 45.0, "reorg": 40.0, "rpc": 20.0, "restart": 240.0}


@dataclass
class Soak:
    """What happens, and how often it did.

    Attributes:
        tried: the executor and what was asked of it.
        chance: decides; its seed repeats a run's decisions, not the machine's timing.
        made: by request, the block in which it was made; a reorg may undo it.
        calm: held by whoever needs the chain to stay as it is.
        fork_floor: lowest block that a reorg may undo.
    """

    tried: Tried
    chain: RestartableChain
    accounts: Accounts
    proxy: FaultyRpc
    kept: Kept
    doubter: Account
    chance: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    made: dict[tuple[str, int], int] = field(default_factory=dict)
    doubted: set[int] = field(default_factory=set)
    receipts: list[tuple[SignedReceipt, bytes]] = field(default_factory=list)
    calm: asyncio.Lock = field(default_factory=asyncio.Lock)
    fork_floor: int = 0
    questions: int = 0

    async def head(self) -> int:
        return (await self.tried.devnet.client.block()).number

    # --- who asks ---

    async def ask(self) -> None:
        mode = self.chance.choice(["proof", "proof", "lazy", "direct"])
        # Small ones: what differs from the model by more than its manifest states is refused.
        row = [round(self.chance.uniform(-0.5, 0.5), 3) for _ in range(4)]
        if mode == "direct":
            await self._ask_directly(row)
            return
        async with self.calm:
            if mode == "proof":
                submit = self.tried.ask.user.client.submit
                made = await submit(
                    self.tried.ask.served.name,
                    row,
                    price=PRICE,
                    timeout=20 * HOUR,
                    lock_duration=6 * HOUR,
                )
                self._note("proven", self.tried.proven, made.request_id, await self.head())
            else:
                deadline = await self.tried.ask.now() + 20 * HOUR
                request = await self.tried.ask.request(
                    lock_duration=6 * HOUR, response_window=6 * HOUR, deadline=deadline
                )
                made_id = await self.tried.ask.sent(request)
                self._note("lazy", self.tried.lazy, made_id, await self.head())
        self.counts[f"asked: {mode}"] += 1

    async def _ask_directly(self, row: list[float]) -> None:
        self.questions += 1
        packed = pack_inputs(self.tried.ask.served.bundle.manifest, row)
        question = keccak(self.questions.to_bytes(32, "big"))
        call = {
            "parameters": {
                "packed_input": f"0x{packed.hex()}",
                "question": f"0x{question.hex()}",
                "beneficiary": self.tried.ask.user.address,
            }
        }
        url = f"http://127.0.0.1:{self.tried.config.serve_port}"
        path = f"/v2/models/{self.tried.ask.served.name}/versions/0/infer"
        async with httpx.AsyncClient(base_url=url, timeout=60) as http:
            try:
                answer = await http.post(path, json=call)
            except httpx.TransportError:
                answer = None
        if answer is None or answer.status_code != 200:
            # Nobody was there, or could answer now: nothing was paid, and the asker knows.
            self.counts["unanswered: direct"] += 1
            return
        said = answer.json()["parameters"]["receipt"]
        self.receipts.append((parse_receipt(json.dumps(said)), packed))
        self.counts["asked: direct"] += 1

    def _note(self, what: str, entries: list[int], number: int, block: int) -> None:
        entries.append(number)
        self.made[(what, number)] = block

    async def doubt(self) -> None:
        async with self.calm:
            if self.receipts and self.chance.random() < 0.5:
                signed, packed = self.receipts.pop(self.chance.randrange(len(self.receipts)))
                done = await self.doubter.client.challenge_receipt(signed, packed)
                number = done.claim.claim_id
                self._note("claims", self.tried.claims, number, await self.head())
                self.counts["doubted: direct"] += 1
                return
            for number in self.tried.lazy:
                state = await self.tried.ask.market.state(number)
                if state is LazyState.ANSWERED and number not in self.doubted:
                    self.doubted.add(number)
                    await self._doubt_lazily(number)
                    self.counts["doubted: lazy"] += 1
                    return

    async def _doubt_lazily(self, number: int) -> None:
        await self.tried.ask.doubt(self.doubter, number)

    # --- what goes wrong ---

    async def kill(self) -> None:
        self.kept.kill()
        self.counts["kills"] += 1

    async def rpc(self) -> None:
        kind = self.chance.choice(sorted(FAULTS))
        self.proxy.faults.append(FAULTS[kind]())
        self.counts["RPC faults"] += 1
        await asyncio.sleep(self.chance.uniform(2, 8))
        self.proxy.faults.clear()

    async def reorg(self) -> None:
        async with self.calm:
            head = await self.head()
            depth = min(self.chance.randint(1, 10), head - self.fork_floor)
            if depth < 1:
                return
            await self.tried.devnet.client.rpc.request("anvil_reorg", depth, [])
            self.counts["reorgs"] += 1
            self.counts["blocks undone"] += depth
            await self._forget_undone(head - depth)
            await self._reconnect()

    async def _forget_undone(self, ancestor: int) -> None:
        """Requests that were themselves undone were never made; the executor owes nothing."""
        lists = {
            "proven": self.tried.proven,
            "lazy": self.tried.lazy,
            "claims": self.tried.claims,
        }
        for (what, number), block in list(self.made.items()):
            if block > ancestor:
                lists[what].remove(number)
                del self.made[(what, number)]
                self.counts["requests undone"] += 1
        self.doubted.clear()  # whoever was doubted in vain is doubted again

    async def _reconnect(self) -> None:
        user = await self.accounts.reconnected(self.tried.ask.user)
        self.doubter = await self.accounts.reconnected(self.doubter)
        self.tried.ask = replace(self.tried.ask, user=user)

    async def restart(self) -> None:
        # Anvil saves its state in pieces: what is mined meanwhile is in the balances it starts with
        # again, and in no block. So nothing is, and no event of what was paid is lost.
        async with self.calm, self.proxy.shut():
            await self.chain.stop()
            await asyncio.sleep(self.chance.uniform(0.5, 4))
            await self.chain.start()
            # It has forgotten the states of earlier blocks: there is no way back to them.
            self.fork_floor = await self.head()
            self.counts["restarts of the chain"] += 1

    async def repeat(self, name: str) -> None:
        """Does one thing again and again, at random times."""
        action = getattr(self, name)
        while True:
            await asyncio.sleep(min(self.chance.expovariate(1 / EVERY[name]), 2 * EVERY[name]))
            try:
                await action()
            except (GatelessError, httpx.HTTPError) as error:
                # Askers' own transactions may meet a reorg; what they asked is in no list then.
                self.counts[f"failed: {name}"] += 1
                print(f"\n{name}: {error}", flush=True)
                async with self.calm:
                    with suppress(GatelessError):
                        await self._reconnect()

    # --- the end ---

    async def open_entries(self) -> int:
        """How much of what was asked has not ended."""
        async with self.tried.journal() as journal:
            return await self.tried.unended(journal)

    async def drained(self) -> bool:
        """Stops all faults and gives everything time to end; whether it did."""
        self.proxy.faults.clear()
        await self.read_docket()
        end = time.monotonic() + DRAIN_SECONDS
        advanced = False
        async with self.tried.journal() as journal:
            while time.monotonic() < end:
                if not advanced and await self.tried.answered(journal):
                    # Now nothing but lazy answers is open: let their windows pass.
                    await self.tried.devnet.control.advance(HOUR)
                    advanced = True
                if advanced and await self.tried.rests(journal):
                    return True
                await self.show("drain")
                await asyncio.sleep(3)
        return False

    async def read_docket(self) -> None:
        """All that the chain says was asked must end well, whatever the askers believe: also what
        was mined although its asker saw an error, and what came through a reorganisation."""
        client = self.tried.devnet.client
        for name, key, entries in (
            ("InferenceMarket.RequestCreated", "requestId", self.tried.proven),
            (f"{lazy_calls.LAZY_MARKET}.Requested", "requestId", self.tried.lazy),
            ("ReceiptCourt.ReceiptChallenged", "claimId", self.tried.claims),
        ):
            events = await client.events([name], client.deployment.start_block)
            found = [event.args[key] for event in events]
            self.counts["unknown to their askers"] += len(set(found) - set(entries))
            self.counts["believed and not there"] += len(set(entries) - set(found))
            entries[:] = found

    def lacking(self, seconds: float) -> list[str]:
        """What did not go wrong as often as it must have in such a time: then little was tried."""
        had = {
            "kill": self.kept.kills,
            "reorg": self.counts["reorgs"],
            "rpc": self.counts["RPC faults"],
            "restart": self.counts["restarts of the chain"],
        }
        # Half of the least that their times allow; a short run has no time for a restart.
        least = {name: int(seconds / (4 * EVERY[name])) for name in had}
        least |= {name: max(least[name], 1) for name in ("kill", "reorg", "rpc")}
        return [
            f"{name}: {had[name]} times in {seconds:.0f} s, at least {least[name]} are asked for"
            for name in had
            if had[name] < least[name]
        ]

    async def show(self, phase: str) -> None:
        counts = self.counts
        asked = sum(number for name, number in counts.items() if name.startswith("asked"))
        print(
            f"{time.strftime('%H:%M:%S')} {phase}: asked {asked}, open {await self.open_entries()},"
            f" kills {self.kept.kills}, starts {self.kept.starts}, reorgs {counts['reorgs']},"
            f" RPC faults {self.proxy.struck}, chain restarts {counts['restarts of the chain']}",
            flush=True,
        )


async def soak(minutes: float, seed: int, home: Path) -> tuple[Verdict, Counter[str]]:
    """Runs a soak in a folder; returns what the judge says, and what happened."""
    chance = random.Random(seed)
    async with AsyncExitStack() as stack:
        chain = RestartableChain(home)
        devnet = await stack.enter_async_context(chain.network())
        proxy = await stack.enter_async_context(faulty_rpc(devnet.deployment.rpc_url))
        bundle = await tiny_bundle(home)
        accounts = Accounts(devnet, home, home / "cache")
        stack.push_async_callback(accounts.close)
        served, user, doubter = (
            await accounts.serve("soaked", bundle),
            await accounts.make(),
            await accounts.make(),
        )
        executor, client, key = served.executor, devnet.client, LocalSigner.random()
        market = LazyReader(client.rpc, devnet.deployment)
        ask = Asking(devnet, served, user, market, DisputeReader(client.rpc, devnet.deployment))
        await executor.client.back_lazily(LAZY.backing or 0)
        await executor.client.back_receipts(TERMS, receipt_key=key.address)
        for path in bundle.root.iterdir():
            await user.client.services.store.put(path)
        sender = ask.sender(user)
        await sender.send(calls.approve(market.address, 5_000 * DOLLAR))
        await sender.send(lazy_calls.deposit(5_000 * DOLLAR))
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = int(taken.getsockname()[1])
        config = config_of(executor, serve_port=port, lazy=LAZY, receipts=RECEIPTS)
        config = replace(config, poll_seconds=0.5)
        since = (await client.block()).number
        tried = Tried(ask, config, since, forked=True)
        async with tried.journal():
            pass  # it exists from now on
        soaked = Soak(
            tried, chain, accounts, proxy, Kept(tried, proxy, key), doubter, chance,
            fork_floor=since,
        )  # fmt: skip
        keeping = asyncio.create_task(soaked.kept.run())
        chaos = [asyncio.create_task(soaked.repeat(name)) for name in EVERY]
        began = time.monotonic()
        try:
            await _until(minutes * 60, soaked, [keeping, *chaos])
        finally:
            lasted = time.monotonic() - began
            for task in chaos:
                task.cancel()
            await asyncio.gather(*chaos, return_exceptions=True)
        drained = await soaked.drained()
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        # What is undone leaves nonces behind; so does an endpoint that counts them wrongly.
        tried.fillers = soaked.counts["blocks undone"] + 3 * soaked.counts["RPC faults"]
        tried.reverted = soaked.counts["reorgs"]
        async with tried.journal() as journal:
            verdict = await judge(client, journal, tried.address, tried.docket)
        verdict.require(drained, f"not all ended within {DRAIN_SECONDS:g} s")
        ends = soaked.kept.ends
        verdict.require(not ends, f"the executor ended by itself {ends} times")
        verdict.faults += soaked.lacking(lasted)
        soaked.counts |= {
            "starts": soaked.kept.starts,
            "starts without a chain": soaked.kept.refusals,
            "ends by itself": soaked.kept.ends,
            "calls that went wrong": proxy.struck,
        }
        return verdict, soaked.counts


async def _until(seconds: float, soaked: Soak, tasks: list[asyncio.Task[None]]) -> None:
    """Waits for the end of the time, or Ctrl-C."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    end = time.monotonic() + seconds
    while time.monotonic() < end and not stop.is_set():
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), min(10.0, max(end - time.monotonic(), 0.1)))
        for task in tasks:
            if task.done():
                task.result()
        if not soaked.calm.locked():
            with suppress(GatelessError):
                await soaked.show(f"{max(end - time.monotonic(), 0) / 60:.1f} min left")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=None, help="repeats the decisions of a run")
    arguments = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if arguments.seed is None else arguments.seed
    home = Path(tempfile.mkdtemp(prefix="gateless-soak-"))
    print(f"seed {seed}, files in {home}", flush=True)
    try:
        verdict, counts = asyncio.run(soak(arguments.minutes, seed, home))
    finally:
        remove(home)
    for name, number in sorted((counts | verdict.counts).items()):
        print(f"{name:32} {number}")
    print(json.dumps({"seed": seed, "counts": dict(counts)} | asdict(verdict)))
    print("PASSED" if not verdict.faults else "FAILED: " + "; ".join(verdict.faults))
    return 1 if verdict.faults else 0


if __name__ == "__main__":
    sys.exit(main())
