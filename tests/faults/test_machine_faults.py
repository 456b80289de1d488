"""What goes wrong on the executor's own machine: disk, key cache, clock, memory, load."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from executor_fixtures import running
from gateless.adapters.chain import calls
from gateless.core.errors import GatelessError
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.executor import PolicyConfig
from gateless.executor.states import WorkState
from gateless_proofs import Bundle, KeyCache, Limits, Proof, Prover
from held_prover import HeldProver
from judge import Docket, judge
from jumping_clock import JumpingClock
from market_fixtures import MakeAccount, MakeServed
from patience import eventually
from small_disks import fill, filled, small_disk
from tried import PATIENCE_SECONDS, PRICE, Tried, on_trial, rows

HOUR = 3600


@pytest.fixture
async def tried(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> Tried:
    return await on_trial(isolated_devnet, make_served, make_account, "unlucky")


# --- disk ---


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own with a few megabytes."""
    with small_disk(tmp_path / "disk", megabytes=4) as folder:
        yield folder


@pytest.mark.parametrize("moment", ["before-it-is-seen", "while-it-is-proven"])
async def test_the_disk_is_full_for_a_while(tried: Tried, disk: Path, moment: str) -> None:
    tried.config = replace(tried.config, data_dir=disk / "executor")
    await tried.knows_its_speed()
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        await run.has_problems()
        if moment == "before-it-is-seen":
            ballast = fill(disk)
            await tried.asks()
        else:
            request_id = await tried.asks()
            await run.reaches(request_id, WorkState.PROVING)
            ballast = fill(disk)
        prover.let_go.set()
        problems = await run.shows_problem("database-full")
        # What was proven cannot be written down: the request waits for it.
        if moment == "while-it-is-proven":
            assert request_id in {problem.request_id for problem in problems}
        assert all(problem.hint for problem in problems)
        ballast.unlink()
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("locks_first", [False, True], ids=["proof-first", "lock-first"])
async def test_the_disk_of_temporary_files_is_full_for_a_while(
    tried: Tried, disk: Path, monkeypatch: pytest.MonkeyPatch, locks_first: bool
) -> None:
    """No proof can be made meanwhile. It says nothing against the request or its model."""
    if locks_first:
        await tried.knows_its_speed()
    executor = tried.ask.served.executor
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        request_id = await tried.asks()
        if locks_first:
            await run.reaches(request_id, WorkState.PROVING)
        else:
            await run.reaches(request_id, WorkState.CHECKED)
        monkeypatch.setattr(tempfile, "tempdir", str(disk))
        with filled(disk):
            prover.let_go.set()
            problems = await run.shows_problem("disk-full")
            assert {problem.request_id for problem in problems} == {request_id}
        await tried.at_rest(run.journal)
    await tried.judged()


async def test_the_disk_is_full_when_it_is_killed(tried: Tried, disk: Path) -> None:
    tried.config = replace(tried.config, data_dir=disk / "executor")
    await tried.knows_its_speed()
    await tried.asks()
    await tried.dies("after:proving")
    ballast = fill(disk)
    async with tried.process() as process:
        before = process.log.stat().st_size

        async def noticed() -> bool:
            said = await asyncio.to_thread(process.log.read_bytes)
            return b"database-full" in said[before:] or b"disk-full" in said[before:]

        # It may wait or end: nothing can be written down.
        await eventually("it says that the disk is full", noticed, PATIENCE_SECONDS)
        await process.kill()
    ballast.unlink()
    await tried.recovers()


# --- proving keys ---


def own_cache(tried: Tried) -> Path:
    """A key cache that nobody else uses; returns the proving key's path."""
    cache = tried.ask.served.executor.home / "own-cache"
    shutil.copytree(tried.config.cache_dir, cache)
    tried.config = replace(tried.config, cache_dir=cache)
    # That of the tiny model alone: other tests' bundles are in the same cache.
    return cache / "keys"


def damage(folder: Path, how: str) -> dict[Path, bytes]:
    """Damages the proving keys; what is in their files from then on."""
    damaged = {}
    for path in folder.glob("*/pk.key"):
        whole = path.read_bytes()
        middle = len(whole) // 2
        changed = {
            "a-bit": whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :],
            "a-page": whole[:middle] + bytes(4096) + whole[middle + 4096 :],
            "truncated": whole[:middle],
            "empty": b"",
        }[how]
        path.chmod(0o600)
        path.write_bytes(changed)
        damaged[path] = changed
    return damaged


@pytest.mark.parametrize("how", ["a-bit", "a-page", "truncated", "empty"])
@pytest.mark.parametrize("locks_first", [False, True], ids=["proof-first", "lock-first"])
async def test_the_proving_key_is_damaged(tried: Tried, how: str, locks_first: bool) -> None:
    damaged = damage(own_cache(tried), how)
    if locks_first:
        await tried.knows_its_speed()
    await tried.asks()
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        await tried.at_rest(run.journal)
    await tried.judged()
    # The key that it proves with was made anew.
    assert any(path.read_bytes() != bad for path, bad in damaged.items())


# --- clocks ---


@pytest.mark.parametrize("seconds", [-400 * 24 * HOUR, -HOUR, HOUR, 400 * 24 * HOUR])
async def test_the_clock_of_the_machine_jumps(tried: Tried, seconds: int) -> None:
    clock = JumpingClock()
    await tried.knows_its_speed()
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, prover=prover, clock=clock) as run:
        request_id = await tried.asks()
        await run.reaches(request_id, WorkState.PROVING)
        clock.offset = seconds
        prover.let_go.set()
        await tried.at_rest(run.journal)
        # The clock stays wrong: what is new is judged by the chain's time too.
        await tried.asks(rows(1)[0])
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("seconds", [60, 7 * 24 * HOUR])
async def test_the_clock_of_the_chain_jumps(tried: Tried, seconds: int) -> None:
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config) as run:
        await tried.asks()
        await tried.at_rest(run.journal)
        await tried.devnet.control.advance(seconds)
        await tried.asks(rows(1)[0])
        await tried.at_rest(run.journal)
    await tried.judged()


