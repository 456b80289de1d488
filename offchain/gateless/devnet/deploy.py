"""Deploying the contracts: the same addresses wherever the code and constants are the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateless.adapters.chain.abi import ContractAbi
from gateless.adapters.chain.artifacts import HALO2_VERIFIER, load_artifact
from gateless.adapters.chain.connection import ChainConnection, require_chain_id
from gateless.adapters.chain.contract import no_contract
from gateless.adapters.chain.deployment import Deployment, TokenInfo
from gateless.adapters.chain.rpc import Rpc, RpcError
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer.protocol import Signer
from gateless.core.errors import ChainError, ConfigError
from gateless.devnet.chains import ChainConstants
from gateless.devnet.create2 import CREATE2_DEPLOYER, Creation, creation

Progress = Callable[[str, float], None]

_TEST_TOKEN = "TestDollar"  # noqa: S105
_CONTRACTS = 13


@dataclass(slots=True)
class _Deployer:
    connection: ChainConnection
    sender: Sender
    progress: Progress | None
    done: int = 0
    deployed: int = 0

    async def ensure(self, name: str, arguments: Sequence[Any] = ()) -> str:
        """Address of the contract, deployed now if it was not there; its code is checked."""
        wanted = creation(load_artifact(name), arguments)
        if self.progress is not None:
            self.progress(f"deploy {name}", self.done / _CONTRACTS)
        if not await self.connection.rpc.code(wanted.address):
            await self.sender.send(wanted.call())
            self.deployed += 1
        await _require_code(self.connection.rpc, wanted)
        self.done += 1
        return wanted.address


async def deploy(
    rpc: Rpc,
    signer: Signer,
    constants: ChainConstants,
    *,
    token: str | None = None,
    progress: Progress | None = None,
) -> Deployment:
    """Deploys what is not there yet; run again, it finds everything and sends nothing.

    Args:
        rpc: the chain's node.
        signer: pays for the deployment and gets no right from it.
        constants: the chain's reviewed constants.
        token: the market's ERC-20; None for the test dollar, on the development chain only.
        progress: told what is being deployed.

    Raises:
        ChainError: ``wrong-chain-id``, ``code-mismatch`` and those of sending.
        ConfigError: ``token-required``, ``no-create2-deployer``, ``artifacts-missing``.
    """
    await require_chain_id(rpc, constants.chain_id, constants.name)
    await _require_create2_deployer(rpc)
    connection = ChainConnection(rpc, constants.chain_id)
    deployer = _Deployer(connection, Sender(connection, signer), progress)
    first = (await connection.block()).number
    contracts: dict[str, str] = {}
    if token is None:
        if not constants.test_token:
            raise ConfigError(
                "token-required",
                f"a deployment on {constants.name} needs to know its token",
                hint="give the address of an ERC-20 with ERC-2612 permits",
            )
        token = contracts[_TEST_TOKEN] = await deployer.ensure(_TEST_TOKEN)
    info = await read_token(rpc, token)
    unit = 10**info.decimals
    registry = contracts["ModelRegistry"] = await deployer.ensure("ModelRegistry")
    halo2 = contracts[HALO2_VERIFIER] = await deployer.ensure(HALO2_VERIFIER)
    verifier = contracts["ZkVerifier"] = await deployer.ensure(
        "ZkVerifier",
        [registry, halo2, [bytes.fromhex(word[2:]) for word in constants.accepted_g2]],
    )
    staking = contracts["ExecutorStaking"] = await deployer.ensure(
        "ExecutorStaking", [token, constants.exit_delay, constants.min_stake * unit]
    )
    validator = contracts["SignatureValidator"] = await deployer.ensure("SignatureValidator")
    limits = {
        "collateralFloor": constants.collateral_floor * unit,
        "maxLifetime": constants.max_lifetime,
        "minLockDuration": constants.min_lock_duration,
        "maxLockDuration": constants.max_lock_duration,
        "maxCallbackGas": constants.max_callback_gas,
        "maxInputLength": constants.max_input_length,
    }
    contracts["InferenceMarket"] = await deployer.ensure(
        "InferenceMarket", [token, registry, verifier, staking, validator, limits]
    )
    court = constants.court
    court_limits = {
        "epochLength": court.epoch_length,
        "maxReceiptLife": court.max_receipt_life,
        "responseWindow": court.response_window,
        "minBond": court.min_bond * unit,
        "minChallengeBond": court.min_challenge_bond * unit,
        "maxChallengeBond": court.max_challenge_bond * unit,
        "maxCapacity": court.max_capacity,
        "rewardBps": court.reward_bps,
        "executorBps": court.executor_bps,
        "maxInputLength": court.max_input_length,
    }
    contracts["ReceiptCourt"] = await deployer.ensure(
        "ReceiptCourt", [verifier, staking, court_limits]
    )
    shared = [token, registry, verifier, staking, validator]
    contracts |= await _deploy_lazy(deployer, constants, unit, shared)
    contracts |= await _deploy_quorum(deployer, constants, unit, shared)
    contracts |= await _deploy_attested(deployer, constants, shared)
    markets = {
        "zk": contracts["InferenceMarket"],
        "lazyZk": contracts["LazyMarket"],
        "quorum": contracts["QuorumMarket"],
        "attested": contracts["AttestedMarket"],
    }
    contracts["ResultBoard"] = await deployer.ensure("ResultBoard", [markets])
    if deployer.deployed < _CONTRACTS - (0 if constants.test_token else 1):
        first = await _first_block_of(rpc, registry, first)
    return Deployment(
        name=constants.name,
        chain_id=constants.chain_id,
        rpc_url=rpc.url,
        token=info,
        contracts=contracts,
        start_block=first,
        srs=constants.srs,
    )


async def _deploy_lazy(
    deployer: _Deployer, constants: ChainConstants, unit: int, shared: Sequence[str]
) -> dict[str, str]:
    """The lazy market and the court for doubts about its answers.

    Args:
        deployer: deploys.
        constants: the chain's.
        unit: of the token.
        shared: what all markets with records work with: token, registry, verifier, staking,
            validator.
    """
    lazy = constants.lazy
    court = await deployer.ensure(
        "DisputeCourt", [shared[0], lazy.challenge_bond * unit, lazy.executor_bps]
    )
    record_limits = _record_limits(constants, lazy.max_output_length)
    lazy_limits = {
        "collateralFloor": constants.collateral_floor * unit,
        "rewardBps": lazy.reward_bps,
        "minLockDuration": constants.min_lock_duration,
        "maxLockDuration": constants.max_lock_duration,
        "minChallengeWindow": lazy.min_challenge_window,
        "maxChallengeWindow": lazy.max_challenge_window,
        "minResponseWindow": lazy.min_response_window,
        "maxResponseWindow": lazy.max_response_window,
    }
    market = await deployer.ensure("LazyMarket", [*shared, court, record_limits, lazy_limits])
    return {"DisputeCourt": court, "LazyMarket": market}


async def _deploy_quorum(
    deployer: _Deployer, constants: ChainConstants, unit: int, shared: Sequence[str]
) -> dict[str, str]:
    """The quorum market, and where its members enrol, which it makes itself."""
    token, registry, _, staking, validator = shared
    quorum = constants.quorum
    rounds = {
        "minMembers": quorum.min_members,
        "maxMembers": quorum.max_members,
        "seedDelay": quorum.seed_delay,
        "minWindow": quorum.min_window,
        "maxWindow": quorum.max_window,
    }
    members = {
        "minStake": quorum.min_stake * unit,
        "seatBond": quorum.seat_bond * unit,
        "outlierSlash": quorum.outlier_slash * unit,
    }
    limits = _record_limits(constants, quorum.max_output_length)
    market = await deployer.ensure(
        "QuorumMarket", [token, registry, staking, validator, limits, rounds, members]
    )
    pool = ContractAbi("QuorumMarket", load_artifact("QuorumMarket").abi).function("memberPool")
    asked = {"to": market, "data": "0x" + pool.encode_call().hex()}
    found = pool.decode_result(await deployer.connection.rpc.data("eth_call", asked, "latest"))
    return {"QuorumMarket": market, "QuorumMembers": str(found)}


async def _deploy_attested(
    deployer: _Deployer, constants: ChainConstants, shared: Sequence[str]
) -> dict[str, str]:
    """The market of attested answers, and the verifier for key sets."""
    token, registry, _, _, validator = shared
    limits = _record_limits(constants, constants.quorum.max_output_length)
    market = await deployer.ensure("AttestedMarket", [token, registry, validator, limits])
    return {
        "AttestedMarket": market,
        "KeySetVerifier": await deployer.ensure("KeySetVerifier"),
    }


def _record_limits(constants: ChainConstants, max_output_length: int) -> dict[str, int]:
    """What every market with records is bounded by."""
    return {
        "maxLifetime": constants.max_lifetime,
        "maxCallbackGas": constants.max_callback_gas,
        "maxInputLength": constants.max_input_length,
        "maxOutputLength": max_output_length,
    }


async def read_token(rpc: Rpc, address: str) -> TokenInfo:
    """Symbol and decimals of an ERC-20.

    Raises:
        ChainError: ``no-contract``.
    """
    if not await rpc.code(address):
        raise no_contract("token", address)
    abi = ContractAbi(_TEST_TOKEN, load_artifact(_TEST_TOKEN).abi)
    values = []
    for function in ("symbol", "decimals"):
        item = abi.function(function)
        call = {"to": address, "data": "0x" + item.encode_call().hex()}
        values.append(item.decode_result(await rpc.data("eth_call", call, "latest")))
    return TokenInfo(address, str(values[0]), int(values[1]))


async def _require_create2_deployer(rpc: Rpc) -> None:
    if not await rpc.code(CREATE2_DEPLOYER):
        raise ConfigError(
            "no-create2-deployer",
            f"this chain lacks the CREATE2 deployer {CREATE2_DEPLOYER}",
            hint="send its one-time transaction first:"
            " https://github.com/Arachnid/deterministic-deployment-proxy",
        )


async def _require_code(rpc: Rpc, wanted: Creation) -> None:
    """Refuses code that is not the artifact's; immutables may differ, lengths may not."""
    code = await rpc.code(wanted.address)
    if not code:
        raise no_contract(wanted.artifact.name, wanted.address)
    if not wanted.artifact.matches(code):
        raise ChainError(
            "code-mismatch",
            f"the code at {wanted.address} is not that of {wanted.artifact.name}",
            hint="run `make build`; never use this address",
            contract=wanted.artifact.name,
            address=wanted.address,
        )


async def _first_block_of(rpc: Rpc, address: str, latest: int) -> int:
    """The block before the one in which a contract appeared; 0 where the node forgot old states."""
    low, high = 0, latest
    try:
        while low < high:
            middle = (low + high) // 2
            if await rpc.code(address, hex(middle)):
                high = middle
            else:
                low = middle + 1
    except RpcError:
        return 0
    return max(low - 1, 0)
