"""The whole development network as one context: chain, contracts, accounts, deployments file."""

from __future__ import annotations

import fcntl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.deployment import Deployment, load_deployment, save_deployment
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import ConfigError
from gateless.devnet.accounts import (
    DEPLOYER,
    development_signers,
    fund_native,
    fund_tokens,
)
from gateless.devnet.anvil import AnvilProcess, start_anvil
from gateless.devnet.anvil_control import AnvilControl
from gateless.devnet.chains import chain_constants
from gateless.devnet.deploy import deploy

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Devnet:
    """A running development network.

    Attributes:
        home: its folder: keystores, deployments file, log.
        deployment: as in the deployments file.
        client: the chain, contracts included.
        signers: ``deployer``, ``builder``, ``executor`` and ``user``.
        anvil: the chain's process.
        control: blocks and clock.
        deployment_file: path of the deployments file.
    """

    home: Path
    deployment: Deployment
    client: ChainClient
    signers: Mapping[str, LocalSigner]
    anvil: AnvilProcess
    control: AnvilControl
    deployment_file: Path

    def sender(self, name: str) -> Sender:
        """A sender for one of the accounts."""
        return Sender(self.client, self.signers[name])


@asynccontextmanager
async def running_devnet(
    home: Path,
    *,
    port: int | None = None,
    state: Path | None = None,
    block_time: float | None = None,
    progress: Progress | None = None,
) -> AsyncIterator[Devnet]:
    """Starts a chain, deploys, funds, writes the deployments file; stops the chain at the end.

    Args:
        home: folder for keystores, deployments file and log; made if need be.
        port: anvil's port; a free one where ``None``.
        state: file that keeps the chain between runs; forgotten where ``None``.
        block_time: seconds between blocks; a block per transaction where ``None``.
        progress: told what is happening.

    Raises:
        ConfigError: ``devnet-running`` where another devnet uses this home, ``anvil-missing``,
            ``anvil-failed``, ``artifacts-missing``, ``devnet-wallet-taken``.
    """
    with _exclusive(home):
        _report(progress, "unlock the development wallets", 0.0)
        signers = development_signers(home)
        _report(progress, "start anvil", 0.1)
        log = home / "logs" / "anvil.log"
        async with start_anvil(log, port=port, state=state, block_time=block_time) as anvil:
            deployment = await _deploy(anvil.url, signers, home, progress)
            async with await ChainClient.connect(deployment) as client:
                _report(progress, "hand out test dollars", 0.8)
                await fund_tokens(client, signers)
                path = save_deployment(deployment, home)
                control = await AnvilControl.of(client.rpc)
                _report(progress, "ready", 1.0)
                yield Devnet(home, deployment, client, signers, anvil, control, path)


async def _deploy(
    url: str, signers: Mapping[str, LocalSigner], home: Path, progress: Progress | None
) -> Deployment:
    async with ChainConnection(HttpRpc(url), DEVELOPMENT_CHAIN_ID) as connection:
        await fund_native(await AnvilControl.of(connection.rpc), signers)
        deployment = await deploy(
            connection.rpc,
            signers[DEPLOYER],
            chain_constants(DEVELOPMENT_CHAIN_ID),
            progress=lambda stage, share: _report(progress, stage, 0.2 + 0.6 * share),
        )
    try:
        earlier = load_deployment(deployment.name, home)
    except ConfigError:
        return deployment
    if earlier.contracts != deployment.contracts:
        return deployment
    # A resumed anvil has forgotten old states; what was written when they were new is right.
    return replace(deployment, start_block=min(earlier.start_block, deployment.start_block))


@contextmanager
def _exclusive(home: Path) -> Iterator[None]:
    """One devnet per home: a second one would overwrite the first one's deployments file."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / "devnet.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(
                "devnet-running",
                f"a devnet is running in {home}",
                hint="use that one, stop it, or start another with another --home",
            ) from None
        yield


def _report(progress: Progress | None, stage: str, share: float) -> None:
    if progress is not None:
        progress(stage, share)
