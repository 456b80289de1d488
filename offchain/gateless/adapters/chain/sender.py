"""Sending transactions: simulated first, sent once, waited for.

:meth:`Sender.prepare` and :meth:`Sender.submit` are two steps, so that whoever must survive a crash
can write the hash down in between: the same signed bytes may be submitted as often as needed and
take effect at most once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.contract import LATEST, PENDING
from gateless.adapters.chain.errors import from_rpc_error
from gateless.adapters.chain.fees import FeePolicy, Fees, current_fees
from gateless.adapters.chain.refusals import Refusal, classify_refusal
from gateless.adapters.chain.rpc import RpcError
from gateless.adapters.clock import Clock, SystemClock
from gateless.adapters.signer.protocol import Signer
from gateless.core.errors import ChainError, ContractError, FundsError
from gateless.core.types import Receipt

Progress = Callable[[str, float], None]

DEFAULT_TIMEOUT_SECONDS = 180.0
_FIRST_POLL_SECONDS = 0.02
_MAX_POLL_SECONDS = 1.0
_RESEND_SECONDS = 15.0
#: A node may know that a nonce is used a moment before it can show the receipt.
_USED_NONCE_POLLS = 5
_ATTEMPTS = 3
#: Transport faults after which nobody knows whether the node took the transaction.
_UNCERTAIN = frozenset({"rpc-unreachable", "rpc-timeout", "rpc-rate-limited", "rpc-invalid"})


@dataclass(frozen=True, slots=True)
class PreparedTx:
    """A signed transaction that was not sent yet."""

    raw: bytes
    tx_hash: str
    nonce: int
    label: str = ""


class Sender:
    """Sends one account's transactions.

    Args:
        client: the chain; senders of one account that share it share its nonces.
        signer: the account.
        clock: for timeouts.
        fees: what to offer.
        timeout: seconds to wait for a receipt.
    """

    def __init__(
        self,
        client: ChainConnection,
        signer: Signer,
        *,
        clock: Clock | None = None,
        fees: FeePolicy | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self._client = client
        self._signer = signer
        self._clock = clock or SystemClock()
        self._policy = fees or FeePolicy()
        self._timeout = timeout

    @property
    def address(self) -> str:
        """The account's address."""
        return self._signer.address

    async def send(self, call: Call, *, progress: Progress | None = None) -> Receipt:
        """Simulates, signs, sends and waits.

        Raises:
            ContractError: (or its kin, see :mod:`gateless.adapters.chain.errors`) the call reverts;
                found by simulation, so that nothing was sent and no gas was spent.
            FundsError: ``gas-balance-too-low``.
            ChainError: ``transaction-timeout``, with ``tx_hash`` in its context: it may still be
                mined; and those of the transport.
        """
        for attempt in range(1, _ATTEMPTS + 1):
            prepared = await self.prepare(call, progress=progress)
            try:
                return await self.submit(prepared, progress=progress)
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

    async def prepare(self, call: Call, *, progress: Progress | None = None) -> PreparedTx:
        """Simulates and signs. The nonce is taken; give it back by :meth:`discard` if unused.

        Raises:
            GatelessError: as :meth:`send`; nothing was sent.
        """
        _report(progress, f"simulate: {call.label}", 0.0)
        request = self._request(call)
        await self._node_call("eth_call", request)
        block = await self._client.rpc.request("eth_getBlockByNumber", LATEST, False)
        base_fee = block.get("baseFeePerGas")
        estimate, fees, balance = await asyncio.gather(
            self._estimate(request),
            current_fees(
                self._client.rpc, self._policy, None if base_fee is None else int(base_fee, 16)
            ),
            self._client.native_balance(self.address),
        )
        needed = max(estimate, call.least_gas)
        gas = self._policy.gas_limit(needed, int(block["gasLimit"], 16))
        self._require_gas_money(call, gas, fees, balance)
        nonces = self._client.nonces(self.address)
        nonce = await nonces.reserve()
        try:
            raw = self._signer.sign_transaction(
                {
                    "chainId": self._client.chain_id,
                    "nonce": nonce,
                    "to": request["to"],
                    "data": request["data"],
                    "value": call.value,
                    "gas": gas,
                    **fees.fields(),
                }
            )
        except BaseException:
            nonces.release(nonce)
            raise
        return PreparedTx(raw, "0x" + keccak(raw).hex(), nonce, call.label)

    def discard(self, prepared: PreparedTx) -> None:
        """Gives back the nonce of a transaction that was never submitted."""
        self._client.nonces(self.address).release(prepared.nonce)

    async def submit(self, prepared: PreparedTx, *, progress: Progress | None = None) -> Receipt:
        """Sends signed bytes and waits for the receipt; safe to repeat after a crash.

        Raises:
            ContractError: it was mined and reverted.
            ChainError: ``nonce-used``: another transaction took the nonce, so this one can never be
                mined; ``transaction-timeout``: it may still be mined; ``transaction-refused``.
            FundsError: ``gas-balance-too-low``.
        """
        _report(progress, f"send: {prepared.label}", 0.3)
        end = self._clock.monotonic() + self._timeout
        pause = _FIRST_POLL_SECONDS
        sent_at: float | None = None
        while True:
            now = self._clock.monotonic()
            try:
                # Again from time to time: a node that restarts forgets what it had not mined.
                if sent_at is None or now - sent_at > _RESEND_SECONDS:
                    await self._broadcast(prepared)
                    sent_at = now
                    _report(progress, f"wait: {prepared.label}", 0.6)
                receipt = await self._receipt(prepared.tx_hash)
                if receipt is not None:
                    self.discard(prepared)  # the node counts it now
                    _report(progress, f"done: {prepared.label}", 1.0)
                    return await self._require_success(prepared, receipt)
            except ChainError as error:
                if error.code not in _UNCERTAIN:
                    raise
                if self._clock.monotonic() >= end:
                    raise self._timed_out(prepared, error.message) from error
            if self._clock.monotonic() >= end:
                raise self._timed_out(prepared, "no receipt")
            await self._clock.sleep(pause)
            pause = min(pause * 1.5, _MAX_POLL_SECONDS)

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """The receipt of a transaction, whatever its status; None while it is not mined."""
        raw = await self._receipt(tx_hash)
        return None if raw is None else self._decode(raw)

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
            raise from_rpc_error(error, self._client.token_info) from error

    def _require_gas_money(self, call: Call, gas: int, fees: Fees, balance: int) -> None:
        needed = gas * fees.per_gas + call.value
        if balance < needed:
            raise _gas_balance_too_low(self.address, balance, needed)

    async def _broadcast(self, prepared: PreparedTx) -> None:
        try:
            await self._client.rpc.request("eth_sendRawTransaction", "0x" + prepared.raw.hex())
        except RpcError as error:
            refusal = classify_refusal(error.rpc_message)
            if refusal is Refusal.ALREADY_KNOWN or await self._known(prepared, refusal):
                return
            self.discard(prepared)
            if refusal is Refusal.NONCE_USED:
                raise self._nonce_used(prepared) from error
            if refusal is Refusal.GAS_MONEY:
                balance = await self._client.native_balance(self.address)
                raise _gas_balance_too_low(self.address, balance, None) from error
            raise ChainError(
                "transaction-refused",
                f"the node refused the transaction: {error.rpc_message}",
                hint=refusal.hint,
                tx_hash=prepared.tx_hash,
            ) from error

    async def _known(self, prepared: PreparedTx, refusal: Refusal) -> bool:
        """Whether the node has these very bytes, sent earlier, whatever it says of them now."""
        for _ in range(_USED_NONCE_POLLS if refusal is Refusal.NONCE_USED else 1):
            if await self._receipt(prepared.tx_hash) is not None:
                return True
            known = await self._client.rpc.request("eth_getTransactionByHash", prepared.tx_hash)
            if known is not None:
                return True
            await self._clock.sleep(_FIRST_POLL_SECONDS * 5)
        return False

    def _nonce_used(self, prepared: PreparedTx) -> ChainError:
        return ChainError(
            "nonce-used",
            f"another transaction of {self.address} used nonce {prepared.nonce}",
            hint="this one can never be mined; prepare it again. Let one process alone send from"
            " an account",
            tx_hash=prepared.tx_hash,
            nonce=prepared.nonce,
        )

    async def _receipt(self, tx_hash: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = await self._client.rpc.request(
            "eth_getTransactionReceipt", tx_hash
        )
        return found

    async def _require_success(self, prepared: PreparedTx, raw: Mapping[str, Any]) -> Receipt:
        receipt = self._decode(raw)
        if receipt.status == 1:
            return receipt
        raise await self._why_reverted(prepared, receipt)

    async def _why_reverted(self, prepared: PreparedTx, receipt: Receipt) -> ChainError:
        """The reason of a mined revert: the call again, on the state before its block."""
        facts: dict[str, Any] = {"tx_hash": prepared.tx_hash, "block_number": receipt.block_number}
        sent = await self._client.rpc.request("eth_getTransactionByHash", prepared.tx_hash)
        request = {
            "from": self.address,
            "to": sent["to"],
            "data": sent["input"],
            "value": sent["value"],
            "gas": sent["gas"],
        }
        try:
            await self._client.rpc.data("eth_call", request, hex(receipt.block_number - 1))
        except RpcError as error:
            decoded = from_rpc_error(error, self._client.token_info)
            return ContractError(
                "transaction-reverted",
                f"{prepared.label or 'the transaction'} was mined and reverted: {decoded.message}",
                hint=decoded.hint,
                reason=decoded.code,
                **{**decoded.context, **facts},
            )
        return ContractError(
            "transaction-reverted",
            f"{prepared.label or 'the transaction'} was mined and reverted; others changed the"
            " state before it",
            hint="look at the state again and decide anew",
            **facts,
        )

    def _decode(self, raw: Mapping[str, Any]) -> Receipt:
        return Receipt(
            tx_hash=raw["transactionHash"],
            block_number=int(raw["blockNumber"], 16),
            gas_used=int(raw["gasUsed"], 16),
            status=int(raw["status"], 16),
            effective_gas_price=int(raw.get("effectiveGasPrice", "0x0"), 16),
            logs=self._client.decode_logs(raw["logs"]),
        )

    def _timed_out(self, prepared: PreparedTx, why: str) -> ChainError:
        return ChainError(
            "transaction-timeout",
            f"no receipt of {prepared.tx_hash} within {self._timeout:g} s ({why})",
            hint="it may still be mined: look for the hash before sending anything again",
            tx_hash=prepared.tx_hash,
            nonce=prepared.nonce,
        )


def _gas_balance_too_low(address: str, balance: int, needed: int | None) -> FundsError:
    text = f"{address} holds {balance / 10**18:.6f} ETH"
    if needed is not None:
        text += f", the transaction may cost up to {needed / 10**18:.6f}"
    return FundsError(
        "gas-balance-too-low",
        f"not enough ETH for gas: {text}",
        hint=f"send ETH to {address}",
        balance=balance,
        **({} if needed is None else {"needed": needed, "missing": needed - balance}),
    )


def _report(progress: Progress | None, stage: str, share: float) -> None:
    if progress is not None:
        progress(stage, share)
