"""Words of real witnesses are what their definition says, and the model sees what they hold."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from gateless.core.errors import ModelError
from gateless.core.packing import from_felt
from gateless_proofs.rewrite import (
    RewriteContext,
    WordTensor,
    digits_per_word,
    rewrite,
    words_per_row,
)
from hypothesis import given
from hypothesis import strategies as st
from rewrite_models import Sketch

ROWS = 3
DENSE = ("static", "batch", "dense-words")
BASE, LEGS = 1024, 4
BITS = 40
#: input scale, parameter scale, multiplier, whole constants unscaled
CIRCUITS = [
    (7, 7, 10, False),
    (0, 7, 10, False),
    (9, 6, 10, False),
    (4, 7, 10, True),
    (7, 7, 1, True),
]


def circuit(folder: Path, model: onnx.ModelProto, run_args: dict[str, Any], inputs: list[Any]):
    folder.mkdir()
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    (folder / "request.json").write_text(json.dumps({"run_args": run_args, "inputs": inputs}))
    script = Path(__file__).with_name("circuit_process.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder)], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "answer.json").read_text())


def two_inputs() -> onnx.ModelProto:
    """Two inputs of unlike shape, two outputs; nine values need two words."""
    sketch = Sketch(3)
    hidden = sketch(
        "Relu", sketch("Add", sketch("MatMul", "x", sketch.normal(9, 5)), sketch.normal(5))
    )
    sketch("MatMul", hidden, sketch.normal(5, 5), out="y")
    square = sketch("Mul", "z", "z")
    sketch("ReduceSum", square, np.array([1, 2]), out="q", keepdims=0)
    return sketch.model({"x": ["n", 9], "z": ["n", 2, 3]}, ["y", "q"])


def words(tensors: list[np.ndarray], specs: list[WordTensor], per_word: int) -> list[int]:
    """The definition: tensor by tensor, row by row."""
    found = []
    for tensor, spec in zip(tensors, specs, strict=True):
        for row in tensor:
            digits = [int(value) + (1 << (8 * spec.width - 1)) for value in row]
            assert all(0 <= digit < 1 << (8 * spec.width) for digit in digits)
            for start in range(0, len(digits), per_word):
                group = digits[start : start + per_word]
                found.append(sum(digit << (BITS * place) for place, digit in enumerate(group)))
    return found


@pytest.mark.parametrize(("scale", "param_scale", "multiplier", "whole"), CIRCUITS)
def test_words_of_a_witness(
    tmp_path: Path, scale: int, param_scale: int, multiplier: int, whole: bool
) -> None:
    model = two_inputs()
    run_args = {
        "input_scale": scale,
        "param_scale": param_scale,
        "scale_rebase_multiplier": multiplier,
        "decomp_base": BASE,
        "decomp_legs": LEGS,
        "logrows": 13,
        "rebase_frac_zero_constants": whole,
    }
    random = np.random.default_rng(scale)
    x = random.integers(-300, 300, size=(ROWS, 9))
    z = random.integers(-128, 128, size=(ROWS, 6))
    inputs = [x.reshape(-1).tolist(), z.reshape(-1).tolist()]
    plain_model = rewrite(model, DENSE[:2], RewriteContext(batch_size=ROWS))
    plain = circuit(tmp_path / "plain", plain_model, run_args, [inputs])
    outputs = [
        np.array([from_felt(int(value)) for value in row], dtype=object).reshape(ROWS, -1)
        for row in plain["witnesses"][0]
    ]
    in_specs = [WordTensor(2, plain["input_scales"][0]), WordTensor(1, plain["input_scales"][1])]
    out_specs = [WordTensor(5, plain["output_scales"][0]), WordTensor(3, plain["output_scales"][1])]
    per_word = digits_per_word(BITS)
    context = RewriteContext(
        batch_size=ROWS,
        inputs=tuple(in_specs),
        outputs=tuple(out_specs),
        digit_bits=BITS,
        digits_per_word=per_word,
        param_scale=param_scale,
        integral_constants=whole,
    )
    dense = rewrite(model, DENSE, context)
    assert rewrite(model, DENSE, context) == dense
    low, above, huge = (x.copy().astype(object) for _ in range(3))
    low[0, 0], above[0, 0], huge[0, 0] = -40_000, 40_000, 1 << BITS
    cases = [inputs, *([t.reshape(-1).tolist(), inputs[1]] for t in (low, above, huge))]
    private = {**run_args, "input_visibility": "private"}
    answer = circuit(tmp_path / "dense", dense, private, cases)
    made, saturated, over, none = answer["witnesses"]
    # Exactly the inputs and the outputs of the plain circuit, bit for bit.
    assert [int(value) for value in made[0]] == words(
        [x, z, *outputs], in_specs + out_specs, per_word
    )
    # Below the range: the smallest value, in the word as in the model.
    assert int(saturated[0][0]) % (1 << BITS) == 0
    # Above: the word says so, in a digit that no packing of two bytes has.
    assert int(over[0][0]) % (1 << BITS) == 40_000 + (1 << 15)
    # Beyond the digit: no witness at all.
    assert none is None


@given(st.integers(min_value=1, max_value=253))
def test_words_hold_their_digits(bits: int) -> None:
    per_word = digits_per_word(bits)
    assert per_word >= 1
    assert per_word * bits <= 253
    for group in range(1, 253 // bits + 1):
        for groups in range(1, 253 // (bits * group) + 1):
            if bits * (group - 1) < 126 and bits * group * (groups - 1) < 126:
                assert group * groups <= per_word


@pytest.mark.parametrize(
    ("bits", "count"),
    [(8, 30), (16, 14), (20, 12), (30, 8), (40, 6), (44, 4), (60, 4), (100, 2), (130, 1)],
)
def test_words_are_well_filled(bits: int, count: int) -> None:
    assert digits_per_word(bits) == count


def test_words_per_row() -> None:
    assert [words_per_row(values, 6) for values in (1, 6, 7, 12, 13)] == [1, 1, 2, 2, 3]


def context(**changes: Any) -> RewriteContext:
    values: dict[str, Any] = {
        "batch_size": ROWS,
        "inputs": (WordTensor(2, 7), WordTensor(2, 7)),
        "outputs": (WordTensor(4, 21), WordTensor(4, 14)),
        "digit_bits": BITS,
        "digits_per_word": 6,
        "param_scale": 7,
    }
    return RewriteContext(**{**values, **changes})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"digit_bits": 0}, "digit-too-wide"),
        ({"digit_bits": 300}, "digit-too-wide"),
        ({"digits_per_word": 5}, "digit-too-wide"),
        ({"outputs": (WordTensor(6, 21), WordTensor(4, 14))}, "digit-too-wide"),
        ({"outputs": (WordTensor(4, 21),)}, "words-mismatch"),
        ({"inputs": (WordTensor(2, 4), WordTensor(2, 4))}, "words-scale"),
    ],
)
def test_what_cannot_be_packed(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ModelError) as caught:
        rewrite(two_inputs(), DENSE, context(**changes))
    assert caught.value.code == code
    assert caught.value.hint


def test_words_come_last() -> None:
    with pytest.raises(ModelError) as caught:
        rewrite(two_inputs(), ("static", "dense-words", "relu-abs"), context(batch_size=1))
    assert caught.value.code == "pass-order"


def test_graph_has_words_only() -> None:
    model = rewrite(two_inputs(), DENSE, context())
    (output,) = model.graph.output
    # nine inputs in two words, six in one, five and one outputs in one each, for three rows
    assert [dim.dim_value for dim in output.type.tensor_type.shape.dim] == [ROWS * (2 + 1 + 1 + 1)]
