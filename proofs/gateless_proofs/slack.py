"""How far a prover may move the outputs of a circuit that rescales.

ezkl's division accepts the neighbours of the right quotient, so each rescale leaves a prover a unit
either way. The estimate disturbs every value of the rewritten model by such a unit, up, down and at
random, and sees how far the outputs go. It is an estimate and is called one: a prover who chooses
each direction with care may go further. A manifest states several times what was seen; an audit
looks again, at inputs of its own, and refuses a version that states less than it sees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import onnx
from gateless.core.packing import FloatArray

from gateless_proofs.rewrite import RewriteContext, rewrite
from gateless_proofs.rewrite.evaluate import Runner, as_fed, infer
from gateless_proofs.rewrite.graph import Graph, Node

#: what is stated is so many times what was seen
_MARGIN = 4.0
_DRAWS = 8


def stated_slack(moves: Sequence[float], output_scales: Sequence[int]) -> list[int]:
    """What a manifest states, in units of each output tensor."""
    return [
        max(1, math.ceil(_MARGIN * move * 2.0**scale))
        for move, scale in zip(moves, output_scales, strict=True)
    ]


def furthest_moves(
    model: onnx.ModelProto, samples: Sequence[Sequence[FloatArray]], unit: float
) -> list[float]:
    """How far a unit at every value moved each output tensor, as a real number.

    Args:
        model: what the circuit was made from.
        samples: inputs, one list of tensors each.
        unit: the last place of a rescaled value.
    """
    # Open dimensions bound and shapes known: noise has to fit the values it is added to.
    graph = Graph.parse(rewrite(model, ("static",), RewriteContext()))
    infer(graph)
    plain = Runner(graph.to_model())
    feeds = [
        {
            value.name: as_fed(value.dtype, array)
            for value, array in zip(graph.inputs, sample, strict=True)
        }
        for sample in samples
    ]
    expected = [plain.run(feed) for feed in feeds]
    furthest = [0.0] * len(expected[0])
    generator = np.random.default_rng(0)
    for draw in range(_DRAWS):
        disturbed = Runner(_disturbed(graph, unit, draw, generator).to_model())
        for feed, right in zip(feeds, expected, strict=True):
            for place, (moved, array) in enumerate(zip(disturbed.run(feed), right, strict=True)):
                gap = float(np.abs(moved.astype(np.float64) - array).max(initial=0.0))
                furthest[place] = max(furthest[place], gap if math.isfinite(gap) else 0.0)
    return furthest


def unit_of(input_scale: int, param_scale: int) -> float:
    """The last place of a value after a rescale."""
    return 2.0 ** -max(input_scale, param_scale)


def _disturbed(graph: Graph, unit: float, draw: int, generator: np.random.Generator) -> Graph:
    """The graph with a unit added to every floating point value that a node makes."""
    copy = graph.copy()
    nodes: list[Node] = []
    for node in copy.nodes:
        nodes.append(node)
        name = node.output
        if not graph.is_float(name):
            continue
        # Where the shape is not known, all values of the tensor go the same way.
        shape = graph.shape(name) or ()
        if draw < 2:
            noise = np.full(shape, unit if draw == 0 else -unit, np.float32)
        else:
            noise = (generator.integers(0, 2, size=shape) * 2 - 1).astype(np.float32) * unit
        raw = copy.fresh("undisturbed")
        node.outputs[0] = raw
        nodes.append(Node("Add", [raw, copy.constant(noise.astype(np.float32))], [name]))
    copy.nodes = nodes
    return copy
