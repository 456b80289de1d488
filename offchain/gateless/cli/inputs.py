"""Reads the values of an inference from a file or from stdin."""

from __future__ import annotations

import io
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from gateless.core.errors import InputError

MAX_INPUT_FILE_BYTES = 64 << 20
_MAX_DEPTH = 64
#: what numpy raises for files that are damaged or claim absurd sizes
_NUMPY_FAULTS = (ValueError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile)
_BRACKET = re.compile(rb"[\[\]{}]")
_FORMATS = "give a .json, .npy or .npz file, or '-' to read JSON or .npy from stdin"


def read_inputs(source: str) -> Any:
    """Values of an inference: one array, or a mapping from input name to array.

    Raises:
        InputError: ``input-unreadable``, ``input-too-large``, ``input-format``.
    """
    if source == "-":
        data = sys.stdin.buffer.read(MAX_INPUT_FILE_BYTES + 1)
    else:
        try:
            with Path(source).expanduser().open("rb") as file:
                data = file.read(MAX_INPUT_FILE_BYTES + 1)
        except OSError as error:
            raise InputError(
                "input-unreadable",
                f"cannot read {source}: {error.strerror or error}",
                hint=_FORMATS,
            ) from error
    if len(data) > MAX_INPUT_FILE_BYTES:
        raise InputError(
            "input-too-large",
            f"{source} is larger than {MAX_INPUT_FILE_BYTES >> 20} MiB",
            hint="an inference takes one row of data",
        )
    return parse_inputs(data, source)


def parse_inputs(data: bytes, source: str) -> Any:
    """Reads bytes as ``.npy``, ``.npz`` or JSON, told apart by how they begin."""
    if data.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        try:
            loaded = np.load(io.BytesIO(data), allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                return loaded
            return {name: loaded[name] for name in loaded.files}
        except _NUMPY_FAULTS as error:
            raise InputError(
                "input-format", f"{source} is not a readable numpy file: {error}", hint=_FORMATS
            ) from error
    if _depth(data) > _MAX_DEPTH:
        # A library raises Python's recursion limit so far that the parser would crash the process.
        raise InputError(
            "input-format", f"{source} is nested deeper than {_MAX_DEPTH} levels", hint=_FORMATS
        )
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InputError(
            "input-format", f"{source} is neither JSON nor a numpy file: {error}", hint=_FORMATS
        ) from error


def _depth(data: bytes) -> int:
    """Deepest nesting of brackets; those inside of texts count too, which does no harm here."""
    depth = deepest = 0
    for match in _BRACKET.finditer(data):
        if match[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest
