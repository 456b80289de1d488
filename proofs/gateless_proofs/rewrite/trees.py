"""Decision trees: the way to each leaf as products of comparisons.

Every split is compared once. From the root down, a node is reached if its parent is and the
comparison says so: one product and one difference per split. The leaves' values times who is
reached are the answer; no index is looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gateless.core.errors import ModelError
from onnx import TensorProto

from gateless_proofs.rewrite.context import Pass, RewriteContext
from gateless_proofs.rewrite.graph import Array, Emitter, Graph, Node
from gateless_proofs.rewrite.nodes import add_constant

_ML = "ai.onnx.ml"
_COMPARISONS = {
    "BRANCH_LEQ": ("LessOrEqual", False),
    "BRANCH_LT": ("Less", False),
    "BRANCH_GTE": ("Less", True),
    "BRANCH_GT": ("LessOrEqual", True),
}


@dataclass(frozen=True, slots=True)
class _Split:
    """An inner node: what it compares and where it goes."""

    feature: int
    threshold: float
    op: str
    negated: bool
    yes: tuple[int, int]
    no: tuple[int, int]


def _refuse(what: str) -> ModelError:
    return ModelError(
        "unsupported-operator",
        f"{what} cannot be put into a circuit",
        hint="export the trees with comparisons of numbers, sums or averages",
        operator="TreeEnsemble",
    )


def _forest(node: Node) -> tuple[dict[tuple[int, int], _Split], list[tuple[int, int]]]:
    """Splits by (tree, node) and the trees' roots."""
    get = node.attributes.__getitem__
    keys = list(zip(get("nodes_treeids"), get("nodes_nodeids"), strict=True))
    splits: dict[tuple[int, int], _Split] = {}
    roots: dict[int, tuple[int, int]] = {}
    for place, key in enumerate(keys):
        roots.setdefault(key[0], key)
        mode = get("nodes_modes")[place]
        if mode == "LEAF":
            continue
        if mode not in _COMPARISONS:
            raise _refuse(f"a tree with {mode}")
        op, negated = _COMPARISONS[mode]
        splits[key] = _Split(
            int(get("nodes_featureids")[place]),
            float(np.float32(get("nodes_values")[place])),
            op,
            negated,
            (key[0], get("nodes_truenodeids")[place]),
            (key[0], get("nodes_falsenodeids")[place]),
        )
    return splits, list(roots.values())


def reached_leaves(
    emit: Emitter,
    features: str,
    splits: Mapping[tuple[int, int], _Split],
    roots: list[tuple[int, int]],
) -> tuple[str, list[tuple[int, int]]]:
    """Who is reached as [rows, leaves] of 0 and 1, and the leaves' keys in that order."""
    compared: dict[tuple[str, int, float], int] = {}
    order = sorted({(s.op, s.feature, s.threshold) for s in splits.values()})
    pieces = []
    for op in ("Less", "LessOrEqual"):
        wanted = [entry for entry in order if entry[0] == op]
        if not wanted:
            continue
        for entry in wanted:
            compared[entry] = len(compared)
        columns = emit.const([entry[1] for entry in wanted], np.int64)
        values = emit("Gather", [features, columns], axis=1)
        limits = emit.const([[entry[2] for entry in wanted]])
        pieces.append(emit("Cast", [emit(op, [values, limits])], to=TensorProto.INT64))
    answers = emit("Concat", pieces, axis=1) if len(pieces) > 1 else pieces[0]
    # Roots are reached always, so their children are told by the comparison itself.
    reached: dict[tuple[int, int], int] = {}
    width = 0
    joined = ""
    level = [root for root in roots if root in splits]
    while level:
        which = [compared[(splits[k].op, splits[k].feature, splits[k].threshold)] for k in level]
        taken = emit("Gather", [answers, emit.const(which, np.int64)], axis=1)
        if joined:
            places = emit.const([reached[key] for key in level], np.int64)
            parents = emit("Gather", [joined, places], axis=1)
            first = emit("Mul", [parents, taken])
            second = emit("Sub", [parents, first])
        else:
            first, second = taken, emit("Sub", [emit.const([1], np.int64), taken])
        following = []
        for side, child_of in ((0, True), (1, False)):
            for place, key in enumerate(level):
                split = splits[key]
                child = split.yes if child_of != split.negated else split.no
                reached[child] = width + side * len(level) + place
                if child in splits:
                    following.append(child)
        parts = [*([joined] if joined else []), first, second]
        joined = emit("Concat", parts, axis=1)
        width += 2 * len(level)
        level = following
    leaves = [key for key in reached if key not in splits]
    picked = emit.const([reached[key] for key in leaves], np.int64)
    return emit("Gather", [joined, picked], axis=1), leaves


