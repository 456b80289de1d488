"""Sending transactions: simulated first, sent once, sped up when stuck, waited for.

:meth:`Sender.prepare` and :meth:`Sender.pursue` are two steps, so that whoever must survive a crash
can write the hash down in between: the same signed bytes may be submitted as often as needed, all
attempts at one thing have one nonce, and at most one of them takes effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.contract import PENDING
from gateless.adapters.chain.errors import from_rpc_error
from gateless.adapters.chain.lane import Lane, SendingPolicy, Trouble, gas_balance_too_low
from gateless.adapters.chain.nonces import Keep
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.pursuit import Pursuit, StillWanted
from gateless.adapters.chain.relay import Relay
from gateless.adapters.chain.rpc import RpcError
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.signer.protocol import Signer
from gateless.core.errors import ChainError
from gateless.core.types import Receipt

Progress = Callable[[str, float], None]

DEFAULT_TIMEOUT_SECONDS = 180.0
_ATTEMPTS = 3


class Sender:
    """Sends one account's transactions.

    Args:
        client: the chain; senders of one account that share it share its nonces.
        signer: the account.
        clock: for timeouts.
        policy: what to offer, and when to speed up.
        relay: where private transactions go; None sends them like all others.
        timeout: seconds to wait for a receipt.
    """

    def __init__(
        self,
        client: ChainConnection,
        signer: Signer,
        *,
        clock: Clock | None = None,
        policy: SendingPolicy | None = None,
        relay: Relay | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self._client = client
        self._clock = clock or SystemClock()
        self._policy = policy or SendingPolicy()
        self._lane = Lane(client, signer, self._clock, self._policy, relay)
        self._timeout = timeout

    @property
    def address(self) -> str:
        """The account's address."""
        return self._lane.address

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What holds transactions up now, by their nonces."""
        return tuple(trouble for _, trouble in sorted(self._lane.troubles.items()))

    async def send(
        self, call: Call, *, private: bool = False, progress: Progress | None = None
    ) -> Receipt:
        """Simulates, signs, sends and waits.

        Args:
            call: what to do.
            private: whether it carries what others could copy: then it goes to the relay.
            progress: told about the steps.

        Raises:
            ContractError: (or its kin, see :mod:`gateless.adapters.chain.errors`) the call reverts;
                found by simulation, so that nothing was sent and no gas was spent.
            FundsError: ``gas-balance-too-low``.
            ChainError: ``transaction-timeout``, with ``tx_hash`` in its context: it may still be
                mined; ``fee-above-cap``; and those of the transport.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            prepared = await self.prepare(call, private=private, progress=progress)
            try:
                return await self.submit(prepared, fresh=True, progress=progress)
            except ChainError as error:
                # Another process used the nonce, so these bytes can never be mined: sign anew.
                if error.code != "nonce-used" or attempt == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    async def simulate(self, call: Call) -> bytes:
        """What the call would return if it were mined now; raises its decoded revert."""
        return await self._node_call("eth_call", self._request(call))

    async def estimate(self, call: Call) -> int:
        """Gas that the node reckons a call would need now; raises its decoded revert."""
        return await self._estimate(self._request(call))

    async def prepare(
        self, call: Call, *, private: bool = False, progress: Progress | None = None
    ) -> PreparedTx:
        """Simulates and signs. The nonce is taken; give it back by :meth:`discard` if unused.

        Raises:
            GatelessError: as :meth:`send`; nothing was sent.
        """
        _report(progress, f"simulate: {call.label}", 0.0)
        request = self._request(call)
        # At once, since locks are raced for. An estimate is a simulation, too.
        (fees, block), estimate, balance = await asyncio.gather(
            self._lane.market_fees(),
            self._estimate(request),
            self._client.native_balance(self.address),
        )
        gas = self._policy.fees.gas_limit(max(estimate, call.least_gas), int(block["gasLimit"], 16))
        needed = gas * fees.per_gas + call.value
        if balance < needed:
            raise gas_balance_too_low(self.address, balance, needed)
        nonces = self._lane.nonces
        nonce = await nonces.reserve()
        fields = {
            "chainId": self._client.chain_id,
            "nonce": nonce,
            "to": request["to"],
            "data": request["data"],
            "value": call.value,
            "gas": gas,
            **fees.fields(),
        }
        try:
            return await self._lane.sign(fields, call.label, private=private)
        except BaseException:
            nonces.release(nonce)
            raise

    def discard(self, prepared: PreparedTx) -> None:
        """Gives back the nonce of a transaction that was never submitted."""
        self._lane.nonces.release(prepared.nonce)

    def adopt(self, attempts: Sequence[PreparedTx], keep: Keep | None = None) -> None:
        """Takes note of what an earlier run may have sent: its nonce is nobody else's.

        Args:
            attempts: all with one nonce, oldest first.
            keep: writes further attempts down.
        """
        self._lane.nonces.adopt(attempts, keep, self._clock.monotonic())

    def used(self, nonce: int) -> None:
        """Takes note of a nonce that was used, and all below: counts of more must be explained."""
        self._lane.nonces.used(nonce)

    def pursue(
        self,
        attempts: Sequence[PreparedTx],
        *,
        keep: Keep | None = None,
        still_wanted: StillWanted | None = None,
        fresh: bool = False,
    ) -> Pursuit:
        """Follows one nonce; see :class:`~gateless.adapters.chain.pursuit.Pursuit`."""
        return Pursuit(self._lane, attempts, keep=keep, still_wanted=still_wanted, fresh=fresh)

    async def submit(
        self, prepared: PreparedTx, *, fresh: bool = False, progress: Progress | None = None
    ) -> Receipt:
        """Sends signed bytes and waits for the receipt; safe to repeat after a crash.

        Args:
            prepared: what to send.
            fresh: whether nobody can have it yet.
            progress: told about the steps.

        Raises:
            ContractError: it was mined and reverted.
            ChainError: ``nonce-used``: another transaction took the nonce, so this one can never be
                mined; ``transaction-timeout``: it may still be mined; ``transaction-refused``.
            FundsError: ``gas-balance-too-low``.
        """
        _report(progress, f"send: {prepared.label}", 0.3)
        receipt = await self.pursue([prepared], fresh=fresh).run(
            self._timeout, lambda: _report(progress, f"wait: {prepared.label}", 0.6)
        )
        _report(progress, f"done: {prepared.label}", 1.0)
        return receipt

    @property
    def timeout(self) -> float:
        """Seconds to wait for a receipt."""
        return self._timeout

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """The receipt of a transaction, whatever its status; None while it is not mined."""
        return await self._lane.receipt(tx_hash)

    # --- steps ---

    def _request(self, call: Call) -> dict[str, str]:
        request = {
            "from": self.address,
            "to": self._client.resolve(call.to),
            "data": "0x" + call.data.hex(),
        }
        if call.value:
            request["value"] = hex(call.value)
        return request

    async def _node_call(self, method: str, request: Mapping[str, str]) -> bytes:
        try:
            # Against the block to come: contracts compare deadlines and block numbers with it.
            return await self._client.rpc.data(method, request, PENDING)
        except RpcError as error:
            raise from_rpc_error(error, self._client.token_info) from error

    async def _estimate(self, request: Mapping[str, str]) -> int:
        try:
            return await self._client.rpc.quantity("eth_estimateGas", request, PENDING)
        except RpcError as error:
            # Nodes say less about why an estimate failed than about why a call reverts.
            await self._node_call("eth_call", request)
            raise from_rpc_error(error, self._client.token_info) from error


def _report(progress: Progress | None, stage: str, share: float) -> None:
    if progress is not None:
        progress(stage, share)
