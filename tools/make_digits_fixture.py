"""Makes contracts/test/fixtures/digits.json: the shipped classifier, as users publish it.

The other fixtures are tiny circuits made for the tests; this one gives the gas table a real model.
Proofs are randomised, so it is made by hand (`make fixtures` where it is missing, or with the
argument `digits`) and committed.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from eth_utils.crypto import keccak
from gateless.core.packing import pack, quantise
from gateless_proofs import BuildOptions, CalibrationData, KeyCache, Limits, Prover, build_bundle

from examples.digits.images import load_split
from examples.digits.train import CALIBRATION, MODEL

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "contracts" / "test" / "fixtures" / "digits.json"
CASES = 2


async def main() -> None:
    with tempfile.TemporaryDirectory(prefix="gateless-fixtures-") as folder:
        keys = KeyCache(Path(folder) / "keys")
        bundle = await build_bundle(
            MODEL,
            CalibrationData.load(CALIBRATION),
            Path(folder) / "bundle",
            options=BuildOptions(name="digits"),
            keys=keys,
        )
        prover = Prover(keys, Limits())
        specs = bundle.schema.inputs
        cases = []
        for image in load_split().held_out[:CASES]:
            packed = pack([quantise(image, specs[0])], specs)
            proof = await prover.prove(bundle, packed)
            cases.append(
                {
                    "input": "0x" + packed.hex(),
                    "inputBinding": "0x" + keccak(packed).hex(),
                    "output": "0x" + proof.packed_output.hex(),
                    "proof": "0x" + proof.proof.hex(),
                }
            )
        circuit = bundle.manifest.circuits[0]
        fixture = {
            "ioSchema": "0x" + bundle.schema.encode().hex(),
            "binding": 0,
            "batchSize": circuit.batch_size,
            "digitBits": circuit.digit_bits,
            "digitsPerWord": circuit.digits_per_word,
            "vka": ["0x" + word.hex() for word in bundle.vka_words(0)],
            "vkaDigest": circuit.vka_digest,
            "proofLength": circuit.proof_length,
            "cases": cases,
        }
    TARGET.write_text(json.dumps(fixture, indent=1) + "\n")
    print(f"{TARGET.relative_to(ROOT)}: {len(cases)} proofs")


if __name__ == "__main__":
    if TARGET.exists() and "digits" not in sys.argv[1:]:
        print(f"{TARGET.relative_to(ROOT)} is there; to make it anew, name it: digits")
    else:
        asyncio.run(main())
