"""What both sides cost on chain: anvil, our deployed contracts, and ezkl's own verifier.

Gas is that of a whole transaction that verifies one proof, by ``eth_estimateGas``: intrinsic cost
and calldata included, nothing stored, nobody paid.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from gateless.adapters.chain.calls import abi_of
from gateless.adapters.chain.registry_calls import VERIFIER
from gateless.core.errors import GatelessError
from gateless.core.manifest import Binding
from gateless.devnet import Devnet, running_devnet
from gateless.sdk import AsyncGateless
from gateless_proofs import load_bundle

from benchmarks.measuring import ROOT

#: https://eips.ethereum.org/EIPS/eip-170
CODE_SIZE_LIMIT = 24_576
_VERIFY_PROOF = bytes.fromhex("1e8e1e13")
#: where ezkl's verifier is put: by anvil, since many exceed what a chain accepts
_DEFAULT_VERIFIER = "0x00000000000000000000000000000000000e2C1e"
#: as ezkl's ``deploy_evm`` compiles by default
_COMPILER_SETTINGS = {
    "optimizer": {"enabled": True, "runs": 1},
    "outputSelection": {"*": {"*": ["evm.deployedBytecode.object"]}},
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The chain's word on one proof.

    Attributes:
        gas: of the verifying transaction; ``None`` where the chain refuses.
        reason: why it refuses; empty where it accepts.
        code_bytes: runtime code of a verifier made for this model alone, else 0.
    """

    gas: int | None
    reason: str = ""
    code_bytes: int = 0


class BenchChain:
    """A running network and a publisher on it."""

    def __init__(self, net: Devnet, publisher: AsyncGateless) -> None:
        self.net = net
        self.publisher = publisher

    async def verify_ours(self, name: str, folder: Path, proven: dict[str, Any]) -> Verdict:
        """Publishes a bundle and has ``ZkVerifier`` check its proof; a spoilt one must fail."""
        try:
            bundle = load_bundle(folder)
            published = await self.publisher.publish(bundle, chain_name(name))
            packed = bundle.manifest.binding is Binding.PACKED
            given = bytes.fromhex(proven["packed_input"]) if packed else b""
            output, proof = bytes.fromhex(proven["packed_output"]), bytes.fromhex(proven["proof"])
            arguments = (published.version_id, 0, given, output)
            await self.net.client.verifier.verify(*arguments, proof)
            gas = await self._estimate_ours(*arguments, proof)
            if await self._accepts(*arguments, _spoilt(proof)):
                return Verdict(None, "the chain accepts a spoilt proof")
        except GatelessError as error:
            return Verdict(None, str(error))
        return Verdict(gas)

    async def _estimate_ours(self, *arguments: Any) -> int:
        item = abi_of(VERIFIER).function("verify", len(arguments))
        address = self.net.deployment.address(VERIFIER)
        return await self._estimate(address, item.encode_call(*arguments))

    async def _accepts(self, *arguments: Any) -> bool:
        try:
            await self.net.client.verifier.verify(*arguments)
        except GatelessError:
            return False
        return True

    async def verify_default(self, source: str, proof: bytes, instances: list[int]) -> Verdict:
        """Puts ezkl's verifier for this model on the chain and has it check the proof."""
        code = await compile_default(source)
        rpc = self.net.client.rpc
        await rpc.request("anvil_setCode", _DEFAULT_VERIFIER, "0x" + code.hex())
        data = _VERIFY_PROOF + encode(["bytes", "uint256[]"], [proof, instances])
        try:
            answer = await rpc.data(
                "eth_call", {"to": _DEFAULT_VERIFIER, "data": "0x" + data.hex()}, "latest"
            )
            if int.from_bytes(answer[:32]) != 1:
                return Verdict(None, "ezkl's verifier refuses the proof", len(code))
            gas = await self._estimate(_DEFAULT_VERIFIER, data)
        except GatelessError as error:
            return Verdict(None, f"ezkl's verifier refuses the proof: {error}", len(code))
        return Verdict(gas, "", len(code))

    async def _estimate(self, address: str, data: bytes) -> int:
        sender = self.net.signers["user"].address
        transaction = {"from": sender, "to": address, "data": "0x" + data.hex()}
        return await self.net.client.rpc.quantity("eth_estimateGas", transaction)


@asynccontextmanager
async def bench_chain(home: Path) -> AsyncIterator[BenchChain]:
    """Starts anvil with our contracts; stops it at the end."""
    async with (
        running_devnet(home) as net,
        await AsyncGateless.connect(
            net.deployment, signer=net.signers["builder"], home=home / "publisher"
        ) as publisher,
    ):
        yield BenchChain(net, publisher)


def chain_name(name: str) -> str:
    """A model's name as the registry takes it."""
    return "bench-" + re.sub(r"[^a-z0-9._-]", "-", name.lower())[:50]


def _spoilt(proof: bytes) -> bytes:
    """The last evaluation changed by one."""
    return proof[:-1] + bytes([proof[-1] ^ 1])


async def compile_default(source: str) -> bytes:
    """Runtime code of ezkl's verifier, by the compiler and settings that ezkl asks for."""
    request = {
        "language": "Solidity",
        "sources": {"verifier.sol": {"content": source}},
        "settings": _COMPILER_SETTINGS,
    }
    process = await asyncio.create_subprocess_exec(
        *(str(ROOT / "tools" / "solc"), "--standard-json"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "GATELESS_SOLC_PACKAGE": "solc-0.8.20"},
    )
    stdout, _ = await process.communicate(json.dumps(request).encode())
    output = json.loads(stdout)
    contracts = output.get("contracts", {}).get("verifier.sol", {})
    for contract in contracts.values():
        code: str = contract["evm"]["deployedBytecode"]["object"]
        if code:
            return bytes.fromhex(code)
    faults = [error["formattedMessage"] for error in output.get("errors", [])]
    raise RuntimeError("ezkl's verifier does not compile: " + "\n".join(faults)[:500])
