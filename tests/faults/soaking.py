"""The world of a soak: a chain that can be restarted, accounts, and an executor that is kept up."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

from faulty_rpc import FaultyRpc
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.signer import LocalSigner
from gateless.devnet import Devnet, running_devnet
from gateless.devnet.anvil import start_anvil
from gateless.devnet.anvil_control import AnvilControl
from gateless.sdk import AsyncGateless
from gateless_proofs import BuildOptions, Bundle, CalibrationData, KeyCache, build_bundle
from market_fixtures import LABELS, Account, Served, calibration_rows, fund, tiny_onnx
from tried import Tried

#: The least price of the executor.
LEAST_PRICE = 250_000


class RestartableChain:
    """An anvil that can be stopped and comes back with what it had, at the same port."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._state = home / "chain.json"
        self._running = AsyncExitStack()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self._port = int(taken.getsockname()[1])

    @asynccontextmanager
    async def network(self) -> AsyncIterator[Devnet]:
        """Deploys, and keeps the chain up until the end of the block."""
        async with running_devnet(self._home, port=self._port, state=self._state) as made:
            pass
        await self.start()
        try:
            async with await ChainClient.connect(made.deployment) as client:
                control = await AnvilControl.of(client.rpc)
                yield replace(made, client=client, control=control)
        finally:
            await self.stop()

    async def start(self) -> None:
        log = self._home / "logs" / "anvil.log"
        await self._running.enter_async_context(
            start_anvil(log, port=self._port, state=self._state)
        )

    async def stop(self) -> None:
        await self._running.aclose()


class Accounts:
    """Makes accounts, as tests' fixtures do."""

    def __init__(self, devnet: Devnet, root: Path, cache: Path) -> None:
        self._devnet = devnet
        self._root = root
        self._cache = cache
        self._clients: list[AsyncGateless] = []

    async def make(self, tokens: int = 20_000) -> Account:
        signer = LocalSigner.random()
        await fund(self._devnet, signer.address, tokens)
        home = self._root / f"account-{len(self._clients)}"
        home.mkdir()
        (home / "cache").symlink_to(self._cache)
        return await self._connected(signer, home)

    async def reconnected(self, account: Account) -> Account:
        """The same account without what its client remembers of an undone chain."""
        return await self._connected(account.signer, account.home)  # type: ignore[arg-type]

    async def _connected(self, signer: LocalSigner, home: Path) -> Account:
        client = await AsyncGateless.connect(self._devnet.deployment, signer=signer, home=home)
        self._clients.append(client)
        return Account(signer, home, client)

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    async def serve(self, name: str, bundle: Bundle) -> Served:
        """Publishes a bundle; a staked executor enrols for it."""
        builder, executor = await self.make(), await self.make()
        published = await builder.client.publish(bundle, name, royalty_bps=500)
        await executor.client.stake(2_000_000_000, serve=[name], min_price=LEAST_PRICE)
        store = executor.client.services.store
        for path in (bundle.root / "manifest.json", *bundle.root.iterdir()):
            if path.is_file():
                await store.put(path)
        return Served(name, published, builder, executor, bundle)


async def tiny_bundle(root: Path) -> Bundle:
    """The classifier of four numbers that tests use."""
    return await build_bundle(
        tiny_onnx(root / "tiny.onnx"),
        CalibrationData.from_arrays({"x": calibration_rows()}),
        root / "tiny",
        options=BuildOptions(name="tiny", labels=LABELS, chain_id=31337),
        keys=KeyCache(root / "cache"),
    )


class Kept:
    """An executor process that is started again whenever it ends, as service managers do it.

    Attributes:
        starts: how often it was started.
        kills: how often it was killed.
        refusals: how often it found no chain when it started, said so and ended.
        ends: how often it ended otherwise.
    """

    def __init__(self, tried: Tried, proxy: FaultyRpc, receipt_key: LocalSigner) -> None:
        self._tried = tried
        self._network = tried.reached_by(proxy.url)
        self._receipt_key = receipt_key
        self._kill = asyncio.Event()
        self.starts = 0
        self.kills = 0
        self.refusals = 0
        self.ends = 0

    def kill(self) -> None:
        """kill -9."""
        self._kill.set()

    async def run(self) -> None:
        """Until it is cancelled; the last process is killed then."""
        while True:
            self.starts += 1
            self._kill.clear()
            key = self._receipt_key
            log = self._tried.ask.served.executor.home / "executor.log"
            told_before = log.stat().st_size if log.exists() else 0
            async with self._tried.process(self._network, receipt_key=key) as process:
                ended = asyncio.create_task(_until_ended(process.pid))
                killed = asyncio.create_task(self._kill.wait())
                try:
                    await asyncio.wait({ended, killed}, return_when=asyncio.FIRST_COMPLETED)
                    self.kills += killed.done()
                    if not killed.done():
                        told = log.read_bytes()[told_before:]
                        has_refused = b'"starting"' not in told and b"[rpc-" in told
                        self.refusals += has_refused
                        self.ends += not has_refused
                finally:
                    ended.cancel()
                    killed.cancel()
            await asyncio.sleep(1)


async def _until_ended(pid: int) -> None:
    while _runs(pid):  # noqa: ASYNC110 -- another process: nothing tells us
        await asyncio.sleep(0.5)


def _runs(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False


def remove(folder: Path) -> None:
    """Removes a soak's files."""
    if os.environ.get("GATELESS_KEEP_SOAK", "") == "":
        shutil.rmtree(folder, ignore_errors=True)
