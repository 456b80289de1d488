"""Laboratories for tests: tiny models with real ezkl, and no plan around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateless_proofs.domain import InputDomain
from gateless_proofs.planner.arithmetic import Judge
from gateless_proofs.planner.journal import Journal
from gateless_proofs.planner.laboratory import Laboratory
from gateless_proofs.planner.random_inputs import RandomInputs
from gateless_proofs.planner.rounding import Rounding
from gateless_proofs.planner.search import USED_BOUND


class CountingLaboratory(Laboratory):
    """Counts the witnesses that it was asked for."""

    witnesses = 0

    def runs(self, model: Any, parameters: Any, inputs: Any) -> Any:
        for run in super().runs(model, parameters, inputs):
            self.witnesses += 1
            yield run


def laboratory(model: Path, samples: np.ndarray) -> CountingLaboratory:
    """A laboratory for a model of one input; its journal lies beside the model."""
    stored = model.with_suffix(".npz")
    np.savez(stored, input0=samples[:, None])
    graph = onnx.load(model).graph
    return CountingLaboratory(
        {
            "model": str(model),
            "samples": str(stored),
            "operators": sorted({node.op_type for node in graph.node}),
            "symbols": ["batch"],
        },
        Journal(model.with_suffix(".journal")),
    )


def judge_of(
    lab: CountingLaboratory, bound: float, *, chosen: Sequence[int] | None = None
) -> Judge:
    """Judges arithmetics of a laboratory's model as a search does."""
    places = list(range(len(lab.samples))) if chosen is None else list(chosen)
    domain = InputDomain(lab.samples)
    random = RandomInputs(lab, domain, Rounding(lab, places, bound=bound, seed=0))
    return Judge(
        lab,
        domain,
        places,
        allowed=bound * USED_BOUND,
        labels=False,
        random=random,
        inputs="public",
    )
