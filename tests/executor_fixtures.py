"""Executors for tests: real ones, in this process or in one of their own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateless.adapters.clock import Clock
from gateless.adapters.signer import KeystoreStore, LocalSigner, Signer
from gateless.adapters.signer.keystore import LIGHT_SCRYPT_N
from gateless.adapters.storage import LocalStore
from gateless.devnet import Devnet
from gateless.executor import Executor, ExecutorConfig, Journal, PolicyConfig
from gateless.executor.service import open_executor
from gateless.executor.states import WorkState
from gateless.executor.status import Problem
from gateless.executor.work import Work
from gateless_proofs import Prover
from market_fixtures import Account
from patience import PATIENCE_SECONDS, eventually

PASSWORD = "for tests only"
#: Until a process has started and done what it is to end at, on a busy machine.
ENDING_SECONDS = 180.0


def config_of(account: Account, *, data: str = "executor", **changes: Any) -> ExecutorConfig:
    """A quick executor in an account's home."""
    home = account.home
    config = ExecutorConfig(
        data_dir=home / data,
        content_dir=home / "content",
        bundles_dir=home / "bundles",
        cache_dir=home / "cache",
        poll_seconds=0.05,
        retry_seconds=0.3,
        policy=PolicyConfig(margin_seconds=1.0),
    )
    return replace(config, **changes)


@dataclass(frozen=True)
class Running:
    """An executor that runs in this process."""

    executor: Executor
    journal: Journal
    task: asyncio.Task[None]

    async def state(self, request_id: int) -> WorkState | None:
        try:
            return (await self.journal.get(request_id)).state
        except LookupError:
            return None

    async def has_problems(self, *codes: str) -> tuple[Problem, ...]:
        """Waits until the status shows exactly these problems: it follows the journal."""

        async def shown() -> bool:
            if self.task.done():
                self.task.result()
            return [entry.code for entry in (await self.executor.status()).problems] == [*codes]

        await eventually(f"the problems are {codes}", shown)
        return (await self.executor.status()).problems

    async def shows_problem(self, code: str) -> tuple[Problem, ...]:
        """Waits until the status shows a problem of this code; all of that code."""
        found: list[Problem] = []

        async def shown() -> bool:
            if self.task.done():
                self.task.result()
            problems = (await self.executor.status()).problems
            found[:] = [entry for entry in problems if entry.code == code]
            return bool(found)

        await eventually(f"{code} is a problem", shown)
        return tuple(found)

    async def work(self, request_id: int) -> Work:
        return await self.journal.get(request_id)

    async def reaches(self, request_id: int, *states: WorkState) -> Work:
        async def reached() -> bool:
            if self.task.done():
                self.task.result()
            return await self.state(request_id) in states

        await eventually(f"request {request_id} is {' or '.join(states)}", reached)
        return await self.journal.get(request_id)

    async def waits_for(self, request_id: int, reason: str) -> Work:
        async def waits() -> bool:
            state = await self.state(request_id)
            return state is not None and (await self.work(request_id)).reason == reason

        await eventually(f"request {request_id} waits for {reason}", waits)
        return await self.journal.get(request_id)


