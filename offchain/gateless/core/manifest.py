"""The manifest: the JSON file of a version, whose sha256 is on chain.

Canonical form: UTF-8, keys sorted, two-space indent, trailing newline (:func:`Manifest.to_bytes`).
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateless.core.errors import StorageError
from gateless.core.ids import sha256_hex
from gateless.core.packing import IoSchema, TensorSpec

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


class CircuitEntry(_Strict):
    """One circuit of the version, as pinned by the registry, and the files it is rebuilt from.

    ``exact`` means that one output only can be proven for an input: the circuit is plain integer
    arithmetic. Otherwise its rescales let a prover choose between neighbours.
    """

    role: Literal["whole"] = "whole"
    batch_size: int = Field(ge=1)
    logrows: int = Field(ge=1, le=26)
    vka_digest: str = Field(pattern=_WORD)
    proof_length: int = Field(gt=0)
    settings: str = Field(pattern=_HEX32)
    compiled_circuit: str = Field(pattern=_HEX32)
    verifying_key: str = Field(pattern=_HEX32)
    vka: str = Field(pattern=_HEX32)
    exact: bool


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
    """A version's manifest."""

    format: Literal["gateless/manifest/1"] = FORMAT
    name: str
    description: str = ""
    files: tuple[BundleFile, ...]
    inputs: tuple[Tensor, ...] = Field(min_length=1, max_length=255)
    outputs: tuple[Tensor, ...] = Field(min_length=1, max_length=255)
    binding: Binding
    circuits: tuple[CircuitEntry, ...]
    accuracy: Accuracy
    srs: Srs
    provenance: Provenance
    task: str = ""
    tags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def schema_of_io(self) -> IoSchema:
        """The I/O schema that goes on chain."""
        return IoSchema(
            tuple(tensor.spec() for tensor in self.inputs),
            tuple(tensor.spec() for tensor in self.outputs),
        )

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
