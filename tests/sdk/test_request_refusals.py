"""What is refused before any money moves: input, terms, funds, files, networks."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace

import pytest
from gateless.adapters.chain import registry_calls
from gateless.adapters.storage import LocalStore, create_app
from gateless.cli.serving import serve_until
from gateless.core.errors import (
    ChainError,
    FundsError,
    GatelessError,
    NotFoundError,
    StorageError,
    WalletError,
)
from gateless.core.types import VersionParams
from gateless.daemon.serving import listen
from gateless.devnet import Devnet
from gateless.sdk import AsyncGateless
from market_fixtures import (
    PRICE,
    ROW,
    MakeAccount,
    MakeServed,
    TinyModel,
    send,
    with_files,
)

DOLLAR = 1_000_000


async def test_bad_input_and_terms_move_nothing(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-refused")
    user = await with_files(await make_account(tokens=5), served)
    before = await user.client.balances()
    block = (await user.client.chain.block()).number
    now = int(time.time())
    cases: list[tuple[str, dict[str, object]]] = [
        ("not-finite", {"inputs": [float("nan"), 0, 0, 0]}),
        ("wrong-shape", {"inputs": [1, 2, 3]}),
        ("wrong-dtype", {"inputs": ["a", "b", "c", "d"]}),
        ("out-of-range", {"inputs": [1e20, 0, 0, 0]}),
        ("unknown-model", {"ref": "infer-nowhere"}),
        ("unknown-version", {"ref": "infer-refused@7"}),
        ("unknown-alias", {"ref": "infer-refused@nope"}),
        ("invalid-reference", {"ref": "@"}),
        ("deadline-passed", {"deadline": now - 60}),
        ("deadline-passed", {"timeout": 0}),
        ("deadline-too-far", {"timeout": 10**9}),
        ("deadline-too-soon", {"timeout": 6}),
        ("lock-duration-out-of-range", {"timeout": 60, "lock_duration": 60}),
        ("collateral-too-low", {"collateral": 1}),
        ("lock-duration-out-of-range", {"lock_duration": 1}),
        ("callback-gas-out-of-range", {"callback": user.address, "callback_gas": 10**9}),
        ("callback-missing", {"callback_gas": 5}),
        ("invalid-address", {"executor": "0x12"}),
        ("balance-too-low", {"price": 6 * DOLLAR}),
        ("balance-too-low", {"price": DOLLAR, "deposit": False}),
    ]
    for code, change in cases:
        terms = dict(change)
        ref, inputs = terms.pop("ref", served.name), terms.pop("inputs", ROW)
        with pytest.raises(GatelessError) as caught:
            await user.client.submit(ref, inputs, **terms)  # type: ignore[arg-type]
        assert caught.value.code == code, (code, change, caught.value)
        assert caught.value.hint, code
    assert await user.client.balances() == before
    assert (await user.client.chain.block()).number == block


async def test_what_is_missing_is_said_to_the_unit(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-poor")
    user = await with_files(await make_account(tokens=5), served)
    await user.client.deposit(2 * DOLLAR)
    with pytest.raises(FundsError) as caught:
        await user.client.submit(served.name, ROW, price=7_500_000)
    assert "2.50 tUSD missing" in caught.value.message
    assert "gateless wallet deposit 5.50" in caught.value.hint
    assert caught.value.context["missing"] == 2_500_000
    with pytest.raises(FundsError) as caught:
        await user.client.submit(served.name, ROW, price=3 * DOLLAR, deposit=False)
    assert "gateless wallet deposit 1.00" in caught.value.hint
    submitted = await user.client.submit(served.name, ROW, price=3 * DOLLAR)
    balances = await user.client.balances()
    assert (balances.wallet, balances.market) == (2 * DOLLAR, 0)
    assert submitted.transaction.label == "deposit and request an inference"


async def test_nobody_serves_the_version(make_account: MakeAccount, tiny_model: TinyModel) -> None:
    builder = await make_account()
    await builder.client.publish(tiny_model.bundle, "infer-unserved")
    with pytest.raises(NotFoundError) as caught:
        await builder.client.submit("infer-unserved", ROW)
    assert caught.value.code == "no-executor"
    submitted = await builder.client.submit("infer-unserved", ROW, price=DOLLAR)
    assert any("no executor" in warning for warning in submitted.warnings)


async def test_a_price_below_every_offer_warns(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-lowball")
    user = await with_files(await make_account(), served)
    submitted = await user.client.submit(served.name, ROW, price=PRICE - 1)
    assert any("0.25 tUSD" in warning for warning in submitted.warnings)


async def test_a_reader_cannot_pay(devnet: Devnet, make_served: MakeServed) -> None:
    served = await make_served("infer-reader")
    async with await AsyncGateless.connect(devnet.deployment, home=served.builder.home) as reader:
        with pytest.raises(WalletError) as caught:
            await reader.submit(served.name, ROW)
    assert caught.value.code == "no-wallet"


async def test_a_tampered_file_is_refused_and_replaced(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-tampered")
    user = await make_account()
    store = user.client.services.store
    digest = served.bundle.digest
    await store.put(served.bundle.root / "manifest.json")
    store.path_of(digest).write_bytes(b"{}")
    with pytest.raises(StorageError) as caught:
        await user.client.submit(served.name, ROW)
    assert caught.value.code in {"content-tampered", "content-not-found"}
    assert (await user.client.requests()) == ()

    # A bundle folder that was damaged after it had been fetched is fetched again.
    for entry in served.bundle.manifest.files:
        await store.put(served.bundle.root / entry.name)
    await store.put(served.bundle.root / "manifest.json")
    fetched = await user.client.bundle(served.name)
    size = fetched.model.stat().st_size
    fetched.model.write_bytes(b"\0" * size)
    again = await user.client.bundle(served.name)
    assert again.model.read_bytes() == served.bundle.model.read_bytes()


async def test_a_manifest_for_other_tensors_is_refused(
    make_account: MakeAccount, tiny_model: TinyModel
) -> None:
    builder = await make_account()
    await builder.client.publish(tiny_model.bundle, "infer-mismatch")
    version = (await builder.client.resolve("infer-mismatch")).version
    schema = bytearray(version.io_schema)
    schema[3] ^= 1  # another scale
    lie = VersionParams(
        version.model_digest,
        version.manifest_digest,
        bytes(schema),
        version.binding,
        version.modes,
        0,
        version.proof_seconds,
        version.repeatable,
        version.circuits,
        "",
    )
    await send(builder, registry_calls.publish_version(version.model_id, lie))
    with pytest.raises(StorageError) as caught:
        await builder.client.submit("infer-mismatch@1", ROW, price=DOLLAR)
    assert caught.value.code == "manifest-mismatch"


async def test_wrong_chain_and_dead_endpoint(devnet: Devnet, make_account: MakeAccount) -> None:
    user = await make_account(tokens=0)
    other = replace(devnet.deployment, chain_id=1)
    with pytest.raises(ChainError) as caught:
        await AsyncGateless.connect(other, signer=user.signer, home=user.home)
    assert caught.value.code == "wrong-chain-id"
    with pytest.raises(ChainError) as caught:
        await AsyncGateless.connect(devnet.deployment, home=user.home, rpc_url="http://127.0.0.1:9")
    assert caught.value.code == "rpc-unreachable"


async def test_files_are_found_through_the_chain(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-fetched")
    user = await make_account()
    with pytest.raises(StorageError) as caught:
        await user.client.submit(served.name, ROW)
    assert caught.value.code == "content-not-found"
    assert (await user.client.balances()).market == 0

    listener = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    stopped = asyncio.Event()
    store = LocalStore(served.executor.home / "content")
    serving = asyncio.create_task(serve_until(stopped, create_app(store), listener))
    try:
        await served.executor.client.stake(0, endpoint=url)
        bundle = await user.client.bundle(served.name)
        assert bundle.digest == served.bundle.digest
        submitted = await user.client.submit(served.name, ROW)
        assert submitted.manifest == served.bundle.manifest
    finally:
        stopped.set()
        await serving
