"""Judgements: certain ones only. A slack is respected to the unit."""

from __future__ import annotations

import hashlib
import secrets
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from eth_utils.crypto import keccak
from gateless.core.errors import GatelessError, ProofError, StorageError
from gateless.core.packing import pack, unpack
from gateless.core.types import InputBinding
from gateless.daemon.versions import ReadyVersion
from gateless.devnet import Devnet
from gateless.sdk.tensors import pack_inputs
from gateless.watchtower.audits import VersionAudits
from gateless.watchtower.judging import Judge, Judgement, Statement, Verdict
from gateless_proofs import Bundle, KeyCache, Limits, Prover
from market_fixtures import ROW, MakeServed, Served, TinyModel

VERSION = 1 << 32


class Prepared:
    """Versions that are ready already, or never."""

    def __init__(self, ready: ReadyVersion, fault: GatelessError | None = None) -> None:
        self._ready = ready
        self._fault = fault

    async def prepare(self, version_id: int) -> ReadyVersion:
        if self._fault is not None:
            raise self._fault
        return self._ready


class Audited:
    """Audits that were made already."""

    def __init__(self, flaw: str = "") -> None:
        self._flaw = flaw

    async def flaw(self, ready: ReadyVersion) -> str:
        return self._flaw


@pytest_asyncio.fixture(scope="module")
async def truth(tiny_model: TinyModel) -> tuple[bytes, bytes]:
    """An input and the circuit's output for it."""
    packed = pack_inputs(tiny_model.bundle.manifest, ROW)
    witness = await Prover(KeyCache(tiny_model.cache)).witness(tiny_model.bundle, packed)
    return packed, witness.packed_output


@pytest_asyncio.fixture
async def served(devnet: Devnet, make_served: MakeServed) -> Served:
    return await make_served(f"judged-{secrets.token_hex(4)}")


def with_slack(bundle: Bundle, slack: int) -> Bundle:
    """The same bundle, whose manifest grants a prover some freedom."""
    circuit = bundle.manifest.circuits[0].model_copy(
        update={"exact": False, "slack": (slack,), "slack_kind": "bound"}
    )
    return replace(bundle, manifest=bundle.manifest.model_copy(update={"circuits": (circuit,)}))


def moved(bundle: Bundle, output: bytes, by: int) -> bytes:
    """An output of which the first value is another by so many units."""
    specs = bundle.schema.outputs
    values = [list(tensor) for tensor in unpack(output, specs)]
    values[0][0] += by
    return pack(values, specs)


class Court:
    """Judges statements about one version."""

    def __init__(self, served: Served, cache: Path, bundle: Bundle, flaw: str = "") -> None:
        self._served, self._cache, self._bundle, self._flaw = served, cache, bundle, flaw

    async def judge(self, fault: GatelessError | None = None, **changes: Any) -> Judgement:
        chain = self._served.executor.client.chain
        info = await chain.registry.version(self._served.published.version_id)
        versions = Prepared(ReadyVersion(info, self._bundle, 0), fault)
        judge = Judge(versions, Prover(KeyCache(self._cache)), Audited(self._flaw))  # type: ignore[arg-type]
        assert info.binding is InputBinding.PACKED
        said = {
            "version_id": info.version_id,
            "input_binding": keccak(changes["packed_input"] or b""),
            "input_digest": keccak(changes["packed_input"] or b""),
            "packed_output": None,
            **changes,
        }
        return await judge.judge(Statement(**said))


async def test_an_exact_circuit_decides_by_the_digest(
    served: Served, tiny_model: TinyModel, truth: tuple[bytes, bytes]
) -> None:
    packed, output = truth
    assert tiny_model.bundle.manifest.circuits[0].exact
    court = Court(served, tiny_model.cache, tiny_model.bundle)
    right = await court.judge(packed_input=packed, output_digest=keccak(output))
    assert right.verdict is Verdict.RIGHT
    by_one = moved(tiny_model.bundle, output, 1)
    wrong = await court.judge(packed_input=packed, output_digest=keccak(by_one))
    assert (wrong.verdict, wrong.code) == (Verdict.WRONG, "other-output")


@pytest.mark.parametrize(
    ("by", "verdict", "code"),
    [
        (3, Verdict.RIGHT, "within-slack"),
        (-3, Verdict.RIGHT, "within-slack"),
        (4, Verdict.WRONG, "beyond-slack"),
        (-4, Verdict.WRONG, "beyond-slack"),
    ],
)
async def test_a_slack_is_respected_to_the_unit(
    served: Served,
    tiny_model: TinyModel,
    truth: tuple[bytes, bytes],
    by: int,
    verdict: Verdict,
    code: str,
) -> None:
    packed, output = truth
    bundle = with_slack(tiny_model.bundle, 3)
    claimed = moved(bundle, output, by)
    found = await Court(served, tiny_model.cache, bundle).judge(
        packed_input=packed, packed_output=claimed, output_digest=keccak(claimed)
    )
    assert (found.verdict, found.code) == (verdict, code)


async def test_with_a_slack_the_digest_alone_decides_nothing(
    served: Served, tiny_model: TinyModel, truth: tuple[bytes, bytes]
) -> None:
    packed, output = truth
    court = Court(served, tiny_model.cache, with_slack(tiny_model.bundle, 3))
    claimed = moved(tiny_model.bundle, output, 50)
    found = await court.judge(packed_input=packed, output_digest=keccak(claimed))
    assert (found.verdict, found.code) == (Verdict.UNDECIDED, "output-missing")
    other = await court.judge(
        packed_input=packed, packed_output=output, output_digest=keccak(claimed)
    )
    assert (other.verdict, other.code) == (Verdict.UNDECIDED, "output-missing")
    short = await court.judge(
        packed_input=packed, packed_output=b"\x00", output_digest=keccak(b"\x00")
    )
    assert (short.verdict, short.code) == (Verdict.WRONG, "wrong-length")


