"""What every operation of the SDK works with, handed in once."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import httpx
from gateless_proofs import KeyCache, Prover

from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.sender import Sender
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.signer import Signer
from gateless.adapters.storage import LocalStore
from gateless.core.errors import WalletError
from gateless.core.types import Receipt
from gateless.sdk.progress import ProgressSink, Step
from gateless.sdk.results import SentTransaction

#: How long a signed permit may wait to be mined.
PERMIT_SECONDS = 1800


@dataclass(frozen=True, slots=True)
class Services:
    """The parts behind a client.

    Attributes:
        client: reads the chain.
        store: the own content store; other people's are found through the chain.
        bundles: folder in which fetched bundles are laid out, one folder per manifest digest.
        http: client for other people's content stores.
        prover: makes commitments, witnesses and proofs.
        keys: SRS and proving keys.
        signer: the account that pays; ``None`` for reading only.
        clock: what time it is.
        poll_seconds: how often a wait looks at the chain.
    """

    client: ChainClient
    store: LocalStore
    bundles: Path
    http: httpx.AsyncClient
    prover: Prover
    keys: KeyCache
    signer: Signer | None = None
    clock: Clock = field(default_factory=SystemClock)
    poll_seconds: float = 0.5


class Operations:
    """Base of the groups of operations."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._sender: Sender | None = None
        if services.signer is not None:
            self._sender = Sender(services.client, services.signer, clock=services.clock)

    @property
    def chain(self) -> ChainClient:
        """The typed view of the chain."""
        return self.services.client

    @property
    def signer(self) -> Signer:
        """The account that signs.

        Raises:
            WalletError: ``no-wallet``.
        """
        if self.services.signer is None:
            raise WalletError(
                "no-wallet",
                "this needs an account that signs",
                hint="choose one with --wallet NAME, or make one: gateless wallet create NAME",
            )
        return self.services.signer

    async def _permit_deadline(self) -> int:
        """Until when a permit signed now holds, by the clock that is ahead: the chain judges it."""
        block = await self.chain.block()
        return max(int(self.services.clock.now()), block.timestamp) + PERMIT_SECONDS

    async def _send(self, call: Call, progress: ProgressSink) -> tuple[Receipt, SentTransaction]:
        """Sends one transaction and waits until it is mined."""
        _ = self.signer  # raises for a client that only reads
        if self._sender is None:
            raise WalletError("no-wallet", "this needs an account that signs")
        progress(Step("send", call.label))
        receipt = await self._sender.send(call)
        sent = SentTransaction(call.label, receipt.tx_hash, receipt.gas_used, receipt.fee)
        return receipt, sent
