"""ONNX to circuit to proof. Knows ezkl and ONNX; knows no chain, HTTP or key.

Names are loaded on first use: worker processes import this package and must start fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateless_proofs.audit import AuditReport as AuditReport
    from gateless_proofs.audit import Check as Check
    from gateless_proofs.audit import audit_bundle as audit_bundle
    from gateless_proofs.backend import ProvingBackend as ProvingBackend
    from gateless_proofs.backend import ProvingStatus as ProvingStatus
    from gateless_proofs.build import build_bundle as build_bundle
    from gateless_proofs.build_options import BuildOptions as BuildOptions
    from gateless_proofs.bundle import Bundle as Bundle
    from gateless_proofs.bundle import load_bundle as load_bundle
    from gateless_proofs.calibration import CalibrationData as CalibrationData
    from gateless_proofs.keys import KeyCache as KeyCache
    from gateless_proofs.pool import ProvingPool as ProvingPool
    from gateless_proofs.prover import BatchProof as BatchProof
    from gateless_proofs.prover import Proof as Proof
    from gateless_proofs.prover import Prover as Prover
    from gateless_proofs.prover import Witness as Witness
    from gateless_proofs.sandbox import Limits as Limits
    from gateless_proofs.sandbox import Progress as Progress

_HOMES = {
    "AuditReport": "audit",
    "Check": "audit",
    "audit_bundle": "audit",
    "ProvingBackend": "backend",
    "ProvingStatus": "backend",
    "BuildOptions": "build_options",
    "build_bundle": "build",
    "Bundle": "bundle",
    "load_bundle": "bundle",
    "CalibrationData": "calibration",
    "KeyCache": "keys",
    "ProvingPool": "pool",
    "BatchProof": "prover",
    "Proof": "prover",
    "Prover": "prover",
    "Witness": "prover",
    "Limits": "sandbox",
    "Progress": "sandbox",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(_HOMES)
