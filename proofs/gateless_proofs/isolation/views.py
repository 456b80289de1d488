"""What a confined process may read and write."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: arguments of operations that name a file or folder to read, and those to write to
_READ = ("model", "samples", "settings", "compiled", "proving_key", "verifying_key", "srs")
_WRITTEN = ("out",)
_WRITTEN_BESIDE = ("journal",)

_SYSTEM = (
    *("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache"),
    *("/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu", "/sys/devices/system/node"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom")


@dataclass(frozen=True, slots=True)
class View:
    """Files and folders, with all that is in them. Nothing else is in reach.

    Attributes:
        read: may be read.
        write: may be read and changed.
    """

    read: tuple[Path, ...] = ()
    write: tuple[Path, ...] = ()

    def covers(self, other: View) -> bool:
        """Whether all that another view permits is permitted here."""
        readable = (*self.read, *self.write)
        return all(_inside(path, readable) for path in other.read) and all(
            _inside(path, self.write) for path in other.write
        )

    def to_dict(self) -> dict[str, list[str]]:
        """JSON-ready."""
        return {"read": [str(path) for path in self.read], "write": [str(p) for p in self.write]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> View:
        """What :meth:`to_dict` wrote."""
        return cls(tuple(map(Path, data["read"])), tuple(map(Path, data["write"])))


def view_of(request: Mapping[str, Any]) -> View:
    """What a job needs: exactly the files that its arguments name."""
    read = [Path(request[name]) for name in _READ if isinstance(request.get(name), str)]
    write = [Path(request[name]) for name in _WRITTEN if name in request]
    write += [Path(request[name]).parent for name in _WRITTEN_BESIDE if name in request]
    return View(_absolute(read), _absolute(write))


def folders_of(request: Mapping[str, Any], shared: Iterable[Path] = ()) -> View:
    """What the jobs of one bundle need: the folders of the files that one of them names, and those
    that all share."""
    named = view_of(request)
    return View(_absolute([*(path.parent for path in named.read), *shared]), named.write)


def runtime_files() -> tuple[Path, ...]:
    """What Python and the libraries are read from: the same for every job."""
    own = [Path(entry) for name in ("gateless", "gateless_proofs") for entry in _package(name)]
    paths = sysconfig.get_paths()
    libraries = [Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    if site.ENABLE_USER_SITE:
        libraries.append(Path(site.getusersitepackages()))
    installed = [Path(e) for e in sys.path if Path(e).name in ("site-packages", "dist-packages")]
    base = Path(sys.base_prefix) / "lib"
    found = [*own, *libraries, *installed, base, *map(Path, _SYSTEM)]
    return tuple(path for path in _absolute(found) if os.path.exists(path))


def device_files() -> tuple[Path, ...]:
    """Devices that are no way out."""
    return tuple(path for path in map(Path, _DEVICES) if os.path.exists(path))


def _package(name: str) -> list[str]:
    return list(getattr(sys.modules.get(name), "__path__", ()))


def _absolute(paths: list[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(Path(os.path.abspath(path)) for path in paths))


def _inside(path: Path, folders: tuple[Path, ...]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)
