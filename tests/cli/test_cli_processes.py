"""The installed command as people run it: real processes, signals, pipes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest
from cli_fixtures import CLEAN, MakeWallet, Shell
from cli_processes import command, finished
from executor_fixtures import eventually
from gateless.adapters.storage.http import CONTENT_PATH
from gateless.devnet.accounts import DEVELOPMENT_PASSWORD
from market_fixtures import ROW, MakeServed, TinyModel


def _row(folder: Path) -> str:
    path = folder / "row.json"
    path.write_text(json.dumps(ROW))
    return str(path)


async def test_the_whole_road_in_four_terminals(tmp_path: Path, tiny_model: TinyModel) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(tiny_model.cache)
    async with command(home, "devnet", "up", "--json") as network:
        up = await network.document()
        assert up["password"] == DEVELOPMENT_PASSWORD
        assert [account["wallet"] for account in up["accounts"]] == [
            "builder",
            "executor",
            "user",
            "watchtower",
        ]
        second = await finished(home, "devnet", "up")
        assert (second[0], second[2].split(":")[0]) == (11, "error[devnet-running]")

        code, out, err = await finished(
            home,
            "model",
            "publish",
            str(tiny_model.bundle.root),
            "--name",
            "road",
            "--royalty",
            "5",
        )
        assert code == 0, err
        code, out, err = await finished(
            home, "executor", "stake", "20", "--serve", "road", "--min-price", "0.2"
        )
        assert code == 0, err
        async with command(home, "executor", "run", "--json", "--port", "0") as executor:
            ready = await executor.document()
            code, out, err = await finished(home, "--json", "infer", "road", "-i", _row(tmp_path))
            assert code == 0, err
            result = json.loads(out)
            assert result["executor"] == ready["address"]
            assert result["price"]["text"] == "0.20 tUSD"
            assert result["royalty"]["text"] == "0.01 tUSD"
            async with httpx.AsyncClient() as http:

                async def counted() -> bool:
                    # The requester sees the block before the executor has written it down.
                    status = (await http.get(ready["serving_at"] + "/v1/status")).json()
                    return status["counts"] == {"fulfilled": 1}

                await eventually("the executor counts it", counted)
            code, _, err = await executor.stop(signal.SIGTERM)
            assert code == 0, err
        code, out, _ = await finished(home, "executor", "status", "--json")
        assert json.loads(out)["work"] == {"fulfilled": 1}
        code, out, err = await network.stop()
        assert code == 0, err
    code, _, err = await finished(home, "model", "list")
    assert (code, err.split(":")[0]) == (7, "error[rpc-unreachable]")
    assert "hint: " in err and "gateless devnet up" in err


async def test_ctrl_c_while_waiting_loses_nothing(
    shell: Shell, make_wallet: MakeWallet, make_served: MakeServed, tmp_path: Path
) -> None:
    served = await make_served("process-waiting")
    await make_wallet("alice", tokens=1)
    await shell("store", "put", served.bundle.root / "manifest.json")
    market = served.executor.client.chain.market
    expected = await market.request_count() + 1
    arguments = ("infer", "process-waiting", "-i", _row(tmp_path))
    async with command(shell.home, *arguments, **shell.environ) as waiting:

        async def made() -> bool:
            return await market.request_count() >= expected

        await eventually("the request is on chain", made)
        await asyncio.sleep(0.5)  # it has the receipt by now and waits for the answer
        code, out, err = await waiting.stop()
    assert code == 130
    assert out == ""
    assert err.startswith("interrupted\n")
    assert f"gateless request wait {expected}" in err
    await served.answer(expected)
    assert "prediction" in (await shell("request", "wait", expected)).stdout


async def test_ctrl_c_while_building_leaves_nothing_and_goes_on(
    shell: Shell, make_wallet: MakeWallet, tiny_model: TinyModel
) -> None:
    await make_wallet("builder")
    arguments = (
        *("model", "publish", str(tiny_model.onnx), "--calibration", str(tiny_model.calibration)),
        *("--name", "process-building"),
    )
    builds = shell.home / "builds"
    async with command(shell.home, *arguments, **shell.environ) as building:

        async def begun() -> bool:
            return builds.exists() and any(builds.iterdir())

        await eventually("it builds", begun)
        code, _, err = await building.stop()
    assert code == 130, err
    assert "run the same command again" in err
    assert list(builds.iterdir()) == []
    done = await shell(*arguments, "--json")
    assert done.data["version"] == "process-building@0"


async def test_a_store_serves_its_files(
    bare_shell: Shell, tiny_model: TinyModel, tmp_path: Path
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"content")
    put = (await bare_shell("--json", "store", "put", file)).data
    async with command(bare_shell.home, "store", "serve", "--port", "0", "--json") as serving:
        url = (await serving.document())["url"]
        async with httpx.AsyncClient() as http:
            for name in (put["sha256"], put["cid"]):
                assert (await http.get(url + CONTENT_PATH + name)).content == b"content"
        port = url.rpartition(":")[2]
        taken = await finished(bare_shell.home, "store", "serve", "--port", port)
        assert (taken[0], taken[2].split(":")[0]) == (11, "error[port-taken]")
        code, _, err = await serving.stop()
    assert code == 0, err


async def test_a_reader_that_leaves_early_is_no_error(shell: Shell) -> None:
    shown = await asyncio.create_subprocess_shell(
        f'{sys.executable} -c "from gateless.cli.main import run; run()" --help | head -n 1',
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **CLEAN, "GATELESS_HOME": str(shell.home)},
    )
    _, err = await shown.communicate()
    assert err == b""


@pytest.mark.parametrize("module", ["ezkl", "onnxruntime", "fastapi"])
async def test_help_does_not_wait_for_heavy_libraries(module: str) -> None:
    script = (
        "import sys\nsys.argv = ['gateless', '--help']\n"
        "from gateless.cli.main import app\n"
        "try:\n    app()\nexcept SystemExit:\n    pass\n"
        f"assert {module!r} not in sys.modules"
    )
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
