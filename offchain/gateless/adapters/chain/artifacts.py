"""Compiled contracts: what ``make build`` leaves in ``gateless/generated``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from gateless.core.errors import ConfigError

GENERATED = Path(__file__).resolve().parents[2] / "generated"

#: Contracts whose errors and events are known to the decoders.
CONTRACT_NAMES = (
    "ModelRegistry",
    "ZkVerifier",
    "ExecutorStaking",
    "SignatureValidator",
    "InferenceMarket",
    "ReceiptCourt",
    "DisputeCourt",
    "LazyMarket",
    "QuorumMarket",
    "QuorumMembers",
    "AttestedMarket",
    "KeySetVerifier",
    "ResultBoard",
    "TestDollar",
    "DigitReader",
)
HALO2_VERIFIER = "Halo2VerifierReusable"


@dataclass(frozen=True, slots=True)
class Artifact:
    """A compiled contract.

    Attributes:
        name: contract name.
        abi: the ABI, as the compiler prints it; empty for the generated verifier.
        bytecode: creation code without constructor arguments.
        deployed_bytecode: runtime code with zeros where immutables go.
        immutable_ranges: ``(start, length)`` of each place that construction fills in.
    """

    name: str
    abi: Sequence[Mapping[str, Any]]
    bytecode: bytes
    deployed_bytecode: bytes
    immutable_ranges: tuple[tuple[int, int], ...] = field(default=())

    def matches(self, code: bytes) -> bool:
        """Whether ``code`` is this contract's runtime code, whatever its immutables hold."""
        return len(code) == len(self.deployed_bytecode) and self._masked(code) == self._masked(
            self.deployed_bytecode
        )

    def _masked(self, code: bytes) -> bytes:
        masked = bytearray(code)
        for start, length in self.immutable_ranges:
            masked[start : start + length] = bytes(length)
        return bytes(masked)


def load_artifact(name: str, folder: Path = GENERATED) -> Artifact:
    """The artifact of a contract; cached, since builds do not change under a running process.

    Raises:
        ConfigError: ``artifacts-missing`` before ``make build``, ``artifact-invalid``.
    """
    return _load(name, folder)


@lru_cache(maxsize=64)
def _load(name: str, folder: Path) -> Artifact:
    path = folder / f"{name}.json"
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        return Artifact(
            name=str(data["contractName"]),
            abi=data["abi"],
            bytecode=bytes.fromhex(data["bytecode"].removeprefix("0x")),
            deployed_bytecode=bytes.fromhex(data["deployedBytecode"].removeprefix("0x")),
            immutable_ranges=tuple(
                (int(start), int(length)) for start, length in data.get("immutableRanges", [])
            ),
        )
    except FileNotFoundError:
        raise ConfigError(
            "artifacts-missing",
            f"the compiled contract {name} is not there",
            hint="run `make build` in the project's folder",
            path=str(path),
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            "artifact-invalid",
            f"{path} is no contract artifact",
            hint="delete it and run `make build`",
            path=str(path),
        ) from error
