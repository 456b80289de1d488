"""Bonded receipts from the client's side: check one before it is trusted, challenge a wrong one.

An executor that answers directly signs a receipt; nothing is sent to the chain unless somebody
doubts it. Then the executor proves the output in time, or the receipt's bond is slashed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

from eth_utils.crypto import keccak

from gateless.adapters.chain import court_calls
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.permit import sign_permit
from gateless.core.claims import ClaimInfo, ClaimState
from gateless.core.errors import ChainError, ContractError, FundsError, InputError, StorageError
from gateless.core.receipts import SignedReceipt, commitment, pair_digest
from gateless.core.types import InputBinding, Receipt
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.receipt_checks import (
    DEFAULT_LIFE_SECONDS,
    Challenge,
    CheckedReceipt,
    ClaimEnd,
    Expected,
    check_backing,
    check_challengeable,
    check_flaw,
    check_statement,
)
from gateless.sdk.requesting import Requesting
from gateless.sdk.results import ResolvedVersion, SentTransaction, Transfer
from gateless.sdk.terms import checked_address

#: A chain whose blocks take longer than this stands still.
_NEXT_BLOCK_SECONDS = 120.0


class Receipts(Requesting):
    """Checks and challenges bonded receipts."""

    async def check_receipt(
        self,
        signed: SignedReceipt,
        ref: str | int,
        packed_input: bytes,
        packed_output: bytes,
        *,
        executor: str | None = None,
        beneficiary: str | None = None,
        price: int | None = None,
        min_bond: int = 0,
        min_life: int = DEFAULT_LIFE_SECONDS,
        progress: ProgressSink = ignore,
    ) -> CheckedReceipt:
        """Whether a receipt is worth its bond; raises the first reason against it.

        Nothing is recomputed: this says that a wrong output could be punished, not that it is
        right. The version's files are fetched, since nobody could show a lie without them.

        Args:
            signed: the receipt, as :func:`gateless.core.receipts.parse_receipt` reads it.
            ref: version that was asked.
            packed_input: that was sent.
            packed_output: that came back.
            executor: who was asked; default: whoever signed.
            beneficiary: who must be compensated; default: the signer where there is one.
            price: what was paid, in token units; default: unchecked.
            min_bond: least bond, in token units.
            min_life: seconds for which it must be possible to challenge it.
            progress: told about each step.

        Raises:
            InputError: ``receipt-…``: the receipt is not worth the bond asked for.
            StorageError: ``receipt-bundle-unavailable``.
        """
        receipt, court = signed.receipt, self.chain.court
        resolved = await self.resolve(ref)
        harmed = beneficiary
        if harmed is None and self.services.signer is not None:
            harmed = self.signer.address
        digest = keccak(packed_input)
        if resolved.version.binding is not InputBinding.PACKED:
            await self._require_bundle(resolved, progress)  # a commitment takes the files
        binding = await self._binding(resolved, packed_input, progress)
        check_statement(
            receipt,
            signed.court,
            Expected(
                court=court.court,
                version_id=resolved.version.version_id,
                input_binding=binding,
                packed_digest=digest,
                output_digest=keccak(packed_output),
                executor=checked_address(executor, "executor"),
                beneficiary=checked_address(harmed, "beneficiary"),
                price=price,
            ),
        )
        most = (await court.limits()).max_input_length
        check_challengeable(receipt, packed_input, digest, most)
        check_flaw(await court.flaw(signed), receipt)
        pool = await court.pool(receipt.executor, receipt.epoch)
        now = (await self.chain.block("pending")).timestamp
        check_backing(receipt, pool, now, min_bond=min_bond, min_life=min_life)
        await self._require_bundle(resolved, progress)
        return CheckedReceipt(signed, resolved, pool, await court.is_proven(receipt))

    async def challenge_receipt(
        self, signed: SignedReceipt, packed_input: bytes, *, progress: ProgressSink = ignore
    ) -> Challenge:
        """Demands a proof of what a receipt says: commits, waits a block, opens.

        The bond comes out of the balance at the court; what that lacks is taken from the wallet. It
        comes back if no proof does; a proof costs the bond that the pool asks for. If the challenge
        cannot be opened any more, the commitment is taken back.

        Args:
            signed: the receipt.
            packed_input: the input that it is about, whole.
            progress: told about each step.

        Raises:
            InputError: ``receipt-…``: it would be refused; ``receipt-proven``: it is right.
            FundsError: ``token-balance-too-low``; nothing was sent.
        """
        court = self.chain.court
        if signed.court != court.court:
            raise InputError(
                "receipt-other-court",
                f"the receipt is for the court {signed.court.address}",
                hint=f"this network's is {court.address}",
            )
        most = (await court.limits()).max_input_length
        check_challengeable(signed.receipt, packed_input, keccak(packed_input), most)
        check_flaw(await court.flaw(signed), signed.receipt)
        if await court.is_proven(signed.receipt):
            raise InputError(
                "receipt-proven",
                "what the receipt says was proven on chain",
                hint="it is right; a challenge would be refused",
            )
        return await self._opened(
            signed.digest,
            lambda claim_id, salt: court_calls.challenge(claim_id, signed, packed_input, salt),
            progress,
        )

    async def report_equivocation(
        self, first: SignedReceipt, second: SignedReceipt, *, progress: ProgressSink = ignore
    ) -> Challenge:
        """Shows two different receipts for one slot: the executor loses the whole pool.

        Raises:
            InputError: ``no-equivocation``; nothing was sent.
        """
        one, two = first.receipt, second.receipt
        if (
            one == two
            or (one.executor, one.epoch, one.slot) != (two.executor, two.epoch, two.slot)
            or {first.court, second.court} != {self.chain.court.court}
        ):
            raise InputError(
                "no-equivocation",
                "these are not two receipts for one slot",
                hint="give two different receipts of one executor, epoch and slot",
            )
        return await self._opened(
            pair_digest(first.digest, second.digest),
            lambda claim_id, salt: court_calls.report_equivocation(claim_id, first, second, salt),
            progress,
        )

    async def claim(self, claim_id: int) -> ClaimInfo:
        """A claim at the court.

        Raises:
            NotFoundError: ``unknown-claim``.
        """
        return await self.chain.court.claim(claim_id)

    async def wait_claim(
        self, claim_id: int, *, patience: float | None = None, progress: ProgressSink = ignore
    ) -> ClaimInfo:
        """Waits until a claim is final, or its deadline passed so that it can be slashed.

        Raises:
            NotFoundError: ``unknown-claim``.
            ChainError: ``wait-timeout``.
        """
        clock = self.services.clock
        give_up = None if patience is None else clock.monotonic() + patience
        while True:
            claim = await self.chain.court.claim(claim_id)
            now = (await self.chain.block("pending")).timestamp
            overdue = claim.state is ClaimState.OPEN and now > claim.deadline
            if claim.state.is_final or overdue:
                progress(Step("claim", claim.state.name.lower(), fraction=1.0))
                return claim
            if give_up is not None and clock.monotonic() >= give_up:
                raise ChainError(
                    "wait-timeout",
                    f"claim {claim_id} is not answered yet",
                    hint="nothing is lost; go on waiting",
                    claim_id=claim_id,
                )
            progress(Step("claim", claim.state.name.lower()))
            await clock.sleep(self.services.poll_seconds)

    async def slash_claim(self, claim_id: int, *, progress: ProgressSink = ignore) -> ClaimEnd:
        """Ends a claim that nobody answered in time. Anyone may; the money goes where it belongs.

        The challenger's bond returns to its balance at the court (:meth:`withdraw_from_court`);
        compensation and reward are credited (:meth:`withdraw_compensations`).

        Raises:
            ContractError: ``receipt-court-not-open``, ``receipt-court-not-overdue``.
        """
        receipt, sent = await self._send(court_calls.slash(claim_id), progress)
        ended = [event.args for event in receipt.logs if event.name == "ClaimSlashed"]
        amounts = ended[0] if ended else {}
        return ClaimEnd(
            claim=await self.chain.court.claim(claim_id),
            compensation=int(amounts.get("compensation", 0)),
            reward=int(amounts.get("reward", 0)),
            burned=int(amounts.get("burned", 0)),
            transaction=sent,
        )

    async def withdraw_commitment(
        self, claim_id: int, *, progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Takes back a commitment that was not opened, such as one of an interrupted run."""
        return (await self._send(court_calls.withdraw_commitment(claim_id), progress))[1]

    async def court_balance(self, address: str | None = None) -> int:
        """What an account (default: the signer's) has at the court."""
        owner = checked_address(address, "account") or self.signer.address
        return await self.chain.court.balance_of(owner)

    async def withdraw_from_court(
        self, *, to: str | None = None, progress: ProgressSink = ignore
    ) -> Transfer:
        """Moves all that the signer has at the court to ``to``.

        Raises:
            FundsError: ``nothing-to-withdraw``; nothing was sent.
        """
        held = await self.court_balance()
        if held == 0:
            raise FundsError(
                "nothing-to-withdraw",
                "the court holds nothing for this account",
                hint="bonds return to it when their claims end",
            )
        target = checked_address(to, "recipient") or self.signer.address
        _, sent = await self._send(court_calls.withdraw(held, target), progress)
        return Transfer(held, target, sent)

    # --- steps ---

    async def _opened(
        self, digest: bytes, opening: Callable[[int, bytes], Call], progress: ProgressSink
    ) -> Challenge:
        """Commits to ``digest`` and opens the commitment in a later block."""
        sent = await self._fund_bond(progress)
        salt = secrets.token_bytes(32)
        made = commitment(self.signer.address, digest, salt)
        receipt, announced = await self._send(court_calls.commit(made), progress)
        claim_id = int(receipt.event("Committed").args["claimId"])
        progress(Step("committed", f"claim {claim_id} is announced", tx_hash=announced.tx_hash))
        try:
            opened = (await self._send_later(opening(claim_id, salt), progress))[1]
        except ContractError:
            await self.withdraw_commitment(claim_id, progress=progress)
            raise
        return Challenge(await self.chain.court.claim(claim_id), (*sent, announced, opened))

    async def _fund_bond(self, progress: ProgressSink) -> tuple[SentTransaction, ...]:
        """Deposits what the balance at the court lacks for a commitment."""
        court = self.chain.court
        needed = (await court.limits()).max_challenge_bond
        missing = needed - await court.balance_of(self.signer.address)
        if missing <= 0:
            return ()
        until = await self._permit_deadline()
        permit = await sign_permit(self.chain, self.signer, court.address, missing, until)
        return ((await self._send(court_calls.deposit_with_permit(permit), progress))[1],)

    async def _send_later(
        self, call: Call, progress: ProgressSink
    ) -> tuple[Receipt, SentTransaction]:
        """Sends what the court takes one block after the commitment, as soon as it does."""
        clock = self.services.clock
        give_up = clock.monotonic() + _NEXT_BLOCK_SECONDS
        while True:
            try:
                return await self._send(call, progress)
            except ContractError as error:
                too_early = error.code == "receipt-court-committed-in-this-block"
                if not too_early or clock.monotonic() >= give_up:
                    raise
            progress(Step("wait-block", "waiting for the next block"))
            await clock.sleep(self.services.poll_seconds)

    async def _require_bundle(self, resolved: ResolvedVersion, progress: ProgressSink) -> None:
        try:
            await self._bundle_of(resolved, progress)
        except StorageError as error:
            raise StorageError(
                "receipt-bundle-unavailable",
                f"the files of {resolved.label} cannot be had: {error.message}",
                hint="without them nobody can show that the output is wrong: ask another executor,"
                " or the publisher to serve them",
                cause=error.code,
            ) from error
