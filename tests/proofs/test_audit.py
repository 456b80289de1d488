from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ezkl
import pytest
from gateless.core.ids import sha256_hex
from gateless.core.manifest import Manifest
from gateless_proofs import AuditReport, Bundle, KeyCache, audit_bundle
from gateless_proofs.vka import parse_vka, vka_digest
from proof_fixtures import LIMITS, Built, build, normal
from tiny_models import dense


def digest_of(bundle: Bundle) -> bytes:
    return bytes.fromhex(bundle.manifest.circuits[0].vka_digest.removeprefix("0x"))


async def audit(bundle: Bundle, cache: KeyCache, **options: Any) -> AuditReport:
    return await audit_bundle(bundle, cache, limits=LIMITS, **options)


def failed(report: AuditReport) -> tuple[str, str]:
    """Name and detail of the check that failed; there must be exactly one, the last."""
    assert not report.ok
    assert [check.ok for check in report.checks[:-1]] == [True] * (len(report.checks) - 1)
    last = report.checks[-1]
    assert not last.ok
    return last.name, last.detail


def forged(
    bundle: Bundle,
    root: Path,
    files: dict[str, bytes],
    edit: Callable[[dict[str, Any]], None] | None = None,
) -> Bundle:
    """A bundle with some files replaced and a manifest that agrees with all of them."""
    root.mkdir()
    data = bundle.manifest.model_dump(mode="json")
    for entry in data["files"]:
        content = files.get(entry["name"], (bundle.root / entry["name"]).read_bytes())
        (root / entry["name"]).write_bytes(content)
        entry["sha256"], entry["size"] = sha256_hex(content), len(content)
        if entry["role"] in data["circuits"][0]:
            data["circuits"][0][entry["role"]] = entry["sha256"]
    words = parse_vka((root / "vka.bin").read_bytes())
    data["circuits"][0]["vka_digest"] = vka_digest(words)
    if edit is not None:
        edit(data)
    manifest = Manifest.model_validate_json(json.dumps(data))
    (root / "manifest.json").write_bytes(manifest.to_bytes())
    return Bundle(root, manifest)


@pytest.fixture(scope="session")
async def twin(mlp: Built, tmp_path_factory: pytest.TempPathFactory, cache: KeyCache) -> Built:
    """The same architecture and the same numbers, but its outputs in reverse order."""
    folder = tmp_path_factory.mktemp("twin")
    model = dense(folder / "mlp.onnx", [4, 6, 3], mirrored=True)
    return await build(model, normal(12, 4), folder / "bundle", cache)


async def test_honest_bundles_pass(
    mlp: Built, committed: Built, rescaled: Built, cache: KeyCache
) -> None:
    for built in (mlp, committed, rescaled):
        seen: list[str] = []
        report = await audit(
            built.bundle,
            cache,
            onchain=[digest_of(built.bundle)],
            progress=lambda stage, _, seen=seen: seen.append(stage),
        )
        assert report.ok, report.checks
        names = [check.name for check in report.checks]
        assert names == [
            *("files", "on-chain", "settings", "srs", "circuit", "keys", "behaviour", "proof"),
            "repetition",
        ]
        assert seen == names


async def test_passes_with_an_empty_cache(mlp: Built, tmp_path: Path) -> None:
    assert (await audit(mlp.bundle, KeyCache(tmp_path, LIMITS))).ok


async def test_other_weights_in_the_whole_circuit_are_found(
    mlp: Built, twin: Built, tmp_path: Path, cache: KeyCache
) -> None:
    assert digest_of(mlp.bundle) != digest_of(twin.bundle)
    assert mlp.bundle.settings().read_bytes() == twin.bundle.settings().read_bytes()
    for name in ("circuit.compiled", "vk.key", "vka.bin"):
        assert (mlp.bundle.root / name).stat().st_size == (twin.bundle.root / name).stat().st_size
    onnx = {"model.onnx": mlp.bundle.model.read_bytes()}

    def name_the_right_model(data: dict[str, Any]) -> None:
        data["circuits"][0]["circuit_model"] = mlp.bundle.circuit().circuit_model

    fake = forged(twin.bundle, tmp_path / "fake", onnx, name_the_right_model)
    name, detail = failed(await audit(fake, cache, onchain=[digest_of(fake)]))
    assert name == "circuit"
    assert "not made from the ONNX file" in detail


async def test_passes_that_make_another_model_are_found(
    mlp: Built, tmp_path: Path, cache: KeyCache
) -> None:
    def other_passes(data: dict[str, Any]) -> None:
        entry = data["circuits"][0]
        entry["passes"] = [] if entry["passes"] else ["static"]

    fake = forged(mlp.bundle, tmp_path / "fake", {}, other_passes)
    name, detail = failed(await audit(fake, cache))
    assert name == "circuit"
    assert "passes" in detail


