"""Makes contracts/test/fixtures/volatility.json: the forecast behind the example pool.

Its first two cases are what the pool itself makes of the scenarios in
`contracts/test/PoolNetwork.t.sol`; a test there compares them. The others are windows of the
simulation that the model has never seen. Circuit settings are written down here rather than
planned: no rescales, so that an input has one possible answer. Like the other fixtures, made by
hand (`make fixtures` where it is missing, or with the argument `volatility`) and committed.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import ezkl
import onnx
from eth_utils.crypto import keccak
from gateless.core.packing import IoSchema, TensorSpec, quantise
from gateless_proofs.rewrite import RewriteContext, rewrite
from gateless_proofs.srs import development_srs

from examples.volatility.process import WINDOW, samples
from examples.volatility.train import HELD_OUT_SEED, MODEL
from tools.make_fixtures import FIXTURES, ROOT, prove, read_vka

NAME = "volatility"
TARGET = FIXTURES / f"{NAME}.json"
LOGROWS = 10
SPEC_IN = TensorSpec("changes", (1, WINDOW), 2, 8)
PARAM_SCALE = 7
SPEC_OUT = TensorSpec("volatility", (1, 1), 4, SPEC_IN.scale_bits + 2 * PARAM_SCALE)

#: What the pool makes of quiet and of stormy hours.
SCENARIOS = (
    (89, 114, 240, 168, 189, 388, 250, 260),
    (2330, 2608, 4817, 5674, 3714, 6752, 10422, 4309),
)
HELD_OUT = 2


def run_arguments() -> Any:
    """One column, no rescales, and no range check of what the contracts check."""
    arguments = ezkl.PyRunArgs()
    arguments.input_visibility = arguments.output_visibility = "public"
    arguments.param_visibility = "fixed"
    arguments.input_scale, arguments.param_scale = SPEC_IN.scale_bits, PARAM_SCALE
    arguments.scale_rebase_multiplier = 10
    arguments.decomp_base, arguments.decomp_legs = 256, 4
    arguments.logrows, arguments.num_inner_cols = LOGROWS, 1
    arguments.ignore_range_check_inputs_outputs = True
    arguments.disable_freivalds = True
    return arguments


def require_settings(path: Path) -> None:
    """The layout that was planned for: a slip here would be a dearer or another circuit."""
    settings = json.loads(path.read_text())
    if int(settings["num_rows"]) + 9 > 1 << LOGROWS:
        raise SystemExit(f"{settings['num_rows']} rows do not fit one column: raise LOGROWS")
    if list(settings["model_output_scales"]) != [SPEC_OUT.scale_bits]:
        raise SystemExit(f"the output has scale {settings['model_output_scales']}")


async def make(folder: Path) -> dict[str, Any]:
    """Keys and proofs."""
    names = ("onnx", "settings", "compiled", "vk", "pk", "vka", "witness", "proof")
    paths = {name: str(folder / name) for name in names}
    onnx.save(rewrite(onnx.load(str(MODEL)), ["static"], RewriteContext()), paths["onnx"])
    ezkl.gen_settings(paths["onnx"], paths["settings"], run_arguments())
    ezkl.compile_circuit(paths["onnx"], paths["compiled"], paths["settings"])
    require_settings(Path(paths["settings"]))
    paths["srs"] = str(development_srs(LOGROWS, folder))
    ezkl.setup(paths["compiled"], paths["vk"], paths["pk"], paths["srs"])
    await ezkl.create_evm_vka(paths["vk"], paths["settings"], paths["vka"], paths["srs"])
    words = read_vka(Path(paths["vka"]))
    held_out = samples(HELD_OUT_SEED).changes
    inputs = [list(scenario) for scenario in SCENARIOS]
    inputs += [quantise(window, SPEC_IN) for window in held_out[:: len(held_out) // HELD_OUT]]
    cases = [prove([values], paths, [SPEC_IN], SPEC_OUT, False) for values in inputs]
    return {
        "ioSchema": "0x" + IoSchema((SPEC_IN,), (SPEC_OUT,)).encode().hex(),
        "binding": 0,
        "vka": ["0x" + word.hex() for word in words],
        "vkaDigest": "0x" + keccak(b"".join(words)).hex(),
        "proofLength": len(cases[0]["proof"]) // 2 - 1,
        "cases": cases,
    }


async def main() -> None:
    """Makes the fixture where it is missing or named."""
    if TARGET.exists() and NAME not in sys.argv[1:]:
        print(f"{TARGET.relative_to(ROOT)} is there; to make it anew, name it: {NAME}")
        return
    with tempfile.TemporaryDirectory(prefix="gateless-fixtures-") as folder:
        fixture = await make(Path(folder))
    TARGET.write_text(json.dumps(fixture, indent=1) + "\n")
    print(f"{TARGET.relative_to(ROOT)}: {len(fixture['cases'])} proofs", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stderr.flush()
    os._exit(0)  # ezkl's runtime may abort at a normal exit
