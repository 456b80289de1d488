"""Proofs of what was claimed without one: made when somebody doubts it, and kept.

One proof settles all claims that say the same. Only a proof that the deployed verifier takes, of
another output than the claimed one, shows that a claim cannot be kept. Whatever else goes wrong
may go right the next time, and there is stake behind it.
"""

from __future__ import annotations

from collections.abc import Hashable

import structlog
from eth_utils.crypto import keccak

from gateless.adapters.clock import Clock
from gateless.core.errors import ChainError, GatelessError
from gateless.daemon.versions import ReadyVersion
from gateless.executor.journal_claims import KeptProof
from gateless.executor.parts import Parts
from gateless.executor.proofs import Proofs

log = structlog.get_logger(__name__)

_FIRST_RETRY_SECONDS = 2.0
_MAX_RETRY_SECONDS = 20.0
#: After an attempt that took long the others have the machine for as long, up to this.
_MAX_REST_SECONDS = 60.0
#: Refusals of the verifier, as codes.
_VERIFIER = "zk-verifier-"


class Indefensible(Exception):
    """A claim says another output than the circuit's: no proof of it exists."""


class ClaimedProofs:
    """Makes proofs of claims, each once.

    Args:
        parts: what to work with.
        proofs: makes them.
    """

    def __init__(self, parts: Parts, proofs: Proofs) -> None:
        self._parts = parts
        self._journal = parts.journal
        self._proofs = proofs
        self._damaged: set[bytes] = set()

    async def of(
        self,
        subject: bytes,
        ready: ReadyVersion,
        packed: bytes,
        *,
        binding: bytes,
        output_digest: bytes,
        purpose: str,
        due: float,
    ) -> KeptProof:
        """The proof of a claim, made where it is missing or was found to be damaged.

        Args:
            subject: what it settles.
            ready: the version.
            packed: the input.
            binding: what the proof must show that it is tied to.
            output_digest: of the output that was claimed.
            purpose: what it is for, in words.
            due: when it must be on chain, seconds since 1970.

        Raises:
            Indefensible: there is none.
            GatelessError: it cannot be made now.
        """
        kept = await self._journal.expect_proof(subject, packed)
        if kept.proof is not None and subject not in self._damaged:
            return kept
        made = await self._proofs.of_input(ready, packed, binding, purpose, due=due)
        if keccak(made.packed_output) != output_digest:
            # Not for a disk's sake: the files that say so are the published ones.
            await self._parts.prover.require_intact(ready.bundle)
            raise Indefensible("the proven output is another one than the claimed one")
        await self._journal.keep_proof(subject, made.packed_output, ready.circuit_index, made.proof)
        self._damaged.discard(subject)
        return await self._journal.kept_proof(subject)

    async def look_into(self, refusal: ChainError, ready: ReadyVersion, kept: KeptProof) -> None:
        """Finds out why a kept proof was refused, which the verifier took when it was made.

        Where it does not hold here either, what was kept is damaged, and it is made anew. Where it
        holds, it is the endpoint that is wrong, and another one is asked, if there is one.
        """
        if not refusal.code.startswith(_VERIFIER) or kept.packed_output is None:
            return
        try:
            holds = await self._parts.prover.verify(
                ready.bundle,
                kept.packed_input,
                kept.packed_output,
                kept.proof or b"",
                kept.circuit_index,
            )
        except GatelessError as error:
            log.warning("proof-not-looked-into", code=error.code, message=error.message)
            return
        if not holds:
            self._damaged.add(kept.subject)
            log.error("kept-proof-damaged", subject=kept.subject.hex())
            return
        elsewhere = self._parts.client.rpc.distrust(refusal)
        log.error("sound-proof-refused", code=refusal.code, ask_elsewhere=elsewhere)


class Retries:
    """When what failed is tried again: ever later, and never not at all.

    Args:
        clock: what time it is.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses: dict[Hashable, float] = {}
        self._not_before: dict[Hashable, float] = {}

    def is_due(self, key: Hashable) -> bool:
        """Whether it may be tried now."""
        return self._not_before.get(key, 0.0) <= self._clock.monotonic()

    def later(self, key: Hashable) -> None:
        """Tries in a moment: nothing is wrong with it."""
        self._not_before[key] = self._clock.monotonic() + _FIRST_RETRY_SECONDS

    def failed(self, key: Hashable, spent: float) -> None:
        """Tries later than the last time.

        Args:
            key: what failed.
            spent: seconds that it took.
        """
        pause = self._pauses.get(key, _FIRST_RETRY_SECONDS)
        self._pauses[key] = min(2 * pause, _MAX_RETRY_SECONDS)
        rest = max(pause, min(spent, _MAX_REST_SECONDS))
        self._not_before[key] = self._clock.monotonic() + rest

    def forget(self, key: Hashable) -> None:
        """It succeeded, or is over."""
        self._pauses.pop(key, None)
        self._not_before.pop(key, None)
