"""What sending for one account takes: its key, its nonces, its fees, and where to send."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateless.adapters.chain.connection import ChainConnection
from gateless.adapters.chain.contract import LATEST
from gateless.adapters.chain.fees import FeePolicy, Fees, current_fees, priority_fee
from gateless.adapters.chain.headers import read_block
from gateless.adapters.chain.nonce_users import is_known
from gateless.adapters.chain.nonces import NonceBook
from gateless.adapters.chain.prepared import PreparedTx
from gateless.adapters.chain.relay import Relay
from gateless.adapters.clock import Clock
from gateless.adapters.signer.protocol import Signer
from gateless.core.errors import ChainError, FundsError
from gateless.core.types import Receipt


@dataclass(frozen=True, slots=True)
class SendingPolicy:
    """How transactions are sent and sped up.

    Attributes:
        fees: what to offer, and the caps.
        stuck_seconds: a transaction that is next in line and not mined for so long is replaced,
        stuck_blocks: if so many blocks left it out: without blocks a higher fee helps nobody.
        look_seconds: pause between two looks at what holds a transaction up.
    """

    fees: FeePolicy = field(default_factory=FeePolicy)
    stuck_seconds: float = 60.0
    stuck_blocks: int = 2
    look_seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a transaction waits, and what to do about it."""

    code: str
    message: str
    hint: str


class Lane:
    """One account's way to the chain, for a sender and those that follow its transactions.

    Attributes:
        client: the chain.
        clock: for timeouts.
        policy: fees and patience.
        relay: where private transactions go; None sends them like all others.
        troubles: what holds transactions up, by nonce.
    """

    def __init__(
        self,
        client: ChainConnection,
        signer: Signer,
        clock: Clock,
        policy: SendingPolicy,
        relay: Relay | None,
    ) -> None:
        self.client = client
        self.clock = clock
        self.policy = policy
        self.relay = relay
        self.troubles: dict[int, Trouble] = {}
        self._signer = signer

    @property
    def address(self) -> str:
        """The account's address."""
        return self._signer.address

    @property
    def nonces(self) -> NonceBook:
        """The account's nonces."""
        return self.client.nonces(self.address)

    async def market_fees(self) -> tuple[Fees, Mapping[str, Any]]:
        """What to offer now, and the latest block's header.

        Raises:
            ChainError: ``fee-above-cap``.
        """
        rpc, policy = self.client.rpc, self.policy.fees
        # Chains without a base fee need no tip: one question too many there saves a wait elsewhere.
        block, tip = await asyncio.gather(read_block(rpc, LATEST), priority_fee(rpc, policy))
        base_fee = block.get("baseFeePerGas")
        fees = await current_fees(rpc, policy, None if base_fee is None else int(base_fee, 16), tip)
        return fees, block

    async def sign(
        self, fields: Mapping[str, Any], label: str, *, private: bool = False, cancels: bool = False
    ) -> PreparedTx:
        """Signs a transaction whose fields are complete."""
        raw = await self._signer.sign_transaction(fields)
        return PreparedTx.of(raw, int(fields["nonce"]), label, private=private, cancels=cancels)

    async def sign_empty(self, nonce: int, fees: Fees, label: str) -> PreparedTx:
        """Signs an empty transfer to oneself, which does nothing but take a nonce."""
        me = self.address
        transfer = {"from": me, "to": me, "data": "0x"}
        estimate = await self.client.rpc.quantity("eth_estimateGas", transfer)
        fields = {
            "chainId": self.client.chain_id,
            "nonce": nonce,
            "to": me,
            "data": "0x",
            "value": 0,
            "gas": estimate,
            **fees.fields(),
        }
        return await self.sign(fields, label, cancels=True)

    async def show(self, attempt: PreparedTx) -> None:
        """Gives a transaction to the public node.

        Raises:
            RpcError: the node refused it.
            ChainError: those of the transport.
        """
        await self.client.rpc.request("eth_sendRawTransaction", "0x" + attempt.raw.hex())

    async def receipt(self, tx_hash: str) -> Receipt | None:
        """The receipt of a transaction, whatever its status; None while it is not mined."""
        raw = await self.client.rpc.request("eth_getTransactionReceipt", tx_hash)
        if raw is None:
            return None
        return Receipt(
            tx_hash=raw["transactionHash"],
            block_number=int(raw["blockNumber"], 16),
            gas_used=int(raw["gasUsed"], 16),
            status=int(raw["status"], 16),
            effective_gas_price=int(raw.get("effectiveGasPrice", "0x0"), 16),
            logs=self.client.decode_logs(raw["logs"]),
        )

    async def is_known(self, tx_hash: str) -> bool:
        """Whether any public node has a transaction, mined or waiting."""
        return await is_known(self.client.rpc, tx_hash)


def gas_balance_too_low(address: str, balance: int, needed: int | None) -> FundsError:
    """What is raised where the account cannot pay for gas."""
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


def nonce_used(address: str, attempt: PreparedTx, by: str, text: str) -> ChainError:
    """What is raised where another transaction took the nonce."""
    return ChainError(
        "nonce-used",
        f"another transaction of {address} used nonce {attempt.nonce}: {text}",
        hint="this one can never be mined; prepare it again. Let one process alone send from"
        " an account",
        tx_hash=attempt.tx_hash,
        nonce=attempt.nonce,
        by=by,
    )
