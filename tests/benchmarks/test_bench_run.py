"""A whole run over a real model, a refused one and one without data; then it goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from functools import partial
from pathlib import Path

import onnx
import pytest
from bench_folders import digits_folder, folder_of, gone
from executor_fixtures import eventually

from benchmarks.command import main
from benchmarks.measuring import ROOT, family
from benchmarks.models import UsageError, chosen, models_in, shipped_models
from benchmarks.records import load_record


def test_a_run_measures_both_sides_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = tmp_path / "models"
    digits_folder(folders)
    folder_of(folders, "refused", "Mish", [0.1, 0.2, 0.3, 0.4])
    work, out = tmp_path / "work", tmp_path / "out"
    arguments = ["--no-shipped", "--models", str(folders), "--work", str(work), "--out", str(out)]
    assert main([*arguments, "--repeats", "1"]) == 0

    small = load_record(work / "records" / "small.json")
    assert small.default.failure == ""
    assert small.ours.failure == ""
    assert small.on_chain == "verified"
    assert small.reference == "onnxruntime"
    for side in (small.default, small.ours):
        assert len(side.proves) == 1
        assert side.prove_seconds
        assert side.witness_seconds
        assert side.setup_seconds
        assert side.peak_bytes
        assert side.peak_bytes > 20 << 20
        assert side.proving_key_bytes
        assert side.proof_bytes
        assert side.cells
        assert side.gas
        assert side.gas > 300_000
        assert side.error is not None
        assert side.judged == (16, 16)
    assert small.ours.error is not None
    assert small.ours.error <= 0.01
    # Public inputs one by one, and the ranges of ezkl's defaults.
    assert small.default.instances == 64 + 10
    assert small.default.logrows == 15
    assert small.ours.logrows
    assert small.ours.logrows < 15

    refused = load_record(work / "records" / "refused.json")
    assert refused.ratio is None
    assert refused.default.failure or refused.ours.failure
    written = (out / "table.md").read_text(encoding="utf-8")
    assert "geometric mean over the 1 models that both prove within the accuracy" in written
    assert "- `refused`" in written
    conforming = json.loads((out / "results.json").read_text(encoding="utf-8"))["models"]
    assert [model["why_not"] == "" for model in conforming if model["name"] == "small"] == [True]
    assert not (work / "scratch" / "small").exists()

    capsys.readouterr()
    assert main([*arguments, "--resume", "--only", "small"]) == 0
    assert "small (1 of 1), kept" in capsys.readouterr().out
    assert load_record(work / "records" / "small.json") == small


def test_the_cap_is_a_failure_of_the_default_with_its_reason(tmp_path: Path) -> None:
    folder = digits_folder(tmp_path / "models")
    work = tmp_path / "work"
    arguments = ["--no-shipped", "--models", str(folder), "--work", str(work)]
    assert main([*arguments, "--out", str(tmp_path / "out"), "--cap-seconds", "0.2"]) == 0
    record = load_record(work / "records" / "small.json")
    # Whichever step was under way.
    assert record.default.failure.endswith(": hit the cap of 0.2 s")
    assert record.ratio is None


def test_shipped_models_have_real_data() -> None:
    for model in shipped_models():
        calibration, held_out = model.data()
        assert model.onnx.is_file()
        assert model.real_data
        assert model.classifier
        assert set(calibration) == set(held_out)
        graph = onnx.load(str(model.onnx)).graph
        for value, array in zip(graph.input, calibration.values(), strict=True):
            # One sample of either set is one inference.
            taken = [dimension.dim_value or 1 for dimension in value.type.tensor_type.shape.dim]
            assert list(array.shape[1:]) == taken
        for name, array in calibration.items():
            assert held_out[name].shape[1:] == array.shape[1:]
            seen = {row.tobytes() for row in array}
            # No image is both seen and judged.
            assert not seen & {row.tobytes() for row in held_out[name]}


def test_wrong_names_and_folders_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=r"holds no network\.onnx"):
        models_in(tmp_path)
    folder_of(tmp_path, "digits", "Relu", [1.0], weights=None)
    with pytest.raises(UsageError, match="two models are named 'digits'"):
        chosen([tmp_path], [])
    assert main(["--only", "nobody"]) == 2
    assert "no model 'nobody' in this run: choose among digits, lenet" in capsys.readouterr().err


def test_a_relative_folder_is_found_from_everywhere(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "near", "Relu", [1.0, 2.0])
    (model,) = models_in(Path(os.path.relpath(folder)))
    assert model.onnx.is_absolute()
    assert model.name == "near"


def test_a_model_without_its_sample_is_listed_with_the_reason(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "models", "bare", "Relu", [1.0, 2.0])
    (folder / "input.json").unlink()
    work = tmp_path / "work"
    options = ["--no-shipped", "--models", str(folder), "--work", str(work), "--conformance"]
    assert main([*options, "--out", str(tmp_path / "out")]) == 0
    listed = (tmp_path / "out" / "conformance.md").read_text(encoding="utf-8")
    assert "0 of 1 models" in listed
    assert "input.json" in listed
    assert not load_record(work / "conformance" / "bare.json").ours.proves


async def measuring_run(tmp_path: Path) -> tuple[asyncio.subprocess.Process, list[int]]:
    """A run that has begun to measure, and all its processes."""
    folder = digits_folder(tmp_path / "models")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks", "--no-shipped", "--models", str(folder)),
        *("--work", str(tmp_path / "work"), "--out", str(tmp_path / "out")),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        # Tests that run in the background inherit that Ctrl-C is ignored; whoever presses it
        # runs in the foreground.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdout is not None
    async with asyncio.timeout(240):
        while b"ezkl prepares its circuit" not in (await process.stdout.readline()):
            assert process.returncode is None
    return process, family(process.pid)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_an_interrupted_run_leaves_nothing_behind(
    tmp_path: Path, how: signal.Signals
) -> None:
    process, started = await measuring_run(tmp_path)
    process.send_signal(how)
    async with asyncio.timeout(240):
        _, said = await process.communicate()
    assert process.returncode == 130
    assert b"go on with --resume" in said
    assert len(started) > 1
    await eventually("every process of the run has ended", partial(gone, started))
    assert not (tmp_path / "work" / "scratch" / "small").exists()
    assert not (tmp_path / "out").exists()


async def test_a_measured_process_dies_with_the_benchmark(tmp_path: Path) -> None:
    """Even where the benchmark has no chance to end it."""
    process, started = await measuring_run(tmp_path)
    process.kill()
    await process.communicate()
    await eventually("every process of the run has ended", partial(gone, started))
