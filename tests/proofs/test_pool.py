"""The proving pool with real proofs: parallel, within memory, cancellable."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
from gateless.core.errors import ProofError, SandboxError
from gateless_proofs import KeyCache, Prover, ProvingPool
from gateless_proofs.backend import Task
from proof_fixtures import LIMITS, Built, eventually

GIB = 1 << 30


@pytest.fixture
async def pool() -> AsyncIterator[ProvingPool]:
    async with ProvingPool(4 * GIB, 120, cores=2) as made:
        yield made
    assert made.pids == frozenset()


@pytest.fixture
def prover(cache: KeyCache, pool: ProvingPool) -> Prover:
    return Prover(cache, LIMITS, pool)


async def test_proofs_of_a_pool_hold(
    mlp: Built, committed: Built, rescaled: Built, prover: Prover
) -> None:
    jobs = [(mlp, row) for row in mlp.samples[:4]]
    jobs += [(committed, row) for row in committed.samples[:2]]
    jobs += [(rescaled, row) for row in rescaled.samples[:2]]
    packed = [built.packed(row) for built, row in jobs]
    proofs = await asyncio.gather(
        *(prover.prove(built.bundle, data) for (built, _), data in zip(jobs, packed, strict=True))
    )
    for (built, _), data, proof in zip(jobs, packed, proofs, strict=True):
        assert await prover.verify(built.bundle, data, proof.packed_output, proof.proof)
        witness = await prover.witness(built.bundle, data)
        assert witness.packed_output == proof.packed_output


async def test_cores_and_memory_are_never_exceeded(
    mlp: Built, prover: Prover, pool: ProvingPool
) -> None:
    seen: list[tuple[int, int]] = []

    async def watch() -> None:
        while True:
            schedule = pool._schedule
            seen.append((schedule.busy_threads, schedule.reserved_bytes))
            await asyncio.sleep(0.005)

    watching = asyncio.ensure_future(watch())
    packed = [mlp.packed(row) for row in mlp.samples[:6]]
    await asyncio.gather(*(prover.prove(mlp.bundle, data) for data in packed))
    watching.cancel()
    assert max(threads for threads, _ in seen) == 2, "both cores were used"
    assert all(memory <= pool.memory_bytes for _, memory in seen)
    assert (pool.running, pool.waiting) == (0, 0)


async def test_waiting_and_running_proofs_can_be_cancelled(
    mlp: Built, prover: Prover, pool: ProvingPool
) -> None:
    await prover.keys.proving_key(mlp.bundle)
    packed = mlp.packed(mlp.samples[0])
    tasks = [asyncio.ensure_future(prover.prove(mlp.bundle, packed)) for _ in range(6)]
    while not (pool.running and pool.waiting):
        await asyncio.sleep(0.002)
        assert not all(task.done() for task in tasks)
    for task in tasks[:-1]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results[:-1])
    proof = results[-1]
    assert not isinstance(proof, BaseException), proof
    assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)
    assert (pool.running, pool.waiting) == (0, 0)


async def test_what_was_measured_is_reserved_the_next_time(
    mlp: Built, prover: Prover, pool: ProvingPool
) -> None:
    key = await prover.keys.proving_key(mlp.bundle)
    entry = mlp.bundle.circuit()
    # A manifest may say what it likes.
    task = Task(
        mlp.bundle.digest,
        "prove",
        entry.compiled_circuit,
        entry.logrows,
        100 * GIB,
        {"proving_key": key},
    )
    assert pool.need(task).memory_bytes == pool.memory_bytes
    await prover.prove(mlp.bundle, mlp.packed(mlp.samples[0]))
    assert pool.need(task).memory_bytes < pool.memory_bytes
    assert pool.need(task).memory_bytes > 100 << 20


async def test_a_reservation_that_was_too_small_is_not_the_last_word(
    mlp: Built, prover: Prover, pool: ProvingPool
) -> None:
    """The proof is made again with all the memory there is."""
    await prover.prove(mlp.bundle, mlp.packed(mlp.samples[0]))
    peaks = pool._needs._peaks
    key = next(key for key in peaks if key[1] == "prove")
    peaks[key] = -(432 << 20)  # reserves 100 MiB, in which nothing can run
    assert pool._schedule.memory_bytes > 1 * GIB
    proof = await prover.prove(mlp.bundle, mlp.packed(mlp.samples[1]))
    assert await prover.verify(
        mlp.bundle, mlp.packed(mlp.samples[1]), proof.packed_output, proof.proof
    )


async def test_what_needs_more_than_there_is_says_so(mlp: Built, cache: KeyCache) -> None:
    async with ProvingPool(160 << 20, 120, cores=1) as small:
        prover = Prover(cache, LIMITS, small)
        with pytest.raises(SandboxError) as caught:
            await prover.prove(mlp.bundle, mlp.packed(mlp.samples[0]))
    assert caught.value.code in ("memory-limit", "worker-crashed")


async def test_refusals_come_through(rescaled: Built, prover: Prover, pool: ProvingPool) -> None:
    spec = rescaled.bundle.schema.inputs[0]
    extreme = rescaled.packed(np.full(3, spec.minimum / 2.0**spec.scale_bits))
    with pytest.raises(ProofError) as caught:
        await prover.prove(rescaled.bundle, extreme)
    assert caught.value.code == "input-not-provable"
    good = rescaled.packed(rescaled.samples[0])
    assert await prover.witness(rescaled.bundle, good)
    assert pool.running == 0


async def test_a_bundle_is_never_served_by_a_process_that_ran_another(
    mlp: Built, rescaled: Built, prover: Prover, pool: ProvingPool
) -> None:
    await prover.witness(mlp.bundle, mlp.packed(mlp.samples[0]))
    await prover.witness(rescaled.bundle, rescaled.packed(rescaled.samples[0]))
    domains = {entry.domain: entry.process.pid for entry in pool._workers._idle}
    assert set(domains) == {mlp.bundle.digest, rescaled.bundle.digest}
    assert len(set(domains.values())) == 2
    # Even the same files under another manifest are another domain.
    renamed = replace(
        mlp.bundle, manifest=mlp.bundle.manifest.model_copy(update={"name": "another"})
    )
    await prover.witness(renamed, mlp.packed(mlp.samples[0]))
    assert len({entry.process.pid for entry in pool._workers._idle}) == 3


async def test_the_end_of_the_pool_stops_what_runs(mlp: Built, cache: KeyCache) -> None:
    async with ProvingPool(4 * GIB, 120, cores=1) as pool:
        prover = Prover(cache, LIMITS, pool)
        await cache.proving_key(mlp.bundle)
        task = asyncio.ensure_future(prover.prove(mlp.bundle, mlp.packed(mlp.samples[0])))
        await eventually("a process runs", lambda: bool(pool._workers._busy))
        pids = pool.pids
    with pytest.raises(SandboxError) as caught:
        await task
    assert caught.value.code == "pool-closed"
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
