"""Answers questions directly: computed, checked, written down, and signed for.

Before anything is signed for a version it is audited: its keys were made again from the published
circuit, and one proof of it was checked by the deployed verifier. And for each input the circuit is
run: what has no witness, or differs from the model by more than is stated, is not signed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import structlog
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from gateless.adapters.signer import Signer
from gateless.core.claims import CourtLimits, PoolInfo
from gateless.core.errors import ConfigError, FundsError, GatelessError, InputError
from gateless.core.packing import unpack
from gateless.core.receipts import SignedReceipt
from gateless.daemon.versions import ReadyVersion
from gateless.executor.auditor import Auditor
from gateless.executor.checks import binding_of, check_execution
from gateless.executor.config import ReceiptsConfig
from gateless.executor.costs import Effort, cost_of, least_price
from gateless.executor.issuing import ReceiptIssuer, backing_of
from gateless.executor.journal_receipts import Answer
from gateless.executor.parts import Parts

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """An output and the receipt for it."""

    packed_output: bytes
    receipt: SignedReceipt


@dataclass(frozen=True, slots=True)
class ReceiptTerms:
    """What a receipt that was signed now would be worth.

    Attributes:
        limits: of the court.
        pool: of the current epoch.
        epoch: the current one.
        free_slots: slots of it that are not used.
        expires: last second for a challenge.
        problem: why nothing can be signed now; empty where it can.
    """

    limits: CourtLimits
    pool: PoolInfo
    epoch: int
    free_slots: int
    expires: int
    problem: str


class ReceiptDesk:
    """Direct calls of one executor.

    Args:
        parts: what to work with.
        auditor: looks at versions before receipts are signed for them.
        me: the executor.
        key: signs the receipts.
        config: bonds and prices.
        at_once: calls that are worked on at once; as many again may wait.
    """

    def __init__(
        self,
        parts: Parts,
        auditor: Auditor,
        me: str,
        key: Signer,
        config: ReceiptsConfig,
        *,
        at_once: int,
    ) -> None:
        self._parts = parts
        self._auditor = auditor
        self._me = me
        self._key = key
        self._config = config
        self._issuer = ReceiptIssuer(parts.client, parts.journal, me, key, life=config.life_seconds)
        self._turns = asyncio.Semaphore(at_once)
        self._most = 2 * at_once
        self._present = 0
        self._closed = ""

    async def quote(self, ready: ReadyVersion) -> int:
        """What an answer of a version costs now, in token units.

        The configured price, or what covers the stake behind the receipt for as long as it lives,
        and the proof with the probability that somebody doubts.
        """
        policy, lazy = self._parts.config.policy, self._parts.config.lazy
        rates = self._parts.policy.rates
        if not rates.are_set:
            return self._config.price
        gas_price = 0
        if policy.token_per_native is not None:
            gas_price = await self._parts.client.rpc.quantity("eth_gasPrice")
        effort = Effort(
            stake=self._config.bond,
            stake_seconds=self._config.life_seconds,
            doubt=lazy.doubt_bps / 10_000,
            doubt_seconds=await self._auditor.seconds(ready) or 0.0,
            doubt_gas=lazy.proof_gas_estimate,
        )
        cost = cost_of(effort, rates, gas_price)
        covered = least_price(cost, rates, ready.info.royalty_bps)
        return max(self._config.price, covered)

    @property
    def key(self) -> str:
        """Address of the receipt key."""
        return self._key.address

    def close(self) -> None:
        """Signs nothing more."""
        self._closed = "shutting-down"

    async def terms(self) -> ReceiptTerms:
        """What receipts are worth now."""
        court = self._parts.client.court
        limits = await court.limits()
        now = (await self._parts.client.block("pending")).timestamp
        epoch = limits.epoch_at(now)
        pool = await court.pool(self._me, epoch)
        expires = now + min(self._config.life_seconds, limits.max_receipt_life)
        used = await self._parts.journal.slots_used(court.court, epoch)
        problem = self._closed or ("halted" if self._parts.breaker.halted.everything else "")
        try:
            backing_of(pool, self._me, self.key, epoch, issued=now, expires=expires)
            await self._parts.journal.require_remembered(limits, epoch)
        except GatelessError as error:
            problem = problem or error.code
        free = max(0, pool.capacity - used)
        if not free:
            problem = problem or "no-receipt-slot"
        return ReceiptTerms(limits, pool, epoch, free, expires, problem)

    async def answer(
        self,
        version_id: int,
        packed_input: bytes,
        beneficiary: str,
        question: bytes,
        *,
        price: int = 0,
    ) -> DirectAnswer:
        """The output for an input, with a receipt. Asked again, it is the same receipt.

        Args:
            version_id: what to run.
            packed_input: on what.
            beneficiary: who is compensated if the output is wrong.
            question: 32 bytes of the caller's choice that tell equal calls apart.
            price: what is paid for it: the most that the beneficiary can get.

        Raises:
            ConfigError: ``receipts-closed``, ``receipt-key-mismatch``.
            FundsError: ``no-receipt-pool``, ``no-receipt-slot``.
            InputError: ``busy``, ``wrong-length``, ``input-too-long``.
            ProofError: ``input-not-provable``, ``accuracy-out-of-bound``, ...
        """
        self._require_open(version_id)
        if self._present >= self._most:
            raise InputError(
                "busy",
                f"{self._present} calls are being answered or wait",
                hint="try again in some seconds",
            )
        self._present += 1
        try:
            async with self._turns:
                return await self._answer(version_id, packed_input, beneficiary, question, price)
        finally:
            self._present -= 1

    async def _answer(
        self, version_id: int, packed_input: bytes, beneficiary: str, question: bytes, price: int
    ) -> DirectAnswer:
        parts = self._parts
        await self._require_challengeable(packed_input)
        ready = await self._auditor.audit(version_id, packed_input)
        unpack(packed_input, ready.bundle.schema.inputs)  # checks the length
        witness = await check_execution(ready, packed_input, parts.prover)
        said = Answer(
            # So that nobody can take a name that somebody else's question would have.
            question=_name_of(question, version_id, packed_input, beneficiary, price),
            version_id=version_id,
            input_binding=await binding_of(ready, packed_input, parts.prover),
            packed_input=packed_input,
            packed_output=witness.packed_output,
            beneficiary=beneficiary,
            price=price,
        )
        self._require_open(version_id)
        receipt = await self._issuer.issue(said)
        log.info(
            "receipt-signed",
            version_id=version_id,
            epoch=receipt.receipt.epoch,
            slot=receipt.receipt.slot,
        )
        return DirectAnswer(witness.packed_output, receipt)

    async def _require_challengeable(self, packed_input: bytes) -> None:
        """Refuses what the issuer would refuse, before anything is computed."""
        terms = await self.terms()
        if terms.problem == "no-receipt-slot":
            raise FundsError(
                "no-receipt-slot",
                f"all {terms.pool.capacity} slots of epoch {terms.epoch} are used",
                hint="ask again in the next epoch, or another executor",
            )
        most = terms.limits.max_input_length
        if len(packed_input) > most:
            raise InputError(
                "input-too-long",
                f"the packed input has {len(packed_input)} bytes, a challenge carries {most}",
                hint="such an input takes a request on chain",
            )

    def _require_open(self, version_id: int) -> None:
        obstacle = self._parts.breaker.obstacle(version_id)
        reason = self._closed or ("" if obstacle is None else obstacle.text)
        if reason:
            raise ConfigError(
                "receipts-closed",
                f"no receipts are signed now: {reason}",
                hint="ask another executor",
            )


def _name_of(
    question: bytes, version_id: int, packed_input: bytes, beneficiary: str, price: int
) -> bytes:
    kinds = ["bytes32", "uint64", "bytes32", "address", "uint256"]
    values = (question, version_id, keccak(packed_input), beneficiary, price)
    return bytes(keccak(encode(kinds, values)))
