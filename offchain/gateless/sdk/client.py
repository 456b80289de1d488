"""The SDK's asynchronous client."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import httpx
from gateless_proofs import KeyCache, Limits, Prover

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.deployment import Deployment, load_deployment
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore
from gateless.sdk.auditing import Auditing
from gateless.sdk.board import Board
from gateless.sdk.calling import Calling
from gateless.sdk.pools import Pools
from gateless.sdk.publishing import Publishing
from gateless.sdk.services import Services

DEFAULT_HOME = Path("~/.gateless")


class AsyncGateless(Publishing, Calling, Pools, Board, Auditing):
    """Everything a builder, user or executor does on a Gateless network.

    Open it with :meth:`connect` and use it as an async context manager::

        async with await AsyncGateless.connect("devnet", signer=signer) as gateless:
            result = await gateless.infer("digits", image)
            print(result.label, result.outputs, result.fulfil_tx)

    The operations are grouped by subject in the base classes. Each raises
    :class:`gateless.core.errors.GatelessError` with a code and a hint, and moves no money
    when it raises :class:`InputError`, :class:`NotFoundError`, :class:`StorageError` or
    :class:`FundsError`.
    """

    @classmethod
    async def connect(
        cls,
        network: str | Path | Deployment,
        *,
        signer: Signer | None = None,
        home: Path = DEFAULT_HOME,
        rpc_url: str | Sequence[str] = (),
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> AsyncGateless:
        """Connects to a network and checks that it is the one it says to be.

        Args:
            network: name under ``<home>/networks``, path of a deployments file, or a deployment.
            signer: account that pays; without one the client only reads.
            home: where deployments, content, bundles and keys are kept.
            rpc_url: endpoint to use instead of the deployment's, or several in order of trust.
            limits: memory and time for proving subprocesses.
            clock: what time it is.

        Raises:
            ConfigError: ``unknown-network``, ``invalid-deployment``.
            ChainError: ``rpc-unreachable``, ``wrong-chain-id``, ``no-contract``.
        """
        folder = home.expanduser()  # noqa: ASYNC240 -- looks at the environment only
        if isinstance(network, Deployment):
            deployment = network
        else:
            deployment = load_deployment(network, folder)
        deployment = deployment.reached_by([rpc_url] if isinstance(rpc_url, str) else rpc_url)
        client = await ChainClient.connect(deployment)
        client.turns_folder = folder / "sending"
        keys = KeyCache(folder / "cache")
        return cls(
            Services(
                client=client,
                store=LocalStore(folder / "content"),
                bundles=folder / "bundles",
                http=httpx.AsyncClient(),
                prover=Prover(keys, limits or Limits()),
                keys=keys,
                signer=signer,
                clock=clock or SystemClock(),
            )
        )

    async def close(self) -> None:
        """Closes all connections."""
        await self.services.http.aclose()
        await self.services.client.close()

    async def __aenter__(self) -> AsyncGateless:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
