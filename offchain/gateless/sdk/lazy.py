"""Answers without a proof, from both sides: follow, doubt, prove, finish, back with stake."""

from __future__ import annotations

import secrets
from types import MappingProxyType

from gateless.adapters.chain import calls, lazy_calls
from gateless.adapters.chain.lazy import answered, locked, requested
from gateless.adapters.chain.lazy_calldata import signed_request_in
from gateless.adapters.chain.lazy_calls import DISPUTE_COURT, LAZY_MARKET
from gateless.adapters.chain.permit import sign_permit
from gateless.core.errors import ChainError, ContractError, FundsError
from gateless.core.lazy import LazyClaim, LazyLock, LazyRequest, LazyState, lazy_commitment
from gateless.core.packing import FloatArray
from gateless.core.types import Event, InputBinding, Receipt
from gateless.sdk.lazy_asking import LazyAsking
from gateless.sdk.lazy_results import LazyAnswer, LazyEnd
from gateless.sdk.lazy_standing import not_returnable, unknown, without_output
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.results import SentTransaction, Transfer
from gateless.sdk.staking import Staking
from gateless.sdk.tensors import label_of, unpack_outputs
from gateless.sdk.terms import checked_address

#: A chain whose blocks take longer than this stands still.
_NEXT_BLOCK_SECONDS = 120.0
_AMOUNTS = ("fee", "royalty", "amount", "slashed", "compensation", "reward", "burned", "paid")


