"""Proofs that the deployed verifier takes, for one request or several, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import structlog
from gateless_proofs import BatchProof, Proof

from gateless.adapters.chain.rpc import RpcError
from gateless.adapters.chain.verifier import VerifierReader
from gateless.core.errors import ContractError, GatelessError, ProofError, StorageError
from gateless.daemon.faults import is_chain_away
from gateless.daemon.versions import ReadyVersion
from gateless.executor.owed import Owed
from gateless.executor.parts import Parts, input_argument, kept_input
from gateless.executor.trials import PUT_OFF, Trials
from gateless.executor.work import Work

log = structlog.get_logger(__name__)

T = TypeVar("T")


class Proofs:
    """Makes proofs and has each of them checked by ``eth_call`` before anybody relies on it.

    Those that were promised by a time are made by then; all others are trials, and give way.

    Args:
        parts: what to work with.
        owed: the proofs that are promised.

    Attributes:
        owed: likewise.
    """

    def __init__(self, parts: Parts, owed: Owed) -> None:
        self._parts = parts
        self.owed = owed
        self._trials = Trials(owed, parts.clock)

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
                One without is a trial.

        Raises:
            ProofError: ``proof-put-off``: what was promised needs the machine now;
                ``proof-too-large``, ``input-binding-mismatch``.
            GatelessError: it cannot be made, or the verifier does not take it.
        """
        parts = self._parts
        version_id, index = ready.info.version_id, ready.circuit_index
        proof, seconds = await self._made(
            lambda: parts.prover.prove(ready.bundle, packed, index, due=due),
            version_id,
            purpose,
            due,
        )
        shown = await self._checked(
            lambda verifier, gas: verifier.verify(
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
        rows = [kept_input(work) for work in works]
        due = min(map(_due, works))
        proof, seconds = await self._made(
            lambda: parts.prover.prove_batch(ready.bundle, rows, circuit_index, due=due),
            ready.info.version_id,
            f"{len(works)} of version {ready.info.version_id} together",
            due,
        )
        bindings = await self._checked(
            lambda verifier, gas: verifier.verify_batch(
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

        One that cannot is left alone until a restart; requests are proven one by one then. So is
        the one that waits where what was promised leaves no time for it now.
        """
        version_id = ready.info.version_id
        try:
            await self.together([work], ready, circuit_index)
        except GatelessError as error:
            if error.code == PUT_OFF or isinstance(error, StorageError):
                return  # it says nothing about the circuit
            if is_chain_away(error):
                raise
            self.owed.circuits.give_up(version_id, circuit_index, error)

    async def _made(
        self,
        make: Callable[[], Coroutine[Any, Any, T]],
        version_id: int,
        purpose: str,
        due: float,
    ) -> tuple[T, float]:
        """What a prover makes, and how many seconds that took."""

        async def timed() -> tuple[T, float]:
            started = self._parts.clock.monotonic()
            made = await make()
            return made, self._parts.clock.monotonic() - started

        if math.isinf(due):
            return await self._trials.run(timed, purpose)
        with self.owed.making(version_id, due):
            return await timed()

    async def _checked(self, check: Callable[[VerifierReader, int | None], Awaitable[T]]) -> T:
        """Asks the deployed verifier, which gets no more gas than a transaction can give it.

        What runs out of gas ends in many ways: only that it passes with more shows what it was. A
        refusal is asked of every endpoint: the prover has verified the proof, so it may be the
        endpoint that is wrong, or that gives a call too little gas.

        Raises:
            ProofError: ``proof-too-large``.
            GatelessError: the verifier refuses the proof, or cannot be asked now.
        """
        client, limit = self._parts.client, self._parts.config.policy.max_proof_gas
        verifier = client.verifier

        async def anywhere(gas: int | None) -> T:
            said = await client.rpc.everywhere(lambda one: check(verifier.at(one), gas))
            return said[0]

        try:
            return await check(verifier, limit)
        except (ContractError, RpcError) as refusal:
            try:
                await anywhere(None)
            except GatelessError:
                raise refusal from None
        try:
            return await anywhere(limit)
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
