"""Makes the real keys and proofs that the Solidity tests verify: contracts/test/fixtures/*.json.

Run by hand when the verifier, ezkl or the fixtures themselves change: with the names of those to
make anew, or without any for those that are missing. The circuits come from the development SRS and
fixed weights, so keys are reproducible; proofs are randomised by ezkl, which is why they are
committed: gas snapshots must not move from run to run.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ezkl
import numpy as np
import onnx
from eth_utils.crypto import keccak
from gateless.core.packing import (
    IoSchema,
    TensorSpec,
    felt_from_ezkl_hex,
    felt_to_ezkl_hex,
    from_felt,
    pack,
    to_felt,
)
from gateless_proofs.srs import development_srs
from onnx import TensorProto, helper, numpy_helper

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "contracts" / "test" / "fixtures"
SCALE = 7


@dataclass(frozen=True)
class Circuit:
    """A tiny dense network and how it is proven."""

    name: str
    seed: int
    inputs: int
    outputs: int
    logrows: int
    kzg: bool = False
    foreign_srs: bool = False
    cases: int = 3
    second_input: bool = False


CIRCUITS = (
    Circuit("packed", seed=1, inputs=4, outputs=3, logrows=8, cases=4),
    Circuit("packed_other_weights", seed=2, inputs=4, outputs=3, logrows=8),
    Circuit("kzg", seed=3, inputs=12, outputs=3, logrows=8, kzg=True),
    Circuit("kzg_two_inputs", seed=4, inputs=4, outputs=3, logrows=8, kzg=True, second_input=True),
    Circuit("kzg_two_columns", seed=5, inputs=300, outputs=1, logrows=8, kzg=True),
    Circuit("foreign_srs", seed=1, inputs=4, outputs=3, logrows=8, foreign_srs=True, cases=1),
)


def dense_model(circuit: Circuit, path: Path) -> None:
    """Writes y = relu(x W + b), or y = relu(x W + b + z) with a second input z."""
    random = np.random.default_rng(circuit.seed)
    weights = (random.normal(size=(circuit.inputs, circuit.outputs)) / 2).astype(np.float32)
    bias = (random.normal(size=circuit.outputs) / 4).astype(np.float32)
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["h"])]
    shapes = {"x": circuit.inputs}
    if circuit.second_input:
        nodes.append(helper.make_node("Add", ["h", "z"], ["s"]))
        shapes["z"] = circuit.outputs
    nodes.append(helper.make_node("Relu", [nodes[-1].output[0]], ["y"]))
    graph = helper.make_graph(
        nodes,
        circuit.name,
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch_size", width])
            for name, width in shapes.items()
        ],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch_size", circuit.outputs])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(path))


def run_arguments(circuit: Circuit) -> Any:
    """The settings under which inputs need no range check in the circuit."""
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = "polycommit" if circuit.kzg else "public"
    arguments.output_visibility, arguments.param_visibility = "public", "fixed"
    arguments.input_scale = arguments.param_scale = SCALE
    arguments.scale_rebase_multiplier = 10
    arguments.decomp_base, arguments.decomp_legs = 64, 5
    arguments.logrows, arguments.num_inner_cols = circuit.logrows, 1
    arguments.ignore_range_check_inputs_outputs = True
    arguments.disable_freivalds = True
    return arguments


def read_vka(path: Path) -> list[bytes]:
    """The words of a VKA file: a u64 count, then 32-byte words."""
    data = path.read_bytes()
    words = [data[at : at + 32] for at in range(8, len(data), 32)]
    if len(words) != int.from_bytes(data[:8], "little"):
        raise SystemExit(f"{path} is not a VKA")
    return words


async def make(circuit: Circuit, folder: Path) -> dict[str, Any]:
    """Keys and proofs of one circuit."""
    paths = {
        name: str(folder / f"{circuit.name}.{name}")
        for name in ("onnx", "settings", "compiled", "vk", "pk", "vka", "witness", "proof", "srs")
    }
    dense_model(circuit, Path(paths["onnx"]))
    ezkl.gen_settings(paths["onnx"], paths["settings"], run_arguments(circuit))
    ezkl.compile_circuit(paths["onnx"], paths["compiled"], paths["settings"])
    if circuit.foreign_srs:
        ezkl.gen_srs(paths["srs"], circuit.logrows)
    else:
        paths["srs"] = str(development_srs(circuit.logrows, folder))
    ezkl.setup(paths["compiled"], paths["vk"], paths["pk"], paths["srs"])
    await ezkl.create_evm_vka(paths["vk"], paths["settings"], paths["vka"], paths["srs"])
    words = read_vka(Path(paths["vka"]))
    specs_in = [TensorSpec("x", (1, circuit.inputs), 2, SCALE)]
    if circuit.second_input:
        specs_in.append(TensorSpec("z", (1, circuit.outputs), 2, SCALE))
    spec_out = TensorSpec("y", (1, circuit.outputs), 4, 2 * SCALE)
    random = np.random.default_rng(circuit.seed + 100)
    cases: list[dict[str, str]] = []
    first: list[int] = []
    for index in range(circuit.cases):
        bound = specs_in[0].maximum if index == 1 else 300
        tensors = [
            [int(value) for value in random.integers(-bound - 1, bound, spec.count)]
            for spec in specs_in
        ]
        if circuit.second_input and index == 2:
            tensors[0] = first  # only the second input differs from case 0
        if circuit.name == "kzg_two_columns" and index == 2:
            tensors[0] = first[:260] + tensors[0][260:]  # only the second column differs
        first = tensors[0] if index == 0 else first
        cases.append(prove(tensors, paths, specs_in, spec_out, circuit.kzg))
    return {
        "ioSchema": "0x" + IoSchema(tuple(specs_in), (spec_out,)).encode().hex(),
        "binding": int(circuit.kzg),
        "vka": ["0x" + word.hex() for word in words],
        "vkaDigest": "0x" + keccak(b"".join(words)).hex(),
        "proofLength": len(cases[0]["proof"]) // 2 - 1,
        "cases": cases,
    }


def prove(
    tensors: list[list[int]],
    paths: dict[str, str],
    specs_in: list[TensorSpec],
    spec_out: TensorSpec,
    kzg: bool,
) -> dict[str, str]:
    """One proof, checked by ezkl, with the packed forms that the contracts take."""
    felts = [[felt_to_ezkl_hex(to_felt(value)) for value in tensor] for tensor in tensors]
    data = json.dumps({"input_data": felts})
    witness = ezkl.gen_witness(
        data, paths["compiled"], paths["witness"], paths["vk"] if kzg else None, paths["srs"]
    )
    if witness["inputs"] != felts:
        raise SystemExit("ezkl changed the input felts")
    result = ezkl.prove(
        paths["witness"], paths["compiled"], paths["pk"], paths["proof"], paths["srs"]
    )
    ezkl.verify(paths["proof"], paths["settings"], paths["vk"], paths["srs"])
    outputs = [from_felt(felt_from_ezkl_hex(text)) for text in witness["outputs"][0]]
    packed = pack(tensors, specs_in)
    proof = bytes.fromhex(result["proof"].removeprefix("0x"))
    binding = keccak(proof[: 64 * len(tensors)]) if kzg else keccak(packed)
    return {
        "input": "0x" + packed.hex(),
        "inputBinding": "0x" + binding.hex(),
        "output": "0x" + pack([outputs], [spec_out]).hex(),
        "proof": "0x" + proof.hex(),
    }


async def main(names: list[str]) -> None:
    """Makes the named fixtures anew, or those that are missing."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="gateless-fixtures-") as folder:
        for circuit in CIRCUITS:
            target = FIXTURES / f"{circuit.name}.json"
            if circuit.name not in names and (names or target.exists()):
                continue
            fixture = await make(circuit, Path(folder))
            target.write_text(json.dumps(fixture, indent=1) + "\n")
            print(f"{target.relative_to(ROOT)}: {len(fixture['cases'])} proofs", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    sys.stderr.flush()
    os._exit(0)  # ezkl's runtime may abort at a normal exit
