"""The bundle that ``model publish`` publishes: given as a folder, or built from an ONNX file.

ezkl's keys may differ from build to build, so a finished build is kept under the digest of all that
went into it: running the command again after an interruption publishes the same bundle.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gateless.core.errors import InputError, StorageError
from gateless.core.manifest import Binding, Goal
from gateless.core.types import TrustMode
from gateless.sdk.progress import ProgressSink, Step

if TYPE_CHECKING:
    from gateless_proofs import Bundle, KeyCache

    from gateless.adapters.chain.deployment import Deployment

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """What the publisher gave."""

    source: Path
    calibration: Path | None
    name: str
    description: str
    labels: tuple[str, ...]
    task: str
    tags: tuple[str, ...]
    license: str
    accuracy_bound: float | None
    binding: Binding | None
    memory_bytes: int
    seconds: int
    goal: Goal = Goal.BALANCED
    batch_sizes: tuple[int, ...] = (1,)
    seed: int = 0
    max_logrows: int = 20
    gas_budget: int | None = None
    circuit: bool = True


async def bundle_for(
    request: BuildRequest,
    *,
    builds: Path,
    deployment: Deployment,
    keys: KeyCache,
    progress: ProgressSink,
) -> Bundle:
    """The bundle to publish.

    Raises:
        InputError: ``calibration-missing`` and what the calibration data lacks.
        ModelError: the ONNX file cannot be taken.
        StorageError: the given folder is no intact bundle.
    """
    from gateless_proofs import BuildOptions, CalibrationData, Limits, build_bundle, load_bundle

    source = request.source.expanduser()
    if source.is_dir():
        return await asyncio.to_thread(load_bundle, source)
    if request.calibration is None:
        raise InputError(
            "calibration-missing",
            "an ONNX file is published with calibration data",
            hint="give representative inputs with --calibration FILE (.npz or .json)",
        )
    calibration_file = request.calibration.expanduser()
    calibration = await asyncio.to_thread(CalibrationData.load, calibration_file)
    out = builds / await asyncio.to_thread(_digest, request, source, deployment.srs)
    if out.is_dir():
        try:
            return await asyncio.to_thread(load_bundle, out)
        except StorageError as error:
            raise StorageError(
                error.code, error.message, hint=f"remove {out} and run the command again"
            ) from error

    def report(stage: str, fraction: float) -> None:
        progress(Step("build", f"building the circuit ({stage})", fraction=fraction))

    return await build_bundle(
        source,
        calibration,
        out,
        options=BuildOptions(
            name=request.name,
            description=request.description,
            accuracy_bound=request.accuracy_bound,
            binding=request.binding,
            srs_kind=deployment.srs,
            labels=request.labels,
            task=request.task,
            tags=request.tags,
            license=request.license,
            chain_id=deployment.chain_id,
            goal=request.goal,
            batch_sizes=request.batch_sizes,
            seed=request.seed,
            max_logrows=request.max_logrows,
            gas_budget=request.gas_budget,
            circuit=request.circuit,
        ),
        keys=keys,
        limits=Limits(memory_bytes=request.memory_bytes, seconds=request.seconds),
        progress=report,
    )


def batch_sizes(text: str) -> tuple[int, ...]:
    """Sizes as a user writes them, such as ``8,32``; 1 is always among them.

    Raises:
        InputError: ``invalid-batch-size``.
    """
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(
            "invalid-batch-size",
            f"{text!r} is no list of batch sizes",
            hint="give numbers of inferences, such as 8,32",
        )
    return tuple(sorted({1, *map(int, parts)}))


def trust_modes(text: str) -> tuple[TrustMode, ...] | None:
    """Modes as a user writes them, such as ``zk,quorum``; ``None`` where he leaves it to us.

    Raises:
        InputError: ``unknown-mode``.
    """
    names = [part.strip().upper().replace("-", "_") for part in text.split(",") if part.strip()]
    if not names:
        return None
    for name in names:
        if name not in TrustMode.__members__:
            raise InputError(
                "unknown-mode",
                f"there is no trust mode {name.lower()!r}",
                hint="name some of " + ", ".join(mode.name.lower() for mode in TrustMode),
            )
    return tuple(TrustMode[name] for name in dict.fromkeys(names))


def needs_circuit(modes: tuple[TrustMode, ...] | None) -> bool:
    """Whether one of the modes asks for proofs."""
    return modes is None or TrustMode.ZK in modes or TrustMode.LAZY_ZK in modes


def _digest(request: BuildRequest, source: Path, srs: str) -> str:
    options = [
        request.name,
        request.description,
        list(request.labels),
        request.task,
        list(request.tags),
        request.license,
        request.accuracy_bound,
        request.binding,
        request.goal,
        list(request.batch_sizes),
        request.seed,
        request.max_logrows,
        request.memory_bytes,
        request.gas_budget,
        request.circuit,
        srs,
    ]
    digest = hashlib.sha256(json.dumps(options).encode())
    for file in (source, request.calibration):
        if file is None:
            continue
        try:
            with file.expanduser().open("rb") as handle:
                while chunk := handle.read(_CHUNK):
                    digest.update(chunk)
        except OSError as error:
            raise InputError(
                "file-unreadable",
                f"cannot read {file}: {error.strerror or error}",
                hint="check the path",
            ) from error
    return digest.hexdigest()
