"""User values to a packed input and a packed output back to values, by the manifest's schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gateless.core.errors import InputError
from gateless.core.manifest import Manifest, Tensor
from gateless.core.packing import FloatArray, as_tensor, dequantise, pack, quantise, unpack
from gateless.core.raw_tensors import decode_raw, encode_raw, raw_array

_WHOLE_NUMBERS = ("int", "uint", "bool")


def pack_inputs(manifest: Manifest, inputs: Any) -> bytes:
    """Quantises and packs the values of one inference; without a circuit, spells them as they are.

    Args:
        manifest: of the version.
        inputs: a mapping from input name to array; or the array itself for models with one input.

    Raises:
        InputError: ``missing-input``, ``unknown-input``, ``wrong-shape``, ``wrong-dtype``,
            ``not-finite``, ``out-of-range``.
    """
    named = _named(manifest, inputs)
    if not manifest.circuits:
        return encode_raw(
            [raw_array(named[tensor.name], tensor.raw()) for tensor in manifest.inputs]
        )
    specs = [tensor.spec() for tensor in manifest.inputs]
    integers: list[list[int]] = []
    for tensor, spec in zip(manifest.inputs, specs, strict=True):
        values = as_tensor(named[tensor.name], spec)
        if (
            tensor.onnx_dtype.lower().startswith(_WHOLE_NUMBERS)
            and (values != np.trunc(values)).any()
        ):
            raise InputError(
                "wrong-dtype",
                f"input {tensor.name!r} takes {tensor.onnx_dtype}, fractions were given",
                hint="round the values first, the way the model expects it",
            )
        integers.append(quantise(values, spec))
    return pack(integers, specs)


def unpack_outputs(
    manifest: Manifest, packed: bytes
) -> tuple[dict[str, FloatArray], dict[str, tuple[int, ...]]]:
    """Real numbers (read-only) and integers per output tensor.

    A version without a circuit puts out numbers of its own types: only integers have integers.
    """
    if not manifest.circuits:
        return _raw_outputs(manifest, packed)
    specs = [tensor.spec() for tensor in manifest.outputs]
    reals: dict[str, FloatArray] = {}
    integers: dict[str, tuple[int, ...]] = {}
    for spec, values in zip(specs, unpack(packed, specs), strict=True):
        array = dequantise(values, spec)
        array.flags.writeable = False
        reals[spec.name] = array
        integers[spec.name] = tuple(values)
    return reals, integers


def _raw_outputs(
    manifest: Manifest, data: bytes
) -> tuple[dict[str, FloatArray], dict[str, tuple[int, ...]]]:
    reals: dict[str, FloatArray] = {}
    integers: dict[str, tuple[int, ...]] = {}
    arrays = decode_raw(data, [tensor.raw() for tensor in manifest.outputs])
    for tensor, array in zip(manifest.outputs, arrays, strict=True):
        real = array.astype(np.float64)
        real.flags.writeable = False
        reals[tensor.name] = real
        whole = array.dtype.kind in "iub"
        integers[tensor.name] = tuple(map(int, array.reshape(-1))) if whole else ()
    return reals, integers


def label_of(manifest: Manifest, outputs: Mapping[str, FloatArray]) -> str | None:
    """Name of the highest score, where the first output has one score per label."""
    scores = outputs[manifest.outputs[0].name].reshape(-1)
    if not manifest.labels or len(manifest.labels) != len(scores):
        return None
    return manifest.labels[int(np.argmax(scores))]


def describe_inputs(tensors: tuple[Tensor, ...]) -> str:
    """``image [1, 64], mask [1, 8]``."""
    return ", ".join(f"{tensor.name} {list(tensor.shape)}" for tensor in tensors)


def _named(manifest: Manifest, inputs: Any) -> Mapping[str, Any]:
    names = [tensor.name for tensor in manifest.inputs]
    takes = f"the model takes {describe_inputs(manifest.inputs)}"
    if not isinstance(inputs, Mapping):
        if len(names) != 1:
            raise InputError(
                "missing-input",
                f"one array was given, {takes}",
                hint="give an object with one array per input name",
            )
        return {names[0]: inputs}
    for name in inputs:
        if name not in names:
            raise InputError("unknown-input", f"there is no input {name!r}", hint=takes)
    for name in names:
        if name not in inputs:
            raise InputError("missing-input", f"input {name!r} is missing", hint=takes)
    return inputs