@asynccontextmanager
async def running(
    devnet: Devnet,
    account: Account,
    config: ExecutorConfig | None = None,
    *,
    rpc_url: str | None = None,
    prover: Prover | None = None,
    receipt_key: Signer | None = None,
    signer: Signer | None = None,
    clock: Clock | None = None,
    **changes: Any,
) -> AsyncIterator[Running]:
    """Runs an executor for the length of the block, then stops it without grace."""
    config = config or config_of(account, **changes)
    deployment = devnet.deployment
    if rpc_url is not None:
        deployment = replace(deployment, rpc_url=rpc_url)
    journals: list[Journal] = []

    class Kept(Journal):
        """A journal that the test can read too."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            journals.append(self)

    async with open_executor(
        config,
        deployment=deployment,
        signer=signer or account.signer,
        clock=clock,
        prover=prover,
        journal_type=Kept,
        receipt_key=receipt_key,
    ) as executor:
        task = asyncio.create_task(executor.run())
        try:
            yield Running(executor, journals[0], task)
        finally:
            executor.abort()
            await task


@asynccontextmanager
async def reading(
    devnet: Devnet, account: Account, config: ExecutorConfig
) -> AsyncIterator[Journal]:
    """The journal of an executor that may be running elsewhere."""
    journal = await Journal.open(
        config.journal,
        chain_id=devnet.deployment.chain_id,
        market=devnet.client.market.address,
        account=account.address,
    )
    try:
        yield journal
    finally:
        await journal.close()


class Process:
    """An executor in a process of its own, started as a service manager starts it."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it ended by itself, or was killed."""
        return self._process.returncode is not None

    async def kill(self) -> None:
        """kill -9."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)
        await self._process.wait()

    async def terminate(self) -> int:
        """SIGTERM, and wait for the end."""
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self._process.wait(), PATIENCE_SECONDS)

    async def ended(self) -> int:
        """Waits until it ends by itself; its status."""
        return await asyncio.wait_for(self._process.wait(), ENDING_SECONDS)

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGTERM)


@asynccontextmanager
async def executor_process(
    devnet: Devnet,
    account: Account,
    config: ExecutorConfig,
    *,
    die_at: str | None = None,
    receipt_key: LocalSigner | None = None,
) -> AsyncIterator[Process]:
    """Starts an executor process; kills it at the end of the block if it still runs.

    Args:
        devnet: the network.
        account: the executor.
        config: written to a file for it.
        die_at: step at which it kills itself, see :mod:`dying_executor`.
        receipt_key: signs receipts, where the configuration has terms for them.
    """
    module = "gateless.executor" if die_at is None else "dying_executor"
    settings = _write_settings(devnet, account, config)
    if receipt_key is not None:
        _keep_key(account.home / "receipt-keys", receipt_key)
    log = account.home / "executor.log"
    paths = [entry for entry in sys.path if entry]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, str(settings)),
            stdout=output,
            stderr=output,
            env={
                **os.environ,
                "GATELESS_PASSWORD": PASSWORD,
                "GATELESS_DIE_AT": die_at or "",
                "PYTHONPATH": os.pathsep.join(paths),
            },
        )
    handle = Process(process, log)
    try:
        yield handle
    finally:
        await handle.kill()


def _keep_key(folder: Path, signer: LocalSigner) -> Path:
    """A signer does not show its key; the other process needs the same account."""
    if not (folder / "executor.json").exists():
        key = bytes(signer._account.key)
        KeystoreStore(folder, scrypt_n=LIGHT_SCRYPT_N).import_key("executor", PASSWORD, key)
    return folder


def _write_settings(devnet: Devnet, account: Account, config: ExecutorConfig) -> Path:
    keystore = _keep_key(account.home / "keystore", account.signer)
    path = account.home / "executor.json"
    policy = config.policy
    path.write_text(
        json.dumps(
            {
                "home": str(account.home),
                "network": str(devnet.deployment_file),
                "keystore": str(keystore),
                "wallet": "executor",
                "data_dir": str(config.data_dir),
                "content_dir": str(config.content_dir),
                "bundles_dir": str(config.bundles_dir),
                "cache_dir": str(config.cache_dir),
                "database": None if config.database is None else config.database.dsn,
                "confirmations": config.confirmations,
                "memory_bytes": config.memory_bytes,
                "poll_seconds": config.poll_seconds,
                "retry_seconds": config.retry_seconds,
                "withdraw_threshold": config.withdraw_threshold,
                "sending": {
                    "stuck_seconds": config.sending.stuck_seconds,
                    "stuck_blocks": config.sending.stuck_blocks,
                },
                "policy": {
                    "margin_seconds": policy.margin_seconds,
                    "max_concurrent": policy.max_concurrent,
                    "batch_wait_seconds": policy.batch_wait_seconds,
                    "lock_wait_seconds": policy.lock_wait_seconds,
                },
                "serve_port": config.serve_port,
                "receipts": None if config.receipts is None else asdict(config.receipts),
                "lazy": asdict(config.lazy),
                "quorums": [
                    {"version_id": entry.version_id, "stake": entry.stake, **asdict(entry.terms)}
                    for entry in config.quorum.enrolments
                ],
            }
        )
    )
    return path


@asynccontextmanager
async def serving(store: LocalStore, tamper_with: str | None = None) -> AsyncIterator[str]:
    """Serves a content store over HTTP, without any check; lies about one file where told to."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        digest = request.split()[1].rpartition("/")[2]
        path = store.path_of(digest)
        if path.is_file():
            body = bytearray(path.read_bytes())
            if digest == tamper_with:
                body[-1] ^= 1
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
        else:
            body, head = bytearray(), "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


class Gate:
    """A TCP relay in front of a node that can be shut: then connections are cut and refused."""

    def __init__(self, node_url: str) -> None:
        self._node = urlsplit(node_url)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in list(self._open):
                writer.transport.abort()
            await self._server.wait_closed()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node_reader, node_writer = await asyncio.open_connection(
            self._node.hostname, self._node.port
        )
        ends = {writer, node_writer}
        self._open |= ends

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await source.read(1 << 16):
                    sink.write(data)
                    await sink.drain()
            sink.transport.abort()

        await asyncio.gather(pump(reader, node_writer), pump(node_reader, writer))
        self._open -= ends


@asynccontextmanager
async def gate_to(devnet: Devnet) -> AsyncIterator[Gate]:
    """A gate in front of the devnet's node, open."""
    gate = Gate(devnet.deployment.rpc_url)
    await gate.open()
    try:
        yield gate
    finally:
        await gate.shut()
