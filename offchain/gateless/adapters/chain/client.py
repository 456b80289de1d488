"""The typed view of one deployment on one chain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateless.adapters.chain.calls import TOKEN
from gateless.adapters.chain.connection import ChainConnection, require_chain_id
from gateless.adapters.chain.contract import no_contract
from gateless.adapters.chain.court import CourtReader
from gateless.adapters.chain.deployment import REQUIRED_CONTRACTS, Deployment
from gateless.adapters.chain.events import LogDecoder, scan_logs
from gateless.adapters.chain.http_rpc import HttpRpc
from gateless.adapters.chain.market import MarketReader
from gateless.adapters.chain.registry import RegistryReader
from gateless.adapters.chain.rpc import DEFAULT_TIMEOUT_SECONDS, Rpc
from gateless.adapters.chain.rpc_pool import RpcPool
from gateless.adapters.chain.staking import StakingReader
from gateless.adapters.chain.token import TokenReader
from gateless.adapters.chain.verifier import VerifierReader
from gateless.core.types import Event, RequestInfo

#: how often, and in which distance in seconds, a node is asked for an event that it has to have
_PAYMENT_ATTEMPTS = 15
_PAYMENT_PAUSE = 0.2
#: Blocks from ``paid_block`` on, in one of which a request was paid.
PAID_BLOCKS = 256


class ChainClient(ChainConnection):
    """Reads a deployment; :class:`~gateless.adapters.chain.sender.Sender` writes to it.

    Made by :meth:`connect`, which checks that the chain is the right one.

    Attributes:
        deployment: where the contracts are.
        registry: models, versions, aliases.
        verifier: keys and proofs.
        staking: executors and their stake.
        market: requests and balances.
        token: the market's ERC-20.
        logs: decoder of the contracts' events.
    """

    def __init__(self, deployment: Deployment, rpc: Rpc) -> None:
        super().__init__(rpc, deployment.chain_id, deployment.token)
        self.deployment = deployment
        self.registry = RegistryReader(rpc, deployment)
        self.verifier = VerifierReader(rpc, deployment)
        self.staking = StakingReader(rpc, deployment)
        self.market = MarketReader(rpc, deployment)
        self.token = TokenReader(rpc, deployment)
        self.logs = LogDecoder(deployment)
        self._court: CourtReader | None = None

    @classmethod
    async def connect(
        cls, deployment: Deployment, *, request_timeout: float = DEFAULT_TIMEOUT_SECONDS
    ) -> ChainClient:
        """Connects, after checking chain id and code at every address.

        Args:
            deployment: where the contracts are.
            request_timeout: seconds for one request to the node.

        Raises:
            ChainError: ``rpc-unreachable``, ``wrong-chain-id``, ``no-contract``.
        """
        # The pool itself tries again, and elsewhere.
        rpc = RpcPool(
            [HttpRpc(url, timeout=request_timeout, retries=1) for url in deployment.rpc_urls],
            deployment.chain_id,
        )
        try:
            await rpc.compare()
            rpc.require_one_chain()
            await require_chain_id(rpc, deployment.chain_id, deployment.name)
            await _require_contracts(rpc, deployment)
            return cls(deployment, rpc)
        except BaseException:
            await rpc.close()
            raise

    @property
    def court(self) -> CourtReader:
        """Bonded receipts and their claims.

        Raises:
            ConfigError: ``unknown-contract`` where the network has no court.
        """
        if self._court is None:
            self._court = CourtReader(self.rpc, self.deployment)
        return self._court

    async def events(
        self,
        names: Sequence[str],
        from_block: int,
        to_block: int | None = None,
        *,
        indexed: Sequence[int | str | None] = (),
    ) -> list[Event]:
        """Named events of a range of blocks, both ends included, in the order of the chain.

        Args:
            names: event names; ``Contract.Event`` where several contracts have one of that name.
            from_block: first block.
            to_block: last block; the latest where ``None``.
            indexed: what the first indexed arguments must be; None for anything.

        Raises:
            InputError: ``unknown-event``.
            ChainError: ``logs-unavailable`` and those of the transport.
        """

        async def scan(one: Rpc) -> list[Event]:
            last = await one.quantity("eth_blockNumber") if to_block is None else to_block
            return await scan_logs(one, self.logs, names, from_block, last, indexed=indexed)

        return await self.rpc.together(scan)

    async def payment(self, request: RequestInfo) -> Event | None:
        """The ``RequestFulfilled`` event of a paid request: output, fee and royalty.

        None where the chain does not show it (any more). A node may show a state before it counts
        its block or serves its logs: as long as blocks of the range are missing, it is asked again
        for a while.
        """
        whole = request.paid_block + PAID_BLOCKS - 1
        for _ in range(_PAYMENT_ATTEMPTS):
            head = await self.rpc.quantity("eth_blockNumber")
            last = min(head, whole)
            for event in await self.events(["RequestFulfilled"], request.paid_block, last):
                if int(event.args["requestId"]) == request.request_id:
                    return event
            if last == whole:
                return None
            await asyncio.sleep(_PAYMENT_PAUSE)
        return None

    def resolve(self, contract: str) -> str:
        """Address of a call's target: a contract name, the token, or an address as it is."""
        if contract == TOKEN:
            return self.deployment.token.address
        return contract if contract.startswith("0x") else self.deployment.address(contract)

    def decode_logs(self, logs: Iterable[Mapping[str, Any]]) -> tuple[Event, ...]:
        """Events of the deployment's contracts among raw logs."""
        return self.logs.decode_all(logs)


async def _require_contracts(rpc: Rpc, deployment: Deployment) -> None:
    places = {name: deployment.address(name) for name in REQUIRED_CONTRACTS}
    places[deployment.token.symbol] = deployment.token.address
    codes = await asyncio.gather(*(rpc.code(address) for address in places.values()))
    for (name, address), code in zip(places.items(), codes, strict=True):
        if not code:
            raise no_contract(name, address)
