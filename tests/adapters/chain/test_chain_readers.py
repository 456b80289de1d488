"""The typed readers against the real contracts, along the life of one request."""

from __future__ import annotations

import pytest
from chain_scenarios import (
    DOLLAR,
    RealModel,
    deposit,
    publish,
    put_up_stake,
    request_params,
)
from gateless.adapters.chain import calls, registry_calls
from gateless.core.errors import ContractError, NotFoundError
from gateless.core.ids import split_version_id
from gateless.core.types import ExecutorProfile, InputBinding, RequestState, TrustMode
from gateless.devnet import Devnet
from gateless_proofs.srs import DEVELOPMENT_G2


async def test_published_version_reads_back(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "reads-back")
    registry = net.client.registry
    model_id = await registry.model_id_of("reads-back")
    assert split_version_id(version_id) == (model_id, 0)

    info = await registry.model(model_id)
    assert (info.name, info.holder) == ("reads-back", net.signers["builder"].address)
    assert (info.version_count, info.royalties) == (1, 0)

    version = await registry.version(version_id)
    published = model.version()
    assert version.model_digest == published.model_digest
    assert version.manifest_digest == published.manifest_digest
    assert version.io_schema == published.io_schema
    assert version.circuits == published.circuits
    assert version.uri == published.uri
    assert version.royalty_bps == 500
    assert version.proof_seconds == 3
    assert version.repeatable
    assert version.binding is InputBinding.PACKED
    assert version.allows(TrustMode.ZK)
    assert not version.allows(TrustMode.QUORUM)
    assert not version.deprecated
    assert await registry.versions(model_id) == [version]
    assert info in await registry.models(0, 100)
    assert await registry.resolve_alias(model_id, "latest") == version_id
    assert await registry.holder_of(model_id) == net.signers["builder"].address


async def test_alias_and_deprecation(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "aliased")
    model_id = await net.client.registry.model_id_of("aliased")
    builder = net.sender("builder")
    await builder.send(registry_calls.set_alias(model_id, "stable", version_id))
    assert await net.client.registry.resolve_alias(model_id, "stable") == version_id
    await builder.send(registry_calls.set_deprecated(version_id, True, "superseded"))
    assert (await net.client.registry.version(version_id)).deprecated
    events = await net.client.events(["AliasSet", "VersionDeprecated"], 0)
    assert [event.name for event in events][-2:] == ["AliasSet", "VersionDeprecated"]
    assert events[-1].args == {
        "versionId": version_id,
        "deprecated": True,
        "reason": "superseded",
    }


async def test_unknown_names_and_ids(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "only-one")
    model_id, _ = split_version_id(version_id)
    registry, market = net.client.registry, net.client.market
    for read, code in (
        (registry.model_id_of("nobody-made-this"), "unknown-model"),
        (registry.model(999), "unknown-model"),
        (registry.versions(999), "unknown-model"),
        (registry.version(version_id + 1), "unknown-version"),
        (registry.resolve_alias(model_id, "golden"), "unknown-alias"),
        (market.request(999), "unknown-request"),
    ):
        with pytest.raises(NotFoundError) as info:
            await read
        assert info.value.code == code
        assert info.value.hint


