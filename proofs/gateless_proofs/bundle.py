"""A bundle on disk: the manifest and the files that it lists, each checked against its digest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from gateless.core.errors import NotFoundError, StorageError
from gateless.core.ids import parse_digest
from gateless.core.manifest import BundleFile, CircuitEntry, FileRole, Manifest, parse_manifest
from gateless.core.packing import IoSchema

from gateless_proofs.vka import parse_vka

MANIFEST_NAME = "manifest.json"


@dataclass(frozen=True, slots=True)
class Bundle:
    """A version's files.

    Attributes:
        root: folder that holds them under the names of the manifest.
        manifest: the parsed manifest.
    """

    root: Path
    manifest: Manifest

    @property
    def digest(self) -> str:
        """sha256 of the manifest, hex."""
        return self.manifest.digest()

    @property
    def schema(self) -> IoSchema:
        """Inputs and outputs as they are packed."""
        return self.manifest.schema_of_io()

    @property
    def model(self) -> Path:
        """The ONNX file."""
        return self.root / self.manifest.file(FileRole.MODEL).name

    def path(self, sha256: str) -> Path:
        """A file by its digest.

        Raises:
            StorageError: ``file-not-in-manifest``.
        """
        for entry in self.manifest.files:
            if entry.sha256 == sha256:
                return self.root / entry.name
        raise StorageError("file-not-in-manifest", f"the manifest lists no file {sha256}")

    def circuit(self, index: int = 0) -> CircuitEntry:
        """One of the version's circuits.

        Raises:
            NotFoundError: ``unknown-circuit``.
        """
        if not 0 <= index < len(self.manifest.circuits):
            raise NotFoundError(
                "unknown-circuit",
                f"the bundle has {len(self.manifest.circuits)} circuits, none with index {index}",
            )
        return self.manifest.circuits[index]

    def circuit_for(self, rows: int) -> int:
        """Index of the circuit that takes so many inferences in one proof at the least cost: the
        smallest that holds them all, otherwise the largest there is."""
        sizes = [entry.batch_size for entry in self.manifest.circuits]
        holding = [size for size in sizes if size >= rows]
        return sizes.index(min(holding) if holding else max(sizes))

    def settings(self, index: int = 0) -> Path:
        """ezkl's settings of a circuit."""
        return self.path(self.circuit(index).settings)

    def compiled(self, index: int = 0) -> Path:
        """The compiled circuit."""
        return self.path(self.circuit(index).compiled_circuit)

    def verifying_key(self, index: int = 0) -> Path:
        """halo2's verifying key."""
        return self.path(self.circuit(index).verifying_key)

    def vka_words(self, index: int = 0) -> list[bytes]:
        """The words to register on chain."""
        return parse_vka(self.path(self.circuit(index).vka).read_bytes())


def load_bundle(root: Path, manifest_digest: str | None = None) -> Bundle:
    """Opens a bundle and checks the digest of every file.

    Args:
        root: the bundle's folder.
        manifest_digest: what the chain says, hex or CID; unchecked if absent.

    Raises:
        StorageError: ``content-not-found``, ``content-tampered``, ``invalid-manifest``.
    """
    path = root / MANIFEST_NAME
    if not path.is_file():
        raise _missing(path)
    manifest = parse_manifest(path.read_bytes())
    if manifest_digest is not None and manifest.digest() != parse_digest(manifest_digest):
        raise StorageError(
            "content-tampered",
            f"the manifest in {root} is not the one asked for",
            hint="fetch the bundle again, from another host",
            expected=manifest_digest,
            found=manifest.digest(),
        )
    for entry in manifest.files:
        check_file(root, entry)
    return Bundle(root.resolve(), manifest)


def check_file(root: Path, entry: BundleFile) -> None:
    """Compares a file with its entry in the manifest."""
    path = root / entry.name
    if not path.is_file():
        raise _missing(path)
    found = sha256_of(path) if path.stat().st_size == entry.size else "another size"
    if found != entry.sha256:
        raise StorageError(
            "content-tampered",
            f"{entry.name} is not the file that the manifest names",
            hint="fetch the bundle again, from another host",
            expected=entry.sha256,
            found=found,
        )


def sha256_of(path: Path) -> str:
    """sha256 of a file, hex, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _missing(path: Path) -> StorageError:
    return StorageError(
        "content-not-found",
        f"there is no file {path}",
        hint="give the folder of a complete bundle",
    )
