"""Results as a public good: showing what became final, and reusing what others asked."""

from __future__ import annotations

from typing import Any, TypedDict, Unpack

from eth_utils.crypto import keccak

from gateless.adapters.chain import board as board_calls
from gateless.adapters.chain.attested import ATTESTED_MARKET, KEY_SET_VERIFIER
from gateless.adapters.chain.board import BoardReader
from gateless.adapters.chain.calls import Call
from gateless.adapters.chain.lazy import requested
from gateless.adapters.chain.lazy_calls import LAZY_MARKET
from gateless.adapters.chain.quorum import opened as quorum_opened
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET
from gateless.core.attested import KeySet
from gateless.core.errors import InputError
from gateless.core.results_board import Acceptance, BoardResult
from gateless.core.types import ZERO_ADDRESS, Event, RequestState, TrustMode
from gateless.sdk.attesting import Attesting
from gateless.sdk.lazy_many import LazyMany
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.quorum_results import KnownResult
from gateless.sdk.quorums import outputs_of, unknown_request
from gateless.sdk.results import SentTransaction
from gateless.sdk.tensors import pack_inputs

#: Ids of the market of mode ``ZK`` are small numbers, but of requests that were signed.
_OUTPUT_EVENTS = {
    TrustMode.LAZY_ZK: f"{LAZY_MARKET}.Answered",
    TrustMode.QUORUM: f"{QUORUM_MARKET}.QuorumReached",
    TrustMode.ATTESTED: f"{ATTESTED_MARKET}.AttestedFulfilled",
}


class Believed(TypedDict, total=False):
    """What a reader of results believes.

    Attributes:
        modes: trust modes (default: those with proofs).
        min_bond: least stake that must have answered; proven outputs pass any.
        runtime_class: whose quorums count (default: the class that the manifest measured).
        keys: which keys count.
    """

    modes: tuple[TrustMode, ...]
    min_bond: int
    runtime_class: bytes | None
    keys: KeySet | None


class Board(LazyMany, Attesting):
    """The board of final results."""

    @property
    def board(self) -> BoardReader:
        """The board.

        Raises:
            ConfigError: ``unknown-contract`` where the network has none.
        """
        return BoardReader(self.chain.rpc, self.chain.deployment)

    async def latest_result(
        self,
        ref: str | int,
        inputs: Any,
        *,
        progress: ProgressSink = ignore,
        **believed: Unpack[Believed],
    ) -> KnownResult | None:
        """The newest final result for an input that is believed, whoever asked; None without one.

        Raises:
            InputError: ``keys-needed``: attested results mean nothing without saying whose.
        """
        progress(Step("resolve", f"looking up {ref}"))
        resolved = await self.resolve(ref)
        manifest = await self._manifest_of(resolved, progress)
        packed = pack_inputs(manifest, inputs)
        binding = await self._binding(resolved, packed, progress)
        modes = believed.get("modes", (TrustMode.ZK, TrustMode.LAZY_ZK))
        keys, runtime = believed.get("keys"), believed.get("runtime_class")
        if TrustMode.ATTESTED in modes and keys is None:
            raise InputError(
                "keys-needed",
                "anybody can attest an answer with keys of his own",
                hint="say which keys count",
            )
        verifier = self.chain.deployment.contracts.get(KEY_SET_VERIFIER, ZERO_ADDRESS)
        acceptance = Acceptance(
            modes=modes,
            min_bond=believed.get("min_bond", 0),
            runtime_class=manifest.execution.runtime_class if runtime is None else runtime,
            verifier=ZERO_ADDRESS if keys is None else verifier,
            policy=bytes(32) if keys is None else keys.policy,
        )
        version_id = resolved.version.version_id
        # Quorums and attestations are about the bytes; only proofs know of commitments.
        digest = bytes(keccak(packed))
        shown = await self.board.latest(version_id, binding, acceptance)
        if binding != digest:
            other = await self.board.latest(version_id, digest, acceptance)
            if other is not None and (shown is None or other.final_at > shown.final_at):
                shown = other
        if shown is None:
            return None
        output = await self._output_of(shown)
        return KnownResult(
            version_label=resolved.label,
            input_binding=binding,
            shown=shown,
            outputs=None if output is None else outputs_of(manifest, output),
        )

    async def publish_result(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> SentTransaction:
        """Shows a final result on the board, for whoever can reuse it. Anyone may.

        Raises:
            NotFoundError: ``unknown-request``.
            ContractError: ``result-board-not-final``, ``result-board-hidden``.
        """
        return (await self._send(await self._publication(request_id), progress))[1]

    async def market_of(self, request_id: int) -> TrustMode:
        """The mode whose market knows a request.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        contracts = self.chain.deployment.contracts
        if LAZY_MARKET in contracts and await self.lazy.state(request_id):
            return TrustMode.LAZY_ZK
        if QUORUM_MARKET in contracts and await self.quorum.state(request_id):
            return TrustMode.QUORUM
        if ATTESTED_MARKET in contracts and await self.attested.state(request_id):
            return TrustMode.ATTESTED
        if (await self.request(request_id)).state is RequestState.NONE:
            raise unknown_request(request_id)
        return TrustMode.ZK

    # --- steps ---

    async def _publication(self, request_id: int) -> Call:
        mode = await self.market_of(request_id)
        if mode is TrustMode.ZK:
            return board_calls.publish_proven(request_id)
        if mode is TrustMode.QUORUM:
            events = await self._quorum_events(request_id)
            return board_calls.publish_quorum(quorum_opened(events[0])[0])
        if mode is TrustMode.ATTESTED:
            return board_calls.publish_attested((await self._attested_request(request_id))[0])
        for event in await self._events(request_id):
            if event.name == "Requested":
                return board_calls.publish_lazy(requested(event)[1])
        signed = await self._signed_only(request_id)
        if signed is None:
            raise InputError(
                "request-not-shown",
                f"request 0x{request_id:064x} was signed: the chain does not tell all of it",
                hint="whoever has the signed request can publish it",
            )
        return board_calls.publish_lazy(signed)

    async def _output_of(self, shown: BoardResult) -> bytes | None:
        """The output itself, from the events of the market where it became final."""
        if shown.mode is TrustMode.ZK:
            payment = await self.chain.payment(await self.request(shown.request_id))
            return None if payment is None else bytes(payment.args["output"])
        events: list[Event] = await self.chain.events(
            [_OUTPUT_EVENTS[shown.mode]],
            self.chain.deployment.start_block,
            indexed=[shown.request_id],
        )
        for event in reversed(events):
            output = bytes(event.args["output"])
            if keccak(output) == shown.output_digest:
                return output
        return None