async def test_verifier_checks_real_proofs(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    verifier = net.client.verifier
    version_id = await publish(net, model, "proven")
    packed, binding, output, proof = model.case(0)
    assert await verifier.is_registered(model.vka_digest)
    assert not await verifier.is_registered(b"\x01" * 32)
    assert await verifier.verify(version_id, 0, packed, output, proof) == binding
    wrong = bytes([output[-1] ^ 1]) + output[1:]
    with pytest.raises(ContractError) as info:
        await verifier.verify(version_id, 0, packed, wrong, proof)
    assert info.value.code == "zk-verifier-proof-rejected"
    assert await verifier.accepted_g2() == tuple(bytes.fromhex(word[2:]) for word in DEVELOPMENT_G2)


async def test_life_of_a_paid_request(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    market = net.client.market
    user, executor = net.signers["user"].address, net.signers["executor"].address
    version_id = await publish(net, model, "paid")
    await deposit(net, "user", 5 * DOLLAR)
    await put_up_stake(net, 20 * DOLLAR)
    packed, binding, output, proof = model.case(0)

    params = await request_params(net, model, version_id)
    created = await net.sender("user").send(calls.request(params, packed, "here"))
    event = created.event("RequestCreated")
    assert event.contract == "InferenceMarket"
    assert event.args["input"] == packed
    assert event.args["inputHint"] == "here"
    assert event.args["params"]["maxPrice"] == 2 * DOLLAR
    request_id = event.args["requestId"]
    opened = await market.request(request_id)
    assert opened.state is RequestState.OPEN
    assert opened.requester == user
    assert opened.executor is opened.callback is opened.named_executor is None
    assert opened.input_binding == binding
    assert not opened.refundable
    assert await market.balance_of(user) == 3 * DOLLAR

    await net.sender("executor").send(calls.lock(await market.request(request_id)))
    locked = await market.request(request_id)
    assert locked.state is RequestState.LOCKED
    assert locked.executor == executor
    assert (await net.client.staking.allocation(executor, market.address)).locked == DOLLAR

    paid = await net.sender("executor").send(calls.fulfill(request_id, 0, packed, output, proof))
    assert paid.event("RequestFulfilled").args["output"] == output
    assert paid.event("RequestFulfilled").args["royalty"] == DOLLAR // 10
    assert (await market.request(request_id)).state is RequestState.PAID
    model_id, _ = split_version_id(version_id)
    assert await market.royalty_of(model_id) == DOLLAR // 10
    assert (await net.client.registry.model(model_id)).royalties == DOLLAR // 10
    assert await market.balance_of(executor) == 2 * DOLLAR - DOLLAR // 10
    assert await market.request_count() == request_id

    before = await net.client.token.balance_of(executor)
    await net.sender("executor").send(calls.withdraw(DOLLAR, executor))
    assert await net.client.token.balance_of(executor) == before + DOLLAR
    builder = net.signers["builder"].address
    await net.sender("builder").send(calls.withdraw_royalty(model_id, builder))
    assert await market.royalty_of(model_id) == 0


async def test_missed_lock_is_refunded_and_slashed(
    isolated_devnet: Devnet, model: RealModel
) -> None:
    net = isolated_devnet
    market, staking = net.client.market, net.client.staking
    user, executor = net.signers["user"].address, net.signers["executor"].address
    version_id = await publish(net, model, "missed")
    await deposit(net, "user", 2 * DOLLAR)
    await put_up_stake(net, 20 * DOLLAR)
    params = await request_params(net, model, version_id)
    created = await net.sender("user").send(calls.request(params, model.case(0)[0]))
    request_id = created.event("RequestCreated").args["requestId"]
    await net.sender("executor").send(calls.lock(await market.request(request_id)))
    assert not (await market.request(request_id)).refundable

    # No block is mined here: whether it can be refunded is a question about now.
    await net.client.rpc.request("evm_increaseTime", hex(61))
    assert (await market.request(request_id)).refundable
    refunded = await net.sender("builder").send(calls.refund(request_id))
    assert refunded.event("RequestRefunded").args["amount"] == 2 * DOLLAR
    assert (await market.request(request_id)).state is RequestState.REFUNDED
    assert await market.balance_of(user) == 2 * DOLLAR
    assert await staking.total_stake(executor) == 19 * DOLLAR


async def test_executors_are_found_from_the_chain(
    isolated_devnet: Devnet, model: RealModel
) -> None:
    net = isolated_devnet
    staking, address = net.client.staking, net.signers["executor"].address
    version_id = await publish(net, model, "served")
    await put_up_stake(net, 20 * DOLLAR)
    sender = net.sender("executor")
    await sender.send(
        calls.set_profile(ExecutorProfile("https://example.org", address, DOLLAR // 2, 3))
    )
    await sender.send(calls.enroll(version_id))
    info = await staking.executor(address)
    assert (info.endpoint, info.receipt_key) == ("https://example.org", address)
    assert (info.min_price, info.capacity) == (DOLLAR // 2, 3)
    assert (info.free, info.total) == (0, 20 * DOLLAR)
    everyone = await staking.executors(0, await staking.executor_count())
    assert [entry for entry in everyone if entry.address == address] == [info]
    assert await staking.enrolled_executors(version_id) == [address]
    assert await staking.enrolled_versions(address) == [version_id]
    assert await staking.is_enrolled(address, version_id)
    await sender.send(calls.unenroll(version_id))
    assert await staking.enrolled_executors(version_id) == []
    stranger = await staking.executor(net.signers["user"].address)
    assert (stranger.total, stranger.endpoint, stranger.receipt_key) == (0, "", None)


async def test_stake_leaves_through_the_exit_queue(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    staking, address = net.client.staking, net.signers["executor"].address
    market = net.client.market.address
    await put_up_stake(net, 20 * DOLLAR)
    sender = net.sender("executor")
    await sender.send(calls.request_exit(market, 15 * DOLLAR))
    exiting = await staking.allocation(address, market)
    assert (exiting.allocated, exiting.exiting) == (20 * DOLLAR, 15 * DOLLAR)
    with pytest.raises(ContractError, match="exit delay is not over") as info:
        await sender.send(calls.complete_exit(market))
    assert info.value.code == "executor-staking-exit-not-ready"
    assert info.value.context["ready_at"] == exiting.exit_ready_at

    await net.control.advance((await staking.limits()).exit_delay + 1)
    await sender.send(calls.complete_exit(market))
    assert await staking.free_stake(address) == 15 * DOLLAR
    before = await net.client.token.balance_of(address)
    await sender.send(calls.staking_withdraw(15 * DOLLAR, address))
    assert await net.client.token.balance_of(address) == before + 15 * DOLLAR
    await sender.send(calls.request_exit(market, DOLLAR))
    await sender.send(calls.cancel_exit(market))
    assert (await staking.allocation(address, market)).exiting == 0


async def test_limits_are_the_reviewed_constants(devnet: Devnet) -> None:
    limits = await devnet.client.market.limits()
    assert limits.collateral_floor == DOLLAR
    staking = await devnet.client.staking.limits()
    assert staking.min_stake == 10 * DOLLAR
    assert staking.exit_delay > limits.max_lifetime + limits.max_lock
    assert await devnet.client.staking.credit_of(devnet.signers["user"].address) == 0
