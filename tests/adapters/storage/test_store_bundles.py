from __future__ import annotations

from pathlib import Path

import pytest
from gateless.adapters.storage import LocalStore, fetch_bundle, put_bundle
from gateless.core.errors import StorageError
from gateless.core.execution import Execution
from gateless.core.ids import sha256_hex
from gateless.core.manifest import (
    Accuracy,
    Binding,
    BundleFile,
    FileRole,
    Goal,
    Manifest,
    Plan,
    Provenance,
    Tensor,
)

FILES = {"network.onnx": b"model bytes", "settings.json": b"{}", "README.md": b"# card"}
ROLES = (FileRole.MODEL, FileRole.SETTINGS, FileRole.CARD)


def manifest_of(files: tuple[BundleFile, ...]) -> Manifest:
    tensor = Tensor(name="x", shape=(1, 2), width=4, scale_bits=0, onnx_dtype="FLOAT")
    return Manifest(
        name="tiny",
        files=files,
        inputs=(tensor,),
        outputs=(tensor,),
        binding=Binding.PACKED,
        circuits=(),
        accuracy=Accuracy(samples=1, max_abs_error=0, mean_abs_error=0, bound=0),
        execution=Execution(runtime="none", samples=1, checks=()),
        srs=None,
        provenance=Provenance(gateless="0", ezkl="0", onnxruntime="0", onnx="0", opset=17),
        plan=Plan(
            goal=Goal.BALANCED,
            seed=0,
            bound_kind="absolute",
            candidates=(),
            considered=0,
            winners=(),
            why="",
        ),
    )


def entries(files: dict[str, bytes]) -> tuple[BundleFile, ...]:
    return tuple(
        BundleFile(role=role, name=name, sha256=sha256_hex(data), size=len(data))
        for role, (name, data) in zip(ROLES, files.items(), strict=True)
    )


def write_bundle(root: Path) -> Manifest:
    root.mkdir()
    for name, data in FILES.items():
        (root / name).write_bytes(data)
    manifest = manifest_of(entries(FILES))
    (root / "manifest.json").write_bytes(manifest.to_bytes())
    return manifest


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path / "store")


async def test_a_bundle_comes_back_as_it_was(store: LocalStore, tmp_path: Path) -> None:
    manifest = write_bundle(tmp_path / "bundle")
    digest = await put_bundle(store, tmp_path / "bundle")
    assert digest == manifest.digest()
    shares: list[float] = []
    dest = await fetch_bundle(
        store, digest, tmp_path / "fetched", lambda _, share: shares.append(share)
    )
    assert {path.name: path.read_bytes() for path in dest.iterdir()} == {
        **FILES,
        "manifest.json": manifest.to_bytes(),
    }
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


