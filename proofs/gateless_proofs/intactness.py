"""Whether a bundle's files are still what its manifest lists: disks damage files that are in use.

Digests are compared when a bundle is opened. What is damaged later reads as if the model or the
input were at fault, and whoever answers for either would pay for it.
"""

from __future__ import annotations

from gateless.core.errors import StorageError
from gateless.core.manifest import BundleFile, FileRole

from gateless_proofs.bundle import Bundle
from gateless_proofs.fingerprints import Fingerprints


async def require_intact(bundle: Bundle, fingerprints: Fingerprints, *, anew: bool = False) -> None:
    """Compares the files that jobs read with the manifest.

    Args:
        bundle: the version's files.
        fingerprints: digests by what the file system says: so this costs next to nothing where
            nobody wrote to a file.
        anew: read the files whatever the file system says: a disk that rots tells nobody.

    Raises:
        StorageError: ``bundle-damaged``.
    """
    for entry in _read_by_jobs(bundle):
        path = bundle.root / entry.name
        if anew:
            fingerprints.forget(path)
        try:
            found = await fingerprints.sha256(path)
        except OSError:
            found = "unreadable"
        if found != entry.sha256:
            raise StorageError(
                "bundle-damaged",
                f"{entry.name} of bundle {bundle.digest} is not the file any more that it was",
                hint="executors and watchtowers fetch it again by themselves; look at the disk",
                expected=entry.sha256,
                found=found,
            )


def _read_by_jobs(bundle: Bundle) -> list[BundleFile]:
    """Not the card, the samples and what else is for people."""
    manifest = bundle.manifest
    digests = {manifest.file(FileRole.MODEL).sha256}
    for circuit in manifest.circuits:
        digests |= {circuit.compiled_circuit, circuit.settings, circuit.verifying_key}
    return [entry for entry in manifest.files if entry.sha256 in digests]
