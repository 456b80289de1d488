"""ezkl's settings, compiled circuits and keys. Runs in the subprocess.

ezkl writes its settings with a timestamp and in the order of hash sets, so two runs differ, and so
can their keys. :func:`canonical_settings` removes both. Circuits compiled from canonical settings,
and the keys made from them, come out the same byte for byte on every run.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import ezkl
from gateless.core.errors import ModelError, ProofError, SandboxError

from gateless_proofs.operators import translate_refusal
from gateless_proofs.srs import development_srs

Emit = Callable[[str, float], None]

#: rows that halo2 keeps for blinding, with ezkl's reserve
RESERVED_ROWS = 9
#: ezkl and halo2 work from here on; smaller circuits hold not even their own blinding rows
MIN_LOGROWS = 4
_EPSILON = 2.220446049250313e-16
_VISIBILITIES = {
    "Public": "public",
    "KZGCommit": "polycommit",
    "Private": "private",
    "Fixed": "fixed",
}
_ROW = re.compile(r"^│\s*\d+\s*│\s*(?P<op>.*?)\s*│\s*(?P<scale>-?\d+)\s*│")
#: gadgets with one satisfying output for an input; divisions, and argmax where there are ties, have
#: more than one
_SINGLE_VALUED = re.compile(
    r"^(RESCALED INPUT \()*(Input|CONST \(|EINSUM |ADD|SUB|MULT|NEG|SUM \(|LEAKYRELU \(|CONV \(|"
    r"RESHAPE \(|FLATTEN|PAD \(|IDENTITY \(|MULTIBROADCASTTO|MOVEAXIS|CONCAT \(|"
    r"SLICE \(|DOWNSAMPLE|MaxPool \(|REDUCEMAX|REDUCEMIN|MAX$|MIN$|GATHER \(|ABS$|POW$)"
)


@dataclass(frozen=True, slots=True)
class CircuitParameters:
    """The part of ezkl's run arguments that we choose; the rest is policy.

    Attributes:
        multiplier: 10 postpones rescaling so far that shallow models are never rescaled, 1 rescales
            after each product.
        base: base of the range decomposition.
        legs: its digits; intermediate values must stay below ``base ** legs``.
        inputs: ``public``, ``polycommit`` (bound by commitment) or ``private`` (dense words, which
            the circuit itself makes public).
        columns: inner columns.
        integral: whether whole constants stay unscaled.
    """

    input_scale: int
    param_scale: int
    multiplier: int
    base: int
    legs: int
    logrows: int
    inputs: Literal["public", "polycommit", "private"]
    columns: int = 1
    symbols: tuple[str, ...] = ()
    lookup_range: tuple[int, int] = (-32768, 32768)
    integral: bool = False

    def run_args(self) -> Any:
        """As ezkl takes them: weights fixed in the key, outputs public, I/O ranges left to the
        contract, which checks them by the packed width.

        Freivalds' argument is never used: in ezkl 23 the product that it checks is tied to nothing
        (``docs/planner.md``), so a prover could put any matrix in its place.
        """
        names = dict.fromkeys(("batch_size", *self.symbols))
        return _run_args(
            {
                "input_scale": self.input_scale,
                "param_scale": self.param_scale,
                "scale_rebase_multiplier": self.multiplier,
                "decomp_base": self.base,
                "decomp_legs": self.legs,
                "logrows": self.logrows,
                "lookup_range": self.lookup_range,
                "num_inner_cols": self.columns,
                "variables": [(name, 1) for name in names],
                "input_visibility": self.inputs,
                "output_visibility": "public",
                "param_visibility": "fixed",
                "ignore_range_check_inputs_outputs": True,
                "disable_freivalds": True,
                "bounded_log_lookup": False,
                "check_mode": "unsafe",
                "rebase_frac_zero_constants": self.integral,
                "epsilon": _EPSILON,
            }
        )


def _run_args(values: Mapping[str, Any]) -> Any:
    arguments = ezkl.PyRunArgs()
    for name, value in values.items():
        setattr(arguments, name, value)
    return arguments


def pinned_run_args(settings: Mapping[str, Any]) -> Any:
    """The run arguments that a settings file records."""
    recorded = dict(settings["run_args"])
    recorded.pop("rebase_scale", None)  # the Python interface has no such argument
    for name in ("input_visibility", "output_visibility", "param_visibility"):
        if recorded[name] not in _VISIBILITIES:
            raise ProofError(
                "settings-unsound",
                f"{name} {recorded[name]!r} is not among those this project proves with",
                hint="do not trust this bundle",
            )
        recorded[name] = _VISIBILITIES[recorded[name]]
    recorded["check_mode"] = str(recorded["check_mode"]).lower()
    recorded["lookup_range"] = tuple(recorded["lookup_range"])
    recorded["variables"] = [(name, int(value)) for name, value in recorded["variables"]]
    return _run_args(recorded)


def canonical_settings(text: str) -> bytes:
    """ezkl's settings without what changes from run to run.

    The einsum equations hold hash maps and are read by ezkl only where Freivalds' argument is used
    (``total_einsum_col_size`` above 0); elsewhere they would make compiled circuits differ.
    """
    settings = json.loads(text)
    settings["timestamp"] = 0
    settings["required_range_checks"].sort()
    settings["required_lookups"].sort(key=lambda lookup: json.dumps(lookup, sort_keys=True))
    if settings["einsum_params"]["total_einsum_col_size"] == 0:
        settings["einsum_params"]["equations"] = []
    return (json.dumps(settings, sort_keys=True, indent=1) + "\n").encode()


def generate_settings(
    model: Path, run_args: Any, out: Path, operators: Sequence[str]
) -> dict[str, Any]:
    """Lays the model out without values; writes and returns canonical settings.

    Raises:
        ModelError: ezkl cannot take the model; the operator is named where ezkl says which.
    """
    try:
        ezkl.gen_settings(str(model), str(out), run_args)
    except BaseException as error:
        raise _layout_error(error, operators) from error
    data = canonical_settings(out.read_text(encoding="utf-8"))
    out.write_bytes(data)
    settings: dict[str, Any] = json.loads(data)
    return settings


def _layout_error(error: BaseException, operators: Sequence[str]) -> Exception:
    if isinstance(error, (KeyboardInterrupt, SystemExit)):
        raise error
    message = re.sub(r"^Failed to [^:]*: ", "", str(error))
    if "memory" in message.lower():
        return SandboxError("memory-limit", f"out of memory: {message}")
    return translate_refusal(message, operators)


def compile_circuit(model: Path, settings: Path, out: Path) -> None:
    """Compiles the model with given settings."""
    try:
        ezkl.compile_circuit(str(model), str(out), str(settings))
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        raise ModelError(
            "model-not-provable",
            f"ezkl cannot compile the model: {error}",
            hint="try other settings, or a simpler model",
        ) from error


def is_exact(model: Path, run_args: Any, operators: Sequence[str]) -> bool:
    """Whether one output only can be proven for an input.

    That is so where nothing is rescaled and every gadget has a single satisfying output.
    """
    try:
        table = ezkl.table(str(model), run_args)
    except BaseException as error:
        raise _layout_error(error, operators) from error
    rows = [_ROW.match(line) for line in table.splitlines()]
    operations = [row.group("op") for row in rows if row is not None]
    return bool(operations) and all(_SINGLE_VALUED.match(name) for name in operations)


def make_development_srs(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Derives a development SRS; here, since the process pool that does it must not start from a
    user's own script."""
    path = development_srs(request["logrows"], Path(request["folder"]), emit)
    return {"path": str(path)}


