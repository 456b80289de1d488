"""How far a prover may move the outputs of a circuit that rescales.

ezkl's division accepts the neighbours of the right quotient, so each rescale leaves a prover a unit
either way. The estimate disturbs every value of the rewritten model by such a unit, up, down and at
random, and sees how far the outputs go. It is an estimate and is called one: a prover who chooses
each direction with care may go further.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import onnx

from gateless_proofs.circuit import CircuitParameters
from gateless_proofs.planner.laboratory import CircuitModel, Laboratory
from gateless_proofs.rewrite.evaluate import Runner, as_fed
from gateless_proofs.rewrite.graph import Graph, Node

#: the estimate is so many times what was seen
_MARGIN = 4.0
_DRAWS = 8
_SAMPLES = 4


def slack_of(
    laboratory: Laboratory,
    model: CircuitModel,
    parameters: CircuitParameters,
    output_scales: Sequence[int],
) -> tuple[list[int], str]:
    """Units per output tensor, and how they were found."""
    unit = 2.0 ** -max(parameters.input_scale, parameters.param_scale)
    graph = Graph.parse(onnx.load_model_from_string(laboratory.file_of(model).read_bytes()))
    plain = Runner(graph.to_model())
    samples = laboratory.samples[:_SAMPLES]
    feeds = [
        {
            value.name: as_fed(value.dtype, array)
            for value, array in zip(graph.inputs, sample, strict=True)
        }
        for sample in samples
    ]
    expected = [plain.run(feed) for feed in feeds]
    furthest = [0.0] * len(output_scales)
    generator = np.random.default_rng(0)
    for draw in range(_DRAWS):
        disturbed = Runner(_disturbed(graph, unit, draw, generator).to_model())
        for feed, right in zip(feeds, expected, strict=True):
            for place, (moved, array) in enumerate(zip(disturbed.run(feed), right, strict=True)):
                gap = float(np.abs(moved.astype(np.float64) - array).max(initial=0.0))
                furthest[place] = max(furthest[place], gap if math.isfinite(gap) else 0.0)
    slack = [
        max(1, math.ceil(_MARGIN * gap * 2.0**scale))
        for gap, scale in zip(furthest, output_scales, strict=True)
    ]
    return slack, "estimate"


def _disturbed(graph: Graph, unit: float, draw: int, generator: np.random.Generator) -> Graph:
    """The graph with a unit added to every floating point value that a node makes."""
    copy = graph.copy()
    nodes: list[Node] = []
    for node in copy.nodes:
        nodes.append(node)
        name = node.output
        shape = graph.shape(name)
        if not graph.is_float(name) or shape is None:
            continue
        if draw < 2:
            noise = np.full(shape, unit if draw == 0 else -unit, np.float32)
        else:
            noise = (generator.integers(0, 2, size=shape) * 2 - 1).astype(np.float32) * unit
        raw = copy.fresh("undisturbed")
        node.outputs[0] = raw
        nodes.append(Node("Add", [raw, copy.constant(noise.astype(np.float32))], [name]))
    copy.nodes = nodes
    return copy
