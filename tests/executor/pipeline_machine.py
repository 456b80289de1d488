"""The real pipeline on a market in memory; what models and circuits do takes a moment."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from eth_utils.crypto import keccak
from gateless.core.packing import TensorSpec
from gateless.core.types import InputBinding
from gateless.daemon.chain_time import ChainTime
from gateless.daemon.versions import ReadyVersion
from gateless.executor import PolicyConfig
from gateless.executor.breaker import Breaker
from gateless.executor.metrics import ExecutorMetrics
from gateless.executor.owed import Owed
from gateless.executor.parts import Active, Parts
from gateless.executor.pipeline import Pipeline
from gateless.executor.policy import Policy, Standing
from gateless.executor.proofs import Proofs
from gateless_proofs import Proof, Witness
from journal_machine import ME, PROFILE, Process
from memory_market import MemoryClient, input_of
from memory_node import MemoryClock

VERSION = 1 << 32
OUTPUT, PROOF = b"out", b"proof"
#: Of the machine's clock; two blocks.
PROVE_SECONDS = 4.0

_POLICY = PolicyConfig(max_concurrent=6, lock_wait_seconds=1.0, failure_pause_seconds=5.0)
_READY: Any = SimpleNamespace(
    info=SimpleNamespace(version_id=VERSION, binding=InputBinding.PACKED, circuits=()),
    bundle=SimpleNamespace(
        schema=SimpleNamespace(inputs=(TensorSpec("x", (1,), 4, 0),), outputs=()),
        manifest=SimpleNamespace(accuracy=SimpleNamespace(bound=0.0)),
    ),
    circuit_index=0,
    batch_circuits=(),
)


class Model:
    """Versions and prover of one model, whose outputs are all the same."""

    def __init__(self, clock: MemoryClock) -> None:
        self._clock = clock

    async def prepare(self, _version_id: int) -> ReadyVersion:
        return self.known(_version_id)

    def known(self, _version_id: int) -> ReadyVersion:
        ready: ReadyVersion = _READY
        return ready

    async def witness(self, *_: Any) -> Witness:
        return Witness(OUTPUT, (), 0.0)

    async def float_outputs(self, *_: Any) -> tuple[Any, ...]:
        return ()

    async def prove(self, *_: Any, due: float) -> Proof:
        await self._clock.sleep(PROVE_SECONDS)
        return Proof(PROOF, OUTPUT, 0.0, PROVE_SECONDS)


class Books:
    """What the pipeline reads beside the market."""

    def __init__(self, client: MemoryClient) -> None:
        self._client = client

    async def created_input(self, _block: int, request_id: int) -> tuple[bytes, str]:
        return input_of(request_id), ""

    async def refresh(self) -> Standing:
        await self._client.rpc.request("eth_blockNumber")
        balance = self._client.node.state.balance
        return Standing(PROFILE, frozenset({VERSION}), 10**9, 0, balance)

    def at(self, _rpc: Any) -> Books:
        return self

    async def verify(
        self, _version: int, _circuit: int, packed: bytes, *_: Any, gas: int | None
    ) -> bytes:
        await self._client.rpc.request("eth_blockNumber")
        return bytes(keccak(packed))


class PipelineProcess(Process):
    """One life of an executor with its pipeline."""

    locks_together = True

    def __post_init__(self) -> None:
        super().__post_init__()
        books = Books(self.client)
        self.client.verifier = books
        model: Any = Model(self.clock)
        values: dict[str, Any] = {
            "client": self.client,
            "journal": self.journal,
            "transactions": self.transactions,
            "recovery": self.recovery,
            "versions": model,
            "sources": None,  # inputs come with the requests
            "inputs": None,
            "watcher": books,
            "standing": books,
            "prover": model,
            "policy": Policy(_POLICY, ME),
            "breaker": Breaker(
                self.clock,
                failures=_POLICY.failures,
                pause_seconds=_POLICY.failure_pause_seconds,
            ),
            "config": SimpleNamespace(policy=_POLICY),
            "clock": self.clock,
            "time": ChainTime(self.clock),
            "metrics": ExecutorMetrics(),
            "stopwatch": None,
        }
        parts = Parts(**values)
        owed = Owed(parts)
        self.pipeline = Pipeline(parts, Proofs(parts, owed), owed)

    async def _work_on(self, request_id: int) -> None:
        """As far as it comes: a request that is locked, to its end."""
        await self.pipeline.process(Active(request_id))
