from __future__ import annotations

from pathlib import Path

import pytest
from gateless.adapters.chain import calls, registry_calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import load_deployment
from gateless.adapters.signer import KeystoreStore
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N
from gateless.core.errors import ConfigError
from gateless.devnet import Devnet, running_devnet
from gateless.devnet.accounts import (
    ACCOUNTS,
    DEVELOPMENT_PASSWORD,
    NATIVE_BALANCE,
    TOKEN_BALANCE,
    keystore_folder,
)

pytestmark = pytest.mark.usefixtures("devnet")


async def test_accounts_hold_test_money(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    for name in ACCOUNTS:
        address = net.signers[name].address
        assert await net.client.token.balance_of(address) == TOKEN_BALANCE * 10**6
        assert await net.client.native_balance(address) == NATIVE_BALANCE
    assert await net.client.token.balance_of(net.signers["deployer"].address) == 0


async def test_keystores_open_with_the_stated_password(devnet: Devnet) -> None:
    store = KeystoreStore(keystore_folder(devnet.home))
    assert dict(store.list()) == {name: signer.address for name, signer in devnet.signers.items()}
    for name in ACCOUNTS:
        assert store.unlock(name, DEVELOPMENT_PASSWORD).address == devnet.signers[name].address


async def test_deployments_file_leads_to_the_network(devnet: Devnet) -> None:
    loaded = load_deployment("devnet", devnet.home)
    assert loaded == devnet.deployment
    assert devnet.deployment_file == devnet.home / "networks" / "devnet.json"
    async with await ChainClient.connect(loaded) as client:
        assert await client.registry.model_count() >= 0


async def test_second_devnet_in_the_same_home(devnet: Devnet) -> None:
    with pytest.raises(ConfigError) as info:
        async with running_devnet(devnet.home):
            pass
    assert info.value.code == "devnet-running"
    assert load_deployment("devnet", devnet.home) == devnet.deployment


async def test_network_resumes_from_its_state(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    stages: list[tuple[str, float]] = []
    async with running_devnet(
        tmp_path, state=state, progress=lambda stage, share: stages.append((stage, share))
    ) as first:
        registered = await first.sender("builder").send(registry_calls.register_model("kept"))
        spent = await first.client.token.balance_of(first.signers["user"].address)
        await first.sender("user").send(calls.token_transfer("0x" + "11" * 20, 5))
    assert stages[0][0] == "unlock the development wallets"
    assert stages[-1] == ("ready", 1.0)
    assert [share for _, share in stages] == sorted(share for _, share in stages)

    async with running_devnet(tmp_path, state=state) as second:
        assert second.deployment.contracts == first.deployment.contracts
        assert second.deployment.start_block == first.deployment.start_block
        assert second.signers["user"].address == first.signers["user"].address
        model_id = registered.event("ModelRegistered").args["modelId"]
        assert await second.client.registry.model_id_of("kept") == model_id
        events = await second.client.events(["ModelRegistered"], second.deployment.start_block)
        assert [event.args["name"] for event in events] == ["kept"]
        # What was spent is topped up, nothing is minted twice.
        assert await second.client.token.balance_of(second.signers["user"].address) == spent


async def test_without_state_every_start_is_new(tmp_path: Path) -> None:
    async with running_devnet(tmp_path) as first:
        await first.sender("builder").send(registry_calls.register_model("lost"))
    async with running_devnet(tmp_path) as second:
        assert await second.client.registry.model_count() == 0
        assert second.signers["builder"].address == first.signers["builder"].address


async def test_wallet_of_somebody_else_is_not_used(tmp_path: Path) -> None:
    store = KeystoreStore(keystore_folder(tmp_path), scrypt_n=LIGHT_SCRYPT_N)
    store.create("builder", "somebody's own password")
    with pytest.raises(ConfigError, match="'builder'") as info:
        async with running_devnet(tmp_path):
            pass
    assert info.value.code == "devnet-wallet-taken"
    assert "--home" in info.value.hint


async def test_clock_and_blocks_can_be_moved(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    before = await net.client.block()
    await net.control.mine(3)
    assert (await net.client.block()).number == before.number + 3
    await net.control.advance(3600)
    assert (await net.client.block()).timestamp >= before.timestamp + 3600


async def test_interval_mining(tmp_path: Path) -> None:
    async with running_devnet(tmp_path, block_time=0.1) as net:
        receipt = await net.sender("user").send(calls.mint(net.signers["user"].address, 1))
        assert receipt.status == 1
