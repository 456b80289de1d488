"""Makes the batch, dense and larger fixtures of the Solidity tests: contracts/test/fixtures/*.json.

Like ``make_fixtures``, run by hand: circuits are reproducible, proofs are randomised by ezkl and
committed, and nothing is made anew unless it is named on the command line, or is missing. Models
are rewritten by the project's own passes; settings are written down here rather than planned, so
that a change of the planner moves no gas snapshot. The fixtures:

* ``batch4``: the network of ``packed``, four rows in one proof, dense words. Both fixtures are
  circuits of one version: rows of a batch and single proofs answer the same requests.
* ``batch4_plain``: the same without dense words.
* ``dense``: the same, one row, dense words; its case ``overflow`` proves a value that no packed
  input can spell.
* ``mlp`` and ``mlp32``: a 16-32-16-4 perceptron, one row and 32, dense words.
* ``mlp784``: a 784-32-10 perceptron, one row, input bound by KZG commitment.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    unpack,
)
from gateless.core.public_words import dense_words, from_dense_words, plain_words
from gateless_proofs.rewrite import RewriteContext, WordTensor, digits_per_word, rewrite
from gateless_proofs.srs import development_srs
from onnx import TensorProto, helper, numpy_helper

from tools.make_fixtures import CIRCUITS, FIXTURES, ROOT, SCALE, dense_model, read_vka


@dataclass(frozen=True)
class Plan:
    """How a model is proven.

    ``layers`` are the widths of a perceptron with ReLU between them; none is the tiny network of
    the fixture ``packed``.
    """

    name: str
    layers: tuple[int, ...] = ()
    batch: int = 1
    dense: bool = False
    kzg: bool = False
    base: int = 256
    legs: int = 4
    logrows: int = 11
    input_width: int = 2
    scale: int = SCALE
    cases: int = 1
    overflow: bool = False

    @property
    def digit_bits(self) -> int:
        """Bits of a digit, or 0: what a decomposition of that base and number of legs holds."""
        return (self.base.bit_length() - 1) * self.legs if self.dense else 0

    @property
    def digits_per_word(self) -> int:
        return digits_per_word(self.digit_bits) if self.dense else 0


PLANS = (
    Plan("batch4", batch=4, dense=True, cases=2),
    Plan("batch4_plain", batch=4, cases=2),
    Plan("dense", dense=True, logrows=10, cases=2, overflow=True),
    Plan("mlp", layers=(16, 32, 16, 4), dense=True, base=1024, legs=4, logrows=12),
    Plan("mlp32", layers=(16, 32, 16, 4), batch=32, dense=True, base=1024, legs=4, logrows=17),
    Plan("mlp784", layers=(784, 32, 10), kzg=True, base=1024, legs=4, logrows=15),
)


def perceptron(layers: Sequence[int], path: Path) -> None:
    """Writes a perceptron of seeded weights with one ReLU after each layer but the last."""
    random = np.random.default_rng(7)
    nodes, constants, last = [], [], "x"
    for index, (wide, narrow) in enumerate(pairwise(layers)):
        weights = random.normal(size=(wide, narrow)) / np.sqrt(wide)
        bias = random.normal(size=narrow) / 10
        constants += [
            numpy_helper.from_array(weights.astype(np.float32), f"w{index}"),
            numpy_helper.from_array(bias.astype(np.float32), f"b{index}"),
        ]
        nodes.append(helper.make_node("Gemm", [last, f"w{index}", f"b{index}"], [f"h{index}"]))
        last = f"h{index}"
        if index < len(layers) - 2:
            nodes.append(helper.make_node("Relu", [last], [f"r{index}"]))
            last = f"r{index}"
    graph = helper.make_graph(
        nodes,
        "perceptron",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch_size", layers[0]])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, ["batch_size", layers[-1]])],
        constants,
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))


def write_model(plan: Plan, spec_in: TensorSpec, spec_out: TensorSpec, path: Path) -> None:
    """The circuit's model: the network with the plan's batch and words."""
    if plan.layers:
        perceptron(plan.layers, path)
    else:
        dense_model(CIRCUITS[0], path)
    passes = ["static", "batch"] if plan.batch > 1 else ["static"]
    context = RewriteContext(
        batch_size=plan.batch,
        inputs=(WordTensor(spec_in.width, spec_in.scale_bits),),
        outputs=(WordTensor(spec_out.width, spec_out.scale_bits),),
        digit_bits=plan.digit_bits,
        digits_per_word=plan.digits_per_word,
        param_scale=plan.scale,
    )
    onnx.save(
        rewrite(onnx.load(str(path)), [*passes, *plan.dense * ("dense-words",)], context), str(path)
    )


def run_arguments(plan: Plan) -> Any:
    """One column, no rescales, and no range check of what the contracts check."""
    arguments = ezkl.PyRunArgs()
    visibility = "private" if plan.dense else "public"
    arguments.input_visibility = "polycommit" if plan.kzg else visibility
    arguments.output_visibility, arguments.param_visibility = "public", "fixed"
    arguments.input_scale = arguments.param_scale = plan.scale
    arguments.scale_rebase_multiplier = 10
    arguments.decomp_base, arguments.decomp_legs = plan.base, plan.legs
    arguments.logrows, arguments.num_inner_cols = plan.logrows, 1
    arguments.ignore_range_check_inputs_outputs = True
    arguments.disable_freivalds = True
    return arguments


def require_one_column(plan: Plan, settings: Path) -> None:
    """Two columns prove the same for 130,000 gas more: a plan with too few rows is a slip."""
    rows = int(json.loads(settings.read_text())["num_rows"])
    print(f"{plan.name}: {rows} rows of 2^{plan.logrows}", flush=True)
    if rows + 9 > 1 << plan.logrows:
        raise SystemExit(f"{plan.name} does not fit one column: raise its logrows")


class Proving:
    """The files of one plan, and the proofs made with them."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan = plan
        names = ("onnx", "settings", "compiled", "vk", "pk", "vka", "witness", "proof")
        self.paths = {name: str(folder / f"{plan.name}.{name}") for name in names}
        widths = plan.layers or (CIRCUITS[0].inputs, CIRCUITS[0].outputs)
        out_scale = plan.scale * max(2, len(plan.layers))
        self.spec_in = TensorSpec("x", (1, widths[0]), plan.input_width, plan.scale)
        self.spec_out = TensorSpec("y", (1, widths[-1]), 4, out_scale)

    async def set_up(self, folder: Path) -> list[bytes]:
        """Makes the keys; returns the words of the VKA."""
        paths = self.paths
        write_model(self.plan, self.spec_in, self.spec_out, Path(paths["onnx"]))
        ezkl.gen_settings(paths["onnx"], paths["settings"], run_arguments(self.plan))
        ezkl.compile_circuit(paths["onnx"], paths["compiled"], paths["settings"])
        require_one_column(self.plan, Path(paths["settings"]))
        self.srs = str(development_srs(self.plan.logrows, folder))
        ezkl.setup(paths["compiled"], paths["vk"], paths["pk"], self.srs)
        await ezkl.create_evm_vka(paths["vk"], paths["settings"], paths["vka"], self.srs)
        return read_vka(Path(paths["vka"]))

    def rows(self, seed: int) -> list[list[int]]:
        """Inputs of a batch; those of the tiny network are the ones of the fixture ``packed``."""
        if not self.plan.layers:
            known = json.loads((FIXTURES / "packed.json").read_text())["cases"]
            inputs = [bytes.fromhex(case["input"][2:]) for case in known]
            turned = inputs[seed:] + inputs[:seed]
            return [unpack(data, [self.spec_in])[0] for data in turned[: self.plan.batch]]
        random = np.random.default_rng(seed)
        size = (self.plan.batch, self.spec_in.count)
        return [[int(value) for value in row] for row in random.integers(-128, 128, size)]

    def prove(self, rows: list[list[int]]) -> tuple[list[int], bytes]:
        """Public words of the outputs (all words, where they are dense) and the proof."""
        paths, plan = self.paths, self.plan
        felts = [felt_to_ezkl_hex(to_felt(value)) for row in rows for value in row]
        witness = ezkl.gen_witness(
            json.dumps({"input_data": [felts]}),
            paths["compiled"],
            paths["witness"],
            paths["vk"] if plan.kzg else None,
            self.srs,
        )
        if witness["inputs"] != [felts]:
            raise SystemExit("ezkl changed the input felts")
        result = ezkl.prove(
            paths["witness"], paths["compiled"], paths["pk"], paths["proof"], self.srs
        )
        ezkl.verify(paths["proof"], paths["settings"], paths["vk"], self.srs)
        words = [felt_from_ezkl_hex(text) for tensor in witness["outputs"] for text in tensor]
        return words, bytes.fromhex(result["proof"].removeprefix("0x"))

    def case(self, rows: list[list[int]]) -> dict[str, str]:
        """One proof with the packed forms that the contracts take."""
        plan = self.plan
        words, proof = self.prove(rows)
        outputs = self._outputs(words)
        if plan.dense:
            specs, digits = [self.spec_in, self.spec_out], (plan.digit_bits, plan.digits_per_word)
            if words != dense_words([rows, outputs], specs, *digits):
                raise SystemExit(f"{plan.name}: the words are not those of the encoding")
        elif words != plain_words([outputs], [self.spec_out]):
            raise SystemExit(f"{plan.name}: the words are not those of the encoding")
        packed = b"".join(pack([row], [self.spec_in]) for row in rows)
        binding = keccak(proof[:64]) if plan.kzg else keccak(packed)
        return {
            "input": "0x" + packed.hex(),
            "inputBinding": "0x" + binding.hex(),
            "output": "0x" + b"".join(pack([row], [self.spec_out]) for row in outputs).hex(),
            "proof": "0x" + proof.hex(),
        }

    def overflow(self) -> dict[str, Any]:
        """A proof of a value above the width: provable, and spelled by no packed input."""
        rows = [[1 << (8 * self.spec_in.width - 1), *[5] * (self.spec_in.count - 1)]]
        words, proof = self.prove(rows)
        return {"words": [f"0x{word:064x}" for word in words], "proof": "0x" + proof.hex()}

    def _outputs(self, words: list[int]) -> list[list[int]]:
        """Rows of integers in the circuit's words."""
        plan, spec = self.plan, self.spec_out
        if plan.dense:
            specs = [self.spec_in, spec]
            digits = (plan.digit_bits, plan.digits_per_word)
            return from_dense_words(words, specs, plan.batch, *digits)[1]
        values = [from_felt(word) for word in words]
        return [values[at : at + spec.count] for at in range(0, len(values), spec.count)]


