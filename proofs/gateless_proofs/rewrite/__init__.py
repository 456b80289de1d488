"""Rewriting of ONNX models before they become circuits.

:func:`rewrite` replays named passes, deterministically to the byte, so that an audit can repeat
what a builder did. Which passes pay is the planner's decision; :func:`default_passes` names those
that could, in the order in which they are to be tried.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import onnx
from gateless.core.errors import ModelError

from gateless_proofs.rewrite.activations import (
    CLIP_RELU,
    EXPONENTIAL_UNITS,
    HARD_RELU,
    LEAKY_RELU,
    RELU_ABS,
)
from gateless_proofs.rewrite.batch import BATCH, batched
from gateless_proofs.rewrite.context import Pass, RewriteContext, WordTensor
from gateless_proofs.rewrite.control import INLINE_CONTROL
from gateless_proofs.rewrite.convolutions import CONV_MATMUL, EXPLICIT_CONV
from gateless_proofs.rewrite.decisions import DECISIONS, SAME_COMPARISONS
from gateless_proofs.rewrite.decompose import PRODUCTS, UNITS, WIDEN_INTEGERS
from gateless_proofs.rewrite.equivalence import EquivalenceReport, equivalent
from gateless_proofs.rewrite.graph import Graph
from gateless_proofs.rewrite.linear import FOLD_CHANNELS, GEMM_MATMUL, MERGE_LINEAR
from gateless_proofs.rewrite.norms import NORM_PARTS, ROOT_TABLES
from gateless_proofs.rewrite.pooling import MAX_PAIRWISE, MEAN_SUMS, RELU_AFTER_POOL
from gateless_proofs.rewrite.quantised import QUANTISED
from gateless_proofs.rewrite.recurrent import UNROLL
from gateless_proofs.rewrite.static import STATIC, make_static, settle
from gateless_proofs.rewrite.trees import TREES
from gateless_proofs.rewrite.words import DENSE_WORDS, digits_per_word, words_per_row

__all__ = [
    "PASSES",
    "EquivalenceReport",
    "Pass",
    "RewriteContext",
    "WordTensor",
    "conformance_passes",
    "default_passes",
    "digits_per_word",
    "equivalent",
    "rewrite",
    "tolerance_of",
    "words_per_row",
]

#: every pass by its name, in the order in which they belong
PASSES: Mapping[str, Pass] = {
    entry.name: entry
    for entry in (
        STATIC,
        BATCH,
        INLINE_CONTROL,
        TREES,
        QUANTISED,
        WIDEN_INTEGERS,
        UNROLL,
        UNITS,
        EXPLICIT_CONV,
        DECISIONS,
        SAME_COMPARISONS,
        NORM_PARTS,
        PRODUCTS,
        ROOT_TABLES,
        RELU_AFTER_POOL,
        FOLD_CHANNELS,
        MERGE_LINEAR,
        GEMM_MATMUL,
        CONV_MATMUL,
        MEAN_SUMS,
        MAX_PAIRWISE,
        CLIP_RELU,
        LEAKY_RELU,
        EXPONENTIAL_UNITS,
        HARD_RELU,
        RELU_ABS,
        DENSE_WORDS,
    )
}


def rewrite(
    model: onnx.ModelProto, passes: Sequence[str], context: RewriteContext | None = None
) -> onnx.ModelProto:
    """Applies passes in order.

    Args:
        model: as the author published it; it is not changed.
        passes: names in :data:`PASSES`; none at all returns the model as it is.
        context: the circuit that the model is for.

    Raises:
        ModelError: ``unknown-pass`` for a name that is none, ``pass-order`` where ``batch`` is not
            at the front, or what a pass finds wrong with the model.
    """
    if not passes:
        copy = onnx.ModelProto()
        copy.CopyFrom(model)
        return copy
    context = context or RewriteContext()
    _require_known(passes)
    graph = Graph.parse(model)
    make_static(graph)
    if "batch" in passes and context.batch_size > 1:
        graph = batched(model, graph, context.batch_size)
    for name in passes:
        if PASSES[name].apply(graph, context):
            settle(graph)
    return graph.to_model()


def _require_known(passes: Sequence[str]) -> None:
    for name in passes:
        if name not in PASSES:
            raise ModelError(
                "unknown-pass",
                f"there is no rewriting pass {name!r}",
                hint="use a version of this software that knows it",
            )
    order = [name for name in passes if name in ("static", "batch")]
    words = [place for place, name in enumerate(passes) if name == "dense-words"]
    if list(passes[: len(order)]) != order or (words and words != [len(passes) - 1]):
        raise ModelError(
            "pass-order",
            f"the passes {', '.join(passes)} are not in an order that can be replayed",
            hint="static and batch come first, dense-words last",
        )


def default_passes(model: onnx.ModelProto) -> tuple[str, ...]:
    """Names of the passes that change this model, in the order in which to try them."""
    graph = Graph.parse(model)
    make_static(graph)
    found = ["static"]
    for entry in PASSES.values():
        if entry.kind in ("shape", "words"):
            continue
        trial = graph.copy()
        if entry.apply(trial, RewriteContext()):
            settle(trial)
            graph = trial
            found.append(entry.name)
    return tuple(found)


def conformance_passes(model: onnx.ModelProto) -> tuple[str, ...]:
    """Names of the passes without which ezkl or onnxruntime may refuse the model."""
    kept = ("shape", "conformance")
    return tuple(name for name in default_passes(model) if PASSES[name].kind in kept)


def tolerance_of(passes: Sequence[str]) -> float:
    """Largest difference that a sequence of passes may cause, relative to an output's range."""
    return sum(PASSES[name].tolerance for name in passes)
