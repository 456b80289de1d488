"""Proofs on a real Ray cluster of two nodes: placed, verified, moved when a node is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from cluster_fixtures import LocalCluster, environment_of, held, is_running, local_cluster
from gateless.core.errors import ConfigError, ProofError, SandboxError
from gateless_proofs import KeyCache, Prover, ProvingPool
from gateless_proofs.cluster.backend import ClusterBackend
from gateless_proofs.cluster.link import Link
from gateless_proofs.cluster.wire import Options
from gateless_proofs.isolation import NOTHING, Isolation, Network, Ways
from gateless_proofs.process import Progress
from proof_fixtures import LIMITS, Built, build, eventually, normal
from tiny_models import dense

pytest.importorskip("ray", reason="the extra `cluster` is not installed")

GIB = 1 << 30


@pytest.fixture(scope="module")
async def cluster() -> AsyncIterator[LocalCluster]:
    async with local_cluster() as made:
        yield made


@pytest.fixture(scope="module")
async def larger(tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """A circuit whose proof takes long enough to be caught in the middle."""
    folder = tmp_path_factory.mktemp("larger")
    model = dense(folder / "larger.onnx", [24, 64, 16])
    return await build(model, normal(8, 24), folder / "bundle", cache)


@asynccontextmanager
async def joined(
    cluster: LocalCluster,
    *,
    address: str | None = None,
    local_bytes: int = 4 * GIB,
    **options: Any,
) -> AsyncIterator[ClusterBackend]:
    """A backend; its agents have left the nodes when the block has ended."""
    async with (
        ProvingPool(local_bytes, 120, cores=1) as pool,
        ClusterBackend(Options(address or cluster.address, **options), pool, 120) as backend,
    ):
        agents = [pid for node in cluster.nodes for pid in cluster.agents_of(node)]
        yield backend
    for agent in agents:
        await eventually("the agents have ended", lambda pid=agent: not is_running(pid))


async def test_proofs_are_made_on_the_nodes_and_everything_else_here(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    async with joined(cluster) as backend:
        prover = Prover(cache, LIMITS, backend)
        packed = [mlp.packed(row) for row in mlp.samples[:6]]
        proofs = await asyncio.gather(*(prover.prove(mlp.bundle, data) for data in packed))
        for data, proof in zip(packed, proofs, strict=True):
            assert await prover.verify(mlp.bundle, data, proof.packed_output, proof.proof)
            assert (await prover.witness(mlp.bundle, data)).packed_output == proof.packed_output
        status = backend.status()
        assert [node.done for node in status.nodes if node.done == 0] == [], "both were used"
        assert sum(node.done for node in status.nodes) == len(packed)
        assert (status.backend, status.waiting, status.moved, status.problem) == (
            "cluster",
            0,
            0,
            "",
        )
        assert all((node.running, node.reserved_bytes) == (0, 0) for node in status.nodes)
        for node in cluster.nodes:
            names = {path.name for path in cluster.cache_of(node).glob("files/*/*")}
            assert len(names) == 5, "circuit, settings, both keys and the reference string"


async def test_a_node_killed_in_the_middle_of_a_proof_costs_time_and_nothing_else(
    cluster: LocalCluster, larger: Built, cache: KeyCache
) -> None:
    packed = larger.packed(larger.samples[0])
    await cache.proving_key(larger.bundle)
    async with joined(cluster) as backend:
        prover = Prover(cache, LIMITS, backend)
        proving = asyncio.ensure_future(prover.prove(larger.bundle, packed))
        victim, workers = await cluster.in_the_middle()
        with held(workers):
            # It was at work, and it cannot have finished.
            busy = [node for node in backend.status().nodes if node.running]
            assert [cluster.node_named(node.name) for node in busy] == [victim]
            assert not proving.done()
            await cluster.kill(victim)
            proof = await proving
        assert await prover.verify(larger.bundle, packed, proof.packed_output, proof.proof)
        status = backend.status()
        assert [node.done for node in status.nodes] == [1]
        assert cluster.node_named(status.nodes[0].name) != victim
        assert status.moved == 1
        for worker in workers:
            await eventually("its workers died with it", lambda pid=worker: not is_running(pid))

        # Another node comes, and is used without a restart.
        fresh = await cluster.add()
        await eventually("the new node is used", lambda: len(backend.status().nodes) == 2)
        assert {cluster.node_named(node.name) for node in backend.status().nodes} > {fresh}


async def test_a_proof_that_is_not_wanted_any_more_is_stopped_on_its_node(
    cluster: LocalCluster, larger: Built, cache: KeyCache
) -> None:
    packed = larger.packed(larger.samples[0])
    async with joined(cluster) as backend:
        prover = Prover(cache, LIMITS, backend)
        proving = asyncio.ensure_future(prover.prove(larger.bundle, packed))
        _, found = await cluster.in_the_middle()
        proving.cancel()
        with suppress(asyncio.CancelledError):
            await proving
        assert all(node.running == 0 for node in backend.status().nodes)
        await eventually("the worker is killed", lambda: not all(map(is_running, found)))
        await eventually(
            "no proof goes on", lambda: not any(map(cluster.provers_on, cluster.nodes))
        )


async def test_a_file_that_rots_on_a_node_is_sent_again(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    async with joined(cluster) as backend:
        prover = Prover(cache, LIMITS, backend)
        await prover.prove(mlp.bundle, mlp.packed(mlp.samples[0]))
        rotten = [
            path for node in cluster.nodes for path in cluster.cache_of(node).glob("files/*/*")
        ]
        for path in rotten:
            path.chmod(0o600)
            path.write_bytes(b"rot" + path.read_bytes()[3:])
        packed = mlp.packed(mlp.samples[1])
        proof = await prover.prove(mlp.bundle, packed)
        assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)
        assert backend.status().moved == 0


async def test_what_fits_nowhere_says_so(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    async with joined(
        cluster, node_memory_bytes=200 << 20, node_cores=1, local_bytes=160 << 20
    ) as backend:
        prover = Prover(cache, LIMITS, backend)
        with pytest.raises(SandboxError) as caught:
            await prover.prove(mlp.bundle, mlp.packed(mlp.samples[0]))
    assert caught.value.code == "cluster-has-no-room"
    assert caught.value.context["largest_node_bytes"] == 100 << 20, "half is for idle workers"


async def test_what_no_node_holds_is_made_here_if_there_is_room(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    async with joined(cluster, node_memory_bytes=200 << 20) as backend:
        prover = Prover(cache, LIMITS, backend)
        packed = mlp.packed(mlp.samples[0])
        proof = await prover.prove(mlp.bundle, packed)
        assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)
        assert sum(node.done for node in backend.status().nodes) == 0


async def test_an_executor_need_not_be_in_the_cluster(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    """Through Ray's server for remote clients its machine runs no node."""
    async with joined(cluster, address=cluster.remote_address) as backend:
        prover = Prover(cache, LIMITS, backend)
        packed = mlp.packed(mlp.samples[2])
        proof = await prover.prove(mlp.bundle, packed)
        assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)
        assert sum(node.done for node in backend.status().nodes) == 1


