"""Lays a model out with ezkl and computes witnesses; run as a process of its own, since ezkl's
panics end the process that it runs in."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import ezkl
from gateless.core.packing import felt_from_ezkl_hex
from gateless_proofs.witness import WitnessError, run_circuit


def main(folder: Path) -> None:
    request = json.loads((folder / "request.json").read_text())
    model, settings = folder / "model.onnx", folder / "settings.json"
    arguments = {
        "input_visibility": "public",
        "output_visibility": "public",
        "param_visibility": "fixed",
        "ignore_range_check_inputs_outputs": True,
        "disable_freivalds": True,
        "check_mode": "unsafe",
        "num_inner_cols": 1,
        "lookup_range": (-1024, 1024),
        **request["run_args"],
    }
    run_args = ezkl.PyRunArgs()
    for name, value in arguments.items():
        setattr(run_args, name, value)
    ezkl.gen_settings(str(model), str(settings), run_args)
    ezkl.compile_circuit(str(model), str(folder / "circuit"), str(settings))
    found = json.loads(settings.read_text())
    witnesses = []
    for tensors in request["inputs"]:
        try:
            run_circuit(folder / "circuit", tensors, folder / "witness.json")
        except WitnessError:
            witnesses.append(None)
            continue
        stored = json.loads((folder / "witness.json").read_text())
        witnesses.append([[str(felt_from_ezkl_hex(v)) for v in row] for row in stored["outputs"]])
    answer = {
        "rows": found["num_rows"],
        "input_scales": found["model_input_scales"],
        "output_scales": found["model_output_scales"],
        "witnesses": witnesses,
    }
    (folder / "answer.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
