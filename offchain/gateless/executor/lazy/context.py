"""What the parts that serve lazy requests share."""

from __future__ import annotations

from dataclasses import dataclass

from gateless.adapters.chain.lazy import MARKET_EVENTS, DisputeReader, LazyReader, requested
from gateless.adapters.chain.lazy_requests import LazyOffer
from gateless.core.types import Receipt
from gateless.daemon.versions import ReadyVersion
from gateless.executor.auditor import Auditor
from gateless.executor.checks import obtain_input
from gateless.executor.config import LazyConfig
from gateless.executor.lazy.policy import LazyPolicy
from gateless.executor.lazy.states import LazyWork
from gateless.executor.parts import Parts
from gateless.executor.proofs import Proofs


@dataclass(frozen=True, slots=True)
class LazyContext:
    """The parts of the executor, and those of the lazy market.

    Attributes:
        parts: the executor's.
        proofs: makes proofs.
        auditor: what is answered without a proof is audited before.
        market: the lazy market.
        court: where its answers are doubted.
        policy: which requests to take.
        config: of lazy requests.
        me: the executor.
    """

    parts: Parts
    proofs: Proofs
    auditor: Auditor
    market: LazyReader
    court: DisputeReader
    policy: LazyPolicy
    config: LazyConfig
    me: str

    async def take_over(self, receipt: Receipt) -> dict[int, LazyWork]:
        """Journals what an own transaction did, before its block is read.

        Returns:
            The work that it was about, by request, as it is now.
        """
        events = [
            event for event in receipt.logs if f"{event.contract}.{event.name}" in MARKET_EVENTS
        ]
        return await self.parts.journal.keep_lazy_receipt(events, self.me)

    async def input_of(self, work: LazyWork, ready: ReadyVersion) -> bytes:
        """The packed input of a request, wherever it is: here, on chain, or where the hint says.

        Raises:
            InputError: ``no-input``, ``input-digest-mismatch``, ...
            StorageError: it cannot be had now.
        """
        data = work.packed_input or await self.parts.inputs.find(work.request.input_digest)
        if data is None and work.created_block:
            data = await self._sent_input(work)
        return await obtain_input(
            work, ready, data or b"", work.request.input_hint, self.parts.sources
        )

    async def _sent_input(self, work: LazyWork) -> bytes:
        """The input that came with a request in its transaction; empty where none did."""
        names, block = [f"{self.market.name}.Requested"], work.created_block
        for event in await self.parts.client.events(names, block, block):
            request_id, _, data = requested(event)
            if request_id == work.request_id:
                return data
        return b""

    async def is_spent(self, offer: LazyOffer) -> bool:
        """Whether the request's nonce was used or cancelled."""
        request = offer.request
        word = await self.market.nonce_word(request.requester, request.nonce >> 8)
        return bool(word >> (request.nonce & 0xFF) & 1)

    async def shortage(self, offer: LazyOffer, beside: int) -> int:
        """What the requester's deposit lacks for a request, at the highest price that it offers.

        Args:
            offer: the request.
            beside: what others of his that wait here may cost him.
        """
        deposit = await self.market.balance_of(offer.request.requester)
        return max(0, offer.request.max_price + beside - deposit)

    async def gas_price(self) -> int:
        """Wei per gas; 0 where gas is left out of the account."""
        if self.parts.config.policy.token_per_native is None:
            return 0
        return await self.parts.client.rpc.quantity("eth_gasPrice")
