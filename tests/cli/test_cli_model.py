"""Model commands: publish once, find, audit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_fixtures import MakeWallet, Shell
from gateless_proofs import BuildOptions, CalibrationData, KeyCache, build_bundle
from market_fixtures import TinyModel, calibration_rows, tiny_onnx


async def test_from_a_file_to_a_version(
    shell: Shell, make_wallet: MakeWallet, tiny_model: TinyModel
) -> None:
    holder = await make_wallet("builder")
    arguments = (
        *("model", "publish", tiny_model.onnx, "--calibration", tiny_model.calibration),
        *("--name", "cli-published", "--royalty", "2.5", "--alias", "stable"),
        *("--labels", "no, yes", "--description", "Says yes or no."),
    )
    done = await shell(*arguments)
    assert "published as cli-published@0" in done.stdout
    assert "publish a version of model" in done.stdout

    # The same command again finds the build and the version, and sends nothing.
    again = (await shell("--json", *arguments)).data
    assert again["already_published"] is True
    assert again["transactions"] == []
    assert again["version"] == "cli-published@0"

    listed = (await shell("--json", "model", "list", "--limit", "500")).data
    (entry,) = (model for model in listed["models"] if model["name"] == "cli-published")
    assert (entry["holder"], entry["versions"]) == (holder, 1)
    text = (await shell("model", "list", "--limit", "500")).stdout
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80

    model = (await shell("--json", "model", "show", "cli-published")).data
    assert model["aliases"] == {"latest": again["version_id"], "stable": again["version_id"]}
    assert model["versions"][0]["royalty_bps"] == 250
    assert "latest, stable" in (await shell("model", "show", "cli-published")).stdout

    for ref in ("cli-published@stable", str(again["version_id"])):
        version = await shell("model", "show", ref)
        assert again["manifest_digest"] in version.stdout.replace("\n", "")
        assert "Says yes or no." in version.stdout
        assert "no executor yet" in version.stdout
    shown = (await shell("--json", "model", "show", "cli-published@0")).data
    assert shown["manifest"]["labels"] == ["no", "yes"]
    assert shown["executors"] == []

    audit = (await shell("--json", "model", "audit", "cli-published")).data
    assert audit["ok"] is True
    assert {"registry", "keys", "proof"} <= {check["name"] for check in audit["checks"]}


async def test_from_a_built_bundle(
    shell: Shell, make_wallet: MakeWallet, tiny_model: TinyModel
) -> None:
    await make_wallet("builder")
    source = tiny_model.bundle.root
    done = await shell("--json", "model", "publish", source, "--name", "cli-bundle")
    assert done.data["manifest_digest"] == tiny_model.bundle.digest
    assert done.stderr == ""


async def test_aliases_and_deprecation(
    shell: Shell, make_wallet: MakeWallet, tiny_model: TinyModel
) -> None:
    await make_wallet("builder")
    await shell("model", "publish", tiny_model.bundle.root, "--name", "cli-old")
    await shell("model", "alias", "cli-old@0", "best")
    assert (await shell("--json", "model", "show", "cli-old@best")).data["index"] == 0
    await shell("model", "deprecate", "cli-old@0", "--reason", "use another")
    warned = await shell("model", "show", "cli-old@0")
    assert warned.stderr.startswith("warning: cli-old@0 is deprecated")
    assert (await shell("--json", "model", "show", "cli-old@0")).data["warnings"]
    assert "cli-old@0 !" in (await shell("model", "show", "cli-old")).stdout
    await shell("model", "deprecate", "cli-old@0", "--undo")
    assert (await shell("model", "show", "cli-old@0")).stderr == ""
    nothing = await shell("model", "withdraw", "cli-old", code=9)
    assert "error[nothing-to-withdraw]" in nothing.stderr


async def test_an_audit_finds_a_key_of_another_model(
    shell: Shell, make_wallet: MakeWallet, tiny_model: TinyModel, tmp_path: Path
) -> None:
    await make_wallet("builder")
    other = await build_bundle(
        tiny_onnx(tmp_path / "other.onnx", seed=8),
        CalibrationData.from_arrays({"x": calibration_rows()}),
        tmp_path / "other",
        options=BuildOptions(name="other", chain_id=31337),
        keys=KeyCache(tiny_model.cache),
    )
    # The other model's circuit and keys, under this model's ONNX file: a poisoned version.
    manifest = json.loads((other.root / "manifest.json").read_text())
    stolen = (tiny_model.bundle.root / "model.onnx").read_bytes()
    (other.root / "model.onnx").write_bytes(stolen)
    honest = json.loads((tiny_model.bundle.root / "manifest.json").read_text())
    (entry,) = (file for file in honest["files"] if file["role"] == "model")
    manifest["files"] = [entry if file["role"] == "model" else file for file in manifest["files"]]
    text = json.dumps(manifest, sort_keys=True, indent=2, ensure_ascii=False) + "\n"
    (other.root / "manifest.json").write_text(text)

    await shell("model", "publish", other.root, "--name", "cli-poisoned")
    outcome = await shell("model", "audit", "cli-poisoned", code=4)
    assert "FAILED" in outcome.stdout
    assert outcome.stderr.startswith("error[audit-failed]")
    machine = await shell("--json", "model", "audit", "cli-poisoned", code=4)
    assert machine.data["ok"] is False
    assert machine.error["code"] == "audit-failed"


@pytest.mark.parametrize(
    ("change", "code", "exit_code"),
    [
        ({"--name": "No Name"}, "invalid-name", 2),
        ({"--royalty": "101"}, "invalid-royalty", 2),
        ({"--royalty": "0.001"}, "invalid-royalty", 2),
        ({"--royalty": "five"}, "invalid-royalty", 2),
        ({"--calibration": None}, "calibration-missing", 2),
        ({"--calibration": "/nowhere.npz"}, "invalid-calibration", 2),
        ({"source": "text"}, "not-onnx", 3),
        ({"source": "nowhere"}, "file-unreadable", 2),
        ({"source": "empty-folder"}, "", 6),
        ({"--binding": "both"}, "usage", 2),
    ],
)
async def test_refusals_publish_nothing(
    shell: Shell,
    make_wallet: MakeWallet,
    tiny_model: TinyModel,
    tmp_path: Path,
    change: dict[str, str | None],
    code: str,
    exit_code: int,
) -> None:
    await make_wallet("builder")
    (tmp_path / "text").write_text("this is no model")
    (tmp_path / "empty-folder").mkdir()
    source = tiny_model.onnx if "source" not in change else tmp_path / str(change.pop("source"))
    options = {"--name": "cli-unpublished", "--calibration": str(tiny_model.calibration)} | change
    arguments = [text for pair in options.items() if pair[1] is not None for text in pair]
    outcome = await shell("model", "publish", source, *arguments, "--json", code=exit_code)
    assert outcome.error["hint"]
    if code:
        assert outcome.error["code"] == code
    assert (await shell("model", "show", "cli-unpublished", code=10)).stdout == ""
    builds = shell.home / "builds"
    assert not builds.exists() or not any(builds.iterdir())  # nothing half-written


async def test_unknown_models(shell: Shell) -> None:
    for ref, code, exit_code in (
        ("cli-nowhere", "unknown-model", 10),
        ("cli-nowhere@0", "unknown-model", 10),
        ("99999999999", "unknown-version", 10),
        ("@x", "invalid-reference", 2),
    ):
        outcome = await shell("--json", "model", "show", ref, code=exit_code)
        assert outcome.error["code"] == code
        text = await shell("model", "show", ref, code=exit_code)
        assert text.stderr.startswith(f"error[{code}]: ")
        assert "\nhint: " in text.stderr


@pytest.mark.parametrize("bound", ["-1", "0", "nan", "inf"])
async def test_an_impossible_accuracy_bound_is_refused_at_once(
    bare_shell: Shell, tiny_model: TinyModel, bound: str
) -> None:
    refused = await bare_shell(
        *("model", "build", tiny_model.onnx, "--calibration", tiny_model.calibration),
        *("--name", "cli-bound", "--accuracy-bound", bound),
        code=2,
    )
    assert "an error is a number above 0" in refused.stderr


async def test_a_build_on_few_samples_says_so(
    shell: Shell, tiny_model: TinyModel, tmp_path: Path
) -> None:
    few = tmp_path / "few.json"
    few.write_text(json.dumps({"x": calibration_rows()[:2].tolist()}))
    built = await shell(
        "model", "build", tiny_model.onnx, "--calibration", few, "--name", "cli-few"
    )
    assert "only 2 calibration samples" in built.stderr