async def make(plan: Plan, folder: Path) -> dict[str, Any]:
    """Keys and proofs of one plan."""
    proving = Proving(plan, folder)
    words = await proving.set_up(folder)
    cases = [proving.case(proving.rows(seed)) for seed in range(plan.cases)]
    fixture = {
        "ioSchema": "0x" + IoSchema((proving.spec_in,), (proving.spec_out,)).encode().hex(),
        "binding": int(plan.kzg),
        "batchSize": plan.batch,
        "digitBits": plan.digit_bits,
        "digitsPerWord": plan.digits_per_word,
        "vka": ["0x" + word.hex() for word in words],
        "vkaDigest": "0x" + keccak(b"".join(words)).hex(),
        "proofLength": len(cases[0]["proof"]) // 2 - 1,
        "cases": cases,
    }
    if plan.overflow:
        fixture["overflow"] = proving.overflow()
    return fixture


async def main(names: list[str]) -> None:
    """Makes the named fixtures anew, or those that are missing."""
    with tempfile.TemporaryDirectory(prefix="gateless-fixtures-") as folder:
        for plan in PLANS:
            target = FIXTURES / f"{plan.name}.json"
            if plan.name not in names and (names or target.exists()):
                continue
            fixture = await make(plan, Path(folder))
            target.write_text(json.dumps(fixture, indent=1) + "\n")
            print(f"{target.relative_to(ROOT)}: {len(fixture['cases'])} proofs", flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
    sys.stderr.flush()
    os._exit(0)  # ezkl's runtime may abort at a normal exit
