"""Contracts at addresses that depend on their code alone.

The deployer is the one that exists at the same address on nearly every chain,
https://github.com/Arachnid/deterministic-deployment-proxy. It takes ``salt ‖ creation code``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from gateless.adapters.chain.abi import ContractAbi, encode_parameters
from gateless.adapters.chain.artifacts import Artifact
from gateless.adapters.chain.calls import Call

CREATE2_DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
#: Fixed for ever: another salt would give another network.
SALT = keccak(text="gateless/deployment/1")


@dataclass(frozen=True, slots=True)
class Creation:
    """A contract with its constructor arguments, and the address that these give it."""

    artifact: Artifact
    code: bytes
    address: str

    def call(self) -> Call:
        """The transaction that creates it."""
        return Call(CREATE2_DEPLOYER, SALT + self.code, f"deploy {self.artifact.name}")


def creation(artifact: Artifact, arguments: Sequence[Any] = ()) -> Creation:
    """What deploying a contract with these constructor arguments means."""
    inputs = ContractAbi(artifact.name, artifact.abi).constructor_inputs
    code = artifact.bytecode + encode_parameters(inputs, arguments)
    preimage = b"\xff" + bytes.fromhex(CREATE2_DEPLOYER[2:]) + SALT + keccak(code)
    return Creation(artifact, code, to_checksum_address(keccak(preimage)[12:]))
