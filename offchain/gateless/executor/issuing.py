"""Issuing receipts: an answer gets the next slot of the pool, is written down, and is signed.

In this order, so that no crash leads to two receipts for one slot or to a receipt whose input is
lost. The executor signs nothing that it would not prove: who calls this has checked the answer.
"""

from __future__ import annotations

from gateless.adapters.chain.client import ChainClient
from gateless.adapters.signer import Signer
from gateless.core.claims import PoolInfo, PoolState
from gateless.core.errors import ConfigError, FundsError, InputError
from gateless.core.receipts import Court, SignedReceipt, TypedDataSigner
from gateless.executor.journal_receipts import Answer, Backing, ReceiptBook


def backing_of(
    pool: PoolInfo, executor: str, key: str, epoch: int, *, issued: int, expires: int
) -> Backing:
    """What an executor's pool can back now.

    Args:
        pool: the pool of ``epoch``.
        executor: whose it is.
        key: address that is going to sign.
        epoch: of the pool.
        issued: second of the signature.
        expires: last second for a challenge.

    Raises:
        FundsError: ``no-receipt-pool``: clients would refuse every receipt.
        ConfigError: ``receipt-key-mismatch``.
    """
    why = ""
    if pool.state is not PoolState.OPEN:
        why = f"there is no open receipt pool for epoch {epoch}"
    elif pool.reporter is not None:
        why = f"the receipt pool of epoch {epoch} is forfeited"
    elif pool.in_exit:
        why = "stake is leaving the court, and clients refuse receipts of executors in exit"
    if why:
        raise FundsError("no-receipt-pool", why, hint="open pools of receipts ahead of their epoch")
    if pool.receipt_key != key:
        raise ConfigError(
            "receipt-key-mismatch",
            f"the pool's receipt key is {pool.receipt_key}, this executor signs by {key}",
            hint="a pool keeps the key that the profile named when it was opened; use that one",
        )
    return Backing(executor, epoch, pool.capacity, pool.bond, issued, expires)


class ReceiptIssuer:
    """Signs receipts for one executor.

    Args:
        client: the chain; its network has a court.
        book: where slots are allocated.
        executor: address whose pool backs the receipts.
        key: the receipt key.
        life: seconds for which a receipt can be challenged; at most what the court allows.
    """

    def __init__(
        self, client: ChainClient, book: ReceiptBook, executor: str, key: Signer, *, life: int
    ) -> None:
        self._client = client
        self._book = book
        self._executor = executor
        self._key = key
        self._life = life

    @property
    def court(self) -> Court:
        """What the receipts are for."""
        return self._client.court.court

    async def issue(self, answer: Answer) -> SignedReceipt:
        """A signed receipt for an answer. Asked for again, it is the same one.

        Raises:
            FundsError: ``no-receipt-pool``, ``no-receipt-slot``, ``slots-unknown``.
            ConfigError: ``receipt-key-mismatch``.
            InputError: ``input-too-long``: no challenge could carry it; ``question-reused``.
        """
        limits = await self._client.court.limits()
        if len(answer.packed_input) > limits.max_input_length:
            raise InputError(
                "input-too-long",
                f"the packed input has {len(answer.packed_input)} bytes, a challenge carries"
                f" {limits.max_input_length}",
                hint="such an input takes a request on chain",
            )
        now = (await self._client.block("pending")).timestamp
        epoch = limits.epoch_at(now)
        await self._book.require_remembered(limits, epoch)
        backing = backing_of(
            await self._client.court.pool(self._executor, epoch),
            self._executor,
            self._key.address,
            epoch,
            issued=now,
            expires=now + min(self._life, limits.max_receipt_life),
        )
        return await sign_answer(self._book, self.court, self._key, answer, backing)


async def sign_answer(
    book: ReceiptBook, court: Court, key: TypedDataSigner, answer: Answer, backing: Backing
) -> SignedReceipt:
    """Allocates a slot, then signs what was allocated: that, and never anything else."""
    known = await book.allocate(court, answer, backing)
    if known.signature is not None:
        return SignedReceipt(court, known.receipt, known.signature)
    signed = await SignedReceipt.sign(court, known.receipt, key)
    await book.keep_signature(court, known.receipt, signed.signature)
    return signed
