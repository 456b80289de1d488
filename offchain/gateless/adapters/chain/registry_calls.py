"""Transactions of whoever publishes models as values, see :mod:`.calls`."""

from __future__ import annotations

from collections.abc import Sequence

from gateless.adapters.chain.calls import Call, call_of
from gateless.core.types import VersionParams

REGISTRY = "ModelRegistry"
VERIFIER = "ZkVerifier"


def register_model(name: str) -> Call:
    """Creates a model."""
    return call_of(REGISTRY, f"register model {name}", "registerModel", name)


def publish_version(model_id: int, params: VersionParams) -> Call:
    """Publishes the next version of a model."""
    encoded = {
        "modelDigest": bytes.fromhex(params.model_digest),
        "manifestDigest": bytes.fromhex(params.manifest_digest),
        "ioSchema": params.io_schema,
        "binding": int(params.binding),
        "modes": params.modes,
        "royaltyBps": params.royalty_bps,
        "proofSeconds": params.proof_seconds,
        "repeatable": params.repeatable,
        "circuits": [
            {
                "vkaDigest": circuit.vka_digest,
                "role": circuit.role,
                "batchSize": circuit.batch_size,
                "proofLength": circuit.proof_length,
                "digitBits": circuit.digit_bits,
                "digitsPerWord": circuit.digits_per_word,
            }
            for circuit in params.circuits
        ],
        "uri": params.uri,
    }
    return call_of(
        REGISTRY, f"publish a version of model {model_id}", "publishVersion", model_id, encoded
    )


def set_alias(model_id: int, alias: str, version_id: int) -> Call:
    """Points an alias at a version."""
    return call_of(REGISTRY, f"set alias {alias}", "setAlias", model_id, alias, version_id)


def set_deprecated(version_id: int, deprecated: bool, reason: str = "") -> Call:
    """Sets or withdraws the advice against a version."""
    label = f"{'deprecate' if deprecated else 'recommend again'} version {version_id}"
    return call_of(REGISTRY, label, "setDeprecated", version_id, deprecated, reason)


def register_vka(words: Sequence[bytes]) -> Call:
    """Stores a verifying-key artifact on chain."""
    return call_of(VERIFIER, "register the verifying key", "registerVka", list(words))
