"""The executor as a process: what it serves, how it is configured, how it starts and ends."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from executor_fixtures import config_of, eventually, executor_process, running
from gateless.adapters.chain.relay import RelayFallback, RelayPolicy
from gateless.adapters.storage import HttpStore
from gateless.core.errors import ConfigError, SandboxError, WalletError
from gateless.core.manifest import FileRole
from gateless.devnet import Devnet
from gateless.executor import (
    ExecutorConfig,
    IntakeConfig,
    LazyConfig,
    ReceiptsConfig,
    Serving,
)
from gateless.executor.__main__ import main, read_config
from gateless.executor.service import open_executor
from gateless.executor.states import WorkState
from gateless_proofs.isolation import NOTHING, Ways
from market_fixtures import ROW, MakeAccount, MakeServed

MARKET = "0x" + "aB" * 20


async def test_it_serves_its_files_and_its_status(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("service-http")
    user = await make_account()
    model = served.bundle.manifest.file(FileRole.MODEL)
    async with (
        running(devnet, served.executor, serve_port=0) as run,
        httpx.AsyncClient() as http,
    ):
        url = run.executor.serving_at
        # Its address goes on chain, so that whoever calls its models finds their files.
        await served.executor.client.stake(0, endpoint=url)
        result = await user.client.infer(served.name, ROW)
        await run.reaches(result.request_id, WorkState.FULFILLED)
        assert await HttpStore([url], http).get(model.sha256)
        status = (await http.get(f"{url}/v1/status")).json()
        assert status["phase"] == "running"
        assert status["address"] == served.executor.address
        assert status["counts"]["fulfilled"] == 1
        assert status["earned"] == result.fee
        assert status["enrolled"] == [served.published.version_id]
        assert (await http.get(f"{url}/v1/content/{'0' * 64}")).status_code == 404


async def test_a_port_in_use_is_said_before_anything_starts(
    devnet: Devnet, make_account: MakeAccount
) -> None:
    account = await make_account()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = config_of(account, serve_port=taken.getsockname()[1])
        with pytest.raises(ConfigError) as caught:
            async with open_executor(config, deployment=devnet.deployment, signer=account.signer):
                pass
    assert caught.value.code == "port-taken"
    assert not (config.data_dir / "journal.db").exists()


async def test_models_are_not_run_where_nothing_keeps_them_in(
    devnet: Devnet, make_account: MakeAccount
) -> None:
    account = await make_account()
    config = config_of(account)
    with pytest.raises(SandboxError) as caught:
        async with open_executor(
            config, deployment=devnet.deployment, signer=account.signer, ways=NOTHING
        ):
            pass
    assert caught.value.code == "sandbox-unavailable"
    accepted = replace(config, allow_unsandboxed=True)
    for settings, ways, network in (
        (accepted, NOTHING, "none"),
        (config, Ways(namespaces=False), "seccomp"),
    ):
        async with open_executor(
            settings, deployment=devnet.deployment, signer=account.signer, ways=ways
        ) as executor:
            status = (await executor.status()).to_dict()
            [node] = status["proving"]["nodes"]
            assert node["isolation"]["network"] == network


async def test_log_lines_carry_the_request(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("service-log")
    user = await make_account()
    await user.client.services.store.put(served.bundle.root / "manifest.json")
    config = config_of(served.executor)
    async with executor_process(devnet, served.executor, config) as process:
        asked = await user.client.submit(served.name, ROW)

        async def ended() -> bool:
            return '"event": "request-ended", "request_id": ' in process.log.read_text()

        await eventually("the request has ended", ended)
        assert await process.terminate() == 0
    lines = [json.loads(line) for line in process.log.read_text().splitlines()]
    about = [line["event"] for line in lines if line.get("request_id") == asked.request_id]
    assert about == [
        "request-checked",
        "proof-made",
        "transaction-sent",
        "transaction-mined",
        "request-locked",
        "transaction-sent",
        "transaction-mined",
        "request-fulfilled",
        "request-ended",
    ]
    assert all({"timestamp", "level", "event"} <= line.keys() for line in lines)
    assert lines[-1]["event"] == "stopped"


def settings(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "executor.json"
    values = {
        "home": str(tmp_path),
        "network": "devnet",
        "keystore": str(tmp_path / "keystore"),
        "wallet": "executor",
    }
    path.write_text(json.dumps(values | changes))
    return path


def test_a_configuration_file_is_read_whole(tmp_path: Path) -> None:
    path = settings(
        tmp_path,
        stores=["https://store.example.org"],
        confirmations=3,
        policy={"serving": "listed", "versions": [4294967296], "min_price": 5, "profit_bps": 100},
        receipts={"bond": 10, "capacity": 5, "challenge_bond": 2},
        intake={"burst": 7},
        lazy={"backing": 1000},
        cluster="ray://10.0.0.1:10001",
        cluster_node_cores=4,
        sending={"max_fee_per_gas": 10**11, "stuck_seconds": 30},
        relay={"url": "https://relay.example.org", "fallback": "wait"},
        signer={"url": "http://127.0.0.1:9000"},
    )
    config = read_config(path).executor_config(MARKET, "0xABC")
    assert config.stores == ("https://store.example.org",)
    assert config.confirmations == 3
    assert config.policy.serving is Serving.LISTED
    assert config.policy.versions == {4294967296}
    assert config.policy.min_price == 5
    assert config.policy.rates.profit_bps == 100
    assert config.receipts == ReceiptsConfig(bond=10, capacity=5, challenge_bond=2)
    assert config.intake == IntakeConfig(burst=7)
    assert config.lazy == LazyConfig(backing=1000)
    assert (config.cluster, config.cluster_node_cores) == ("ray://10.0.0.1:10001", 4)
    assert config.cluster_node_memory_bytes is None
    assert config.sending.fees.max_fee_per_gas == 10**11
    assert config.sending.stuck_seconds == 30
    assert config.relay == RelayPolicy("https://relay.example.org", fallback=RelayFallback.WAIT)
    usual = ExecutorConfig.in_home(tmp_path, "devnet", MARKET, "0xABC")
    assert config.data_dir == usual.data_dir == tmp_path / "executor" / "devnet-abababab-0xabc"
    assert config.cache_dir == usual.cache_dir


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"surprise": 1}, "surprise"),
        ({"poll_seconds": 0}, "poll_seconds"),
        ({"serve_port": 70000}, "serve_port"),
        ({"policy": {"serving": "everything"}}, "policy.serving"),
        ({"policy": {"time_factor": 0.5}}, "policy.time_factor"),
        ({"receipts": {"bond": 0, "capacity": 1, "challenge_bond": 1}}, "receipts.bond"),
        ({"intake": {"rate_per_second": 0}}, "intake.rate_per_second"),
        ({"lazy": {"doubt_bps": 10_001}}, "lazy.doubt_bps"),
        ({"sending": {"max_fee_per_gas": 0}}, "sending.max_fee_per_gas"),
        ({"relay": {"url": "u", "fallback": "pray"}}, "relay.fallback"),
        ({"signer": {}}, "signer.url"),
    ],
)
def test_mistakes_in_a_configuration_file_are_named(
    tmp_path: Path, changes: dict[str, Any], where: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        read_config(settings(tmp_path, **changes))
    assert caught.value.code == "invalid-config"
    assert where in caught.value.message


def test_a_start_that_fails_says_why_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == ConfigError.exit_code
    assert "usage" in capsys.readouterr().err
    assert main([str(tmp_path / "absent.json")]) == ConfigError.exit_code
    assert "invalid-config" in capsys.readouterr().err
    (tmp_path / "password").write_text("secret\n")
    path = settings(tmp_path, password_file=str(tmp_path / "password"))
    assert main([str(path)]) != 0
    assert "unknown-wallet" in capsys.readouterr().err


def test_without_wallet_and_external_signer_nobody_signs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = settings(tmp_path, wallet=None)
    assert main([str(path)]) == ConfigError.exit_code
    assert "names no wallet" in capsys.readouterr().err
    path = settings(tmp_path, signer={"url": "http://127.0.0.1:9"})
    assert main([str(path)]) == WalletError.exit_code
    assert "signer-unreachable" in capsys.readouterr().err
