"""Which rewritings to use: each is kept only where it lowers the predicted cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gateless.core.errors import GatelessError

from gateless_proofs.planner.laboratory import Laboratory
from gateless_proofs.rewrite import PASSES, RewriteContext, default_passes, equivalent, rewrite

#: predicted cost of the model rewritten by these passes; None where ezkl cannot lay it out
Price = Callable[[tuple[str, ...]], float | None]

#: a pass must save this share of the cost
_LEAST_GAIN = 1e-3


def choose_passes(
    laboratory: Laboratory, price: Price, *, approximations: bool
) -> tuple[tuple[str, ...], list[str]]:
    """Tries passes one after the other.

    Args:
        laboratory: holds the model.
        price: predicts costs.
        approximations: whether passes that change values by design may be used.

    Returns:
        The passes, and a line for each about what it did.
    """
    offered = [
        name
        for name in default_passes(laboratory.model)
        if approximations or PASSES[name].kind != "approximation"
    ]
    notes: list[str] = []
    plain = price(())
    chosen: tuple[str, ...] = tuple(name for name in offered if PASSES[name].kind == "shape")
    # What ezkl cannot take as it stands has to be replaced, whatever it costs.
    needed = tuple(name for name in offered if PASSES[name].kind == "conformance")
    cost = price(chosen)
    if cost is None and needed:
        chosen = (*chosen, *needed)
        cost = price(chosen)
    for name in offered:
        if name in chosen:
            continue
        trial = _in_order((*chosen, name), offered)
        found = price(trial)
        if found is None or (cost is not None and found > cost * (1 - _LEAST_GAIN)):
            notes.append(f"{name}: no gain")
            continue
        if not is_equivalent(laboratory, trial):
            notes.append(f"{name}: not equivalent, dropped")
            continue
        notes.append(f"{name}: {found / cost - 1:+.0%}" if cost else f"{name}: needed")
        chosen, cost = trial, found
    for name in [name for name in chosen if PASSES[name].kind not in ("shape", "conformance")]:
        # A pass may have paid only until another one came.
        trial = tuple(other for other in chosen if other != name)
        found = price(trial)
        if found is not None and cost is not None and found <= cost:
            notes.append(f"{name}: not needed any more")
            chosen, cost = trial, found
    if plain is not None and (cost is None or plain <= cost):
        return (), notes
    return chosen, notes


def is_equivalent(laboratory: Laboratory, passes: Sequence[str]) -> bool:
    """Whether the rewritten model computes what the original does, on samples and extremes."""
    try:
        made = rewrite(laboratory.model, tuple(passes), RewriteContext())
    except GatelessError:
        return False
    samples = laboratory.samples[:8]
    extremes = [
        [tensor * factor for tensor in sample] for sample in samples[:2] for factor in (-2.0, 2.0)
    ]
    tolerance = 1e-4 + sum(PASSES[name].tolerance for name in passes)
    return equivalent(laboratory.model, made, samples, extremes, tolerance=tolerance).equivalent


def _in_order(names: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in offered if name in names)
