"""What is established about a request before its collateral is put at risk."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from eth_utils.crypto import keccak
from gateless_proofs import Prover, Witness

from gateless.adapters.storage import parse_hint
from gateless.core.errors import InputError, ProofError
from gateless.core.packing import unpack
from gateless.core.types import InputBinding
from gateless.daemon.content import ContentSources
from gateless.daemon.versions import ReadyVersion


class Asked(Protocol):
    """What is checked of a request, whichever market it is for."""

    @property
    def request_id(self) -> int:
        """Its id."""
        ...

    @property
    def input_digest(self) -> bytes:
        """keccak256 of its packed input."""
        ...

    @property
    def input_binding(self) -> bytes:
        """What a proof must be tied to."""
        ...


async def obtain_input(
    work: Asked, ready: ReadyVersion, data: bytes, hint: str, sources: ContentSources
) -> bytes:
    """The packed input of a request, whose digest and length were checked.

    Args:
        work: the request.
        ready: its version.
        data: the input that came with the request; empty where it is elsewhere.
        hint: where it is, in that case.
        sources: stores to look in.

    Raises:
        InputError: ``no-input``, ``invalid-input-hint``, ``input-digest-mismatch``,
            ``wrong-length``.
        StorageError: it cannot be had now.
    """
    specs = ready.bundle.schema.inputs
    if not data:
        if not hint:
            raise InputError("no-input", f"request {work.request_id} carries no input and no hint")
        where = parse_hint(hint)
        store = sources.store([where.base_url] if where.base_url else [])
        length = sum(spec.packed_length for spec in specs)
        # A store that sends too much shows nothing about what the digest names: it is asked again.
        data = await store.get(where.sha256, max_bytes=length)
    if keccak(data) != work.input_digest:
        raise InputError(
            "input-digest-mismatch",
            f"the input of request {work.request_id} is not the one that its digest names",
        )
    unpack(data, specs)  # checks the length; every bit pattern of a width is a value in its range
    return data


def require_length(packed_input: bytes, ready: ReadyVersion) -> None:
    """Refuses an input that the version cannot take.

    Raises:
        InputError: ``wrong-length``.
    """
    unpack(packed_input, ready.bundle.schema.inputs)


async def binding_of(ready: ReadyVersion, packed_input: bytes, prover: Prover) -> bytes:
    """What proofs for an input are tied to."""
    if ready.info.binding is InputBinding.PACKED:
        return bytes(keccak(packed_input))
    x, y = await prover.commitment(ready.bundle, packed_input)
    return bytes(keccak(x + y))


async def check_binding(
    work: Asked, ready: ReadyVersion, packed_input: bytes, prover: Prover
) -> None:
    """Refuses a request whose binding is not its input's: no proof could ever fulfil it.

    Raises:
        InputError: ``input-binding-mismatch``.
    """
    if await binding_of(ready, packed_input, prover) != work.input_binding:
        raise InputError(
            "input-binding-mismatch",
            f"request {work.request_id} is bound to another input than the one it carries",
        )


async def check_execution(ready: ReadyVersion, packed_input: bytes, prover: Prover) -> Witness:
    """Runs circuit and model; refuses to answer where they differ by more than is stated.

    Raises:
        ProofError: ``input-not-provable``, ``output-out-of-range``, ``accuracy-out-of-bound``.
        StorageError: ``bundle-damaged``: a file of the version is, so all this says nothing.
        SandboxError: ``memory-limit``, ``time-limit``, ``worker-crashed``.
    """
    witness = await prover.witness(ready.bundle, packed_input, ready.circuit_index)
    floats = await prover.float_outputs(ready.bundle, packed_input)
    bound = ready.bundle.manifest.accuracy.bound
    for spec, fixed, real in zip(
        ready.bundle.schema.outputs, witness.outputs_float, floats, strict=True
    ):
        error = float(np.max(np.abs(fixed.reshape(-1) - real.reshape(-1))))
        if not error <= bound:  # spelled so that NaN is refused too
            await prover.require_intact(ready.bundle)
            raise ProofError(
                "accuracy-out-of-bound",
                f"output {spec.name!r} of the circuit differs from the model's by {error:.6g},"
                f" the manifest allows {bound:.6g}",
                hint="the input is unlike those the version was calibrated with",
                error=error,
                bound=bound,
            )
    return witness
