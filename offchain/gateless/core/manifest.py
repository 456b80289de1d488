"""The manifest: the JSON file of a version, whose sha256 is on chain.

Canonical form: UTF-8, keys sorted, two-space indent, trailing newline (:func:`Manifest.to_bytes`).
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateless.core.errors import StorageError
from gateless.core.execution import Execution
from gateless.core.ids import sha256_hex
from gateless.core.packing import IoSchema, TensorSpec
from gateless.core.public_words import DENSE_WORD_BITS
from gateless.core.raw_tensors import RawTensor

FORMAT: Literal["gateless/manifest/1"] = "gateless/manifest/1"
MAX_MANIFEST_BYTES = 1 << 20
_HEX32 = r"^[0-9a-f]{64}$"
_WORD = r"^0x[0-9a-f]{64}$"


class FileRole(StrEnum):
    """What a file of a bundle is."""

    MODEL = "model"
    SETTINGS = "settings"
    COMPILED = "compiled_circuit"
    VERIFYING_KEY = "verifying_key"
    VKA = "vka"
    CARD = "model_card"


class Binding(StrEnum):
    """What ties a proof to the input of a request; order as in ``InputBinding`` on chain."""

    PACKED = "packed"
    KZG = "kzg"


class Goal(StrEnum):
    """What a plan keeps low."""

    PROVER = "prover"
    GAS = "gas"
    MEMORY = "memory"
    BALANCED = "balanced"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BundleFile(_Strict):
    """A file of the bundle. ``name`` is a plain file name; the digest is its identity."""

    role: FileRole
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")
    sha256: str = Field(pattern=_HEX32)
    size: int = Field(ge=0)


class Tensor(_Strict):
    """Wire form of :class:`gateless.core.packing.TensorSpec`, with the ONNX element type.

    ``calibrated_range`` (inputs only) is the smallest and largest value of the calibration data:
    the accuracy is stated for inputs inside it.
    """

    name: str
    shape: tuple[int, ...]
    width: Literal[1, 2, 4, 8, 16]
    scale_bits: int = Field(ge=-128, le=127)
    onnx_dtype: str
    calibrated_range: tuple[float, float] | None = None

    def spec(self) -> TensorSpec:
        """The tensor as the packing rules take it."""
        return TensorSpec(self.name, self.shape, self.width, self.scale_bits)

    def raw(self) -> RawTensor:
        """The tensor in its own type, as versions without a circuit spell it."""
        return RawTensor(self.name, self.shape, self.onnx_dtype)


class CircuitEntry(_Strict):
    """One circuit of the version, as pinned by the registry, and the files it is rebuilt from.

    Attributes:
        batch_size: inferences that one proof is for.
        digit_bits: bits of a value in a dense public word; 0 where each value is a word of its own.
        digits_per_word: values in a dense word; 0 where ``digit_bits`` is.
        passes: rewritings of the ONNX graph, in order, that made the model of the circuit.
        circuit_model: sha256 of the rewritten ONNX file. It follows from the published one, the
            passes and the batch size, and is not published itself.
        exact: one output only can be proven for an input: the circuit is plain integer arithmetic.
            Otherwise its rescales let a prover choose between neighbours.
        slack: per output tensor, by how many units (``2**-scale_bits``) such a choice may move a
            value; all 0 where the circuit is exact.
        slack_kind: ``exact``, ``bound`` where the slack was derived, ``estimate`` where it was
            found by disturbing the model at its rescales.
        prove_seconds: what one proof took when the bundle was built.
        prove_memory_bytes: the most memory that it held meanwhile.
    """

    role: Literal["whole"] = "whole"
    batch_size: int = Field(ge=1)
    logrows: int = Field(ge=1, le=26)
    vka_digest: str = Field(pattern=_WORD)
    proof_length: int = Field(gt=0)
    digit_bits: int = Field(default=0, ge=0, le=253)
    digits_per_word: int = Field(default=0, ge=0, le=253)
    settings: str = Field(pattern=_HEX32)
    compiled_circuit: str = Field(pattern=_HEX32)
    verifying_key: str = Field(pattern=_HEX32)
    vka: str = Field(pattern=_HEX32)
    passes: tuple[str, ...] = ()
    circuit_model: str = Field(pattern=_HEX32)
    exact: bool
    slack: tuple[int, ...]
    slack_kind: Literal["exact", "bound", "estimate"]
    prove_seconds: float = Field(ge=0)
    prove_memory_bytes: int = Field(ge=0)

    @property
    def dense(self) -> bool:
        """Whether several values share a public word."""
        return self.digit_bits > 0

    @model_validator(mode="after")
    def _consistent(self) -> CircuitEntry:
        if (self.digit_bits == 0) != (self.digits_per_word == 0):
            raise ValueError("digit_bits and digits_per_word are both 0 or both not")
        if self.digit_bits * self.digits_per_word > DENSE_WORD_BITS:
            raise ValueError(f"a dense word has at most {DENSE_WORD_BITS} bits")
        if self.exact != (self.slack_kind == "exact") or (self.exact and any(self.slack)):
            raise ValueError("an exact circuit, and no other, has no slack")
        if any(slack < 0 for slack in self.slack):
            raise ValueError("slack is not negative")
        return self


class PlanCandidate(_Strict):
    """A circuit that the planner weighed.

    Attributes:
        batch_size: rows of the circuit.
        input_scale: binary scale of the inputs.
        param_scale: binary scale of the weights.
        multiplier: how far rescaling is postponed (ezkl's ``scale_rebase_multiplier``).
        passes: rewritings of the graph.
        base: base of the range decomposition.
        legs: its digits.
        columns: inner columns.
        integral: whether whole constants stay unscaled.
        lookup_range: smallest and largest entry of the tables.
        dense: whether several values share a public word.
        logrows: the circuit has ``2**logrows`` rows; 0 where it was not laid out.
        rows: rows that ezkl counts in one column.
        seconds: predicted time of a proof on the machine of the cost model.
        memory_bytes: predicted.
        gas: predicted for the verification of one proof.
        max_abs_error: on the judged samples; absent where there was no witness.
        exact: whether one output only can be proven for an input.
        trial_seconds: measured time of a proof, for those that were tried.
        verdict: why it was dropped or kept.
    """

    batch_size: int = Field(default=1, ge=1)
    input_scale: int
    param_scale: int
    multiplier: int
    passes: tuple[str, ...] = ()
    base: int = 0
    legs: int = 0
    columns: int = 0
    integral: bool = False
    lookup_range: tuple[int, int] = (0, 0)
    dense: bool = False
    logrows: int = 0
    rows: int = 0
    seconds: float = 0.0
    memory_bytes: int = 0
    gas: int = 0
    max_abs_error: float | None = None
    exact: bool = False
    trial_seconds: float | None = None
    verdict: str = ""


class Plan(_Strict):
    """How the circuits of a version were chosen.

    Attributes:
        goal: what was to be low.
        seed: of everything random in the search.
        bound_kind: what the accuracy bound is about: ``absolute`` errors, or also the ``labels``.
        candidates: circuits that were weighed, in the order of the search; many that lost early are
            counted in ``considered`` only.
        considered: number of circuits whose cost was predicted.
        winners: places in ``candidates`` of the version's circuits, in their order.
        why: the choice in words.
    """

    goal: Goal
    seed: int
    bound_kind: Literal["absolute", "labels"]
    candidates: tuple[PlanCandidate, ...]
    considered: int = Field(ge=0)
    winners: tuple[int, ...]
    why: str


class Accuracy(_Strict):
    """Fixed-point output against onnxruntime on the calibration data.

    ``bound`` is the largest absolute difference at which an executor still signs; it is stated by
    the publisher and at least ``max_abs_error``. ``label_agreement`` is the share of rows with the
    same argmax, for outputs that look like class scores.
    """

    samples: int = Field(ge=1)
    max_abs_error: float = Field(ge=0)
    mean_abs_error: float = Field(ge=0)
    bound: float = Field(ge=0)
    label_agreement: float | None = Field(default=None, ge=0, le=1)


class Srs(_Strict):
    """The structured reference string of the keys; ``g2`` are VKA words 20 to 23."""

    kind: Literal["development", "perpetual-powers-of-tau"]
    logrows: int = Field(ge=1, le=26)
    g2: tuple[str, str, str, str]


class Provenance(_Strict):
    """What made the bundle."""

    gateless: str
    ezkl: str
    onnxruntime: str
    onnx: str
    opset: int


class Manifest(_Strict):
    """A version's manifest.

    ``task``, ``tags`` and ``license`` (an SPDX expression) are the publisher's words, by which
    models are found. A version without circuits has no ``srs``; its tensors travel as the bytes of
    their own types (:mod:`gateless.core.raw_tensors`), and its outputs are onnxruntime's.
    """

    format: Literal["gateless/manifest/1"] = FORMAT
    name: str
    description: str = ""
    files: tuple[BundleFile, ...]
    inputs: tuple[Tensor, ...] = Field(min_length=1, max_length=255)
    outputs: tuple[Tensor, ...] = Field(min_length=1, max_length=255)
    binding: Binding
    circuits: tuple[CircuitEntry, ...]
    accuracy: Accuracy
    execution: Execution
    srs: Srs | None
    provenance: Provenance
    plan: Plan
    task: str = ""
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    license: str = ""

    @model_validator(mode="after")
    def _complete(self) -> Manifest:
        if (self.srs is None) != (not self.circuits):
            raise ValueError("keys come from a reference string, and only keys do")
        if self.circuits:
            return self
        for tensor in (*self.inputs, *self.outputs):
            if tensor.scale_bits != 0 or tensor.width != tensor.raw().element_length:
                raise ValueError(f"tensor {tensor.name!r} is not described by its own type")
        if self.binding is not Binding.PACKED:
            raise ValueError("only proofs are bound by commitments")
        return self

    @property
    def required_srs(self) -> Srs:
        """The reference string of the keys.

        Raises:
            StorageError: ``no-circuit``.
        """
        if self.srs is None:
            raise StorageError(
                "no-circuit",
                f"{self.name} has no circuit: nothing about it can be proven",
                hint="use a mode that needs no proofs",
            )
        return self.srs

    def schema_of_io(self) -> IoSchema:
        """The I/O schema that goes on chain."""
        return IoSchema(
            tuple(tensor.spec() for tensor in self.inputs),
            tuple(tensor.spec() for tensor in self.outputs),
        )

    @property
    def proof_seconds(self) -> int:
        """Seconds that proving one inference took in the build, rounded up; 0 without circuits.

        Where no circuit takes a single inference, what the smallest batch took.
        """
        if not self.circuits:
            return 0
        smallest = min(self.circuits, key=lambda entry: entry.batch_size)
        return max(1, math.ceil(smallest.prove_seconds))

    def file(self, role: FileRole) -> BundleFile:
        """The only file of a role.

        Raises:
            StorageError: ``file-not-in-manifest``.
        """
        found = [entry for entry in self.files if entry.role is role]
        if len(found) != 1:
            raise StorageError(
                "file-not-in-manifest", f"the manifest lists {len(found)} files of role {role}"
            )
        return found[0]

    def to_bytes(self) -> bytes:
        """Canonical bytes."""
        data: dict[str, Any] = self.model_dump(mode="json")
        return (json.dumps(data, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()

    def unmeasured(self) -> Manifest:
        """The same without what was measured while building: equal for two builds of one model."""
        circuits = tuple(
            entry.model_copy(update={"prove_seconds": 0.0, "prove_memory_bytes": 0})
            for entry in self.circuits
        )
        candidates = tuple(
            candidate.model_copy(update={"trial_seconds": None})
            for candidate in self.plan.candidates
        )
        plan = self.plan.model_copy(update={"candidates": candidates})
        return self.model_copy(update={"circuits": circuits, "plan": plan})

    def digest(self) -> str:
        """sha256 of the canonical bytes, hex."""
        return sha256_hex(self.to_bytes())


def parse_manifest(data: bytes) -> Manifest:
    """Reads and validates manifest bytes; refuses those that are not in canonical form.

    Raises:
        StorageError: ``invalid-manifest``.
    """
    if len(data) > MAX_MANIFEST_BYTES:
        raise StorageError("invalid-manifest", f"a manifest of {len(data)} bytes is too large")
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise StorageError(
            "invalid-manifest", f"not a manifest: {where}: {first['msg']}"
        ) from error
    if manifest.to_bytes() != data:
        raise StorageError("invalid-manifest", "the manifest is not in canonical form")
    return manifest
