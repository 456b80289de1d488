"""Operators that ezkl cannot take, named before and after asking it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import onnx
from gateless.core.errors import ModelError

_REWRITE = "rewrite the model without it, or do that part before or after the inference"

#: what neither ezkl 23.0.5 nor a rewriting pass takes; what each can be replaced by
UNSUPPORTED = {
    "NonZero": "its output has no fixed shape; use a mask instead",
    "Unique": "its output has no fixed shape",
    "Compress": "its output has no fixed shape",
    "NonMaxSuppression": "its output has no fixed shape; do it after the inference",
    "RandomNormal": "a circuit has no randomness",
    "RandomNormalLike": "a circuit has no randomness",
    "RandomUniform": "a circuit has no randomness",
    "RandomUniformLike": "a circuit has no randomness",
    "Multinomial": "a circuit has no randomness",
    "Bernoulli": "a circuit has no randomness",
    "StringNormalizer": "turn text into numbers before the model",
    "TfIdfVectorizer": "turn text into numbers before the model",
    "If": "a circuit has no branches; fold the condition when exporting",
    "Loop": "unroll the loop when exporting",
}
_UNIMPLEMENTED = re.compile(r"Unimplemented\((\w+)\)|Unknown op: (\w+)")


def unsupported_operator(operator: str, hint: str = "") -> ModelError:
    """The error that names an operator."""
    return ModelError(
        "unsupported-operator",
        f"operator {operator} cannot be put into a circuit",
        hint=hint or UNSUPPORTED.get(operator) or _REWRITE,
        operator=operator,
    )


def require_known_operators(model: onnx.ModelProto) -> None:
    """Refuses what is known not to work, with what to do instead."""
    for node in _all_nodes(model):
        if node.op_type in UNSUPPORTED and node.domain in ("", "ai.onnx"):
            raise unsupported_operator(node.op_type)
        if node.op_type == "TopK":
            used = {name for other in model.graph.node for name in other.input}
            used |= {value.name for value in model.graph.output}
            if len([name for name in node.output if name in used]) > 1:
                raise unsupported_operator(
                    "TopK with both outputs used", "use the values or the indices, not both"
                )


def _all_nodes(model: onnx.ModelProto) -> Iterable[onnx.NodeProto]:
    pending: list[Any] = [model.graph.node, *(function.node for function in model.functions)]
    while pending:
        for node in pending.pop():
            yield node
            for attribute in node.attribute:
                if attribute.HasField("g"):
                    pending.append(attribute.g.node)
                pending.extend(graph.node for graph in attribute.graphs)


def translate_refusal(message: str, operators: Iterable[str]) -> ModelError:
    """Turns ezkl's words about a model that it cannot lay out into an error for people."""
    found = _UNIMPLEMENTED.search(message)
    if found:
        return unsupported_operator(found.group(1) or found.group(2))
    lowered = message.lower()
    for operator in operators:
        if re.search(rf"\b{re.escape(operator.lower())}\b", lowered):
            return ModelError(
                "unsupported-operator",
                f"operator {operator} cannot be put into a circuit as it stands: {message}",
                hint=_REWRITE,
                operator=operator,
            )
    if "Undetermined symbol" in message:
        return ModelError(
            "unbound-dimension",
            f"a shape inside the model depends on its data: {message}",
            hint="export the model with static shapes",
        )
    return ModelError(
        "model-not-provable",
        f"ezkl cannot lay the model out: {message}",
        hint="the model uses: " + ", ".join(operators),
    )
