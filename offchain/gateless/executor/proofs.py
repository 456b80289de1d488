"""Proofs that the deployed verifier takes, for one request or several, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from gateless_proofs import BatchProof, Proof

from gateless.adapters.chain.rpc import RpcError
from gateless.core.errors import ContractError, GatelessError, ProofError
from gateless.daemon.faults import is_chain_away
from gateless.daemon.versions import ReadyVersion
from gateless.executor.parts import Parts, input_argument, kept_input
from gateless.executor.work import Work

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Proofs:
    """Makes proofs and has each of them checked by ``eth_call`` before anybody relies on it."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._unusable: set[tuple[int, int]] = set()

    async def alone(self, work: Work, ready: ReadyVersion) -> Proof:
        """A proof for one request."""
        return await self.of_input(
            ready,
            kept_input(work),
            work.input_binding,
            f"request {work.request_id}",
            due=_due(work),
        )

    async def of_input(
        self,
        ready: ReadyVersion,
        packed: bytes,
        binding: bytes,
        purpose: str,
        *,
        due: float = math.inf,
    ) -> Proof:
        """A proof of what a version's circuit for single inferences makes of an input.

        Args:
            ready: the version.
            packed: the input.
            binding: what the proof must show that it is tied to.
            purpose: what it is for, in words.
            due: when it must be on chain, seconds since 1970; the most urgent is made first.
        """
        parts = self._parts
        version_id, index = ready.info.version_id, ready.circuit_index
        started = parts.clock.monotonic()
        proof = await parts.prover.prove(ready.bundle, packed, index, due=due)
        seconds = parts.clock.monotonic() - started
        shown = await self._checked(
            lambda gas: parts.client.verifier.verify(
                version_id,
                index,
                input_argument(ready, packed),
                proof.packed_output,
                proof.proof,
                gas=gas,
            )
        )
        _require_binding(purpose, binding, shown)
        # Only now: a measured version is locked without another trial.
        await parts.journal.measured(version_id, index, seconds)
        parts.metrics.proof_seconds.labels("single").observe(seconds)
        parts.breaker.succeeded(version_id)
        log.info("proof-made", seconds=round(seconds, 3), proof_bytes=len(proof.proof))
        return proof

    async def together(
        self, works: list[Work], ready: ReadyVersion, circuit_index: int
    ) -> BatchProof:
        """One proof for several requests of a version; row i is the i-th request's."""
        parts = self._parts
        # The first time it takes as long as several proofs, which is no time of a proof.
        await parts.versions.make_key(ready.bundle, circuit_index)
        started = parts.clock.monotonic()
        rows = [kept_input(work) for work in works]
        proof = await parts.prover.prove_batch(
            ready.bundle, rows, circuit_index, due=min(map(_due, works))
        )
        seconds = parts.clock.monotonic() - started
        bindings = await self._checked(
            lambda gas: parts.client.verifier.verify_batch(
                ready.info.version_id,
                circuit_index,
                proof.packed_inputs,
                proof.packed_outputs,
                proof.proof,
                gas=gas,
            )
        )
        for work, binding in zip(works, bindings, strict=False):  # padding is nobody's
            _require_binding(f"request {work.request_id}", work.input_binding, binding)
        await parts.journal.measured(ready.info.version_id, circuit_index, seconds)
        parts.metrics.proof_seconds.labels("batch").observe(seconds)
        parts.breaker.succeeded(ready.info.version_id)
        log.info(
            "batch-proof-made",
            request_ids=[work.request_id for work in works],
            rows=len(proof.packed_inputs),
            seconds=round(seconds, 3),
        )
        return proof

    async def try_batch_circuit(self, work: Work, ready: ReadyVersion, circuit_index: int) -> None:
        """Finds out, with nothing at risk, whether a batch circuit can be served and how fast.

        One that cannot is left alone until a restart; requests are proven one by one then.
        """
        version_id = ready.info.version_id
        try:
            await self.together([work], ready, circuit_index)
        except GatelessError as error:
            if is_chain_away(error):
                raise
            self.give_up(version_id, circuit_index, error)

    def give_up(self, version_id: int, circuit_index: int, error: GatelessError) -> None:
        """Uses a batch circuit no more."""
        self._unusable.add((version_id, circuit_index))
        log.warning(
            "batch-circuit-unusable",
            version_id=version_id,
            circuit_index=circuit_index,
            code=error.code,
            message=error.message,
        )

    def usable(self, version_id: int, circuit_index: int) -> bool:
        """Whether nothing is known against a batch circuit."""
        return (version_id, circuit_index) not in self._unusable

    async def _checked(self, check: Callable[[int | None], Awaitable[T]]) -> T:
        """Asks the deployed verifier, which gets no more gas than a transaction can give it.

        What runs out of gas ends in many ways: only that it passes with more shows what it was.

        Raises:
            ProofError: ``proof-too-large``.
            GatelessError: the verifier refuses the proof, or cannot be asked now.
        """
        limit = self._parts.config.policy.max_proof_gas
        try:
            return await check(limit)
        except (ContractError, RpcError) as refusal:
            try:
                await check(None)
            except GatelessError:
                raise refusal from None
        try:
            return await check(limit)
        except (ContractError, RpcError) as refusal:
            raise ProofError(
                "proof-too-large",
                f"to verify a proof of this circuit takes more than {limit} gas",
                hint="it fits no transaction; its publisher must plan a smaller circuit",
            ) from refusal


def _due(work: Work) -> float:
    """When an answer must be there; what is not promised yet does not press."""
    return float(work.lock_deadline) if work.lock_deadline else math.inf


def _require_binding(purpose: str, expected: bytes, shown: bytes) -> None:
    if shown != expected:
        raise ProofError(
            "input-binding-mismatch",
            f"the proof for {purpose} is bound to another input",
            hint="this is a defect of the executor or of its prover; please report it",
        )