def fetch_public_srs(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Downloads the perpetual powers of tau; ezkl compares them with digests that it carries."""
    emit("srs", 0.0)
    path = Path(request["path"])
    try:
        asyncio.run(_get_srs(request["logrows"], path))
    except RuntimeError as error:
        raise ProofError(
            "srs-unavailable",
            f"the public SRS for 2^{request['logrows']} rows cannot be downloaded: {error}",
            hint=f"connect this machine to the internet, or put the file at {request['target']}",
        ) from error
    return {"path": str(path)}


async def _get_srs(logrows: int, path: Path) -> None:
    await ezkl.get_srs(None, logrows, str(path))


def set_up(request: dict[str, Any], emit: Emit) -> dict[str, Any]:
    """Proving key, verifying key and key artifact of a compiled circuit."""
    out = Path(request["out"])
    emit("setup", 0.0)
    try:
        ezkl.setup(
            request["compiled"],
            str(out / "vk.key"),
            str(out / "pk.key"),
            request["srs"],
            witness_path=None,
            disable_selector_compression=False,
        )
        emit("setup", 0.9)
        written = asyncio.run(_write_vka(request, out))
    except RuntimeError as error:
        raise ProofError(
            "setup-failed",
            f"ezkl cannot make keys for the circuit: {error}",
            hint="check that the structured reference string matches the circuit's size",
        ) from error
    if not written:
        raise ProofError("setup-failed", "ezkl wrote no key artifact", hint="report the model")
    return {}


async def _write_vka(request: Mapping[str, Any], out: Path) -> bool:
    return bool(
        await ezkl.create_evm_vka(
            str(out / "vk.key"), request["settings"], str(out / "vka.bin"), request["srs"]
        )
    )
