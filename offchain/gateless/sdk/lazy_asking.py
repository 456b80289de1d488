"""Asking for answers that are proven only when somebody doubts them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Unpack, cast

import httpx
from eth_utils.crypto import keccak
from pydantic_core import from_json

from gateless.adapters.chain import lazy_calls
from gateless.adapters.chain.lazy import DisputeReader, LazyReader
from gateless.adapters.chain.lazy_requests import LazyOffer, sign_lazy_request
from gateless.adapters.chain.permit import sign_permit
from gateless.adapters.chain.signed_requests import random_nonce
from gateless.adapters.storage import content_hint, parse_hint
from gateless.core.amounts import format_amount, plain_amount
from gateless.core.errors import FundsError, InputError, NotFoundError, StorageError
from gateless.core.lazy import LazyLimits, LazyRequest
from gateless.core.types import ZERO_ADDRESS, TrustMode
from gateless.sdk.lazy_results import LazyAsked
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.requesting import Requesting
from gateless.sdk.results import ResolvedVersion, SentTransaction
from gateless.sdk.sending import send
from gateless.sdk.tensors import pack_inputs
from gateless.sdk.terms import RequestTerms

#: Time to doubt an answer, and for the proof, where nothing else is asked for.
DEFAULT_CHALLENGE_SECONDS = 600
DEFAULT_RESPONSE_SECONDS = 600
_HTTP_SECONDS = 30.0


class LazyTerms(RequestTerms, total=False):
    """What a requester of a lazy answer may choose beside :class:`RequestTerms`.

    Attributes:
        challenge_window: seconds from the answer in which it may be doubted; default 600.
        response_window: seconds for the proof; default 600, or what the version says it takes.
        audit_bps: probability, in basis points, with which a lot demands a proof; default 0.
        send: whether the request is sent to the chain; by default it is signed and handed to an
            executor.
    """

    challenge_window: int | None
    response_window: int | None
    audit_bps: int
    send: bool


@dataclass(frozen=True, slots=True)
class LazyServer:
    """An executor that could answer lazily."""

    address: str
    endpoint: str
    min_price: int
    free: int


class LazyAsking(Requesting):
    """Lazy requests as their requester makes them."""

    @property
    def lazy(self) -> LazyReader:
        """The lazy market.

        Raises:
            ConfigError: ``unknown-contract`` where the network has none.
        """
        return LazyReader(self.chain.rpc, self.chain.deployment)

    @property
    def disputes(self) -> DisputeReader:
        """The court for doubts about its answers."""
        return DisputeReader(self.chain.rpc, self.chain.deployment)

    async def lazy_servers(self, version_id: int) -> tuple[LazyServer, ...]:
        """Executors enrolled for a version with stake behind lazy answers, cheapest first."""
        found = []
        for address in await self.chain.staking.enrolled_executors(version_id):
            backing = await self.lazy.backing(address)
            if not backing.total:
                continue
            profile = await self.chain.staking.executor(address)
            found.append(LazyServer(address, profile.endpoint, profile.min_price, backing.free))
        return tuple(sorted(found, key=lambda server: (server.min_price, server.address)))

    async def ask_lazily(
        self,
        ref: str | int,
        inputs: Any,
        *,
        progress: ProgressSink = ignore,
        **terms: Unpack[LazyTerms],
    ) -> LazyAsked:
        """Asks for an answer without a proof; :meth:`wait_lazily` returns it.

        By default the request is signed, names the cheapest executor that can back it, and is
        handed to it: no gas but for a deposit that is too low. ``send`` puts it on chain instead.

        Raises:
            InputError: bad input or terms; ``executor-refused``.
            NotFoundError: unknown model or version; ``no-executor``.
            StorageError: ``store-unreachable``: no executor that could answer can be reached.
            FundsError: ``balance-too-low``.
        """
        progress(Step("resolve", f"looking up {ref}"))
        resolved = await self.resolve(ref)
        manifest = await self._manifest_of(resolved, progress)
        packed = pack_inputs(manifest, inputs)
        limits = await self.lazy.limits()
        send = terms.get("send", False)
        draft = await self._draft(resolved, packed, terms, limits, progress)
        servers = await self._able(resolved, draft, terms)
        if terms.get("price") is None:
            draft = replace(draft, max_price=servers[0].min_price)
        sent = await self._fund_lazily(draft.max_price, terms.get("deposit", True), progress)
        store = terms.get("input_store")
        if store is not None:
            hint = content_hint(await self.services.store.put(packed), store)
            draft = replace(draft, input_hint=hint)
        if send:
            return await self._send_lazily(resolved, draft, packed, sent, progress)
        refusal: InputError | StorageError | None = None
        for server in servers:
            try:
                return await self._hand(resolved, draft, packed, server, sent, progress)
            except (InputError, StorageError) as error:
                refusal = error
        if refusal is None:
            raise self._nobody(resolved)
        raise refusal

    # --- steps ---

    async def _draft(
        self,
        resolved: ResolvedVersion,
        packed: bytes,
        terms: LazyTerms,
        limits: LazyLimits,
        progress: ProgressSink,
    ) -> LazyRequest:
        """The request as far as it does not depend on who answers."""
        known = RequestTerms.__annotations__
        asked = cast(RequestTerms, {name: value for name, value in terms.items() if name in known})
        asked["mode"] = TrustMode.LAZY_ZK
        priced = asked.get("price") is not None
        # Who is able is another question here: what backs lazy answers is at the lazy market.
        asked["price"] = asked.get("price") if priced else 1 << 80
        settled = await self._settle(resolved, asked)
        challenge, response = _windows(terms, limits, resolved.version.proof_seconds)
        return LazyRequest(
            requester=self.signer.address,
            version_id=resolved.version.version_id,
            input_digest=keccak(packed),
            input_binding=await self._binding(resolved, packed, progress),
            max_price=settled.price if priced else 0,
            min_price=settled.ramp.min_price,
            ramp_start=settled.ramp.start,
            ramp_length=settled.ramp.length,
            collateral=settled.collateral,
            deadline=settled.deadline,
            lock_duration=settled.lock_duration,
            challenge_window=challenge,
            response_window=response,
            audit_bps=terms.get("audit_bps", 0),
            executor=settled.executor or ZERO_ADDRESS,
            callback=settled.callback or ZERO_ADDRESS,
            callback_gas=settled.callback_gas,
            nonce=random_nonce(),
        )

    async def _able(
        self, resolved: ResolvedVersion, draft: LazyRequest, terms: LazyTerms
    ) -> tuple[LazyServer, ...]:
        """Executors that could take the request; none is needed where it is sent at a price."""
        servers = tuple(
            server
            for server in await self.lazy_servers(draft.version_id)
            if server.free >= draft.collateral
            and draft.executor in (ZERO_ADDRESS, server.address)
            and (terms.get("price") is None or server.min_price <= draft.max_price)
        )
        if not terms.get("send", False):
            servers = tuple(server for server in servers if server.endpoint)
        if not servers and (terms.get("price") is None or not terms.get("send", False)):
            raise self._nobody(resolved)
        return servers

    def _nobody(self, resolved: ResolvedVersion) -> NotFoundError:
        return NotFoundError(
            "no-executor",
            f"no executor that can be reached answers for {resolved.label} lazily",
            hint="offer more, ask for less collateral, or send the request with a --price and wait",
        )

    async def _fund_lazily(
        self, price: int, deposit: bool, progress: ProgressSink
    ) -> tuple[SentTransaction, ...]:
        """Sees to it that the balance at the lazy market covers the price."""
        token, market = self.chain.deployment.token, self.lazy
        held = await market.balance_of(self.signer.address)
        missing = price - held
        if missing <= 0:
            return ()
        if not deposit:
            raise FundsError(
                "balance-too-low",
                f"{format_amount(missing, token)} missing in the deposit at the lazy market",
                hint=f"gateless lazy deposit {plain_amount(missing, token)}",
                missing=missing,
                deposited=held,
            )
        return (await self.deposit_lazily(missing, progress=progress),)

    async def deposit_lazily(
        self, amount: int, *, progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Deposits at the lazy market, from which its requests are paid.

        Raises:
            FundsError: ``token-balance-too-low``; nothing was sent.
        """
        until = await self._permit_deadline()
        address = self.lazy.address
        permit = await sign_permit(self.chain, self.signer, address, amount, until)
        return (await self._send(lazy_calls.deposit_with_permit(permit), progress))[1]

    async def _send_lazily(
        self,
        resolved: ResolvedVersion,
        request: LazyRequest,
        packed: bytes,
        sent: tuple[SentTransaction, ...],
        progress: ProgressSink,
    ) -> LazyAsked:
        limits = await self.lazy.limits()
        carried = b"" if request.input_hint else packed
        if len(carried) > limits.max_input_length:
            raise InputError(
                "input-too-long",
                f"the packed input has {len(packed)} bytes, a request carries"
                f" {limits.max_input_length}",
                hint="serve it yourself: gateless store serve, and name its URL with --input-store",
            )
        made, transaction = await self._send(lazy_calls.request(request, carried), progress)
        request_id = int(made.event("Requested").args["requestId"])
        progress(Step("requested", "the request is on chain", request_id=request_id))
        return LazyAsked(
            request_id,
            request,
            resolved,
            packed,
            None,
            b"",
            (*sent, transaction),
            resolved.warnings,
        )

    async def _hand(
        self,
        resolved: ResolvedVersion,
        draft: LazyRequest,
        packed: bytes,
        server: LazyServer,
        sent: tuple[SentTransaction, ...],
        progress: ProgressSink,
    ) -> LazyAsked:
        """Signs the request for one executor and hands it over, its input first."""
        base = server.endpoint.rstrip("/")
        progress(Step("hand", f"handing the request to {base}"))
        hint = draft.input_hint or await self._hand_input(base, packed)
        request = replace(draft, executor=server.address, input_hint=hint)
        offer = await sign_lazy_request(
            self.signer, request, self.chain.chain_id, self.lazy.address
        )
        await self._hand_offer(base, offer)
        progress(Step("signed", "an executor took the request", request_id=offer.request_id))
        return LazyAsked(
            offer.request_id,
            request,
            resolved,
            packed,
            base,
            offer.signature,
            sent,
            resolved.warnings,
        )

    async def _hand_input(self, base: str, packed: bytes) -> str:
        path = f"/v1/inputs/0x{keccak(packed).hex()}"
        answer = await self._call(base, "PUT", path, packed)
        try:
            hint = str(from_json(answer.content)["hint"])
            parse_hint(hint)
        except (ValueError, KeyError, TypeError, InputError) as error:
            raise _refused(base, answer, "it does not say where it keeps the input") from error
        return hint

    async def _hand_offer(self, base: str, offer: LazyOffer) -> None:
        await self._call(base, "POST", "/v1/requests", offer.to_json().encode())

    async def _call(self, base: str, method: str, path: str, body: bytes) -> httpx.Response:
        try:
            answer = await send(self.services.http, method, f"{base}{path}", body, _HTTP_SECONDS)
        except httpx.HTTPError as error:
            raise StorageError(
                "store-unreachable",
                f"the executor at {base} does not answer: {error or type(error).__name__}",
                hint="name another executor, or send the request to the chain: --send",
            ) from error
        if not answer.is_success:
            raise _refused(base, answer, _why(answer))
        return answer


