"""Asking without gas: requests that are signed and handed to executors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Unpack

from gateless.adapters.chain import calls
from gateless.adapters.chain.signed_requests import free_nonce, sign_request
from gateless.adapters.storage import content_hint
from gateless.core.errors import ChainError, InputError, NotFoundError
from gateless.core.types import SignedRequest
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.requesting import Requesting
from gateless.sdk.results import InferenceResult, SentTransaction, SignedOffer
from gateless.sdk.tensors import pack_inputs
from gateless.sdk.terms import RequestTerms
from gateless.sdk.waiting import GRACE_SECONDS


class Signing(Requesting):
    """Requests whose requester needs a deposit and no gas."""

    @cached_property
    def _signed_nonces(self) -> set[int]:
        """Those of requests that this client signed: until one is locked, only it knows of it."""
        return set()

    async def sign(
        self,
        ref: str | int,
        inputs: Any,
        *,
        nonce: int | None = None,
        progress: ProgressSink = ignore,
        **terms: Unpack[RequestTerms],
    ) -> SignedOffer:
        """Signs a request. Nothing is sent; the price is taken from the deposit by the lock.

        Args:
            ref: which version, see :mod:`gateless.sdk.references`.
            inputs: as for :meth:`infer`. The bytes go to executors with the signature, or by way of
                ``input_store``.
            nonce: any number that the account has not used; default: a free one. Two requests with
                one nonce are alternatives: one of them is locked at most.
            progress: told about each stage.
            terms: as for :meth:`infer`; a deposit that is too low is not topped up.

        Raises:
            InputError: bad input or terms.
            NotFoundError: unknown model, version or alias, or ``no-executor``.
            StorageError: the version's files cannot be had or are not what was published.
            FundsError: ``balance-too-low``: no executor would be paid.
        """
        signer = self.signer
        progress(Step("resolve", f"looking up {ref}"))
        resolved = await self.resolve(ref)
        manifest = await self._manifest_of(resolved, progress)
        packed = pack_inputs(manifest, inputs)
        settled = await self._settle(resolved, terms)
        await self._shortage(settled.price, deposit=False)
        hint, store = "", terms.get("input_store")
        if store is not None:
            hint = content_hint(await self.services.store.put(packed), store)
        if nonce is None:
            nonce = await free_nonce(self.chain, signer.address, self._signed_nonces)
        self._signed_nonces.add(nonce)
        params = await self._params(resolved, settled, packed, progress)
        signed = SignedRequest(signer.address, params, nonce, hint)
        request_id, signature = await sign_request(self.chain, signer, signed)
        progress(Step("signed", "the request is signed"))
        return SignedOffer(
            request_id=request_id,
            chain_id=self.chain.chain_id,
            market=self.chain.market.address,
            signed=signed,
            signature=signature,
            resolved=resolved,
            manifest=manifest,
            packed_input=packed,
            warnings=(*resolved.warnings, *settled.warnings),
        )

    async def wait_signed(
        self, offer: SignedOffer, *, patience: float | None = None, progress: ProgressSink = ignore
    ) -> InferenceResult:
        """As :meth:`wait`, for a request that the market may not know yet.

        Raises:
            ChainError: ``request-expired``, ``wait-timeout``; as :meth:`wait`.
        """
        clock = self.services.clock
        give_up = None if patience is None else clock.monotonic() + patience
        while not await self._is_locked(offer.request_id):
            if clock.now() > offer.signed.params.deadline + GRACE_SECONDS:
                raise ChainError(
                    "request-expired",
                    "no executor locked the signed request in time",
                    hint="nothing was paid; ask again: gateless infer",
                    request_id=offer.request_id,
                )
            if give_up is not None and clock.monotonic() >= give_up:
                raise ChainError(
                    "wait-timeout",
                    "no executor has locked the signed request yet",
                    hint=f"go on waiting: gateless request wait 0x{offer.request_id:064x}",
                    request_id=offer.request_id,
                )
            progress(Step("handed", "waiting for an executor to lock the request"))
            await clock.sleep(self.services.poll_seconds)
        left = None if give_up is None else max(0.0, give_up - clock.monotonic())
        return await self.wait(offer.request_id, patience=left, progress=progress)

    async def cancel_signed(
        self, nonces: Iterable[int], *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Makes signed requests that nobody has locked yet useless, by their nonces.

        One transaction for all nonces that share a word of 256.

        Raises:
            InputError: ``nonce-spent``: an executor has taken a request with one of them, or it was
                cancelled before; nothing was sent.
        """
        masks: dict[int, int] = {}
        for nonce in nonces:
            masks[nonce >> 8] = masks.get(nonce >> 8, 0) | 1 << (nonce & 0xFF)
        await self._require_unspent(masks)
        sent = []
        for word_index, mask in sorted(masks.items()):
            _, transaction = await self._send(calls.cancel_nonces(word_index, mask), progress)
            sent.append(transaction)
        return tuple(sent)

    async def _require_unspent(self, masks: Mapping[int, int]) -> None:
        for index, mask in sorted(masks.items()):
            known = await self.chain.market.nonce_word(self.signer.address, index)
            spent = [256 * index + bit for bit in range(256) if known & mask & 1 << bit]
            if spent:
                raise InputError(
                    "nonce-spent",
                    f"{', '.join(map(str, spent))}: an executor has taken the request, or it was"
                    " cancelled before; nothing was sent",
                    hint="see what became of it: gateless request show ID; name only nonces that"
                    " are free",
                    nonces=[str(nonce) for nonce in spent],
                )

    async def _is_locked(self, request_id: int) -> bool:
        try:
            await self.chain.market.request(request_id)
        except NotFoundError:
            return False
        return True
