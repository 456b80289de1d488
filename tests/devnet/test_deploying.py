from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from gateless.adapters.chain.artifacts import HALO2_VERIFIER, load_artifact
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import ChainError, ConfigError
from gateless.devnet import Devnet
from gateless.devnet.anvil import start_anvil
from gateless.devnet.anvil_control import AnvilControl
from gateless.devnet.chains import chain_constants
from gateless.devnet.create2 import CREATE2_DEPLOYER, creation
from gateless.devnet.deploy import deploy
from gateless_proofs.srs import PUBLIC_G2

SEPOLIA = 11_155_111
DEVELOPMENT = chain_constants(31337)


async def rich(rpc: HttpRpc) -> LocalSigner:
    """A new account that can pay for a deployment."""
    signer = LocalSigner.random()
    await rpc.request("anvil_setBalance", signer.address, hex(10**21))
    return signer


@pytest_asyncio.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[HttpRpc]:
    """A development chain with nothing on it."""
    async with start_anvil(tmp_path / "log") as anvil:
        rpc = HttpRpc(anvil.url)
        yield rpc
        await rpc.close()


@pytest_asyncio.fixture
async def sepolia(tmp_path: Path) -> AsyncIterator[HttpRpc]:
    """anvil in the place of a public chain."""
    async with start_anvil(tmp_path / "log", chain_id=SEPOLIA) as anvil:
        rpc = HttpRpc(anvil.url)
        yield rpc
        await rpc.close()