async def test_key_of_other_weights_is_found(
    mlp: Built, twin: Built, tmp_path: Path, cache: KeyCache
) -> None:
    keys = {name: (twin.bundle.root / name).read_bytes() for name in ("vk.key", "vka.bin")}
    fake = forged(mlp.bundle, tmp_path / "fake", keys)
    name, detail = failed(await audit(fake, cache, onchain=[digest_of(twin.bundle)]))
    assert name == "keys"
    assert mlp.bundle.manifest.circuits[0].vka_digest in detail


async def test_verifying_key_file_alone_is_found(
    mlp: Built, twin: Built, tmp_path: Path, cache: KeyCache
) -> None:
    fake = forged(
        mlp.bundle, tmp_path / "fake", {"vk.key": (twin.bundle.root / "vk.key").read_bytes()}
    )
    assert failed(await audit(fake, cache))[0] == "keys"


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("param_visibility", "Private"),
        ("param_visibility", "Hashed"),
        ("output_visibility", "Private"),
        ("input_visibility", "Private"),
        ("ignore_range_check_inputs_outputs", False),
        ("disable_freivalds", False),
    ],
)
async def test_unsound_settings_are_found(
    mlp: Built, tmp_path: Path, cache: KeyCache, argument: str, value: object
) -> None:
    settings = json.loads(mlp.bundle.settings().read_text())
    settings["run_args"][argument] = value
    fake = forged(mlp.bundle, tmp_path / "fake", {"settings.json": json.dumps(settings).encode()})
    name, detail = failed(await audit(fake, cache))
    assert name == "settings"
    assert argument in detail


async def test_private_weights_would_fit_any_model(
    mlp: Built, twin: Built, tmp_path: Path, cache: KeyCache
) -> None:
    """Why the settings check matters: with private weights the keys of two models are the same."""
    digests = []
    for built in (mlp, twin):
        folder = tmp_path / built.bundle.digest
        folder.mkdir()
        settings = json.loads(built.bundle.settings().read_text())
        settings["run_args"]["param_visibility"] = "Private"
        (folder / "settings.json").write_text(json.dumps(settings))
        ezkl.compile_circuit(
            str(built.bundle.model), str(folder / "c"), str(folder / "settings.json")
        )
        keys = await cache.circuit_keys(
            folder / "c", folder / "settings.json", "development", mlp.bundle.circuit().logrows
        )
        digests.append(keys.vka_digest)
    assert digests[0] == digests[1]


async def test_settings_that_do_not_follow_from_the_model_are_found(
    mlp: Built, tmp_path: Path, cache: KeyCache
) -> None:
    settings = json.loads(mlp.bundle.settings().read_text())
    settings["num_rows"] += 1
    fake = forged(mlp.bundle, tmp_path / "fake", {"settings.json": json.dumps(settings).encode()})
    assert failed(await audit(fake, cache))[0] == "circuit"


async def test_foreign_srs_is_found(mlp: Built, tmp_path: Path, cache: KeyCache) -> None:
    vka = bytearray((mlp.bundle.root / "vka.bin").read_bytes())
    vka[8 + 32 * 21] ^= 1
    fake = forged(mlp.bundle, tmp_path / "fake", {"vka.bin": bytes(vka)})
    name, detail = failed(await audit(fake, cache))
    assert name == "srs"
    assert "reference string" in detail


async def test_other_digest_on_chain_is_found(mlp: Built, twin: Built, cache: KeyCache) -> None:
    report = await audit(mlp.bundle, cache, onchain=[digest_of(twin.bundle)])
    assert failed(report)[0] == "on-chain"


async def test_tampered_file_is_found(mlp: Built, tmp_path: Path, cache: KeyCache) -> None:
    fake = forged(mlp.bundle, tmp_path / "fake", {})
    (fake.root / "README.md").write_text("something else")
    assert failed(await audit(fake, cache))[0] == "files"


async def test_rescaling_circuit_cannot_call_itself_exact(
    rescaled: Built, tmp_path: Path, cache: KeyCache
) -> None:
    def claim(data: dict[str, Any]) -> None:
        data["circuits"][0].update(exact=True, slack=[0], slack_kind="exact")

    fake = forged(rescaled.bundle, tmp_path / "fake", {}, claim)
    name, detail = failed(await audit(fake, cache))
    assert name == "circuit"
    assert "exact" in detail


async def test_less_slack_than_rescaling_leaves_is_found(
    rescaled: Built, tmp_path: Path, cache: KeyCache
) -> None:
    assert rescaled.bundle.manifest.circuits[0].slack[0] > 0

    def belittle(data: dict[str, Any]) -> None:
        data["circuits"][0].update(slack=[0])

    fake = forged(rescaled.bundle, tmp_path / "fake", {}, belittle)
    name, detail = failed(await audit(fake, cache))
    assert name == "circuit"
    assert "states 0" in detail


async def test_output_beyond_the_stated_bound_is_found(
    rescaled: Built, tmp_path: Path, cache: KeyCache
) -> None:
    def boast(data: dict[str, Any]) -> None:
        data["accuracy"].update(max_abs_error=0, mean_abs_error=0, bound=1e-9)

    fake = forged(rescaled.bundle, tmp_path / "fake", {}, boast)
    assert failed(await audit(fake, cache))[0] == "behaviour"
