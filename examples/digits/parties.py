"""The demo's parties: each has a home and a wallet, and sees the others through the chain."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from gateless.adapters.storage import LocalStore, create_app
from gateless.core.errors import ConfigError
from gateless.devnet import Devnet
from gateless.devnet.accounts import DEVELOPMENT_PASSWORD, keystore_folder
from gateless.sdk import AsyncGateless

_STOP_SECONDS = 20
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with a folder of his own; nothing is shared but the chain and HTTP."""

    name: str
    home: Path

    async def connect(self, net: Devnet) -> AsyncGateless:
        """The party's client, signing with its own key."""
        return await AsyncGateless.connect(
            net.deployment, signer=net.signers[self.name], home=self.home
        )


def settle_in(net: Devnet, name: str, root: Path) -> Party:
    """Gives a party its home with its wallet and the network's deployments file."""
    home = root / name
    networks, wallets = home / "networks", keystore_folder(home)
    networks.mkdir(parents=True, exist_ok=True)
    wallets.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.copy(net.deployment_file, networks / net.deployment_file.name)
    for source in keystore_folder(net.home).glob(f"{name}*"):
        shutil.copy(source, wallets / source.name)
    return Party(name, home)


@asynccontextmanager
async def serving(home: Path) -> AsyncIterator[str]:
    """Serves a home's content store over HTTP; gives its base URL."""
    config = uvicorn.Config(
        create_app(LocalStore(home / "content")), port=0, log_level="warning", lifespan="off"
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await task


@asynccontextmanager
async def executor_process(
    party: Party, network: str, log: Path
) -> AsyncIterator[asyncio.Task[int]]:
    """The executor daemon as its operator runs it: a process of its own; gives its end."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(party.home),
        "GATELESS_HOME": str(party.home),
        "GATELESS_NETWORK": network,
        "GATELESS_WALLET": party.name,
        "GATELESS_PASSWORD": DEVELOPMENT_PASSWORD,
    }
    command = Path(sys.executable).with_name("gateless")
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            str(command),
            *("executor", "run", "--port", "0"),
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    watch = asyncio.create_task(process.wait())
    try:
        yield watch
    finally:
        if not watch.done():
            process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await watch
        except TimeoutError:
            process.kill()
            await process.wait()


async def while_running(executor: asyncio.Task[int], work: Coroutine[Any, Any, T], log: Path) -> T:
    """Waits for something that the executor is needed for; fails as soon as it has ended."""
    task = asyncio.create_task(work)
    await asyncio.wait((task, executor), return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        return task.result()
    task.cancel()
    raise ConfigError("executor-stopped", "the executor has ended", hint=f"its log says why: {log}")
