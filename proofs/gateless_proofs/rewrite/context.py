"""What a rewriting is told about the circuit that it is for, and what a pass is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gateless_proofs.rewrite.graph import Graph


@dataclass(frozen=True, slots=True)
class WordTensor:
    """How a public tensor is packed.

    Attributes:
        width: bytes per value, two's complement; a value x lies in [-2^(8w-1), 2^(8w-1)).
        scale: binary scale of the tensor's integers in the circuit.
    """

    width: int
    scale: int


@dataclass(frozen=True, slots=True)
class RewriteContext:
    """The circuit that a model is rewritten for.

    Attributes:
        batch_size: rows of the circuit; only the pass ``batch`` reads it, the words follow it.
        inputs: packing of the inputs (pass ``dense-words``).
        outputs: packing of the outputs (pass ``dense-words``).
        digit_bits: bits per value in a word: log2(base) * legs of the circuit's decomposition.
        digits_per_word: values per word, from :func:`gateless_proofs.rewrite.digits_per_word`.
        param_scale: the circuit's scale of constants.
        integral_constants: whether the circuit keeps whole constants unscaled
            (ezkl's ``rebase_frac_zero_constants``).
    """

    batch_size: int = 1
    inputs: tuple[WordTensor, ...] = ()
    outputs: tuple[WordTensor, ...] = ()
    digit_bits: int = 0
    digits_per_word: int = 0
    param_scale: int = 0
    integral_constants: bool = False


Kind = Literal["shape", "conformance", "cost", "approximation", "words"]


@dataclass(frozen=True, slots=True)
class Pass:
    """A rewriting with a name.

    Attributes:
        name: as the manifest records it.
        kind: ``shape`` binds shapes and batches, ``conformance`` replaces what ezkl cannot take,
            ``cost`` replaces what it takes dearly, ``approximation`` also changes values,
            ``words`` packs public values.
        tolerance: largest difference of an output that the pass may cause, relative to the output's
            range on the same data (at least 1).
        summary: what it does, in one line.
        apply: edits the graph; returns whether anything changed.
    """

    name: str
    kind: Kind
    tolerance: float
    summary: str
    apply: Callable[[Graph, RewriteContext], bool]
