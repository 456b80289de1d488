"""Asking executors by HTTP on the command line: a direct answer, a signed request."""

from __future__ import annotations

import json
import shlex
import socket
from pathlib import Path

import httpx
from cli_fixtures import MakeWallet, Shell
from executor_fixtures import config_of, executor_process
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import NotFoundError
from gateless.core.receipts import parse_receipt
from gateless.devnet import Devnet
from gateless.executor import ReceiptsConfig
from gateless.sdk import PoolTerms
from market_fixtures import ROW, MakeServed, fund
from patience import eventually

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)
RECEIPTS = ReceiptsConfig(
    bond=TERMS.bond, capacity=TERMS.capacity, challenge_bond=TERMS.challenge_bond, epochs_ahead=0
)


async def test_a_direct_answer_and_a_signed_request(
    isolated_devnet: Devnet,
    shell: Shell,
    make_wallet: MakeWallet,
    make_served: MakeServed,
    tmp_path: Path,
) -> None:
    served, key = await make_served("cli-asked"), LocalSigner.random()
    executor = served.executor
    await fund(isolated_devnet, executor.address, 500)
    await executor.client.back_receipts(TERMS, receipt_key=key.address)
    address = await make_wallet("asker", tokens=20)
    row, kept = tmp_path / "row.json", tmp_path / "receipt.json"
    row.write_text(json.dumps(ROW))
    nobody = await shell("receipt", "ask", "cli-asked", "-i", str(row), code=6)
    assert nobody.stderr.startswith("error[")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = int(taken.getsockname()[1])
    await executor.client.stake(0, endpoint=f"http://127.0.0.1:{port}")
    config = config_of(executor, serve_port=port, receipts=RECEIPTS)
    async with executor_process(isolated_devnet, executor, config, receipt_key=key):

        async def serves() -> bool:
            async with httpx.AsyncClient() as http:
                try:
                    return (await http.get(f"http://127.0.0.1:{port}/v2/health/ready")).is_success
                except httpx.TransportError:
                    return False

        await eventually("the executor serves", serves)
        arguments = ("-i", str(row), "--save", str(kept), "--min-bond", "10")
        asked = await shell("--json", "receipt", "ask", "cli-asked", *arguments)
        assert asked.data["executor"] == executor.address
        assert asked.data["price"]["units"] == 0
        receipt = parse_receipt(kept.read_text()).receipt
        assert receipt.beneficiary == address
        lost = await shell("receipt", "ask", "cli-asked", "-i", str(row))
        assert "10.00 tUSD stand for it" in lost.stdout and "prediction" in lost.stdout
        assert "was not kept" in lost.stderr
        # What was kept is what other commands take: the next one is printed whole.
        told = await shell("receipt", "ask", "cli-asked", "-i", str(row), "--save", str(kept))
        assert asked.data["packed_output"] in told.stdout
        (command,) = (line for line in told.stderr.splitlines() if "receipt check" in line)
        checked = await shell(*shlex.split(command)[1:], "--executor", executor.address)
        assert "the receipt is worth its bond" in checked.stdout
        assert f"gateless receipt challenge {kept} --input {row}" in told.stderr
        await shell("wallet", "deposit", "5")
        signed = (await shell("--json", "request", "sign", "cli-asked", "-i", str(row))).data
        assert signed["takers"] == [executor.address]

        async def known() -> bool:
            try:
                await executor.client.request(int(signed["request_id"], 16))
            except NotFoundError:
                return False
            return True

        await eventually("the request is locked", known)
        waited = await shell("request", "wait", signed["request_id"])
        assert "prediction" in waited.stdout
