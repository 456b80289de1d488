"""Values in, values out: by the manifest, with every kind of bad input refused."""

from __future__ import annotations

import numpy as np
import pytest
from gateless.core.errors import InputError
from gateless.core.manifest import Manifest
from gateless.core.packing import pack, unpack
from gateless.sdk.tensors import label_of, pack_inputs, unpack_outputs
from market_fixtures import LABELS, ROW, TinyModel


@pytest.fixture
def manifest(tiny_model: TinyModel) -> Manifest:
    return tiny_model.bundle.manifest


def test_the_same_values_in_every_shape_pack_the_same(manifest: Manifest) -> None:
    expected = pack_inputs(manifest, {"x": ROW})
    for inputs in (ROW, [ROW], np.array(ROW), np.array([ROW], dtype=np.float32), {"x": [ROW]}):
        assert pack_inputs(manifest, inputs) == expected
    scale = 2 ** manifest.inputs[0].scale_bits
    spec = [tensor.spec() for tensor in manifest.inputs]
    assert unpack(expected, spec) == [[round(value * scale) for value in ROW]]


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"y": ROW}, "unknown-input"),
        ({}, "missing-input"),
        ({"x": ROW, "z": ROW}, "unknown-input"),
        (ROW[:3], "wrong-shape"),
        ([ROW, ROW], "wrong-shape"),
        ([[1, 2], [3]], "wrong-shape"),
        (["a", "b", "c", "d"], "wrong-dtype"),
        ([1j, 0, 0, 0], "wrong-dtype"),
        (None, "wrong-dtype"),
        ([float("nan"), 0, 0, 0], "not-finite"),
        ([float("inf"), 0, 0, 0], "not-finite"),
        ([1e30, 0, 0, 0], "out-of-range"),
    ],
)
def test_bad_input(manifest: Manifest, inputs: object, code: str) -> None:
    with pytest.raises(InputError) as caught:
        pack_inputs(manifest, inputs)
    assert caught.value.code == code
    assert caught.value.hint


def test_a_model_of_whole_numbers_takes_no_fractions(manifest: Manifest) -> None:
    tensor = manifest.inputs[0].model_copy(update={"onnx_dtype": "INT64"})
    whole = manifest.model_copy(update={"inputs": (tensor,)})
    assert pack_inputs(whole, [1, 2, 3, 4]) == pack_inputs(manifest, [1, 2, 3, 4])
    with pytest.raises(InputError) as caught:
        pack_inputs(whole, [1.5, 2, 3, 4])
    assert caught.value.code == "wrong-dtype"


def test_several_inputs_need_names(manifest: Manifest) -> None:
    second = manifest.inputs[0].model_copy(update={"name": "mask"})
    two = manifest.model_copy(update={"inputs": (*manifest.inputs, second)})
    with pytest.raises(InputError) as caught:
        pack_inputs(two, ROW)
    assert caught.value.code == "missing-input"
    assert "mask" in caught.value.message
    packed = pack_inputs(two, {"mask": ROW, "x": [0, 0, 0, 0]})
    assert packed == pack_inputs(manifest, [0, 0, 0, 0]) + pack_inputs(manifest, ROW)


def test_outputs(manifest: Manifest) -> None:
    spec = manifest.outputs[0].spec()
    low, high = -(1 << (spec.scale_bits - 1)), 1 << spec.scale_bits
    reals, integers = unpack_outputs(manifest, pack([[low, high]], [spec]))
    assert integers == {spec.name: (low, high)}
    np.testing.assert_array_equal(reals[spec.name], [[-0.5, 1.0]])
    assert label_of(manifest, reals) == LABELS[1]
    assert label_of(manifest.model_copy(update={"labels": ("one",)}), reals) is None
    with pytest.raises(ValueError, match="read-only"):
        reals[spec.name][0, 0] = 9
