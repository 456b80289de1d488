"""Asking executors by HTTP: direct answers with bonded receipts, and signed requests handed over.

Executors are found on chain: who is enrolled for a version, with an endpoint in its profile.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic_core import from_json

from gateless.adapters.chain.offers import Offer
from gateless.core.errors import GatelessError, InputError, NotFoundError, StorageError
from gateless.core.manifest import Manifest
from gateless.core.packing import FloatArray
from gateless.core.receipts import SignedReceipt, parse_receipt
from gateless.core.types import ZERO_ADDRESS, ExecutorInfo
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.receipt_checks import DEFAULT_LIFE_SECONDS, CheckedReceipt
from gateless.sdk.receipts import Receipts
from gateless.sdk.results import ResolvedVersion, SignedOffer
from gateless.sdk.sending import send
from gateless.sdk.signing import Signing
from gateless.sdk.tensors import label_of, pack_inputs, unpack_outputs
from gateless.sdk.terms import checked_address

#: Computing takes its time, and the first call of a version may wait for its audit.
_HTTP_SECONDS = 300.0
#: Whatever is longer is no answer.
_MAX_ANSWER_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class DirectAnswer:
    """An output with a receipt that was checked.

    Attributes:
        resolved: version that computed it.
        executor: who answers for it.
        outputs: real numbers per output tensor; read-only arrays.
        integers: fixed-point integers per output tensor.
        label: the manifest's name of the highest score, where the model is a classifier.
        packed_input: what was asked.
        packed_output: what came back; the receipt is about exactly these.
        checked: the receipt, and what stands behind it.
        price: what was signed for; 0 for nothing.
        warnings: advice to show.
    """

    resolved: ResolvedVersion
    executor: str
    outputs: dict[str, FloatArray]
    integers: dict[str, tuple[int, ...]]
    label: str | None
    packed_input: bytes
    packed_output: bytes
    checked: CheckedReceipt
    price: int
    warnings: tuple[str, ...]

    @property
    def receipt(self) -> SignedReceipt:
        """The receipt: keep it until it expires."""
        return self.checked.signed


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Executors that took a signed request in, and why others did not."""

    request_id: int
    takers: tuple[str, ...]
    refusals: dict[str, str]