async def test_what_is_not_known_for_sure_is_undecided(
    served: Served, tiny_model: TinyModel, truth: tuple[bytes, bytes]
) -> None:
    packed, _ = truth
    court = Court(served, tiny_model.cache, tiny_model.bundle)
    lie = keccak(b"a lie")
    missing = await court.judge(packed_input=None, output_digest=lie)
    assert (missing.verdict, missing.code) == (Verdict.UNDECIDED, "input-missing")
    other = await court.judge(packed_input=packed, input_digest=lie, output_digest=lie)
    assert (other.verdict, other.code) == (Verdict.UNDECIDED, "input-digest-mismatch")
    bound = await court.judge(packed_input=packed, input_binding=lie, output_digest=lie)
    assert (bound.verdict, bound.code) == (Verdict.UNDECIDED, "input-binding-mismatch")


@pytest.mark.parametrize(
    "fault",
    [
        StorageError("content-not-found", "nobody has the files"),
        StorageError("manifest-mismatch", "the publisher cheats"),
        ProofError("key-mismatch", "the key is of another circuit"),
    ],
    ids=lambda fault: fault.code,
)
async def test_a_bundle_that_cannot_be_had_or_verified_proves_no_lie(
    served: Served, tiny_model: TinyModel, truth: tuple[bytes, bytes], fault: GatelessError
) -> None:
    packed, _ = truth
    court = Court(served, tiny_model.cache, tiny_model.bundle)
    found = await court.judge(fault, packed_input=packed, output_digest=keccak(b"a lie"))
    assert (found.verdict, found.code, found.passing) == (Verdict.UNDECIDED, fault.code, True)


async def test_a_circuit_that_rotted_proves_no_lie(
    served: Served, tiny_model: TinyModel, truth: tuple[bytes, bytes], tmp_path: Path
) -> None:
    packed, _ = truth
    own = replace(tiny_model.bundle, root=tmp_path / "bundle")
    shutil.copytree(tiny_model.bundle.root, own.root)
    own.compiled().write_bytes(own.compiled().read_bytes()[:-1])
    court = Court(served, tiny_model.cache, own)
    found = await court.judge(packed_input=packed, output_digest=keccak(b"a lie"))
    assert (found.verdict, found.code, found.passing) == (
        Verdict.UNDECIDED,
        "bundle-damaged",
        True,
    )


async def test_bytes_that_are_no_input_can_have_no_proof(
    served: Served, tiny_model: TinyModel
) -> None:
    court = Court(served, tiny_model.cache, tiny_model.bundle)
    found = await court.judge(packed_input=b"\x00", output_digest=keccak(b"anything"))
    assert (found.verdict, found.code) == (Verdict.WRONG, "wrong-length")


async def test_a_version_whose_key_leaves_a_choice_is_not_challenged(
    served: Served, tiny_model: TinyModel, truth: tuple[bytes, bytes]
) -> None:
    packed, output = truth
    court = Court(served, tiny_model.cache, tiny_model.bundle, flaw="settings: weights are open")
    lie = await court.judge(packed_input=packed, output_digest=keccak(b"a lie"))
    assert (lie.verdict, lie.code, lie.passing) == (Verdict.UNDECIDED, "audit-failed", True)
    assert "weights are open" in lie.text
    true = await court.judge(packed_input=packed, output_digest=keccak(output))
    assert true.verdict is Verdict.RIGHT


async def test_audits_pass_what_is_sound_and_name_what_is_not(
    served: Served, tiny_model: TinyModel, tmp_path: Path
) -> None:
    chain = served.executor.client.chain
    info = await chain.registry.version(served.published.version_id)
    audits = VersionAudits(KeyCache(tiny_model.cache), Limits())
    assert await audits.flaw(ReadyVersion(info, tiny_model.bundle, 0)) == ""
    # Settings that leave the weights to the prover, as a cheating publisher would publish them.
    root = tmp_path / "bundle"
    shutil.copytree(tiny_model.bundle.root, root)
    opened = replace(tiny_model.bundle, root=root)
    path = opened.settings(0)
    text = path.read_text().replace('"param_visibility": "Fixed"', '"param_visibility": "Private"')
    assert text != path.read_text()
    path.chmod(0o644)
    path.write_text(text)
    fresh = VersionAudits(KeyCache(tiny_model.cache), Limits())
    assert (await fresh.flaw(ReadyVersion(info, opened, 0))).startswith("files: ")
    circuit = opened.manifest.circuits[0]
    digest = hashlib.sha256(text.encode()).hexdigest()
    files = tuple(
        entry.model_copy(update={"sha256": digest, "size": len(text.encode())})
        if entry.sha256 == circuit.settings
        else entry
        for entry in opened.manifest.files
    )
    forged = opened.manifest.model_copy(
        update={
            "files": files,
            "circuits": (circuit.model_copy(update={"settings": digest}),),
        }
    )
    poisoned = ReadyVersion(info, replace(opened, manifest=forged), 0)
    assert (await fresh.flaw(poisoned)).startswith("settings: ")