async def test_every_node_says_what_keeps_models_apart(cluster: LocalCluster) -> None:
    async with joined(cluster) as backend:
        nodes = backend.status().nodes
        assert len(nodes) == 2
        assert all(node.isolation is not None and node.isolation.sufficient for node in nodes)


async def test_nothing_is_proven_on_a_node_where_nothing_keeps_models_in(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    """Unless told so: the executor makes the proof itself."""
    packed = mlp.packed(mlp.samples[3])
    async with joined(cluster, ways=NOTHING.text()) as backend:
        status = backend.status()
        assert status.nodes == ()
        assert status.problem.count(" has nothing that keeps models from the network") == 2
        assert "--allow-unsandboxed" in status.problem
        proof = await Prover(cache, LIMITS, backend).prove(mlp.bundle, packed)
        assert await Prover(cache, LIMITS, backend).verify(
            mlp.bundle, packed, proof.packed_output, proof.proof
        )
        assert backend.status().nodes == ()
    async with joined(cluster, ways=NOTHING.text(), allow_unsandboxed=True) as backend:
        await Prover(cache, LIMITS, backend).prove(mlp.bundle, packed)
        nodes = backend.status().nodes
        assert sum(node.done for node in nodes) == 1
        assert [node.isolation for node in nodes] == [Isolation(), Isolation()]
    # What a socket filter does alone is enough.
    async with joined(cluster, ways=Ways(namespaces=False).text()) as backend:
        found = [node.isolation for node in backend.status().nodes]
        assert [isolation.network for isolation in found if isolation] == [Network.SECCOMP] * 2


async def test_two_executors_do_not_share_what_a_node_offers(
    cluster: LocalCluster, mlp: Built, cache: KeyCache
) -> None:
    taken = Options(cluster.address, join_seconds=2.0)
    async with (
        joined(cluster) as first,
        ProvingPool(4 * GIB, 120, cores=1) as pool,
        ClusterBackend(taken, pool, 120) as second,
    ):
        assert len(first.status().nodes) == 2
        assert second.status().nodes == ()
        assert "others have its memory or cores" in second.status().problem
        # It still keeps its promises.
        packed = mlp.packed(mlp.samples[0])
        proof = await Prover(cache, LIMITS, second).prove(mlp.bundle, packed)
        assert await Prover(cache, LIMITS, first).verify(
            mlp.bundle, packed, proof.packed_output, proof.proof
        )


async def test_the_driver_knows_no_secrets_and_ends_with_its_executor(
    cluster: LocalCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATELESS_PASSWORD", "secret")
    link = await Link.start(Options(cluster.address), lambda _: None)
    try:
        assert b"GATELESS_PASSWORD" not in environment_of(link.pid)
    finally:
        await link.close()
    assert not is_running(link.pid)


async def test_a_cluster_that_is_not_there_is_named(cache: KeyCache) -> None:
    with pytest.raises(ConfigError) as caught:
        await Link.start(Options("127.0.0.1:9"), lambda _: None)
    assert caught.value.code == "cluster-unreachable"
    assert "127.0.0.1:9" in caught.value.message


async def test_without_ray_the_command_to_install_it_is_named(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('No module named ray')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=":")
    with pytest.raises(ConfigError) as caught:
        await Link.start(Options("auto"), lambda _: None)
    assert caught.value.code == "cluster-not-installed"
    assert 'pip install "gateless[cluster]"' in caught.value.hint


class LyingNode:
    """A connection to one node that answers with what it likes."""

    def __init__(self, says: Any) -> None:
        self._says = says
        self.dropped: list[str] = []
        self._heard: Any = None
        self.last_words = ""

    async def start(self, _options: Options, heard: Any) -> LyingNode:
        self._heard = heard
        heard(
            {
                "event": "joined",
                "node": "liar",
                "name": "liar",
                "memory_bytes": 4 * GIB,
                "cores": 1,
                "isolation": Isolation().to_dict(),
            }
        )
        return self

    async def run(self, order: Mapping[str, Any], _progress: Progress | None) -> dict[str, Any]:
        return await self._says(order)

    async def drop(self, node: str, reason: str) -> None:
        self.dropped.append(reason)
        self._heard({"event": "left", "node": node, "reason": reason})

    async def ended(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None:
        pass


async def true_answer(built: Built, cache: KeyCache, pool: ProvingPool, row: int) -> dict[str, Any]:
    """What an honest node says about a row."""
    kept: list[dict[str, Any]] = []

    class Listening(ProvingPool):
        async def run(self, *args: Any) -> dict[str, Any]:
            answer = await pool.run(*args)
            kept.append(answer)
            return answer

    await Prover(cache, LIMITS, Listening()).prove(built.bundle, built.packed(built.samples[row]))
    return kept[-1]


async def test_a_node_that_lies_wastes_time_and_is_not_believed(
    mlp: Built, cache: KeyCache
) -> None:
    async with ProvingPool(4 * GIB, 120, cores=1) as pool:
        other = await true_answer(mlp, cache, pool, 1)
        same = await true_answer(mlp, cache, pool, 0)
        broken = same | {"proof": "00" + same["proof"][2:]}

        async def refuses(_order: object) -> dict[str, Any]:
            raise ProofError("input-not-provable", "there is no witness")

        async def of_another(_order: object) -> dict[str, Any]:
            return other

        async def of_nothing(_order: object) -> dict[str, Any]:
            return broken

        async def of_no_form(_order: object) -> dict[str, Any]:
            return {"peak_bytes": 1, "proof": 3}

        for says, is_dropped in (
            (of_another, False),
            (refuses, False),
            (of_nothing, True),
            (of_no_form, True),
        ):
            node = LyingNode(says)
            async with ClusterBackend(Options("liars"), pool, 120, connect=node.start) as backend:
                prover = Prover(cache, LIMITS, backend)
                packed = mlp.packed(mlp.samples[0])
                proof = await prover.prove(mlp.bundle, packed)
            assert await prover.verify(mlp.bundle, packed, proof.packed_output, proof.proof)
            assert bool(node.dropped) is is_dropped, says