class Lazy(LazyAsking, Staking):
    """Lazy requests as everybody but their maker sees them."""

    # --- following ---

    async def lazy_answer(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyAnswer:
        """Where a lazy request stands, its output, and how sure that is.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        state = await self.lazy.state(request_id)
        events = await self._events(request_id)
        if state is LazyState.NONE or not events:
            raise unknown(request_id)
        claim, packed = None, b""
        for event in events:
            if event.name == "Answered":
                claim, packed, _ = answered(event)
        version_id = int(events[0].args["versionId"]) if claim is None else claim.version_id
        resolved = await self.resolve(version_id)
        outputs: dict[str, FloatArray] = {}
        integers: dict[str, tuple[int, ...]] = {}
        label = None
        if claim is not None:
            manifest = await self._manifest_of(resolved, progress)
            outputs, integers = unpack_outputs(manifest, packed)
            label = label_of(manifest, outputs)
        return LazyAnswer(
            request_id=request_id,
            state=state,
            version_label=resolved.label,
            claim=claim,
            dispute=await self.disputes.dispute(request_id),
            result=await self.lazy.result(request_id),
            outputs=MappingProxyType(outputs),
            integers=MappingProxyType(integers),
            label=label,
            packed_output=packed,
        )

    async def wait_lazily(
        self,
        request_id: int,
        *,
        final: bool = False,
        patience: float | None = None,
        progress: ProgressSink = ignore,
    ) -> LazyAnswer:
        """Waits until a lazy request is answered, or (``final``) has ended.

        A signed request is unknown to the market until an executor answers it.

        Raises:
            ChainError: ``request-refunded``; ``request-slashed``: the answer was not proven when it
                was doubted; ``wait-timeout``.
        """
        clock = self.services.clock
        give_up = None if patience is None else clock.monotonic() + patience
        while True:
            state = await self.lazy.state(request_id)
            if state is LazyState.FINAL or (state is LazyState.ANSWERED and not final):
                progress(Step(state.name.lower(), "", fraction=1.0, request_id=request_id))
                return await self.lazy_answer(request_id, progress=progress)
            if state in (LazyState.REFUNDED, LazyState.SLASHED):
                raise without_output(request_id, state)
            if give_up is not None and clock.monotonic() >= give_up:
                raise ChainError(
                    "wait-timeout",
                    f"request 0x{request_id:064x} is {state.name.lower()}",
                    hint=f"nothing is lost; look again: gateless lazy result 0x{request_id:064x}",
                    request_id=request_id,
                )
            progress(Step(state.name.lower(), f"it is {state.name.lower()}", request_id=request_id))
            await clock.sleep(self.services.poll_seconds)

    # --- doubt ---

    async def challenge_lazily(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> LazyEnd:
        """Demands a proof of an answer: commits, waits a block, opens.

        The bond comes from the balance at the court, then from the wallet. A proof costs it.

        Raises:
            NotFoundError: ``unknown-request``.
            ContractError: it cannot be challenged (any more); the bond is back at the court.
            FundsError: ``token-balance-too-low``; nothing was sent.
        """
        claim = await self._claim(request_id)
        sent = [*await self._fund_doubt(progress)]
        salt, market = secrets.token_bytes(32), self.lazy.address
        made = lazy_commitment(self.signer.address, market, claim, salt)
        sent.append((await self._send(lazy_calls.commit_challenge(made), progress))[1])
        progress(Step("committed", f"0x{made.hex()}"))
        try:
            sent.append(await self._open(lazy_calls.challenge(market, claim, salt), progress))
        except ContractError:
            await self._send(lazy_calls.withdraw_commitment(made), progress)
            raise
        return await self._end(request_id, {}, sent)

    async def draw_lot(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyEnd:
        """Shows that the lot fell on an answer: its executor must prove.

        Raises:
            ContractError: ``dispute-court-not-drawn``, ``dispute-court-no-seed``.
        """
        call = lazy_calls.draw_lot(self.lazy.address, await self._claim(request_id))
        return await self._step(request_id, call, progress)

    async def prove_lazily(
        self, request_id: int, packed_input: bytes, *, progress: ProgressSink = ignore
    ) -> LazyEnd:
        """Proves an answer, doubted or not: it is final and paid at once. Anyone may.

        Raises:
            ProofError: the circuit does not give that output, or no proof came out.
        """
        claim = await self._claim(request_id)
        resolved = await self.resolve(claim.version_id)
        bundle = await self._bundle_of(resolved, progress)
        progress(Step("prove", "proving"))
        circuits = enumerate(bundle.manifest.circuits)
        index = next(place for place, circuit in circuits if circuit.batch_size == 1)
        proof = await self.services.prover.prove(bundle, packed_input, index)
        carried = packed_input if resolved.version.binding is InputBinding.PACKED else b""
        call = lazy_calls.prove(
            self.lazy.address, [claim], index, carried, proof.packed_output, proof.proof
        )
        return await self._step(request_id, call, progress)

    async def slash_lazily(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyEnd:
        """Ends a doubted answer that nobody proved in time. Anyone may.

        Raises:
            ContractError: ``dispute-court-not-overdue``, ``dispute-court-not-disputed``.
        """
        call = lazy_calls.slash(self.lazy.address, await self._claim(request_id))
        return await self._step(request_id, call, progress)

    # --- ends ---

    async def finalize_lazily(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyEnd:
        """Makes an answer final that nobody doubted in time, and pays it. Anyone may.

        Raises:
            ContractError: ``lazy-market-still-challengeable``.
        """
        claim, packed = await self._answer(request_id)
        carried = packed if int(claim.callback, 16) else b""
        return await self._step(request_id, lazy_calls.finalize(claim, carried), progress)

    async def refund_lazily(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyEnd:
        """Returns the price of a request that nobody answered in time. Anyone may.

        Raises:
            NotFoundError: ``unknown-request``.
            ChainError: ``nothing-to-refund``: it was answered, or has ended.
            ContractError: ``lazy-market-not-expired``.
        """
        await self._require_unanswered(request_id)
        request, missed = await self._asked_lazily(request_id)
        locked_now = await self.lazy.state(request_id) is LazyState.LOCKED
        if locked_now and missed is not None:
            call = lazy_calls.refund_locked(request, missed)
        else:
            call = lazy_calls.refund(request)
        return await self._step(request_id, call, progress)

    async def cancel_lazily(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyEnd:
        """Takes back an open request of the signer that names no executor.

        Raises:
            NotFoundError: ``unknown-request``.
            ChainError: ``nothing-to-refund``: it was answered, or has ended.
        """
        await self._require_unanswered(request_id)
        request, _ = await self._asked_lazily(request_id)
        return await self._step(request_id, lazy_calls.cancel(request), progress)

    # --- stake and money ---

    async def back_lazily(
        self, amount: int, *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Puts stake behind the signer's answers: what is free first, then from the wallet.

        Raises:
            FundsError: ``stake-too-low``, ``token-balance-too-low``; nothing was sent.
        """
        staking, me, market = self.chain.staking, self.signer.address, self.lazy.address
        sent: list[SentTransaction] = []
        lacking = amount - (await staking.allocation(me, market)).available
        if lacking > 0:
            fresh = max(0, lacking - await staking.free_stake(me))
            await self._require_stake(await staking.total_stake(me) + fresh)
            if fresh:
                until = await self._permit_deadline()
                permit = await sign_permit(self.chain, self.signer, staking.address, fresh, until)
                sent.append((await self._send(calls.stake_with_permit(permit), progress))[1])
            sent.append((await self._send(calls.allocate(market, lacking), progress))[1])
        sent.append((await self._send(lazy_calls.back(amount), progress))[1])
        return tuple(sent)

    async def unback_lazily(
        self, amount: int | None = None, *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Takes back what no unfinished answer uses (default: all of it).

        Raises:
            FundsError: ``nothing-staked``.
        """
        backing = await self.lazy.backing(self.signer.address)
        wanted = backing.free if amount is None else amount
        if not wanted:
            raise FundsError(
                "nothing-staked",
                "no stake of this account is free of unfinished lazy answers",
                hint="wait until they are final",
            )
        return ((await self._send(lazy_calls.unback(wanted), progress))[1],)

    async def withdraw_lazily(
        self, *, to: str | None = None, progress: ProgressSink = ignore
    ) -> tuple[Transfer, ...]:
        """Moves all that the signer has at the lazy market and its court to ``to``.

        Raises:
            FundsError: ``nothing-to-withdraw``; nothing was sent.
        """
        me = self.signer.address
        target = checked_address(to, "recipient") or me
        moved = []
        for contract, held in (
            (LAZY_MARKET, await self.lazy.balance_of(me)),
            (DISPUTE_COURT, await self.disputes.balance_of(me)),
        ):
            if held:
                call = lazy_calls.withdraw(held, target, contract)
                moved.append(Transfer(held, target, (await self._send(call, progress))[1]))
        if not moved:
            raise FundsError(
                "nothing-to-withdraw",
                "the lazy market and its court hold nothing for this account",
                hint="compensations and rewards are had by: gateless receipt withdraw",
            )
        return tuple(moved)

    # --- steps ---

    async def _require_unanswered(self, request_id: int) -> None:
        state = await self.lazy.state(request_id)
        if state not in (LazyState.NONE, LazyState.OPEN, LazyState.LOCKED):
            raise not_returnable(request_id, state)

    async def _events(self, request_id: int) -> list[Event]:
        names = [f"{LAZY_MARKET}.{name}" for name in ("Requested", "Locked", "Answered")]
        start = self.chain.deployment.start_block
        return await self.chain.events(names, start, indexed=[request_id])

    async def _answer(self, request_id: int) -> tuple[LazyClaim, bytes]:
        for event in reversed(await self._events(request_id)):
            if event.name == "Answered":
                claim, packed, _ = answered(event)
                return claim, packed
        raise unknown(request_id)

    async def _claim(self, request_id: int) -> LazyClaim:
        return (await self._answer(request_id))[0]

    async def _asked_lazily(self, request_id: int) -> tuple[LazyRequest, LazyLock | None]:
        request, lock = None, None
        for event in await self._events(request_id):
            if event.name == "Requested":
                _, request, _ = requested(event)
            elif event.name == "Locked":
                _, lock = locked(event)
        if request is None:
            raise unknown(request_id)
        return request, lock

    async def _signed_only(self, request_id: int) -> LazyRequest | None:
        """A request that was signed, locked and answered at once: no event tells it."""
        chain = self.chain
        for event in await self._events(request_id):
            if event.name == "Answered":
                sent = await chain.rpc.request("eth_getTransactionByHash", event.tx_hash)
                data = bytes.fromhex(sent["input"].removeprefix("0x"))
                return signed_request_in(data, request_id, chain.chain_id, self.lazy.address)
        return None

    async def _fund_doubt(self, progress: ProgressSink) -> tuple[SentTransaction, ...]:
        court = self.disputes
        missing = await court.challenge_bond() - await court.balance_of(self.signer.address)
        if missing <= 0:
            return ()
        until = await self._permit_deadline()
        permit = await sign_permit(self.chain, self.signer, court.address, missing, until)
        call = lazy_calls.deposit_with_permit(permit, DISPUTE_COURT)
        return ((await self._send(call, progress))[1],)

    async def _open(self, call: calls.Call, progress: ProgressSink) -> SentTransaction:
        """Sends what the court takes one block after the commitment, as soon as it does."""
        clock = self.services.clock
        give_up = clock.monotonic() + _NEXT_BLOCK_SECONDS
        while True:
            try:
                return (await self._send(call, progress))[1]
            except ContractError as error:
                too_early = error.code == "dispute-court-committed-in-this-block"
                if not too_early or clock.monotonic() >= give_up:
                    raise
            progress(Step("wait-block", "waiting for the next block"))
            await clock.sleep(self.services.poll_seconds)

    async def _step(self, request_id: int, call: calls.Call, progress: ProgressSink) -> LazyEnd:
        receipt, sent = await self._send(call, progress)
        return await self._end(request_id, moved(receipt, request_id), [sent])

    async def _end(
        self, request_id: int, amounts: dict[str, int], sent: list[SentTransaction]
    ) -> LazyEnd:
        state = await self.lazy.state(request_id)
        return LazyEnd(request_id, state, MappingProxyType(amounts), tuple(sent))


def moved(receipt: Receipt, request_id: int) -> dict[str, int]:
    """What events of a transaction say that a request moved."""
    found: dict[str, int] = {}
    for event in receipt.logs:
        if int(event.args.get("requestId", -1)) == request_id:
            found |= {name: int(event.args[name]) for name in _AMOUNTS if name in event.args}
    return found
