"""Whether a claimed output is right: computed anew by the circuit that the chain pins.

A challenge risks money, so it takes certainty. Whatever cannot be had, verified or compared leaves
a case undecided, and says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from eth_utils.crypto import keccak
from gateless_proofs import Bundle, Prover

from gateless.core.errors import GatelessError, InputError, ProofError, SandboxError, StorageError
from gateless.core.manifest import CircuitEntry
from gateless.core.packing import unpack
from gateless.core.types import InputBinding
from gateless.daemon.versions import ReadyVersion, Versions
from gateless.watchtower.audits import Audits

#: Codes of a circuit that has no output for an input.
_NO_WITNESS = frozenset({"input-not-provable", "output-out-of-range"})


class Verdict(StrEnum):
    """What is known about a claimed output."""

    RIGHT = "right"
    WRONG = "wrong"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and why.

    Attributes:
        verdict: what is known.
        code: reason, for machines.
        text: the same in words.
        passing: whether it may be another one later, without anybody handing anything over.
    """

    verdict: Verdict
    code: str
    text: str
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """This input to this version gives this output.

    Attributes:
        input_digest: keccak256 of the packed input.
        packed_input: the input; None while unknown.
        packed_output: the output; None where its digest alone is known.
    """

    version_id: int
    input_binding: bytes
    input_digest: bytes
    output_digest: bytes
    packed_input: bytes | None
    packed_output: bytes | None


class Judge:
    """Judges statements.

    Args:
        versions: makes bundles ready: fetched, compared with the chain, keys made again.
        prover: computes witnesses in limited subprocesses.
        audits: looks at a version before one of its answers counts as wrong.
        challenge_unprovable: whether an answer to an input for which no circuit of the version has
            an output counts as wrong.
    """

    def __init__(
        self,
        versions: Versions,
        prover: Prover,
        audits: Audits,
        *,
        challenge_unprovable: bool = False,
    ) -> None:
        self._versions = versions
        self._prover = prover
        self._audits = audits
        self._challenge_unprovable = challenge_unprovable

    async def judge(self, said: Statement) -> Judgement:
        """A judgement of a statement.

        Raises:
            GatelessError: the chain cannot be asked now.
        """
        packed = said.packed_input
        if packed is None:
            return _undecided("input-missing", "nobody handed the input over")
        if keccak(packed) != said.input_digest:
            return _undecided("input-digest-mismatch", "another input was handed over")
        try:
            ready = await self._versions.prepare(said.version_id)
        except (StorageError, ProofError, SandboxError) as error:
            # Without files that are what the chain says, nothing that is computed proves a lie.
            return _undecided(error.code, error.message, passing=True)
        try:
            found = await self._judge(said, packed, ready)
            if found.verdict is not Verdict.WRONG:
                return found
            # A bond rests on it, and no proof shows what a disk did to the files.
            await self._prover.require_intact(ready.bundle)
        except StorageError as error:
            return _undecided(error.code, error.message, passing=True)
        flaw = await self._audits.flaw(ready)
        if flaw:
            return _undecided("audit-failed", f"{found.text}, but {flaw}", passing=True)
        return found

    async def _judge(self, said: Statement, packed: bytes, ready: ReadyVersion) -> Judgement:
        try:
            unpack(packed, ready.bundle.schema.inputs)
        except InputError as error:
            return _not_an_input(ready, error)
        if not await self._is_bound(said, packed, ready):
            return _undecided(
                "input-binding-mismatch",
                "a proof would be bound to another input than the one handed over",
            )
        try:
            return await self._compare(said, packed, ready)
        except SandboxError as error:
            return _undecided(error.code, error.message, passing=True)

    async def _is_bound(self, said: Statement, packed: bytes, ready: ReadyVersion) -> bool:
        if ready.info.binding is InputBinding.PACKED:
            return said.input_binding == keccak(packed)
        x, y = await self._prover.commitment(ready.bundle, packed, ready.circuit_index)
        return said.input_binding == keccak(x + y)

    async def _compare(self, said: Statement, packed: bytes, ready: ReadyVersion) -> Judgement:
        bundle, refusal = ready.bundle, None
        for index in _single_circuits(bundle):
            try:
                witness = await self._prover.witness(bundle, packed, index)
            except ProofError as error:
                if error.code not in _NO_WITNESS:
                    return _undecided(error.code, error.message, passing=True)
                refusal = error
                continue
            return _judged(said, witness.packed_output, bundle)
        if refusal is not None and self._challenge_unprovable:
            return Judgement(Verdict.WRONG, refusal.code, "no circuit has an output for this input")
        return _undecided(
            "input-not-provable" if refusal is None else refusal.code,
            "no circuit of the version has an output for this input",
        )


def _judged(said: Statement, computed: bytes, bundle: Bundle) -> Judgement:
    if keccak(computed) == said.output_digest:
        return Judgement(Verdict.RIGHT, "", "the circuit gives the same output")
    circuits = bundle.manifest.circuits
    if all(circuit.exact for circuit in circuits):
        return Judgement(
            Verdict.WRONG, "other-output", "the circuit, which is exact, gives another output"
        )
    claimed = said.packed_output
    if claimed is None or keccak(claimed) != said.output_digest:
        return _undecided(
            "output-missing",
            "the circuit leaves a choice between neighbours: to judge takes the claimed output",
        )
    specs = bundle.schema.outputs
    try:
        theirs = unpack(claimed, specs)
    except InputError:
        return Judgement(Verdict.WRONG, "wrong-length", "the version has no output of that length")
    allowed = [max(circuit.slack[place] for circuit in circuits) for place in range(len(specs))]
    furthest = max(
        abs(one - other) - slack
        for mine, yours, slack in zip(unpack(computed, specs), theirs, allowed, strict=True)
        for one, other in zip(mine, yours, strict=True)
    )
    if furthest <= 0:
        return Judgement(
            Verdict.RIGHT, "within-slack", "the output is within the slack that the manifest states"
        )
    return Judgement(
        Verdict.WRONG, "beyond-slack", f"the output is {furthest} units beyond the stated slack"
    )


def _not_an_input(ready: ReadyVersion, error: GatelessError) -> Judgement:
    """What it means that the bytes are no input of the version."""
    if ready.info.binding is InputBinding.PACKED:
        # The verifier reads exactly these bytes, and refuses them: no proof can ever come.
        return Judgement(Verdict.WRONG, error.code, "the version takes no input of that length")
    return _undecided(error.code, error.message)


def _single_circuits(bundle: Bundle) -> list[int]:
    circuits: list[CircuitEntry] = list(bundle.manifest.circuits)
    return [index for index, circuit in enumerate(circuits) if circuit.batch_size == 1]


def _undecided(code: str, text: str, *, passing: bool = False) -> Judgement:
    return Judgement(Verdict.UNDECIDED, code, text, passing)