def _refused(base: str, answer: httpx.Response, why: str) -> InputError:
    return InputError(
        "executor-refused",
        f"the executor at {base} refuses the request: {why}",
        hint="change the terms, name another executor, or send the request to the chain: --send",
        status=answer.status_code,
    )


def _why(answer: httpx.Response) -> str:
    try:
        return str(from_json(answer.content)["message"])[:300]
    except (ValueError, KeyError, TypeError):
        return f"HTTP status {answer.status_code}"


def _windows(terms: LazyTerms, limits: LazyLimits, proof_seconds: int) -> tuple[int, int]:
    """Seconds for doubts and for the proof.

    Raises:
        InputError: ``window-out-of-range``.
    """
    least = max(limits.min_response_window, proof_seconds)
    chosen = []
    for name, wanted, default, low, high in (
        (
            "challenge",
            terms.get("challenge_window"),
            DEFAULT_CHALLENGE_SECONDS,
            limits.min_challenge_window,
            limits.max_challenge_window,
        ),
        (
            "response",
            terms.get("response_window"),
            DEFAULT_RESPONSE_SECONDS,
            least,
            limits.max_response_window,
        ),
    ):
        value = min(max(default, low), high) if wanted is None else wanted
        if not low <= value <= high:
            raise InputError(
                "window-out-of-range",
                f"a {name} window of {value} seconds is not possible",
                hint=f"give a --{name}-window of {low} to {high} seconds",
            )
        chosen.append(value)
    return chosen[0], chosen[1]