async def test_a_tampered_file_leaves_no_bundle(store: LocalStore, tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle")
    digest = await put_bundle(store, tmp_path / "bundle")
    store.path_of(sha256_hex(FILES["settings.json"])).write_bytes(b"[]")
    with pytest.raises(StorageError) as caught:
        await fetch_bundle(store, digest, tmp_path / "out" / "fetched")
    assert caught.value.code == "content-tampered"
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_missing_file_leaves_no_bundle(store: LocalStore, tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle")
    digest = await put_bundle(store, tmp_path / "bundle")
    store.path_of(sha256_hex(FILES["README.md"])).unlink()
    with pytest.raises(StorageError) as caught:
        await fetch_bundle(store, digest, tmp_path / "out" / "fetched")
    assert caught.value.code == "content-not-found"
    assert list((tmp_path / "out").iterdir()) == []


async def test_a_damaged_earlier_fetch_is_replaced_and_a_good_one_kept(
    store: LocalStore, tmp_path: Path
) -> None:
    write_bundle(tmp_path / "bundle")
    digest = await put_bundle(store, tmp_path / "bundle")
    dest = await fetch_bundle(store, digest, tmp_path / "fetched")
    inode = dest.stat().st_ino
    assert (await fetch_bundle(store, digest, dest)).stat().st_ino == inode
    (dest / "network.onnx").write_bytes(b"model BYTES")
    (dest / "stray").write_bytes(b"")
    await fetch_bundle(store, digest, dest)
    assert (dest / "network.onnx").read_bytes() == FILES["network.onnx"]
    assert not (dest / "stray").exists()


async def test_damaged_files_are_repaired_in_their_folder(
    store: LocalStore, tmp_path: Path
) -> None:
    """Processes that were given the folder see it repaired: a new one would not be theirs."""
    write_bundle(tmp_path / "bundle")
    digest = await put_bundle(store, tmp_path / "bundle")
    dest = await fetch_bundle(store, digest, tmp_path / "fetched")
    folder, kept = dest.stat().st_ino, (dest / "README.md").stat().st_ino
    (dest / "network.onnx").write_bytes(b"model BYTES")
    (dest / "settings.json").unlink()
    (dest / "manifest.json").write_bytes(b"")
    await fetch_bundle(store, digest, dest)
    assert dest.stat().st_ino == folder
    assert (dest / "README.md").stat().st_ino == kept
    for name, data in FILES.items():
        assert (dest / name).read_bytes() == data
    assert sha256_hex((dest / "manifest.json").read_bytes()) == digest


async def test_an_empty_folder_is_filled_at_once(store: LocalStore, tmp_path: Path) -> None:
    write_bundle(tmp_path / "bundle")
    digest = await put_bundle(store, tmp_path / "bundle")
    store.path_of(sha256_hex(FILES["README.md"])).unlink()
    (tmp_path / "fetched").mkdir()
    with pytest.raises(StorageError):
        await fetch_bundle(store, digest, tmp_path / "fetched")
    assert list((tmp_path / "fetched").iterdir()) == []


async def test_a_file_larger_than_listed_is_refused(store: LocalStore, tmp_path: Path) -> None:
    digest = await store.put(b"ten bytes!")
    entry = BundleFile(role=FileRole.MODEL, name="m.onnx", sha256=digest, size=9)
    manifest = await store.put(manifest_of((entry,)).to_bytes())
    with pytest.raises(StorageError) as caught:
        await fetch_bundle(store, manifest, tmp_path / "out")
    assert caught.value.code == "content-too-large"
    with pytest.raises(StorageError) as caught:
        await fetch_bundle(store, manifest, tmp_path / "out", max_bytes=8)
    assert caught.value.code == "content-too-large"


@pytest.mark.parametrize(
    "names",
    [
        ("../escape",),
        ("/etc/passwd",),
        ("a/b",),
        ("a\\b",),
        ("..",),
        (".hidden",),
        ("manifest.json",),
        ("Manifest.JSON",),
        ("same", "SAME"),
    ],
)
async def test_names_that_would_leave_the_folder_or_collide_are_refused(
    store: LocalStore, tmp_path: Path, names: tuple[str, ...]
) -> None:
    digest = await store.put(b"x")
    # model_construct skips the manifest's own validation of names: the bytes are an attacker's.
    files = tuple(
        BundleFile.model_construct(role=FileRole.MODEL, name=name, sha256=digest, size=1)
        for name in names
    )
    data = manifest_of(()).model_copy(update={"files": files}).to_bytes()
    manifest = await store.put(data)
    with pytest.raises(StorageError) as caught:
        await fetch_bundle(store, manifest, tmp_path / "out" / "fetched")
    assert caught.value.code == "invalid-manifest"
    assert not (tmp_path / "out").exists()


async def test_what_is_no_manifest_is_refused(store: LocalStore, tmp_path: Path) -> None:
    digest = await store.put(b'{"format": "something else"}')
    with pytest.raises(StorageError) as caught:
        await fetch_bundle(store, digest, tmp_path / "fetched")
    assert caught.value.code == "invalid-manifest"
    with pytest.raises(StorageError) as caught:
        await put_bundle(store, tmp_path)
    assert caught.value.code == "invalid-manifest"


async def test_storing_a_bundle_whose_file_changed_is_refused(
    store: LocalStore, tmp_path: Path
) -> None:
    manifest = write_bundle(tmp_path / "bundle")
    (tmp_path / "bundle" / "settings.json").write_bytes(b"{ }")
    with pytest.raises(StorageError) as caught:
        await put_bundle(store, tmp_path / "bundle")
    assert caught.value.code == "content-tampered"
    assert not await store.has(manifest.digest())
