"""Answers for which keys vouch: asking, signing, answering."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from eth_utils.crypto import keccak

from gateless.adapters.chain import attested as attested_calls
from gateless.adapters.chain.attested import (
    ATTESTED_MARKET,
    KEY_SET_VERIFIER,
    AttestedReader,
    opened,
)
from gateless.adapters.chain.lazy_calls import withdraw
from gateless.adapters.chain.record_signing import ATTESTATION
from gateless.adapters.chain.signed_requests import random_nonce
from gateless.core.attested import AttestedAnswer, AttestedRequest, AttestedState, KeySet
from gateless.core.errors import ChainError, FundsError, InputError
from gateless.core.types import ZERO_ADDRESS, Event, TrustMode
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.quorum_results import AttestedAnswerInfo, AttestedAsked
from gateless.sdk.quorums import (
    DEFAULT_TIMEOUT_SECONDS,
    Quorums,
    outputs_of,
    require_mode,
    unknown_request,
)
from gateless.sdk.results import SentTransaction, Transfer
from gateless.sdk.tensors import pack_inputs
from gateless.sdk.terms import checked_address


class AttestedTerms(TypedDict, total=False):
    """What a requester of an attested answer may choose.

    Attributes:
        keys: whom it believes.
        price: what is paid, royalty included.
        timeout: seconds until the price can be refunded (default 600).
        executor: only this account may answer.
        callback: contract that receives the output.
        callback_gas: gas given to it.
        deposit: whether to top up the deposit from the wallet.
    """

    keys: KeySet
    price: int
    timeout: int
    executor: str | None
    callback: str | None
    callback_gas: int
    deposit: bool


class Attesting(Quorums):
    """Requests that pin who is believed, and the keys that vouch."""

    @property
    def attested(self) -> AttestedReader:
        """The market of attested answers.

        Raises:
            ConfigError: ``unknown-contract`` where the network has none.
        """
        return AttestedReader(self.chain.rpc, self.chain.deployment)

    async def ask_attested(
        self,
        ref: str | int,
        inputs: Any,
        *,
        progress: ProgressSink = ignore,
        **terms: Unpack[AttestedTerms],
    ) -> AttestedAsked:
        """Asks for an answer that the given keys sign, and pays.

        Raises:
            InputError: bad input or terms; ``mode-not-allowed``.
            FundsError: ``balance-too-low``.
        """
        progress(Step("resolve", f"looking up {ref}"))
        resolved = await self.resolve(ref)
        require_mode(resolved, TrustMode.ATTESTED)
        packed = pack_inputs(await self._manifest_of(resolved, progress), inputs)
        block, digest = await self.chain.block(), bytes(keccak(packed))
        lifetime = await self.attested.max_lifetime()
        request = AttestedRequest(
            requester=self.signer.address,
            version_id=resolved.version.version_id,
            input_digest=digest,
            input_binding=digest,
            max_price=terms.get("price", 0),
            min_price=0,
            ramp_start=0,
            ramp_length=0,
            deadline=block.timestamp + min(terms.get("timeout", DEFAULT_TIMEOUT_SECONDS), lifetime),
            verifier=self.chain.deployment.address(KEY_SET_VERIFIER),
            policy=terms["keys"].policy,
            executor=checked_address(terms.get("executor"), "executor") or ZERO_ADDRESS,
            callback=checked_address(terms.get("callback"), "callback") or ZERO_ADDRESS,
            callback_gas=terms.get("callback_gas", 0),
            nonce=random_nonce(),
        )
        sent = await self._fund_market(
            self.attested, request.max_price, terms.get("deposit", True), progress
        )
        made, transaction = await self._send(attested_calls.request(request, packed), progress)
        return AttestedAsked(
            request_id=int(made.event("AttestedOpened").args["requestId"]),
            request=request,
            resolved=resolved,
            transactions=(*sent, transaction),
            warnings=resolved.warnings,
        )

    async def attested_answer(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> AttestedAnswerInfo:
        """Where a request for an attested answer stands.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        request, _ = await self._attested_request(request_id)
        resolved = await self.resolve(request.version_id)
        outputs, executor = None, None
        for event in await self._attested_events(request_id):
            if event.name == "AttestedFulfilled":
                manifest = await self._manifest_of(resolved, progress)
                outputs = outputs_of(manifest, bytes(event.args["output"]))
                executor = str(event.args["executor"])
        return AttestedAnswerInfo(
            request_id=request_id,
            state=await self.attested.state(request_id),
            version_label=resolved.label,
            request=request,
            executor=executor,
            result=await self.attested.result(request_id),
            outputs=outputs,
        )

    async def wait_attested(
        self,
        request_id: int,
        *,
        patience: float | None = None,
        progress: ProgressSink = ignore,
    ) -> AttestedAnswerInfo:
        """Waits for an attested answer.

        Raises:
            ChainError: ``request-refunded``, ``wait-timeout``.
        """
        clock = self.services.clock
        give_up = None if patience is None else clock.monotonic() + patience
        while True:
            state = await self.attested.state(request_id)
            if state is AttestedState.FINAL:
                answer = await self.attested_answer(request_id, progress=progress)
                if answer.outputs is not None:  # a node may show a state before its logs
                    return answer
            if state is AttestedState.REFUNDED:
                raise ChainError(
                    "request-refunded",
                    f"request 0x{request_id:064x} was refunded, it has no output",
                    hint="the price is back in the deposit at the attested market; ask again",
                    request_id=request_id,
                )
            if give_up is not None and clock.monotonic() >= give_up:
                raise ChainError(
                    "wait-timeout",
                    f"request 0x{request_id:064x} is {state.name.lower()}",
                    hint=f"nothing is lost; look again: gateless result show 0x{request_id:064x}",
                    request_id=request_id,
                )
            progress(Step(state.name.lower(), f"it is {state.name.lower()}", request_id=request_id))
            await clock.sleep(self.services.poll_seconds)

    async def run_for_attestation(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> bytes:
        """The output that this machine gives to a request, to be signed or brought.

        Raises:
            InputError: ``no-input``: the request came without its input.
        """
        request, packed = await self._attested_request(request_id)
        if not packed:
            raise InputError(
                "no-input",
                f"request 0x{request_id:064x} came without its input",
                hint="fetch the input by the request's hint and run the model on it",
            )
        bundle = await self._bundle_of(await self.resolve(request.version_id), progress)
        progress(Step("run", "running the model"))
        return await self.services.prover.answer(bundle, packed)

    async def sign_attestation(self, request_id: int, packed_output: bytes, executor: str) -> bytes:
        """The signer's signature that this output is the answer, brought by that executor."""
        request, _ = await self._attested_request(request_id)
        answer = AttestedAnswer(
            market=self.attested.address,
            request_id=request_id,
            version_id=request.version_id,
            input_digest=request.input_digest,
            output_digest=bytes(keccak(packed_output)),
            executor=executor,
        )
        return await ATTESTATION.sign(
            self.signer, answer, self.chain.deployment.chain_id, request.verifier
        )

    async def answer_attested(
        self,
        request_id: int,
        packed_output: bytes,
        keys: KeySet,
        signatures: Mapping[str, bytes],
        *,
        progress: ProgressSink = ignore,
    ) -> SentTransaction:
        """Brings an answer with the signatures of its key set; the signer is paid.

        Raises:
            InputError: ``other-key-set``, ``not-enough-signatures``.
            ContractError: ``attested-market-not-attested``, ``attested-market-expired``.
        """
        request, _ = await self._attested_request(request_id)
        if keys.policy != request.policy:
            raise InputError(
                "other-key-set",
                "the request believes other keys",
                hint="give exactly the keys, and the number of them, that the requester named",
            )
        call = attested_calls.fulfill(request, packed_output, keys.evidence(signatures))
        return (await self._send(call, progress))[1]

    async def refund_attested(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Returns the price of a request that nobody answered in time. Anyone may.

        Raises:
            ContractError: ``attested-market-not-expired``.
        """
        request, _ = await self._attested_request(request_id)
        return (await self._send(attested_calls.refund(request), progress))[1]

    async def withdraw_answers(
        self, *, to: str | None = None, progress: ProgressSink = ignore
    ) -> tuple[Transfer, ...]:
        """Moves all that the signer has at the markets of quorums and of attested answers.

        Raises:
            FundsError: ``nothing-to-withdraw``; nothing was sent.
        """
        me = self.signer.address
        target = checked_address(to, "recipient") or me
        moved = []
        for market in (self.quorum, self.attested):
            held = await market.balance_of(me)
            if held:
                call = withdraw(held, target, market.name)
                moved.append(Transfer(held, target, (await self._send(call, progress))[1]))
        if not moved:
            raise FundsError(
                "nothing-to-withdraw",
                "the markets of quorums and of attested answers hold nothing for this account",
                hint="what other markets owe is had by: gateless executor withdraw",
            )
        return tuple(moved)

    async def _attested_request(self, request_id: int) -> tuple[AttestedRequest, bytes]:
        for event in await self._attested_events(request_id):
            if event.name == "AttestedOpened":
                return opened(event)
        raise unknown_request(request_id)

    async def _attested_events(self, request_id: int) -> list[Event]:
        names = ("AttestedOpened", "AttestedFulfilled", "AttestedRefunded")
        return await self.chain.events(
            [f"{ATTESTED_MARKET}.{name}" for name in names],
            self.chain.deployment.start_block,
            indexed=[request_id],
        )
