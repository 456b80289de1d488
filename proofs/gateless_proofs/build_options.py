"""What a publisher decides about a build."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.core.manifest import Binding, Goal

from gateless_proofs.srs import SrsKind


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What the publisher decides.

    Attributes:
        name: name of the model.
        accuracy_bound: largest absolute error at which executors still sign; by default one per
            cent of the range of the outputs on the calibration data.
        binding: how requests are bound to inputs; by default chosen by the size of the input.
        chain_id: chain that the bundle is for; the development SRS is refused off 31337.
        goal: what the plan keeps low.
        batch_sizes: inferences per proof, one circuit for each; 1 is always among them.
        seed: of everything random in the plan.
        max_logrows: largest circuit taken into account, as log2 of its rows.
        memory_budget: memory that one proof may take, in bytes.
        gas_budget: gas that one verification may take; unlimited if absent.
        circuit: whether outputs can be proven; otherwise they can be compared only.
    """

    name: str
    description: str = ""
    accuracy_bound: float | None = None
    binding: Binding | None = None
    srs_kind: SrsKind = "development"
    labels: tuple[str, ...] = ()
    task: str = ""
    tags: tuple[str, ...] = ()
    license: str = ""
    chain_id: int | None = None
    goal: Goal = Goal.BALANCED
    batch_sizes: tuple[int, ...] = (1,)
    seed: int = 0
    max_logrows: int = 20
    memory_budget: int | None = None
    gas_budget: int | None = None
    circuit: bool = True
