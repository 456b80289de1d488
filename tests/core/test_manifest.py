from __future__ import annotations

import json
from typing import Any

import pytest
from gateless.core.errors import StorageError
from gateless.core.execution import Execution, RepeatCheck
from gateless.core.ids import sha256_hex
from gateless.core.manifest import (
    MAX_MANIFEST_BYTES,
    Accuracy,
    Binding,
    BundleFile,
    CircuitEntry,
    FileRole,
    Goal,
    Manifest,
    Plan,
    PlanCandidate,
    Provenance,
    Srs,
    Tensor,
    parse_manifest,
)
from hypothesis import given
from hypothesis import strategies as st

ZERO = "00" * 32
WORD = "0x" + ZERO


def manifest(**changes: Any) -> Manifest:
    tensor = Tensor(name="x", shape=(1, 4), width=2, scale_bits=7, onnx_dtype="FLOAT")
    fields: dict[str, Any] = {
        "name": "digits",
        "files": (BundleFile(role=FileRole.MODEL, name="model.onnx", sha256=ZERO, size=1),),
        "inputs": (tensor,),
        "outputs": (tensor,),
        "binding": Binding.PACKED,
        "circuits": (
            CircuitEntry(
                batch_size=1,
                logrows=9,
                vka_digest=WORD,
                proof_length=1952,
                settings=ZERO,
                compiled_circuit=ZERO,
                verifying_key=ZERO,
                vka=ZERO,
                circuit_model=ZERO,
                exact=True,
                slack=(0,),
                slack_kind="exact",
                prove_seconds=0.25,
                prove_memory_bytes=1 << 26,
            ),
        ),
        "accuracy": Accuracy(samples=3, max_abs_error=0.25, mean_abs_error=0.125, bound=0.5),
        "execution": Execution(
            runtime="x86_64 avx2; onnxruntime 1.31.1; threads=1",
            samples=3,
            checks=(RepeatCheck(what="again", same=True, required=True),),
        ),
        "srs": Srs(kind="development", logrows=9, g2=(WORD, WORD, WORD, WORD)),
        "provenance": Provenance(
            gateless="0.1.0", ezkl="23.0.5", onnxruntime="1.31.1", onnx="1.23.2", opset=17
        ),
        "plan": Plan(
            goal=Goal.BALANCED,
            seed=0,
            bound_kind="absolute",
            candidates=(PlanCandidate(input_scale=7, param_scale=7, multiplier=10),),
            considered=1,
            winners=(0,),
            why="the only one",
        ),
    }
    return Manifest(**(fields | changes))


names = st.text(max_size=40).filter(lambda text: "\x00" not in text)


@given(names, names, st.lists(names, max_size=4), st.floats(0, 1e6))
def test_canonical_form_reads_back(
    name: str, description: str, tags: list[str], bound: float
) -> None:
    accuracy = Accuracy(samples=1, max_abs_error=0, mean_abs_error=0, bound=bound)
    made = manifest(name=name, description=description, tags=tuple(tags), accuracy=accuracy)
    data = made.to_bytes()
    again = parse_manifest(data)
    assert again == made
    assert again.to_bytes() == data
    assert made.digest() == sha256_hex(data)


def test_canonical_form_is_sorted_indented_utf8_with_a_newline() -> None:
    data = manifest(name="Ziffern ä 数字").to_bytes()
    assert data.endswith(b"}\n")
    assert "Ziffern ä 数字".encode() in data
    read = json.loads(data)
    assert list(read) == sorted(read)
    assert data == (json.dumps(read, sort_keys=True, indent=2, ensure_ascii=False) + "\n").encode()


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: data.replace(b"  ", b"   ", 1),
        lambda data: json.dumps(json.loads(data)).encode(),
        lambda data: b"\xef\xbb\xbf" + data,
    ],
)
def test_other_spellings_are_refused(change: Any) -> None:
    with pytest.raises(StorageError) as error:
        parse_manifest(change(manifest().to_bytes()))
    assert error.value.code == "invalid-manifest"


def circuit_edited(**changes: Any) -> bytes:
    data = json.loads(manifest().to_bytes())
    data["circuits"][0] |= changes
    return (json.dumps(data, sort_keys=True, indent=2) + "\n").encode()


def edited(**changes: Any) -> bytes:
    data = json.loads(manifest().to_bytes()) | changes
    return (json.dumps(data, sort_keys=True, indent=2) + "\n").encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not json",
        b"[]",
        edited(format="gateless/manifest/2"),
        edited(surprise=1),
        edited(inputs=[]),
        edited(binding="hashed"),
        circuit_edited(digit_bits=20),
        circuit_edited(digits_per_word=3),
        circuit_edited(digit_bits=64, digits_per_word=4),
        circuit_edited(slack=[1]),
        circuit_edited(exact=False),
        circuit_edited(exact=False, slack_kind="bound", slack=[-1]),
        edited(files=[{"role": "model", "name": "../model", "sha256": ZERO, "size": 1}]),
        edited(files=[{"role": "model", "name": ".hidden", "sha256": ZERO, "size": 1}]),
        edited(files=[{"role": "model", "name": "a/b", "sha256": ZERO, "size": 1}]),
        edited(files=[{"role": "model", "name": "m", "sha256": "xyz", "size": 1}]),
        edited(files=[{"role": "model", "name": "m", "sha256": ZERO, "size": -1}]),
        b" " * (MAX_MANIFEST_BYTES + 1),
    ],
)
def test_broken_manifests_are_refused(data: bytes) -> None:
    with pytest.raises(StorageError) as error:
        parse_manifest(data)
    assert error.value.code == "invalid-manifest"


def test_file_by_role_must_be_the_only_one() -> None:
    assert manifest().file(FileRole.MODEL).name == "model.onnx"
    twice = manifest(files=manifest().files * 2)
    for listed, role in ((twice, FileRole.MODEL), (manifest(), FileRole.CARD)):
        with pytest.raises(StorageError) as error:
            listed.file(role)
        assert error.value.code == "file-not-in-manifest"


def test_schema_follows_from_the_tensors() -> None:
    schema = manifest().schema_of_io()
    assert schema.inputs[0].packed_length == 8
    assert schema.encode().hex() == "0101" + "020700000004" * 2
