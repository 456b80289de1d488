"""Dense public words: several values of an input or output in one field element.

Every value x of a public tensor is shifted to y = relu(x + 2^(8w-1)), which the circuit decomposes,
so that 0 <= y < 2^digit_bits; the model goes on with y - 2^(8w-1). A word is the sum of
y_i * 2^(digit_bits * i). What this means for values outside [-2^(8w-1), 2^(8w-1)):

* above, while y < 2^digit_bits: the word holds y as it is, which no packing of w bytes does;
* above that: there is no witness;
* below: y is 0, so the circuit computes on the smallest value, and the word says so.

So a word never stands for another input than the one that the model was run on. An output below its
range is reported as the smallest value: the width must hold all outputs, as the builder sees to.

The graph's only output holds all words: tensor by tensor (inputs, then outputs), row by row.
The products raise the scale by twice the parameters' (not where whole constants are unscaled); that
must not make ezkl rescale, or the words would be rounded.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from gateless.core.errors import ModelError
from onnx import TensorProto

from gateless_proofs.rewrite.context import Pass, RewriteContext, WordTensor
from gateless_proofs.rewrite.evaluate import infer
from gateless_proofs.rewrite.graph import Emitter, Graph, Value

#: bits of a word; the field's order is just under 2^254
WORD_BITS = 253
#: name of the only output of a graph with dense words
OUTPUT = "words"
#: ezkl's constants are signed 128-bit integers; a bit is kept in reserve
_CONSTANT_BITS = 126
_INTEGERS = (
    *(TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64),
    *(TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64),
    TensorProto.BOOL,
)


def word_layout(digit_bits: int) -> tuple[int, int]:
    """Digits per group and groups per word (g, h), for the most digits per word.

    A word is made in two steps, since the weight of its last digit fits no constant: groups of g
    digits with weights 2^(b*i), then h groups with weights 2^(b*g*j).

    Raises:
        ModelError: ``digit-too-wide`` where not even one digit fits.
    """
    if not 0 < digit_bits <= WORD_BITS:
        raise ModelError(
            "digit-too-wide",
            f"a digit of {digit_bits} bits fits no word of {WORD_BITS}",
            hint="use a decomposition with fewer or smaller legs",
        )
    best = (1, 1)
    for group in range(1, WORD_BITS // digit_bits + 1):
        if digit_bits * (group - 1) >= _CONSTANT_BITS:
            break
        groups = WORD_BITS // (digit_bits * group)
        while groups > 1 and digit_bits * group * (groups - 1) >= _CONSTANT_BITS:
            groups -= 1
        if group * groups > best[0] * best[1]:
            best = (group, groups)
    return best


def digits_per_word(digit_bits: int) -> int:
    """Values per word for digits of so many bits."""
    group, groups = word_layout(digit_bits)
    return group * groups


def words_per_row(values: int, per_word: int) -> int:
    """Words that a row of so many values takes."""
    return -(-values // per_word)


def _apply(graph: Graph, context: RewriteContext) -> bool:
    if digits_per_word(context.digit_bits) != context.digits_per_word:
        raise ModelError(
            "digit-too-wide",
            f"digits of {context.digit_bits} bits go {digits_per_word(context.digit_bits)} to a"
            f" word, not {context.digits_per_word}",
            hint="take the number from digits_per_word()",
        )
    if len(context.inputs) != len(graph.inputs) or len(context.outputs) != len(graph.outputs):
        raise ModelError(
            "words-mismatch",
            f"the model has {len(graph.inputs)} inputs and {len(graph.outputs)} outputs, the"
            f" packing describes {len(context.inputs)} and {len(context.outputs)}",
            hint="describe every public tensor",
        )
    packer = _Packer(graph, context)
    before = Emitter(graph)
    tensors: list[tuple[str, int]] = []
    for value, spec in zip(graph.inputs, context.inputs, strict=True):
        shifted, restored = packer.shift(before, value.name, value.dtype, spec, restore=True)
        graph.rename_uses(value.name, restored)
        for output in graph.outputs:
            if output.name == value.name:
                output.name = restored
        tensors.append((shifted, math.prod(value.static_shape)))
    after = Emitter(graph)
    for value, spec in zip(graph.outputs, context.outputs, strict=True):
        shifted, _ = packer.shift(after, value.name, value.dtype, spec, restore=False)
        tensors.append((shifted, math.prod(value.static_shape)))
    words = packer.pack(after, tensors)
    graph.nodes = [*before.nodes, *graph.nodes, *after.nodes]
    graph.outputs = [words]
    infer(graph)
    return True


class _Packer:
    """Shifts tensors to digits and sums digits to words."""

    def __init__(self, graph: Graph, context: RewriteContext) -> None:
        self.graph = graph
        self.context = context
        self.group, self.groups = word_layout(context.digit_bits)

    def shift(
        self, emit: Emitter, name: str, dtype: int, spec: WordTensor, *, restore: bool
    ) -> tuple[str, str]:
        """The digits of a tensor and, if asked, the tensor made from them again."""
        if 8 * spec.width > self.context.digit_bits:
            raise ModelError(
                "digit-too-wide",
                f"values of {spec.width} bytes fit no digits of {self.context.digit_bits} bits",
                hint="use a decomposition with more legs",
            )
        if spec.scale == 0:
            return self._shift_integers(emit, name, dtype, spec, restore)
        if 0 < spec.scale < self.context.param_scale and not self.context.integral_constants:
            raise ModelError(
                "words-scale",
                f"{name!r} has scale {spec.scale}, below that of the parameters,"
                f" {self.context.param_scale}",
                hint="dense words need scale 0, or at least the parameters', or whole constants"
                " kept unscaled",
            )
        offset = 2.0 ** (8 * spec.width - 1 - spec.scale)
        shifted = emit("Relu", [emit("Add", [name, emit.const([offset])])])
        # Added with its own constant: ezkl range-checks a constant that is used twice.
        restored = emit("Add", [shifted, emit.const([-offset])]) if restore else ""
        return shifted, restored

    def _shift_integers(
        self, emit: Emitter, name: str, dtype: int, spec: WordTensor, restore: bool
    ) -> tuple[str, str]:
        """At scale 0 the constants must be integers: ezkl would scale the tensor up otherwise."""
        offset = emit.const([1 << (8 * spec.width - 1)], np.int64)
        whole = name if dtype == TensorProto.INT64 else emit("Cast", [name], to=TensorProto.INT64)
        moved = emit("Cast", [emit("Add", [whole, offset])], to=TensorProto.FLOAT)
        shifted = emit("Relu", [moved])
        if not restore:
            return shifted, ""
        back = emit("Cast", [shifted], to=TensorProto.INT64)
        restored = emit("Add", [back, emit.const([-(1 << (8 * spec.width - 1))], np.int64)])
        if dtype != TensorProto.INT64:
            restored = emit("Cast", [restored], to=dtype)
        return shifted, restored

    def pack(self, emit: Emitter, tensors: Sequence[tuple[str, int]]) -> Value:
        """The words of all tensors, given with their numbers of digits, as one output.

        All go through the same two products: a constant that is used twice would be range-checked.
        """
        rows = self.context.batch_size
        per_word = self.group * self.groups
        specs = (*self.context.inputs, *self.context.outputs)
        top = max(spec.scale for spec in specs)
        pieces = []
        for (digits, count), spec in zip(tensors, specs, strict=True):
            per_row, rest = divmod(count, rows)
            if rest:
                raise ModelError(
                    "words-mismatch",
                    f"{count} values do not divide into {rows} rows",
                    hint="report the model",
                )
            flat = emit.reshape(digits, [rows, per_row])
            words = words_per_row(per_row, per_word)
            missing = words * per_word - per_row
            if missing:
                flat = emit("Pad", [flat, emit.const([0, 0, 0, missing], np.int64)])
            if spec.scale < top:
                # ezkl reads a product with 2^-n as the same integers at a scale raised by n.
                flat = emit("Mul", [flat, emit.const([2.0 ** (spec.scale - top)])])
            pieces.append((emit.reshape(flat, [rows * words * self.groups, self.group]), words))
        total = sum(rows * words for _, words in pieces)
        names = [name for name, _ in pieces]
        joined = emit("Concat", names, axis=0) if len(names) > 1 else names[0]
        sums = self._weigh(emit, joined, [total * self.groups, self.group], 1)
        sums = self._weigh(emit, sums, [total, self.groups], self.group)
        emit.reshape(sums, [total], OUTPUT)
        return Value(OUTPUT, TensorProto.FLOAT, (total,))

    def _weigh(self, emit: Emitter, digits: str, shape: list[int], step: int) -> str:
        """Sums [n, m] digits to [n, 1] with weights 2^(digit_bits * step * i)."""
        if shape[1] == 1:
            return emit.reshape(digits, shape)
        scale = 0 if self.context.integral_constants else self.context.param_scale
        weights = [
            [2.0 ** (self.context.digit_bits * step * place - scale)] for place in range(shape[1])
        ]
        return emit("MatMul", [emit.reshape(digits, shape), emit.const(weights)])


DENSE_WORDS = Pass(
    "dense-words",
    "words",
    0.0,
    "packs public values into field words, range-checked in the circuit",
    _apply,
)