class Calling(Signing, Receipts):
    """Asks executors directly."""

    async def ask_directly(
        self,
        ref: str | int,
        inputs: Any,
        *,
        executor: str | None = None,
        beneficiary: str | None = None,
        max_price: int = 0,
        min_bond: int = 0,
        min_life: int = DEFAULT_LIFE_SECONDS,
        question: bytes | None = None,
        known: Sequence[SignedReceipt] = (),
        progress: ProgressSink = ignore,
    ) -> DirectAnswer:
        """An answer at once, for which an executor's bond stands; nothing is sent to the chain.

        Executors of the version are asked one after the other, until one answers with a receipt
        that is worth its bond (:meth:`check_receipt`). The answer is not proven: doubt it with
        :meth:`challenge_receipt`.

        Args:
            ref: which version, see :mod:`gateless.sdk.references`.
            inputs: as for :meth:`infer`.
            executor: the only one to ask.
            beneficiary: who is compensated if the output is wrong; default: the signer where there
                is one.
            max_price: the most to pay, in token units: by a signed request, out of the deposit.
            min_bond: least bond, in token units.
            min_life: seconds for which it must be possible to doubt it.
            question: 32 bytes; equal calls with the same ones get the same receipt.
            known: receipts that the client has; none may be for the same slot.
            progress: told about each step.

        Raises:
            InputError: bad input; ``executor-refused``; ``receipt-…`` of the last one asked.
            NotFoundError: unknown model or version; ``no-executor``.
            StorageError: ``store-unreachable``, ``receipt-bundle-unavailable``.
        """
        resolved = await self.resolve(ref)
        manifest = await self._manifest_of(resolved, progress)
        packed = pack_inputs(manifest, inputs)
        harmed = checked_address(beneficiary, "beneficiary")
        if harmed is None and self.services.signer is not None:
            harmed = self.signer.address
        name = secrets.token_bytes(32) if question is None else question
        parameters = {
            "packed_input": f"0x{packed.hex()}",
            "question": f"0x{name.hex()}",
            "beneficiary": harmed or ZERO_ADDRESS,
        }
        failure: GatelessError | None = None
        for server in await self._callable(resolved, executor, receipts=True):
            progress(Step("call", f"asking {server.endpoint}"))
            try:
                said, price = await self._called(
                    resolved, inputs, server, parameters, max_price, progress
                )
                output, signed = _read_answer(said, server)
                checked = await self.check_receipt(
                    signed,
                    resolved.version.version_id,
                    packed,
                    output,
                    executor=server.address,
                    beneficiary=harmed or ZERO_ADDRESS,
                    price=price,
                    min_bond=min_bond,
                    min_life=min_life,
                    known=known,
                    progress=progress,
                )
                return _answer(resolved, manifest, server, packed, output, checked, price)
            except (InputError, StorageError) as error:
                failure = error
        if failure is None:
            raise NotFoundError(
                "no-executor",
                f"nobody answers {resolved.label} directly",
                hint="ask by a request: gateless infer",
            )
        raise failure

    async def hand_over(
        self,
        offer: SignedOffer | Offer,
        *,
        executor: str | None = None,
        progress: ProgressSink = ignore,
    ) -> HandedOver:
        """Hands a signed request to the executors of its version; one of them locks it.

        Args:
            offer: as :meth:`sign` makes it, or as it was kept.
            executor: the only one to hand it to; default: the named one, else all.
            progress: told about each.

        Raises:
            NotFoundError: ``no-executor``.
            InputError: ``executor-refused``: nobody took it.
            StorageError: ``store-unreachable``: nobody could be reached.
        """
        if isinstance(offer, SignedOffer):
            kept, resolved = offer.offer, offer.resolved
        else:
            kept, resolved = offer, await self.resolve(offer.signed.params.version_id)
        body = kept.to_json()
        only = executor or kept.signed.params.executor
        takers, refusals = [], {}
        failure: GatelessError | None = None
        for server in await self._callable(resolved, only, receipts=False):
            progress(Step("hand", f"handing the request to {server.endpoint}"))
            try:
                await self._posted(server, "/v1/requests", body.encode())
                takers.append(server.address)
            except (InputError, StorageError) as error:
                refusals[server.address], failure = error.message, error
        if takers:
            return HandedOver(offer.request_id, tuple(takers), refusals)
        if failure is not None:
            raise failure
        raise NotFoundError(
            "no-executor",
            f"no executor of {resolved.label} says where it is reached",
            hint="send the request to the chain: gateless infer",
        )

    async def _callable(
        self, resolved: ResolvedVersion, only: str | None, *, receipts: bool
    ) -> list[ExecutorInfo]:
        """Executors of a version that can be reached, the cheapest first."""
        wanted = checked_address(only, "executor")
        staking = self.chain.staking
        found = []
        for address in await staking.enrolled_executors(resolved.version.version_id):
            if wanted is not None and address != wanted:
                continue
            profile = await staking.executor(address)
            if profile.endpoint and (profile.receipt_key is not None or not receipts):
                found.append(profile)
        return sorted(found, key=lambda server: (server.min_price, server.address))

    async def _called(
        self,
        resolved: ResolvedVersion,
        inputs: Any,
        server: ExecutorInfo,
        parameters: dict[str, Any],
        max_price: int,
        progress: ProgressSink,
    ) -> tuple[httpx.Response, int]:
        """Calls; where that costs something, once more with what pays for it."""
        path = f"/v2/models/{resolved.model.name}/versions/{resolved.version.index}/infer"
        body = json.dumps({"parameters": parameters}).encode()
        try:
            return await self._posted(server, path, body), 0
        except InputError as error:
            price = int(error.context.get("price", 0))
            if error.context.get("cause") != "payment-required" or not 0 < price <= max_price:
                raise
        made = await self.sign(
            resolved.version.version_id,
            inputs,
            executor=server.address,
            price=price,
            progress=progress,
        )
        payment = Offer(self.chain.chain_id, self.chain.market.address, made.signed, made.signature)
        paid = parameters | {"payment": json.loads(payment.to_json())}
        body = json.dumps({"parameters": paid}).encode()
        return await self._posted(server, path, body), price

    async def _posted(self, server: ExecutorInfo, path: str, body: bytes) -> httpx.Response:
        base = server.endpoint.rstrip("/")
        try:
            answer = await send(self.services.http, "POST", f"{base}{path}", body, _HTTP_SECONDS)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise StorageError(
                "store-unreachable",
                f"the executor at {base} does not answer: {error or type(error).__name__}",
                hint="name another executor, or ask by a request on chain",
            ) from error
        if answer.is_success and len(answer.content) <= _MAX_ANSWER_BYTES:
            return answer
        why = _refusal(answer)
        raise InputError(
            "executor-refused",
            f"the executor at {base} refuses: {why['message']}",
            hint="change the terms, or name another executor",
            status=answer.status_code,
            cause=why["code"],
            **({"price": why["price"]} if "price" in why else {}),
        )


def _refusal(answer: httpx.Response) -> dict[str, Any]:
    """What a refusal says; nothing of it is believed to be what it should be."""
    try:
        said = from_json(answer.content)
        found = {"code": str(said["code"])[:100], "message": str(said["message"])[:300]}
        price = said.get("context", {}).get("price")
        return found | ({"price": price} if type(price) is int else {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"code": "", "message": f"HTTP status {answer.status_code}"}


def _read_answer(answer: httpx.Response, server: ExecutorInfo) -> tuple[bytes, SignedReceipt]:
    try:
        parameters = from_json(answer.content)["parameters"]
        output = bytes.fromhex(str(parameters["packed_output"]).removeprefix("0x"))
        return output, parse_receipt(json.dumps(parameters["receipt"]))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            "executor-refused",
            f"the executor at {server.endpoint} sends no output with a receipt",
            hint="name another executor",
        ) from error


def _answer(
    resolved: ResolvedVersion,
    manifest: Manifest,
    server: ExecutorInfo,
    packed: bytes,
    output: bytes,
    checked: CheckedReceipt,
    price: int,
) -> DirectAnswer:
    outputs, integers = unpack_outputs(manifest, output)
    return DirectAnswer(
        resolved=resolved,
        executor=server.address,
        outputs=outputs,
        integers=integers,
        label=label_of(manifest, outputs),
        packed_input=packed,
        packed_output=output,
        checked=checked,
        price=price,
        warnings=resolved.warnings,
    )
