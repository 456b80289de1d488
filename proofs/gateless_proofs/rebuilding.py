"""A circuit made again from the published ONNX file, as an audit does. Runs in the subprocess."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gateless.core.errors import ProofError

from gateless_proofs.bundle import sha256_of
from gateless_proofs.circuit import (
    Emit,
    compile_circuit,
    generate_settings,
    is_exact,
    pinned_run_args,
)
from gateless_proofs.rewrite import RewriteContext, WordTensor, rewrite
from gateless_proofs.slack import furthest_moves, unit_of

_SLACK_SAMPLES = 4


def rebuild(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Rewritten model, settings and compiled circuit, from the ONNX file, the names of the passes
    and the pinned run arguments.

    Where ``ranges`` of the inputs are given, also how far rescaling moves the outputs.

    Raises:
        ModelError: a pass is unknown or does not apply.
        ProofError: ``settings-unsound``.
    """
    out = Path(request["out"])
    pinned = json.loads(Path(request["settings"]).read_text(encoding="utf-8"))
    emit("layout", 0.0)
    run_args = pinned_run_args(pinned)
    published = Path(request["model"])
    model = published
    if request["passes"]:
        made = rewrite(
            onnx.load_model_from_string(published.read_bytes()),
            request["passes"],
            _context(request, pinned["run_args"]),
        )
        model = out / "circuit.onnx"
        model.write_bytes(made.SerializeToString(deterministic=True))
    settings = generate_settings(model, run_args, out / "settings.json", request["operators"])
    require_bound_products(settings)
    emit("compile", 0.5)
    compile_circuit(model, out / "settings.json", out / "circuit.compiled")
    exact = is_exact(model, run_args, request["operators"])
    moves: list[float] = []
    if request["ranges"] and not exact:
        emit("slack", 0.8)
        moves = _moves(model, request["ranges"], request["seed"], pinned["run_args"])
    return {"exact": exact, "circuit_model": sha256_of(model), "moves": moves}


def _moves(
    model: Path, ranges: list[dict[str, Any]], seed: int, arguments: dict[str, Any]
) -> list[float]:
    """How far rescaling can be seen to move the outputs, for random inputs from these ranges."""
    generator = np.random.default_rng(seed)
    samples = [
        [generator.uniform(entry["low"], entry["high"], size=entry["shape"]) for entry in ranges]
        for _ in range(_SLACK_SAMPLES)
    ]
    unit = unit_of(arguments["input_scale"], arguments["param_scale"])
    return furthest_moves(onnx.load_model_from_string(model.read_bytes()), samples, unit)


def require_bound_products(settings: dict[str, Any]) -> None:
    """Refuses Freivalds' argument, whose products are tied to nothing in ezkl 23.

    Raises:
        ProofError: ``settings-unsound``.
    """
    if settings["einsum_params"]["total_einsum_col_size"] > 0:
        raise ProofError(
            "settings-unsound",
            "products of matrices are checked by Freivalds' argument, which binds nothing in this"
            " version of ezkl",
            hint="do not trust this bundle",
        )


def _context(request: dict[str, Any], arguments: dict[str, Any]) -> RewriteContext:
    return RewriteContext(
        batch_size=request["batch_size"],
        inputs=tuple(WordTensor(width, scale) for width, scale in request["inputs"]),
        outputs=tuple(WordTensor(width, scale) for width, scale in request["outputs"]),
        digit_bits=request["digit_bits"],
        digits_per_word=request["digits_per_word"],
        param_scale=arguments["param_scale"],
        integral_constants=arguments["rebase_frac_zero_constants"],
    )
