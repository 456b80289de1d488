"""What an executor does not put its stake on, each with its reason; and what mends it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from executor_fixtures import Running, config_of, eventually, running, serving
from gateless.adapters.chain import calls
from gateless.adapters.chain.sender import Sender
from gateless.adapters.storage import LocalStore, content_hint
from gateless.core.ids import sha256_hex
from gateless.core.manifest import Binding, FileRole
from gateless.core.packing import pack, quantise
from gateless.core.types import RequestParams, RequestState, TrustMode
from gateless.devnet import Devnet
from gateless.executor import ExecutorConfig, PolicyConfig
from gateless.executor.states import WorkState
from gateless_proofs import BuildOptions, Bundle, CalibrationData, KeyCache, build_bundle
from market_fixtures import (
    ROW,
    Account,
    MakeAccount,
    MakeServed,
    Served,
    TinyModel,
    calibration_rows,
    tiny_onnx,
)

DOLLAR = 1_000_000


def without_files(account: Account, **changes: Any) -> ExecutorConfig:
    """An executor that has nothing yet: it must fetch the bundle."""
    return config_of(
        account,
        content_dir=account.home / "own-content",
        bundles_dir=account.home / "own-bundles",
        **changes,
    )


async def requester(make_account: MakeAccount, served: Served) -> Account:
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    return user


async def assert_untouched(devnet: Devnet, run: Running, request_id: int) -> None:
    """Not locked, nothing sent, no stake bound."""
    info = await devnet.client.market.request(request_id)
    assert info.state is RequestState.OPEN
    assert await run.journal.intents(request_id) == []


def packed_row(bundle: Bundle, row: list[float]) -> bytes:
    spec = bundle.schema.inputs[0]
    return pack([quantise(row, spec)], [spec])


async def send_request(
    user: Account,
    version_id: int,
    packed: bytes,
    *,
    data: bytes | None = None,
    hint: str = "",
    binding: bytes | None = None,
    **changes: Any,
) -> int:
    """Opens a request with any input, as a requester who does not use the SDK can."""
    chain = user.client.chain
    now = (await chain.block()).timestamp
    params = RequestParams(
        version_id=version_id,
        mode=TrustMode.ZK,
        input_digest=keccak(packed),
        input_binding=keccak(packed) if binding is None else binding,
        max_price=DOLLAR,
        collateral=(await chain.market.limits()).collateral_floor,
        deadline=now + 600,
        lock_duration=180,
    )
    await user.client.deposit(DOLLAR)
    call = calls.request(replace(params, **changes), packed if data is None else data, hint)
    receipt = await Sender(chain, user.signer).send(call)
    return int(receipt.event("RequestCreated").args["requestId"])


async def test_a_store_with_a_tampered_file_makes_it_wait_for_a_good_one(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-tampered")
    user = await requester(make_account, served)
    files = served.builder.client.services.store
    model = served.bundle.manifest.file(FileRole.MODEL).sha256
    async with serving(files, tamper_with=model) as liar, serving(files) as honest:
        config = without_files(served.executor, stores=(liar,))
        async with running(devnet, served.executor, config) as run:
            asked = await user.client.submit(served.name, ROW)
            work = await run.waits_for(asked.request_id, "content-tampered")
            assert work.state is WorkState.SEEN
            await asyncio.sleep(1)  # several further looks change nothing
            await assert_untouched(devnet, run, asked.request_id)
            problems = await run.has_problems("content-tampered")
            assert problems[0].hint
            assert problems[0].request_id == asked.request_id
            # Nothing of it was kept.
            assert not (config.bundles_dir / served.published.manifest_digest).exists()
            assert not await LocalStore(config.content_dir).has(model)
        async with running(devnet, served.executor, replace(config, stores=(liar, honest))) as run:
            await run.reaches(asked.request_id, WorkState.FULFILLED)
            # What it fetched it now serves.
            assert await LocalStore(config.content_dir).has(model)


async def test_files_nobody_has_make_it_wait_until_somebody_has_them(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, tmp_path: Path
) -> None:
    served = await make_served("refuse-missing")
    user = await requester(make_account, served)
    empty = LocalStore(tmp_path / "store")
    async with serving(empty) as url:
        config = without_files(served.executor, stores=(url,))
        async with running(devnet, served.executor, config) as run:
            asked = await user.client.submit(served.name, ROW)
            await run.waits_for(asked.request_id, "content-not-found")
            await assert_untouched(devnet, run, asked.request_id)
            for path in served.bundle.root.iterdir():
                await empty.put(path)
            await run.reaches(asked.request_id, WorkState.FULFILLED)


async def test_an_input_outside_the_model_s_range_is_never_locked(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-extreme")
    user = await requester(make_account, served)
    spec = served.bundle.schema.inputs[0]
    extreme = pack([[spec.maximum, spec.minimum, spec.maximum, spec.minimum]], [spec])
    async with running(devnet, served.executor) as run:
        request_id = await send_request(user, served.published.version_id, extreme)
        work = await run.reaches(request_id, WorkState.REJECTED, WorkState.FULFILLED)
        assert work.state is WorkState.REJECTED
        assert work.reason in {
            "input-not-provable",
            "output-out-of-range",
            "accuracy-out-of-bound",
        }
        await assert_untouched(devnet, run, request_id)


async def test_inputs_by_hint_are_fetched_and_checked(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, tmp_path: Path
) -> None:
    served = await make_served("refuse-hints")
    user = await requester(make_account, served)
    version = served.published.version_id
    packed = packed_row(served.bundle, ROW)
    other = packed_row(served.bundle, [0.0, 0.0, 0.0, 0.0])
    store = LocalStore(tmp_path / "inputs")
    for entry in (other, packed + b"tail", packed[:-1]):
        await store.put(entry)
    async with serving(store) as url, running(devnet, served.executor) as run:

        async def hinted(content: bytes, promised: bytes = packed) -> int:
            hint = content_hint(sha256_hex(content), url)
            return await send_request(user, version, promised, data=b"", hint=hint)

        wrong = await hinted(other)
        long = await hinted(packed + b"tail")
        short = await hinted(packed[:-1], packed[:-1])
        unknown = await send_request(user, version, packed, data=b"", hint="somewhere")
        nothing = await send_request(user, version, packed, data=b"")
        late = await hinted(packed)
        for request_id, reason in (
            (wrong, "input-digest-mismatch"),
            (short, "wrong-length"),
            (unknown, "invalid-input-hint"),
            (nothing, "no-input"),
        ):
            work = await run.reaches(request_id, WorkState.REJECTED)
            assert work.reason == reason
            await assert_untouched(devnet, run, request_id)
        # What a store sends too much of was not compared with any digest: it proves nothing.
        await run.waits_for(long, "content-too-large")
        await assert_untouched(devnet, run, long)
        await run.waits_for(late, "content-not-found")
        await assert_untouched(devnet, run, late)
        await store.put(packed)
        await run.reaches(late, WorkState.FULFILLED)


async def test_too_little_stake_is_said_and_mended_by_staking(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-stake")
    user = await requester(make_account, served)
    async with running(devnet, served.executor) as run:
        asked = await user.client.submit(served.name, ROW, price=DOLLAR, collateral=60 * DOLLAR)
        work = await run.waits_for(asked.request_id, "stake-too-low")
        assert "60000000" in work.text
        (problem,) = await run.has_problems("stake-too-low")
        assert "10000000" in problem.hint
        assert "gateless executor stake" in problem.hint
        await assert_untouched(devnet, run, asked.request_id)
        await served.executor.client.stake(10 * DOLLAR)
        await run.reaches(asked.request_id, WorkState.FULFILLED)
        await run.has_problems()


async def test_no_gas_money_is_said(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-gas")
    user = await requester(make_account, served)
    await devnet.control.set_native_balance(served.executor.address, 1000)
    async with running(devnet, served.executor) as run:
        asked = await user.client.submit(served.name, ROW)
        work = await run.waits_for(asked.request_id, "gas-balance-too-low")
        assert work.has_proof  # made before the lock, kept for later
        await assert_untouched(devnet, run, asked.request_id)
        await devnet.control.set_native_balance(served.executor.address, 10**18)
        await run.reaches(asked.request_id, WorkState.FULFILLED)


async def test_the_policy_decides_and_enrolling_changes_its_mind(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-policy")
    user = await requester(make_account, served)
    stranger = await make_account()
    policy = PolicyConfig(min_price=DOLLAR, max_collateral=20 * DOLLAR, margin_seconds=30)
    async with running(devnet, served.executor, policy=policy) as run:
        cheap = await user.client.submit(served.name, ROW, price=DOLLAR - 1)
        costly = await user.client.submit(
            served.name, ROW, price=DOLLAR, collateral=20 * DOLLAR + 1
        )
        named = await send_request(
            user,
            served.published.version_id,
            packed_row(served.bundle, ROW),
            executor=stranger.address,
        )
        hasty = await user.client.submit(served.name, ROW, price=DOLLAR, lock_duration=20)
        for request_id, reason in (
            (cheap.request_id, "price-too-low"),
            (costly.request_id, "collateral-too-high"),
            (named, "named-another"),
            (hasty.request_id, "too-little-time"),
        ):
            work = await run.reaches(request_id, WorkState.SKIPPED)
            assert work.reason == reason
            await assert_untouched(devnet, run, request_id)
        await served.executor.client.leave([served.name])
        unserved = await send_request(
            user, served.published.version_id, packed_row(served.bundle, ROW)
        )
        work = await run.reaches(unserved, WorkState.SKIPPED)
        assert work.reason == "version-not-served"
        await served.executor.client.stake(0, serve=[served.name])
        await run.reaches(unserved, WorkState.FULFILLED)


@pytest.fixture
async def other_bundle(tiny_model: TinyModel, tmp_path: Path) -> Bundle:
    """Another model of the same shape."""
    return await build_bundle(
        tiny_onnx(tmp_path / "other.onnx", seed=11),
        CalibrationData.from_arrays({"x": calibration_rows()}),
        tmp_path / "other",
        options=BuildOptions(name="other", chain_id=31337),
        keys=KeyCache(tiny_model.cache),
    )


async def test_a_version_whose_key_is_another_circuit_s_is_refused(
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    other_bundle: Bundle,
    tmp_path: Path,
    tiny_model: TinyModel,
) -> None:
    """A poisoned version: whoever locks it can never prove it."""
    root = tmp_path / "poisoned"
    root.mkdir()
    honest = tiny_model.bundle.manifest
    swapped = {FileRole.COMPILED: other_bundle, FileRole.SETTINGS: other_bundle}
    entries = []
    for entry in honest.files:
        source = swapped.get(entry.role, tiny_model.bundle)
        found = source.manifest.file(entry.role)
        (root / found.name).write_bytes((source.root / found.name).read_bytes())
        entries.append(found)
    theirs = other_bundle.manifest.circuits[0]
    circuit = honest.circuits[0].model_copy(
        update={"compiled_circuit": theirs.compiled_circuit, "settings": theirs.settings}
    )
    manifest = honest.model_copy(update={"files": tuple(entries), "circuits": (circuit,)})
    (root / "manifest.json").write_bytes(manifest.to_bytes())
    served = await make_served("refuse-poisoned", Bundle(root, manifest))
    user = await requester(make_account, served)
    async with running(devnet, served.executor) as run:
        asked = await user.client.submit(served.name, ROW)
        work = await run.reaches(asked.request_id, WorkState.REJECTED)
        assert work.reason == "key-mismatch"
        await assert_untouched(devnet, run, asked.request_id)


async def test_requests_bound_by_commitment_are_checked_and_served(
    devnet: Devnet,
    make_served: MakeServed,
    make_account: MakeAccount,
    tiny_model: TinyModel,
    tmp_path: Path,
) -> None:
    bundle = await build_bundle(
        tiny_onnx(tmp_path / "kzg.onnx"),
        CalibrationData.from_arrays({"x": calibration_rows()}),
        tmp_path / "kzg",
        options=BuildOptions(name="kzg", chain_id=31337, binding=Binding.KZG),
        keys=KeyCache(tiny_model.cache),
    )
    served = await make_served("refuse-kzg", bundle)
    user = await requester(make_account, served)
    for path in bundle.root.iterdir():
        await user.client.services.store.put(path)
    async with running(devnet, served.executor) as run:
        right = await user.client.submit(served.name, ROW)
        wrong = await send_request(
            user,
            served.published.version_id,
            packed_row(bundle, ROW),
            binding=keccak(b"another input's commitment"),
        )
        await run.reaches(right.request_id, WorkState.FULFILLED)
        work = await run.reaches(wrong, WorkState.REJECTED)
        assert work.reason == "input-binding-mismatch"
        await assert_untouched(devnet, run, wrong)


async def test_what_others_locked_is_lost_and_proving_stops(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-lost")
    user = await requester(make_account, served)
    rival = await make_account()
    await rival.client.stake(50 * DOLLAR, serve=[served.name])
    # No capacity: it sees the request and does not start on it.
    async with running(devnet, served.executor, policy=PolicyConfig(max_concurrent=0)) as run:
        asked = await user.client.submit(served.name, ROW)
        await run.reaches(asked.request_id, WorkState.SEEN)
        taken = calls.lock(await rival.client.request(asked.request_id))
        await Sender(rival.client.chain, rival.signer).send(taken)
        work = await run.reaches(asked.request_id, WorkState.LOST)
        assert work.reason == "locked-by-another"
        taken_back = await user.client.submit(served.name, ROW)
        await run.reaches(taken_back.request_id, WorkState.SEEN)
        await user.client.cancel(taken_back.request_id)
        work = await run.reaches(taken_back.request_id, WorkState.LOST)
        assert work.reason == "refunded"


async def test_what_expired_is_lost(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("refuse-expired")
    user = await requester(make_account, served)
    asked = await user.client.submit(served.name, ROW)
    await isolated_devnet.control.advance(3600)
    async with running(isolated_devnet, served.executor) as run:
        work = await run.reaches(asked.request_id, WorkState.LOST)
        assert work.reason == "expired"

        async def idle() -> bool:
            return (await run.executor.status()).active == ()

        await eventually("nothing is left to do", idle)