async def test_second_run_sends_nothing(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    block = await net.client.block()
    stages: list[float] = []
    again = await deploy(
        net.client.rpc,
        net.signers["user"],
        DEVELOPMENT,
        progress=lambda _stage, share: stages.append(share),
    )
    assert again.contracts == net.deployment.contracts
    assert again.token == net.deployment.token
    assert again.start_block <= net.deployment.start_block + 1
    assert await net.client.block() == block
    assert stages == sorted(stages)


async def test_addresses_depend_on_the_code_alone(devnet: Devnet, fresh: HttpRpc) -> None:
    other = await deploy(fresh, await rich(fresh), DEVELOPMENT)
    assert other.contracts == devnet.deployment.contracts
    assert other.start_block == 0


async def test_interrupted_deployment_is_completed(devnet: Devnet, fresh: HttpRpc) -> None:
    signer = await rich(fresh)
    first = creation(load_artifact("TestDollar"))
    await Sender(ChainConnection(fresh, 31337), signer).send(first.call())
    assert await fresh.code(first.address)
    completed = await deploy(fresh, signer, DEVELOPMENT)
    assert completed.contracts == devnet.deployment.contracts
    assert completed.start_block <= 1


async def test_code_on_chain_is_the_artifacts(devnet: Devnet) -> None:
    for name, address in devnet.deployment.contracts.items():
        code = await devnet.client.rpc.code(address)
        assert load_artifact(name).matches(code), name
    halo2 = await devnet.client.rpc.code(devnet.deployment.contracts[HALO2_VERIFIER])
    assert halo2 == load_artifact(HALO2_VERIFIER).deployed_bytecode
    assert (
        await devnet.client.verifier.halo2_verifier()
        == (devnet.deployment.contracts[HALO2_VERIFIER])
    )


@pytest.mark.parametrize("name", [HALO2_VERIFIER, "InferenceMarket", "ReceiptCourt", "LazyMarket"])
async def test_other_code_at_an_address_is_refused(isolated_devnet: Devnet, name: str) -> None:
    net = isolated_devnet
    address = net.deployment.contracts[name]
    code = bytearray(await net.client.rpc.code(address))
    filled_in = load_artifact(name).immutable_ranges  # those bytes may differ
    middle = len(code) // 2
    place = next(
        at
        for at in range(middle, len(code))
        if not any(start <= at < start + length for start, length in filled_in)
    )
    code[place] ^= 1
    await net.client.rpc.request("anvil_setCode", address, "0x" + code.hex())
    with pytest.raises(ChainError, match=name) as info:
        await deploy(net.client.rpc, net.signers["deployer"], DEVELOPMENT)
    assert info.value.code == "code-mismatch"


async def test_contracts_carry_the_chains_constants(devnet: Devnet) -> None:
    limits = await devnet.client.market.limits()
    dollar = 10**6
    assert limits.collateral_floor == DEVELOPMENT.collateral_floor * dollar
    assert limits.max_lifetime == DEVELOPMENT.max_lifetime
    assert limits.min_lock == DEVELOPMENT.min_lock_duration
    assert limits.max_lock == DEVELOPMENT.max_lock_duration
    assert limits.max_callback_gas == DEVELOPMENT.max_callback_gas
    assert limits.max_input_length == DEVELOPMENT.max_input_length
    staking = await devnet.client.staking.limits()
    assert staking.exit_delay == DEVELOPMENT.exit_delay
    assert staking.min_stake == DEVELOPMENT.min_stake * dollar


async def test_the_court_carries_the_chains_constants(devnet: Devnet) -> None:
    limits = await devnet.client.court.limits()
    court, dollar = DEVELOPMENT.court, 10**6
    assert limits.epoch_length == court.epoch_length
    assert limits.max_receipt_life == court.max_receipt_life
    assert limits.response_window == court.response_window
    assert limits.min_bond == court.min_bond * dollar
    assert limits.min_challenge_bond == court.min_challenge_bond * dollar
    assert limits.max_challenge_bond == court.max_challenge_bond * dollar
    assert limits.max_capacity == court.max_capacity
    assert limits.reward_bps == court.reward_bps
    assert limits.executor_bps == court.executor_bps
    assert limits.max_input_length == court.max_input_length


async def test_public_chain_takes_the_public_srs_and_a_named_token(sepolia: HttpRpc) -> None:
    constants = chain_constants(SEPOLIA)
    signer = await rich(sepolia)
    with pytest.raises(ConfigError) as info:
        await deploy(sepolia, signer, constants)
    assert info.value.code == "token-required"

    stand_in = creation(load_artifact("TestDollar"))
    await Sender(ChainConnection(sepolia, SEPOLIA), signer).send(stand_in.call())
    deployment = await deploy(sepolia, signer, constants, token=stand_in.address)
    assert deployment.name == "sepolia"
    assert deployment.srs == "perpetual-powers-of-tau"
    assert deployment.token.address == stand_in.address
    assert "TestDollar" not in deployment.contracts
    assert deployment.start_block == 1
    async with await ChainClient.connect(deployment) as client:
        words = tuple("0x" + word.hex() for word in await client.verifier.accepted_g2())
        assert words == PUBLIC_G2
        again = await deploy(sepolia, signer, constants, token=stand_in.address)
        assert again == deployment


async def test_token_that_is_no_contract(sepolia: HttpRpc) -> None:
    with pytest.raises(ChainError) as info:
        await deploy(sepolia, await rich(sepolia), chain_constants(SEPOLIA), token="0x" + "11" * 20)
    assert info.value.code == "no-contract"


async def test_node_of_another_chain(devnet: Devnet) -> None:
    with pytest.raises(ChainError) as info:
        await deploy(devnet.client.rpc, devnet.signers["deployer"], chain_constants(SEPOLIA))
    assert info.value.code == "wrong-chain-id"


async def test_chain_without_the_create2_deployer(fresh: HttpRpc) -> None:
    await fresh.request("anvil_setCode", CREATE2_DEPLOYER, "0x")
    with pytest.raises(ConfigError) as info:
        await deploy(fresh, LocalSigner.random(), DEVELOPMENT)
    assert info.value.code == "no-create2-deployer"
    assert "one-time transaction" in info.value.hint


async def test_other_chains_are_never_funded(sepolia: HttpRpc) -> None:
    with pytest.raises(ConfigError, match=f"chain {SEPOLIA}") as info:
        await AnvilControl.of(sepolia)
    assert info.value.code == "not-a-devnet"
