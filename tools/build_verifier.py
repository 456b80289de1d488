"""Generates ezkl's reusable Halo2 verifier, compiles it and checks it against a pinned hash.

The Solidity is ezkl's own output for the installed version (the same bytes for every circuit), so
it is generated rather than committed. A different source, compiler or setting changes the runtime
code and stops the build: whoever upgrades ezkl must review the new verifier and move the pin.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONTRACT = "Halo2VerifierReusable"
LOGROWS = 8
#: sha256 of the runtime bytecode of ezkl 23.0.5's verifier under the settings below.
PINNED_RUNTIME_SHA256 = "232ebffe727b15abc785c6fdcd9948744ee3a89184490ab3d82c6a50f3bc44cf"
COMPILER_SETTINGS = {
    "optimizer": {"enabled": True, "runs": 1_000_000},
    "evmVersion": "cancun",
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    "outputSelection": {"*": {"*": ["evm.bytecode.object", "evm.deployedBytecode.object"]}},
}


def generate_source(folder: Path) -> Path:
    """Runs ezkl in a child process whose home holds the compiler that it asks for."""
    compiler = folder / ".svm" / "0.8.20" / "solc-0.8.20"
    compiler.parent.mkdir(parents=True)
    compiler.write_text(
        f'#!/bin/sh\nGATELESS_SOLC_PACKAGE=solc-0.8.20 exec "{ROOT / "tools" / "solc"}" "$@"\n'
    )
    compiler.chmod(0o755)
    environment = {
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder / "none"),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("offchain", "proofs")),
    }
    result = subprocess.run(
        [sys.executable, __file__, "--generate-in", str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    source = folder / "verifier.sol"
    if result.returncode != 0 or not source.exists():
        raise SystemExit(f"ezkl did not write its verifier:\n{result.stdout}{result.stderr}")
    return source


def child(folder: Path) -> None:
    """What ezkl does. Leaves by ``os._exit``: ezkl's runtime may abort at a normal exit."""
    import ezkl
    import numpy as np
    import onnx
    from gateless_proofs.srs import development_srs
    from onnx import TensorProto, helper, numpy_helper

    weights = numpy_helper.from_array(np.eye(2, dtype=np.float32), "w")
    shape = ["batch_size", 2]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])],
        "any",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    paths = {name: str(folder / name) for name in ("m.onnx", "settings", "circuit", "vk", "pk")}
    onnx.save(model, paths["m.onnx"])
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = arguments.output_visibility = "public"
    arguments.param_visibility = "fixed"
    arguments.decomp_base, arguments.decomp_legs = 64, 5
    arguments.logrows, arguments.num_inner_cols = LOGROWS, 1
    ezkl.gen_settings(paths["m.onnx"], paths["settings"], arguments)
    ezkl.compile_circuit(paths["m.onnx"], paths["circuit"], paths["settings"])
    srs = str(development_srs(LOGROWS, folder))
    ezkl.setup(paths["circuit"], paths["vk"], paths["pk"], srs)

    async def write() -> None:
        await ezkl.create_evm_verifier(
            paths["vk"],
            paths["settings"],
            str(folder / "verifier.sol"),
            str(folder / "verifier.abi"),
            srs,
            reusable=True,
        )

    asyncio.run(write())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def compile_source(source: str) -> tuple[str, str]:
    """Creation and runtime bytecode, hex with 0x."""
    request = {
        "language": "Solidity",
        "sources": {f"{CONTRACT}.sol": {"content": source}},
        "settings": COMPILER_SETTINGS,
    }
    result = subprocess.run(
        [str(ROOT / "tools" / "solc"), "--standard-json"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        check=True,
    )
    output = json.loads(result.stdout)
    errors = [e["formattedMessage"] for e in output.get("errors", []) if e["severity"] == "error"]
    if errors:
        raise SystemExit("the generated verifier does not compile:\n" + "\n".join(errors))
    evm = output["contracts"][f"{CONTRACT}.sol"][CONTRACT]["evm"]
    return "0x" + evm["bytecode"]["object"], "0x" + evm["deployedBytecode"]["object"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "contracts" / "generated")
    parser.add_argument("--generate-in", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.generate_in:
        child(options.generate_in)
    with tempfile.TemporaryDirectory(prefix="gateless-verifier-") as folder:
        source = generate_source(Path(folder)).read_text()
    creation, runtime = compile_source(source)
    digest = hashlib.sha256(bytes.fromhex(runtime[2:])).hexdigest()
    if digest != PINNED_RUNTIME_SHA256:
        raise SystemExit(
            f"the generated verifier is not the pinned one: sha256 {digest}, pinned "
            f"{PINNED_RUNTIME_SHA256}.\nIf ezkl or the compiler was upgraded on purpose, review "
            "the new source and set PINNED_RUNTIME_SHA256."
        )
    options.out.mkdir(parents=True, exist_ok=True)
    artifact = {"contractName": CONTRACT, "bytecode": creation, "deployedBytecode": runtime}
    target = options.out / f"{CONTRACT}.json"
    target.write_text(json.dumps(artifact, indent=1) + "\n")
    (options.out / f"{CONTRACT}.sol.txt").write_text(source)
    print(f"{target.relative_to(ROOT) if target.is_relative_to(ROOT) else target}: {digest}")


if __name__ == "__main__":
    main()