def _scores(emit: Emitter, node: Node, kind: str, count: int) -> tuple[str, Array]:
    """Sum of the leaves' weights per class or target; base values included."""
    get: Callable[..., Any] = node.attributes.get
    splits, roots = _forest(node)
    weights: dict[tuple[int, int], Array] = {}
    for tree, leaf, target, weight in zip(
        get(f"{kind}_treeids"),
        get(f"{kind}_nodeids"),
        get(f"{kind}_ids"),
        get(f"{kind}_weights"),
        strict=True,
    ):
        row = weights.setdefault((tree, leaf), np.zeros(count))
        row[target] += weight
    base = np.asarray(get("base_values") or [0.0] * count, np.float64)
    for root in roots:
        if root not in splits:
            base = base + weights.get(root, np.zeros(count))
    features = node.inputs[0]
    if emit.graph.dtype(features) != TensorProto.FLOAT:
        features = emit("Cast", [features], to=TensorProto.FLOAT)
    if not splits:
        raise _refuse("a forest without splits")
    reached, leaves = reached_leaves(emit, features, splits, roots)
    matrix = np.array([weights.get(key, np.zeros(count)) for key in leaves])
    trees = len(roots)
    if get("aggregate_function", "SUM") == "AVERAGE":
        matrix = matrix / trees
    elif get("aggregate_function", "SUM") != "SUM":
        raise _refuse("a forest that takes the least or largest of its trees")
    numbers = emit("Cast", [reached], to=TensorProto.FLOAT)
    return emit("MatMul", [numbers, emit.const(matrix)]), base


def _post(emit: Emitter, value: str, transform: str, output: str) -> None:
    if transform == "NONE":
        emit("Identity", [value], output)
    elif transform == "LOGISTIC":
        emit("Sigmoid", [value], output)
    elif transform == "SOFTMAX":
        emit("Softmax", [value], output, axis=-1)
    else:
        raise _refuse(f"the transform {transform}")


def regressor(emit: Emitter, node: Node) -> None:
    """TreeEnsembleRegressor."""
    value, base = _scores(emit, node, "target", int(node.attributes.get("n_targets", 1)))
    value = add_constant(emit, value, base)
    _post(emit, value, node.attributes.get("post_transform", "NONE"), node.output)


def classifier(emit: Emitter, node: Node) -> None:
    """TreeEnsembleClassifier with integer labels: the label and the scores."""
    labels: Any = node.attributes.get("classlabels_int64s")
    if not labels:
        raise ModelError(
            "unsupported-dtype",
            "a classifier whose labels are text cannot be put into a circuit",
            hint="train it on integer labels",
        )
    count = len(labels)
    single = count == 2 and set(node.attributes["class_ids"]) == {0}
    value, base = _scores(emit, node, "class", 1 if single else count)
    value = add_constant(emit, value, base[:1] if single else base)
    classify(emit, node, value, labels, binary=single)


def classify(emit: Emitter, node: Node, value: str, labels: list[int], *, binary: bool) -> None:
    """Label and scores from raw scores, as ai.onnx.ml's classifiers give them.

    A single raw score s of a binary classifier stands for the second label; the scores are
    [1 - s, s] of probabilities and [-s, s] of margins.
    """
    transform = node.attributes.get("post_transform", "NONE")
    if binary:
        probability = transform == "NONE" and min(node.attributes["class_weights"]) >= 0
        if transform == "LOGISTIC":
            value = emit("Sigmoid", [value])
            probability = True
        elif transform != "NONE":
            raise _refuse(f"a binary classifier with the transform {transform}")
        other = emit("Sub", [emit.const([1.0]), value]) if probability else emit("Neg", [value])
        scores = emit("Concat", [other, value], axis=1)
        limit = 0.5 if probability else 0.0
        above = emit("Greater", [value, emit.const([limit])])
        chosen = emit("Cast", [above], to=TensorProto.INT64)
        index = emit.reshape(chosen, [-1])
    else:
        scores = value
        index = emit("ArgMax", [value], axis=1, keepdims=0)
    names = [*node.outputs, ""]
    if names[0]:
        if list(labels) == list(range(len(labels))):
            emit("Identity", [index], names[0])
        else:
            emit("Gather", [emit.const(labels, np.int64), index], names[0], axis=0)
    if names[1]:
        _post(emit, scores, "NONE" if binary else transform, names[1])


def _apply(graph: Graph, _context: RewriteContext) -> bool:
    emit = Emitter(graph)
    changed = False
    handlers = {"TreeEnsembleRegressor": regressor, "TreeEnsembleClassifier": classifier}
    for node in graph.nodes:
        if node.domain == _ML and node.op in handlers:
            handlers[node.op](emit, node)
            changed = True
        else:
            emit.nodes.append(node)
    graph.nodes = emit.nodes
    return changed


TREES = Pass(
    "tree-paths",
    "conformance",
    1e-5,
    "tree ensembles as comparisons, products down the paths and one matrix of leaf values",
    _apply,
)
