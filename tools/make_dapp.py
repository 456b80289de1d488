"""Writes offchain/gateless/generated/dapp.json: all that a dApp needs to know of the contracts.

One file, read by name: `contracts` (ABI, and the address on the development network where the
contract is deployed there: the same on every machine, by CREATE2), `network`, `enums` (names of the
values, which ABIs leave out), `typedData` (domains and types of everything that anyone signs), all
read from the sources, and `vectors`. `format` changes whenever a reader of the former file could
misread the new one. Run by `make dapp`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak
from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.signer import LocalSigner
from gateless.devnet.anvil import start_anvil
from gateless.devnet.chains import chain_constants
from gateless.devnet.deploy import deploy
from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from tools.gen_artifacts import CONTRACTS, ROOT, ArtifactError, find_compiled, write_if_changed
from tools.make_lazy_vectors import TARGET as LAZY_REQUESTS
from tools.make_signing_vectors import TARGET as SIGNED_REQUESTS
from tools.make_vectors import TARGET as VECTORS

FORMAT = 1
TARGET = ROOT / "offchain" / "gateless" / "generated" / "dapp.json"
OUT = ROOT / "contracts" / "out"
#: Deployed by whoever uses them, so they have no address of their own.
UNDEPLOYED = (
    "IInferenceConsumer",
    "IRequestingConsumer",
    "ResultBoard",
    "FirstConsumer",
    "TraitToken",
    "VolatilityFeePool",
)
#: Where contracts of ours inherit what is signed from.
INHERITED = (
    "token/ERC20/extensions/ERC20Permit.sol",
    "token/ERC20/extensions/draft-ERC3009.sol",
)
_LITERALS = re.compile(r'(?:"[^"\n]*"\s*)+')
_STRUCT = re.compile(r"([A-Z]\w*)\(((?:[\w\[\]]+ \w+)(?:,[\w\[\]]+ \w+)*)\)")
_DOMAIN = re.compile(r'EIP712\(\s*"([^"]+)",\s*"([^"]+)"\s*\)')
#: Markets that keep one word per request name themselves to their base, which adds the version.
_RECORD_MARKET = re.compile(r'RecordMarket\(\s*"([^"]+)"')
_RECORD_MARKET_VERSION = "1"
_ENUM = re.compile(r"\benum (\w+) \{([\w\s,]+)\}")
_PERMIT_DOMAIN = re.compile(r'ERC20Permit\(\s*"([^"]+)"\s*\)')


def sources(root: Path = ROOT) -> list[Path]:
    """Solidity files in which signed types may be named."""
    library = root / "node_modules" / "@openzeppelin" / "contracts"
    own = sorted((root / "contracts" / "src").rglob("*.sol"))
    return [*own, *(library / name for name in INHERITED)]


def signed_types(texts: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """Every EIP-712 struct type that is spelled in a string of the sources."""
    types: dict[str, list[dict[str, str]]] = {}
    for text in texts:
        for literals in _LITERALS.findall(text):
            spelled = "".join(re.findall(r'"([^"\n]*)"', literals))
            structs = _STRUCT.findall(spelled)
            if "".join(f"{name}({fields})" for name, fields in structs) != spelled:
                continue
            for name, fields in structs:
                pairs = [field.split(" ") for field in fields.split(",")]
                types[name] = [{"name": field, "type": kind} for kind, field in pairs]
    return dict(sorted(types.items()))


def type_hash(name: str, types: dict[str, list[dict[str, str]]]) -> str:
    """EIP-712's hash of a type: itself first, then those that it refers to, by name."""
    found: set[str] = set()
    queue = [name]
    while queue:
        for field in types[queue.pop()]:
            kind = field["type"].partition("[")[0]
            if kind in types and kind != name and kind not in found:
                found.add(kind)
                queue.append(kind)
    spelled = "".join(
        f"{one}({','.join(field['type'] + ' ' + field['name'] for field in types[one])})"
        for one in (name, *sorted(found))
    )
    return "0x" + keccak(text=spelled).hex()


def domains(files: Iterable[Path]) -> list[dict[str, str]]:
    """EIP-712 domains of the contracts, without chain and address, which a deployment adds."""
    found = []
    for path in files:
        text = path.read_text(encoding="utf-8")
        stated = [
            *_DOMAIN.findall(text),
            *((name, _RECORD_MARKET_VERSION) for name in _RECORD_MARKET.findall(text)),
            *((name, "1") for name in _PERMIT_DOMAIN.findall(text)),
        ]
        for name, version in stated:
            # A part of a contract may state the domain of the whole, which is named last in it.
            contract = name.rpartition(" ")[2] if name.startswith("Gateless ") else path.stem
            found.append({"contract": contract, "name": name, "version": version})
    return sorted(found, key=lambda domain: domain["contract"])


def enums(texts: Iterable[str]) -> dict[str, list[str]]:
    """Every enum of the sources, with the names of its values in their order."""
    found = {
        name: [value.strip() for value in values.split(",")]
        for text in texts
        for name, values in _ENUM.findall(text)
    }
    return dict(sorted(found.items()))


def assemble(deployment: Deployment, out: Path = OUT, root: Path = ROOT) -> dict[str, Any]:
    """The whole file for a network."""
    contracts: dict[str, dict[str, Any]] = {}
    for name in sorted({*CONTRACTS, *UNDEPLOYED}):
        abi = json.loads(find_compiled(name, out).read_text(encoding="utf-8"))["abi"]
        address = deployment.contracts.get(name)
        contracts[name] = {"abi": abi} if address is None else {"address": address, "abi": abi}
    files = sources(root)
    own = [path for path in files if "node_modules" not in path.parts]
    types = signed_types(path.read_text(encoding="utf-8") for path in files)
    return {
        "format": FORMAT,
        "network": {
            "name": deployment.name,
            "chainId": deployment.chain_id,
            "token": {
                "address": deployment.token.address,
                "symbol": deployment.token.symbol,
                "decimals": deployment.token.decimals,
            },
        },
        "contracts": contracts,
        "enums": enums(path.read_text(encoding="utf-8") for path in own),
        "typedData": {
            "domains": domains(own),
            "types": types,
            "typeHashes": {name: type_hash(name, types) for name in types},
        },
        "vectors": {
            **json.loads(VECTORS.read_text(encoding="utf-8")),
            "signedRequests": json.loads(SIGNED_REQUESTS.read_text(encoding="utf-8")),
            "lazyRequests": json.loads(LAZY_REQUESTS.read_text(encoding="utf-8")),
        },
    }


async def deployed() -> Deployment:
    """The contracts on a development chain of their own, for their addresses."""
    with tempfile.TemporaryDirectory(prefix="gateless-dapp-") as folder:
        async with start_anvil(Path(folder) / "log") as anvil:
            rpc = HttpRpc(anvil.url)
            try:
                signer = LocalSigner.random()
                await rpc.request("anvil_setBalance", signer.address, hex(10**21))
                return await deploy(rpc, signer, chain_constants(DEVELOPMENT_CHAIN_ID))
            finally:
                await rpc.close()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--target", type=Path, default=TARGET)
    arguments = parser.parse_args()
    try:
        content = assemble(asyncio.run(deployed()), arguments.out)
    except ArtifactError as error:
        raise SystemExit(f"make_dapp: {error}") from error
    changed = write_if_changed(arguments.target, json.dumps(content, indent=1) + "\n")
    sys.stdout.write(f"{arguments.target.name}: {'written' if changed else 'unchanged'}\n")


if __name__ == "__main__":
    main()
