"""What an executor does for those who call it, apart from how they call: no HTTP in here."""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from dataclasses import replace
from typing import Any

from eth_utils.crypto import keccak

from gateless.adapters.chain.lazy_requests import parse_lazy_offer
from gateless.adapters.chain.offers import parse_offer
from gateless.core.errors import ConfigError, FundsError, InputError, NotFoundError
from gateless.core.ids import version_id as version_id_of
from gateless.daemon.versions import ReadyVersion
from gateless.executor.auditor import Auditor
from gateless.executor.intake.lazy_offers import (
    LazyOfferIntake,
    is_lazy,
    lazy_progress_of,
)
from gateless.executor.intake.offers import OfferIntake
from gateless.executor.intake.payments import payment_of
from gateless.executor.intake.tensors import InferRequest, model_metadata, output_tensors
from gateless.executor.lazy.desk import LazyDesk
from gateless.executor.parts import Parts
from gateless.executor.receipts.counter import ReceiptCounter
from gateless.executor.receipts.desk import ReceiptDesk
from gateless.executor.work import Work
from gateless.sdk.references import check_model_name, parse_reference


class Intake:
    """Direct calls, signed requests and inputs for one executor.

    Args:
        parts: what to work with.
        auditor: looks at versions.
        lazy: serves lazy requests; None where the network has no market for them.
        receipts: signs for direct calls.
        me: the executor.

    Attributes:
        inputs: those that were handed in.
        offers: takes signed requests.
    """

    def __init__(
        self,
        parts: Parts,
        auditor: Auditor,
        receipts: ReceiptCounter,
        lazy: LazyDesk | None,
        me: str,
    ) -> None:
        self._parts = parts
        self._auditor = auditor
        self._lazy = lazy
        self._receipts = receipts
        self._me = me
        self._names: dict[str, int] = {}
        self.inputs = parts.inputs
        self.offers = OfferIntake(parts, parts.recovery.offers, parts.inputs, parts.config.intake)
        self._lazy_offers = None if lazy is None else LazyOfferIntake(lazy, parts.config.intake)

    def close(self) -> None:
        """Takes nothing more in."""
        self.offers.close()

    # --- direct calls ---

    async def infer(self, model: str, version: str, asked: InferRequest) -> dict[str, Any]:
        """Answers a direct call: the outputs, and a bonded receipt for them.

        Raises:
            GatelessError: it is not answered; nothing was signed.
        """
        desk = self._desk()
        version_id = await self.version_id(model, version)
        await self._require_served(version_id)
        beneficiary = asked.beneficiary()
        ready = await self._parts.versions.prepare(version_id)
        manifest = ready.bundle.manifest
        packed = asked.packed(manifest)
        price = await self._charge(asked, await desk.quote(ready), version_id, packed)
        question = asked.parameters.question
        answer = await desk.answer(
            version_id,
            packed,
            beneficiary,
            secrets.token_bytes(32) if question is None else bytes.fromhex(question[2:]),
            price=price,
        )
        outputs = output_tensors(manifest, answer.packed_output, asked)
        said = {
            "model_name": model,
            "model_version": str(ready.info.index),
            "outputs": outputs,
            "parameters": {
                "version_id": str(version_id),
                "packed_input": f"0x{packed.hex()}",
                "packed_output": f"0x{answer.packed_output.hex()}",
                "price": str(price),
                "receipt": json.loads(answer.receipt.to_json()),
            },
        }
        return said if asked.id is None else said | {"id": asked.id}

    async def _charge(self, asked: InferRequest, price: int, version_id: int, packed: bytes) -> int:
        """Takes what pays for a call in; returns what it pays.

        Raises:
            FundsError: ``payment-required``.
            InputError: ``payment-mismatch``, and what :meth:`accept` raises.
        """
        if asked.parameters.payment is None:
            if price:
                raise FundsError(
                    "payment-required",
                    f"an answer costs {price} token units",
                    hint="send a signed request for the same input along, as parameters.payment",
                    price=price,
                )
            return 0
        body = json.dumps(asked.parameters.payment).encode()
        pays = payment_of(body)
        if (
            pays.version_id != version_id
            or pays.input_digest != keccak(packed)
            or pays.executor is None
            or not self._parts.policy.is_me(pays.executor)
            or pays.price is None
            or pays.price < price
        ):
            raise InputError(
                "payment-mismatch",
                "the signed request does not pay for this call",
                hint=f"it must be for the same version and input, name {self._me}, and offer"
                f" {price} token units or more, without a ramp",
            )
        await self.accept(body, packed)
        return pays.price

    async def metadata(self, model: str, version: str) -> dict[str, Any]:
        """What the protocol says about a model that is served here."""
        ready = await self._served(model, version)
        return model_metadata(model, ready.bundle.manifest, ready.info.index)

    async def is_ready(self, model: str, version: str) -> bool:
        """Whether a call would be answered without further preparation."""
        version_id = await self.version_id(model, version)
        await self._require_served(version_id)
        return self._receipts.desk is not None and await self._auditor.is_audited(version_id)

    async def version_id(self, model: str, version: str) -> int:
        """The version that a path names: an index or an alias of a model.

        Raises:
            NotFoundError: ``unknown-model``, ``unknown-alias``.
            InputError: ``invalid-name``, ``invalid-reference``.
        """
        registry = self._parts.client.registry
        reference = parse_reference(f"{check_model_name(model)}@{version}")
        if model not in self._names:  # a model's name is its own for ever
            self._names[model] = await registry.model_id_of(model)
        model_id = self._names[model]
        if reference.index is not None:
            return version_id_of(model_id, reference.index)
        return await registry.resolve_alias(model_id, reference.alias or "")

    async def _served(self, model: str, version: str) -> ReadyVersion:
        version_id = await self.version_id(model, version)
        await self._require_served(version_id)
        return await self._parts.versions.prepare(version_id)

    async def _require_served(self, version_id: int) -> None:
        standing = await self._parts.standing.current()
        if not self._parts.policy.serves(version_id, standing):
            raise NotFoundError(
                "version-not-served",
                f"version {version_id} is not served here",
                hint="/v1/info lists what is",
                version_id=version_id,
            )

    def _desk(self) -> ReceiptDesk:
        if self._receipts.desk is None:
            raise ConfigError(
                "receipts-closed",
                "this executor signs no receipts, so it answers no direct calls",
                hint="hand it a signed request, or ask another executor",
            )
        return self._receipts.desk

    # --- signed requests ---

    async def accept(self, body: bytes, packed: bytes | None = None) -> dict[str, Any]:
        """Takes a signed request in, for whichever market it was signed.

        Args:
            body: its JSON.
            packed: its input, where that is known from elsewhere.

        Raises:
            GatelessError: it is not taken.
        """
        if not is_lazy(body):
            offer = parse_offer(body)
            whole = replace(offer, packed_input=offer.packed_input or packed)
            return progress_of(await self.offers.accept(whole))
        lazy = parse_lazy_offer(body)
        if self._lazy_offers is None:
            raise ConfigError(
                "offers-closed",
                "there is no lazy market on this network",
                hint="sign the request for the market of proofs",
            )
        lazy = replace(lazy, packed_input=lazy.packed_input or packed)
        return lazy_progress_of(await self._lazy_offers.accept(lazy))

    async def progress(self, request_id: int) -> dict[str, Any]:
        """How far this executor got with a request.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        with suppress(LookupError):
            return progress_of(await self._parts.journal.get(request_id))
        with suppress(LookupError):
            return lazy_progress_of(await self._parts.journal.lazy(request_id))
        raise NotFoundError(
            "unknown-request",
            f"request 0x{request_id:064x} was never handed in here",
            hint="hand it in: POST /v1/requests",
        )

    # --- what there is ---

    async def info(self) -> dict[str, Any]:
        """What this executor serves, for how much, and what its receipts are worth."""
        parts = self._parts
        standing = await parts.standing.current()
        desk = self._receipts.desk
        return {
            "executor": self._me,
            "chainId": str(parts.client.chain_id),
            "market": parts.client.market.address,
            "endpoint": standing.profile.endpoint,
            "capacity": parts.policy.capacity(standing),
            "availableStake": str(standing.available),
            "minPrice": str(parts.policy.least_price(standing)),
            "versions": [await self._about(version) for version in sorted(standing.enrolled)],
            "signedRequests": self.offers.is_open,
            "lazyRequests": await self._lazy_terms(),
            "directCalls": None if desk is None else await _terms(desk),
            "limits": {
                "maxBodyBytes": parts.config.intake.max_body_bytes,
                "maxInputBytes": parts.config.intake.max_input_bytes,
                "requestsPerSecond": parts.config.intake.rate_per_second,
            },
        }

    async def _lazy_terms(self) -> dict[str, Any] | None:
        if self._lazy is None or not self._lazy.is_open:
            return None
        market = self._lazy.context.market
        backing = await market.backing(self._me)
        return {"market": market.address, "freeBacking": str(backing.free)}

    async def endpoint(self) -> str:
        """Where others reach this executor, as its profile says; empty where it does not."""
        return (await self._parts.standing.current()).profile.endpoint

    async def _about(self, version_id: int) -> dict[str, Any]:
        ready = self._parts.versions.known(version_id)
        desk = self._receipts.desk
        seconds = price = None
        if ready is not None:
            seconds = await self._auditor.seconds(ready)
            price = None if desk is None else str(await desk.quote(ready))
        return {
            "versionId": str(version_id),
            "proofSeconds": seconds,
            "directPrice": price,
            "audited": await self._auditor.is_audited(version_id),
        }


def progress_of(work: Work) -> dict[str, Any]:
    """A request as the intake shows it."""
    return {
        "requestId": f"0x{work.request_id:064x}",
        "versionId": str(work.version_id),
        "state": work.state.value,
        "reason": work.reason,
        "text": work.text,
        "deadline": work.deadline,
        "lockDeadline": work.lock_deadline,
    }


async def _terms(desk: ReceiptDesk) -> dict[str, Any]:
    terms = await desk.terms()
    return {
        "payment": "a signed request, where a version's directPrice is above 0",
        "receiptKey": desk.key,
        "bond": str(terms.pool.bond),
        "challengeBond": str(terms.pool.challenge_bond),
        "epoch": str(terms.epoch),
        "freeSlots": terms.free_slots,
        "expires": str(terms.expires),
        "maxInputBytes": terms.limits.max_input_length,
        "problem": terms.problem,
    }