@pytest.mark.parametrize("seconds", [60, 300])
async def test_the_clock_of_the_chain_jumps_during_a_proof(tried: Tried, seconds: int) -> None:
    """As far as the lock lasts: what is proven is delivered all the same."""
    await tried.knows_its_speed()
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        request_id = await tried.asks(lock_duration=1200, timeout=HOUR)
        await run.reaches(request_id, WorkState.PROVING)
        await tried.devnet.control.advance(seconds)
        prover.let_go.set()
        await tried.at_rest(run.journal)
    await tried.judged()


# --- memory ---


async def test_a_proof_needs_more_memory_than_there_is(tried: Tried) -> None:
    """Nothing is locked that cannot be proven here; the requester has his money back."""
    tried.config = replace(tried.config, memory_bytes=300 << 20)
    made = await tried.ask.user.client.submit(tried.ask.served.name, price=PRICE, inputs=rows(1)[0])
    executor, market = tried.ask.served.executor, tried.devnet.client.market
    async with running(tried.devnet, executor, tried.config) as run:

        async def refused() -> bool:
            state = await run.state(made.request_id)
            return state in (WorkState.REJECTED, WorkState.SKIPPED) or bool(
                state and (await run.work(made.request_id)).reason
            )

        await eventually("it does not take the request", refused, PATIENCE_SECONDS)
        info = await market.request(made.request_id)
        assert info.state is RequestState.OPEN
        rest = info.deadline - await tried.ask.now() + 1
        await tried.devnet.control.advance(rest)
        await tried.ask.sender(tried.ask.user).send(calls.refund(made.request_id))

        async def over() -> bool:
            return await run.state(made.request_id) in (WorkState.REJECTED, WorkState.LOST)

        await eventually("the journal knows", over, PATIENCE_SECONDS)
        docket = Docket(refunded=[made.request_id], since=tried.since)
        verdict = await judge(tried.devnet.client, run.journal, tried.address, docket)
        assert not verdict.faults, verdict.faults


class StarvedProver(HeldProver):
    """Has far too little memory for the first proof."""

    def __init__(self, keys: KeyCache) -> None:
        super().__init__(keys)
        self.starved = 0

    async def prove(self, *args: Any, **options: Any) -> Proof:
        await self.let_go.wait()
        if self.starved:
            return await super().prove(*args, **options)
        try:
            return await Prover(self.keys, Limits(memory_bytes=100 << 20)).prove(*args, **options)
        except GatelessError:
            self.starved += 1
            raise


async def test_memory_runs_out_in_a_proof_after_the_lock(tried: Tried) -> None:
    await tried.knows_its_speed()
    prover = StarvedProver(KeyCache(tried.config.cache_dir))
    executor = tried.ask.served.executor
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        request_id = await tried.asks()
        await run.reaches(request_id, WorkState.PROVING)
        prover.let_go.set()
        await tried.at_rest(run.journal)
    assert prover.starved == 1
    await tried.judged()


def workers() -> set[int]:
    """Proving processes below this one."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"gateless_proofs.worker" in (entry / "cmdline").read_bytes():
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                ancestors = {parent}
                while parent > 1:
                    stat = Path(f"/proc/{parent}/stat").read_text()
                    parent = int(stat.rpartition(")")[2].split()[1])
                    ancestors.add(parent)
                if os.getpid() in ancestors:
                    found.add(int(entry.name))
    return found


async def test_the_kernel_kills_provers_for_memory(tried: Tried) -> None:
    """Locked, and then the proof's process is killed, as a kernel without memory does it."""
    await tried.knows_its_speed()
    executor = tried.ask.served.executor
    prover = HeldProver(KeyCache(tried.config.cache_dir))
    killed: set[int] = set()
    async with running(tried.devnet, executor, tried.config, prover=prover) as run:
        request_id = await tried.asks()
        await run.reaches(request_id, WorkState.PROVING)
        prover.let_go.set()
        end = time.monotonic() + PATIENCE_SECONDS
        while not killed:
            assert time.monotonic() < end, "no prover was there to be killed"
            for pid in workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.add(pid)
            await asyncio.sleep(0.02)
        await tried.at_rest(run.journal)
    await tried.judged()


# --- load ---


async def test_two_hundred_requests_at_once(
    isolated_devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    batching_bundle: Bundle,
) -> None:
    async def make(name: str) -> object:
        return await make_served(name, batching_bundle)

    policy = PolicyConfig(margin_seconds=1.0, batch_wait_seconds=5.0, max_concurrent=8)
    tried = await on_trial(
        isolated_devnet,
        make,  # type: ignore[arg-type]
        make_account,
        "wanted",
        policy=policy,
    )
    await tried.knows_its_speed(0, 1)
    sender, market = tried.ask.sender(tried.ask.user), tried.devnet.client.market.address
    await sender.send(calls.approve(market, 200 * PRICE))
    await sender.send(calls.deposit(200 * PRICE))
    await tried.devnet.control.set_automine(False)
    asked = asyncio.gather(*(tried.asks(row) for row in rows(200)))
    while not asked.done():  # as many in a block as come in time
        await tried.devnet.control.mine()
        await asyncio.sleep(0.2)
    await asked
    await tried.devnet.control.set_automine(True)
    async with tried.process(), tried.journal() as journal:
        await tried.at_rest(journal, seconds=1200)
    await tried.judged()
