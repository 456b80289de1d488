"""Publishing: the whole way, resuming, refusals."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from gateless.adapters.chain import registry_calls
from gateless.adapters.chain.sender import Sender
from gateless.adapters.storage import put_bundle
from gateless.core.errors import ConfigError, GatelessError, InputError, NotFoundError, StorageError
from gateless.core.types import TrustMode, VersionParams
from gateless.sdk import Step
from gateless_proofs import load_bundle
from market_fixtures import MakeAccount, MakeServed, TinyModel


async def test_a_bundle_becomes_a_version(make_account: MakeAccount, tiny_model: TinyModel) -> None:
    builder = await make_account()
    steps: list[Step] = []
    done = await builder.client.publish(
        tiny_model.bundle,
        "publish-whole",
        royalty_bps=750,
        alias="stable",
        uri="https://store.example.org",
        progress=steps.append,
    )
    assert not done.already_published
    assert {"store-bundle", "send"} <= {step.stage for step in steps}

    details = await builder.client.model("publish-whole")
    assert details.model.holder == builder.address
    assert details.aliases == {"latest": done.version_id, "stable": done.version_id}
    (version,) = details.versions
    assert version.manifest_digest == tiny_model.bundle.digest == done.manifest_digest
    assert version.royalty_bps == 750
    measured = tiny_model.bundle.manifest.circuits[0].prove_seconds
    assert 0 < measured <= version.proof_seconds < measured + 1
    assert version.allows(TrustMode.ZK) and not version.allows(TrustMode.QUORUM)
    assert version.uri == "https://store.example.org"
    for ref in ("publish-whole", "publish-whole@stable", "publish-whole@0", done.version_id):
        resolved = await builder.client.resolve(ref)
        assert resolved.version == version
        assert resolved.warnings == ()
    assert await builder.client.manifest("publish-whole") == tiny_model.bundle.manifest


async def test_publishing_again_sends_nothing(
    make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    first = await builder.client.publish(tiny_model.bundle, "publish-twice", alias="stable")
    block = (await builder.client.chain.block()).number
    second = await builder.client.publish(tiny_model.bundle, "publish-twice", alias="stable")
    assert second.already_published
    assert second.transactions == ()
    assert second.version_id == first.version_id
    assert (await builder.client.chain.block()).number == block
    assert (await builder.client.model("publish-twice")).model.version_count == 1


async def test_an_interrupted_publication_is_continued(
    make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    # What a run leaves behind that was stopped after the model had been registered.
    await Sender(builder.client.chain, builder.signer).send(
        registry_calls.register_model("publish-resumed")
    )
    done = await builder.client.publish(tiny_model.bundle, "publish-resumed", alias="stable")
    labels = [sent.label for sent in done.transactions]
    assert not any(label.startswith("register model") for label in labels)
    assert (await builder.client.model("publish-resumed")).model.version_count == 1

    # And one that was stopped before the alias had been set.
    again = await builder.client.publish(tiny_model.bundle, "publish-resumed", alias="best")
    assert again.already_published
    assert [sent.label for sent in again.transactions] == ["set alias best"]


async def test_refusals(make_account: MakeAccount, tiny_model: TinyModel) -> None:
    builder, other = await make_account(), await make_account()
    await builder.client.publish(tiny_model.bundle, "publish-mine")
    block = (await builder.client.chain.block()).number

    async def code_of(name: str, **options: object) -> str:
        with pytest.raises(GatelessError) as caught:
            await other.client.publish(tiny_model.bundle, name, **options)  # type: ignore[arg-type]
        assert caught.value.hint
        return caught.value.code

    assert await code_of("publish-mine") == "name-taken"
    assert await code_of("No Name") == "invalid-name"
    assert await code_of("publish-other", royalty_bps=10_001) == "invalid-royalty"
    assert (await builder.client.chain.block()).number == block

    foreign = tiny_model.bundle.manifest.srs.model_copy(update={"kind": "perpetual-powers-of-tau"})
    manifest = tiny_model.bundle.manifest.model_copy(update={"srs": foreign})
    bundle = type(tiny_model.bundle)(tiny_model.bundle.root, manifest)
    with pytest.raises(ConfigError) as caught:
        await other.client.publish(bundle, "publish-foreign")
    assert caught.value.code == "wrong-srs"
    with pytest.raises(NotFoundError):
        await other.client.model("publish-foreign")


async def test_a_bundle_that_was_changed_is_not_published(
    make_account: MakeAccount, tiny_model: TinyModel, tmp_path: Path
) -> None:
    builder = await make_account()
    copy = tmp_path / "bundle"
    shutil.copytree(tiny_model.bundle.root, copy)
    bundle = load_bundle(copy)
    bundle.compiled().write_bytes(bundle.compiled().read_bytes() + b"x")
    with pytest.raises(StorageError) as caught:
        await builder.client.publish(bundle, "publish-changed")
    assert caught.value.code == "content-tampered"
    with pytest.raises(NotFoundError):
        await builder.client.model("publish-changed")


async def test_a_deprecated_version_warns_and_works(make_served: MakeServed) -> None:
    served = await make_served("publish-old")
    client = served.builder.client
    await client.deprecate("publish-old@0", "superseded")
    resolved = await client.resolve("publish-old")
    assert len(resolved.warnings) == 1
    assert "deprecated" in resolved.warnings[0]
    await client.deprecate("publish-old@0", "", deprecated=False)
    assert (await client.resolve("publish-old")).warnings == ()


async def test_unknown_references(make_served: MakeServed) -> None:
    served = await make_served("publish-known")
    client = served.builder.client
    for ref, code in (
        ("publish-nowhere", "unknown-model"),
        ("publish-known@1", "unknown-version"),
        ("publish-known@nope", "unknown-alias"),
        (served.published.version_id + 1, "unknown-version"),
        ((1 << 40), "unknown-version"),
    ):
        with pytest.raises(NotFoundError) as caught:
            await client.resolve(ref)
        assert caught.value.code == code, ref
        assert caught.value.hint
    with pytest.raises(InputError):
        await client.resolve("publish-known@")


async def test_audits(make_served: MakeServed, make_account: MakeAccount) -> None:
    served = await make_served("publish-honest")
    stranger = await make_account()
    # A stranger has none of the files: they come from the executor's content, by digest.
    await put_bundle(stranger.client.services.store, served.bundle.root)
    resolved, report = await stranger.client.audit("publish-honest")
    assert report.ok, report.checks
    assert resolved.label == "publish-honest@0"
    assert {"registry", "keys", "proof"} <= {check.name for check in report.checks}


async def test_an_audit_finds_a_registry_that_tells_another_story(
    make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    honest = await builder.client.publish(tiny_model.bundle, "publish-liar")
    stored = (await builder.client.resolve("publish-liar")).version
    lie = VersionParams(
        model_digest="ab" * 32,
        manifest_digest=stored.manifest_digest,
        io_schema=stored.io_schema,
        binding=stored.binding,
        modes=stored.modes,
        royalty_bps=0,
        proof_seconds=stored.proof_seconds,
        repeatable=stored.repeatable,
        circuits=stored.circuits,
        uri="",
    )
    sender = Sender(builder.client.chain, builder.signer)
    await sender.send(registry_calls.publish_version(honest.model_id, lie))
    _, report = await builder.client.audit("publish-liar@1")
    assert not report.ok
    failed = [check for check in report.checks if not check.ok]
    assert [check.name for check in failed] == ["registry"]
    assert "model digest" in failed[0].detail
