"""Asking quorums: requests, the members who can be drawn, and what they agree on."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, TypedDict, Unpack

from eth_utils.crypto import keccak

from gateless.adapters.chain import quorum_calls
from gateless.adapters.chain.lazy_calls import deposit_with_permit
from gateless.adapters.chain.permit import sign_permit
from gateless.adapters.chain.quorum import QuorumReader, drawn, opened
from gateless.adapters.chain.quorum_calls import QUORUM_MARKET, QUORUM_MEMBERS
from gateless.adapters.chain.record_results import RecordReader
from gateless.adapters.chain.signed_requests import random_nonce
from gateless.core.amounts import format_amount
from gateless.core.errors import ChainError, FundsError, InputError, NotFoundError
from gateless.core.manifest import Manifest
from gateless.core.quorums import QuorumRequest, QuorumRound, QuorumState, RefundReason
from gateless.core.types import ZERO_ADDRESS, Event, TrustMode, modes_of
from gateless.sdk.content import Content
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.quorum_results import Outputs, QuorumAnswer, QuorumAsked
from gateless.sdk.results import ResolvedVersion, SentTransaction
from gateless.sdk.tensors import label_of, pack_inputs, unpack_outputs
from gateless.sdk.terms import checked_address

DEFAULT_MEMBERS = 3
DEFAULT_WINDOW_SECONDS = 120
DEFAULT_TIMEOUT_SECONDS = 600
_BASIS_POINTS = 10_000
#: Blocks whose hashes the chain knows.
_KNOWN_BLOCKS = 256


class QuorumTerms(TypedDict, total=False):
    """What a requester of a quorum may choose.

    Attributes:
        price: what is paid, royalty included (default: what the dearest member asks).
        members: how many are drawn (default 3).
        threshold: how many must agree (default: a majority).
        runtime_class: who may be drawn (default: the class that the manifest measured).
        min_eligible: least stake that could have been drawn (default 0).
        commit_window: seconds to commit (default 120).
        reveal_window: seconds to reveal (default 120).
        callback: contract that receives the output.
        callback_gas: gas given to it.
        deposit: whether to top up the deposit from the wallet.
    """

    price: int | None
    members: int
    threshold: int | None
    runtime_class: bytes | None
    min_eligible: int
    commit_window: int
    reveal_window: int
    callback: str | None
    callback_gas: int
    deposit: bool


class Quorums(Content):
    """Requests to quorums."""

    @property
    def quorum(self) -> QuorumReader:
        """The quorum market.

        Raises:
            ConfigError: ``unknown-contract`` where the network has none.
        """
        return QuorumReader(self.chain.rpc, self.chain.deployment)

    async def ask_quorum(
        self,
        ref: str | int,
        inputs: Any,
        *,
        progress: ProgressSink = ignore,
        **terms: Unpack[QuorumTerms],
    ) -> QuorumAsked:
        """Asks a quorum and pays; :meth:`wait_quorum` returns what it agrees on.

        Raises:
            InputError: bad input or terms; ``mode-not-allowed``, ``input-too-long``.
            NotFoundError: unknown model or version; ``no-quorum``: too few members can be drawn.
            FundsError: ``balance-too-low``.
        """
        progress(Step("resolve", f"looking up {ref}"))
        resolved = await self.resolve(ref)
        require_mode(resolved, TrustMode.QUORUM)
        manifest = await self._manifest_of(resolved, progress)
        packed = pack_inputs(manifest, inputs)
        request = await self._quorum_request(resolved, manifest, packed, terms)
        limits = await self.quorum.limits()
        if len(packed) > limits.max_input_length:
            raise InputError(
                "input-too-long",
                f"the input has {len(packed)} bytes, a request carries {limits.max_input_length}",
                hint="a quorum's members get the input with the request; use a smaller one",
            )
        sent = await self._fund_market(
            self.quorum, request.price, terms.get("deposit", True), progress
        )
        made, transaction = await self._send(quorum_calls.request(request, packed), progress)
        event = made.event("QuorumOpened")
        progress(Step("opened", "", request_id=int(event.args["requestId"])))
        return QuorumAsked(
            request_id=int(event.args["requestId"]),
            request=request,
            resolved=resolved,
            opened_block=int(event.args["openedBlock"]),
            transactions=(*sent, transaction),
            warnings=resolved.warnings,
        )

    async def quorum_answer(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> QuorumAnswer:
        """Where a request to a quorum stands.

        Raises:
            NotFoundError: ``unknown-request``.
        """
        events = await self._quorum_events(request_id)
        if not events or events[0].name != "QuorumOpened":
            raise unknown_request(request_id)
        request, opened_block, _ = opened(events[0])
        resolved = await self.resolve(request.version_id)
        held: QuorumRound | None = None
        outputs: Outputs | None = None
        agreed, reason = 0, None
        for event in events:
            if event.name == "QuorumDrawn":
                held = drawn(event)
            elif event.name == "QuorumReached":
                agreed = int(event.args["agreed"])
                manifest = await self._manifest_of(resolved, progress)
                outputs = outputs_of(manifest, bytes(event.args["output"]))
            elif event.name == "QuorumRefunded":
                reason = RefundReason(event.args["reason"])
        return QuorumAnswer(
            request_id=request_id,
            state=await self.quorum.state(request_id),
            version_label=resolved.label,
            request=request,
            opened_block=opened_block,
            round=held,
            agreed=agreed,
            result=await self.quorum.result(request_id),
            outputs=outputs,
            reason=reason,
        )

    async def wait_quorum(
        self,
        request_id: int,
        *,
        patience: float | None = None,
        progress: ProgressSink = ignore,
    ) -> QuorumAnswer:
        """Waits until a quorum has agreed.

        Raises:
            ChainError: ``request-refunded``: there was no quorum; ``wait-timeout``.
        """
        clock = self.services.clock
        give_up = None if patience is None else clock.monotonic() + patience
        while True:
            state = await self.quorum.state(request_id)
            if state is QuorumState.FINAL:
                answer = await self.quorum_answer(request_id, progress=progress)
                if answer.outputs is not None:  # a node may show a state before its logs
                    return answer
            if state is QuorumState.REFUNDED:
                raise _without_quorum(await self.quorum_answer(request_id))
            if give_up is not None and clock.monotonic() >= give_up:
                raise ChainError(
                    "wait-timeout",
                    f"request 0x{request_id:064x} is {state.name.lower()}",
                    hint=f"nothing is lost; look again: gateless result show 0x{request_id:064x}",
                    request_id=request_id,
                )
            progress(Step(state.name.lower(), f"it is {state.name.lower()}", request_id=request_id))
            await clock.sleep(self.services.poll_seconds)

    async def advance_quorum(
        self, request_id: int, *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Does what is due and anybody may do: draws, settles or refunds. Members do it, too.

        Raises:
            NotFoundError: ``unknown-request``.
            ContractError: nothing is due yet.
        """
        answer = await self.quorum_answer(request_id)
        if answer.state is QuorumState.OPEN:
            limits, block = await self.quorum.limits(), await self.chain.block()
            last = answer.opened_block + limits.seed_delay + _KNOWN_BLOCKS
            step = quorum_calls.draw if block.number < last else quorum_calls.refund
            call = step(answer.request, answer.opened_block)
        elif answer.state is QuorumState.DRAWN and answer.round is not None:
            output = await self.most_revealed(answer.round)
            call = quorum_calls.settle(answer.round, output)
        else:
            return ()
        return ((await self._send(call, progress))[1],)

    async def leave_quorums(
        self, ref: str | int, *, progress: ProgressSink = ignore
    ) -> tuple[SentTransaction, ...]:
        """Takes the signer out of a version's quorums, in every runtime class; its stake is free to
        leave then: :meth:`unstake`.

        Raises:
            InputError: ``not-enrolled``.
            ContractError: ``quorum-members-seats-open``: it was drawn, and the round is not over.
        """
        version_id = (await self.resolve(ref)).version.version_id
        events = await self.chain.events(
            [f"{QUORUM_MEMBERS}.MemberChanged"],
            self.chain.deployment.start_block,
            indexed=[version_id, None, self.signer.address],
        )
        sent = []
        for runtime in dict.fromkeys(bytes(event.args["runtimeClass"]) for event in events):
            member = await self.quorum.members.member(version_id, runtime, self.signer.address)
            if member.is_enrolled:
                call = quorum_calls.unenroll(version_id, runtime)
                sent.append((await self._send(call, progress))[1])
        if not sent:
            raise InputError(
                "not-enrolled",
                f"this account is in no quorum of {ref}",
                hint="an executor enrols by `gateless executor run --quorum REF=STAKE`",
            )
        return tuple(sent)

    async def most_revealed(self, held: QuorumRound) -> bytes:
        """The output that most members have revealed; empty where nobody has."""
        events = await self.chain.events(
            [f"{QUORUM_MARKET}.QuorumRevealed"],
            self.chain.deployment.start_block,
            indexed=[held.request_id],
        )
        outputs = [bytes(event.args["output"]) for event in events]
        return max(outputs, key=outputs.count, default=b"")

    # --- steps ---

    async def _quorum_request(
        self, resolved: ResolvedVersion, manifest: Manifest, packed: bytes, terms: QuorumTerms
    ) -> QuorumRequest:
        limits, block = await self.quorum.limits(), await self.chain.block()
        members = terms.get("members", DEFAULT_MEMBERS)
        chosen = terms.get("runtime_class")
        runtime = manifest.execution.runtime_class if chosen is None else chosen
        version_id = resolved.version.version_id
        stake, places = await self.quorum.members.eligible_stake(
            version_id, runtime, block.number - 1
        )
        if not limits.min_members <= members <= limits.max_members:
            raise InputError(
                "members-out-of-range",
                f"a quorum has {limits.min_members} to {limits.max_members} members",
                hint="ask for a number of members in that range",
            )
        asked = await self._asked_prices(version_id, runtime, places)
        if len(asked) < members or stake < terms.get("min_eligible", 0):
            raise NotFoundError(
                "no-quorum",
                f"{len(asked)} executors can be drawn for {resolved.label} in this runtime class,"
                f" {members} are needed",
                hint="ask for fewer members, or another runtime class",
                eligible=len(asked),
                stake=stake,
            )
        price = terms.get("price")
        if price is None:
            fees = members * max(asked)
            price = -(-fees * _BASIS_POINTS // (_BASIS_POINTS - resolved.version.royalty_bps))
        threshold = terms.get("threshold")
        digest = bytes(keccak(packed))
        return QuorumRequest(
            requester=self.signer.address,
            version_id=version_id,
            runtime_class=runtime,
            input_digest=digest,
            input_binding=digest,
            price=price,
            members=members,
            threshold=members // 2 + 1 if threshold is None else threshold,
            min_eligible=terms.get("min_eligible", 0),
            deadline=block.timestamp + min(DEFAULT_TIMEOUT_SECONDS, limits.max_lifetime),
            commit_window=terms.get("commit_window", DEFAULT_WINDOW_SECONDS),
            reveal_window=terms.get("reveal_window", DEFAULT_WINDOW_SECONDS),
            callback=checked_address(terms.get("callback"), "callback") or ZERO_ADDRESS,
            callback_gas=terms.get("callback_gas", 0),
            nonce=random_nonce(),
        )

    async def _asked_prices(self, version_id: int, runtime: bytes, places: int) -> list[int]:
        """What each member that is awake asks for a seat."""
        prices = []
        pool = self.quorum.members
        for place in range(1, places + 1):
            account = await pool.call("memberAt", version_id, runtime, place)
            member = await pool.member(version_id, runtime, str(account))
            if member.is_enrolled and member.is_awake:
                prices.append(member.min_price)
        return prices

    async def _fund_market(
        self, market: RecordReader, price: int, deposit: bool, progress: ProgressSink
    ) -> tuple[SentTransaction, ...]:
        """Sees to it that a market's balance covers a price."""
        held = await market.balance_of(self.signer.address)
        missing = price - held
        if missing <= 0:
            return ()
        if not deposit:
            token = self.chain.deployment.token
            raise FundsError(
                "balance-too-low",
                f"{format_amount(missing, token)} missing in the deposit at that market",
                hint="deposit it there, or let it be topped up from the wallet",
                missing=missing,
                deposited=held,
            )
        until = await self._permit_deadline()
        permit = await sign_permit(self.chain, self.signer, market.address, missing, until)
        call = deposit_with_permit(permit, market.name)
        return ((await self._send(call, progress))[1],)

    async def _quorum_events(self, request_id: int) -> list[Event]:
        names = ("QuorumOpened", "QuorumDrawn", "QuorumReached", "QuorumRefunded")
        return await self.chain.events(
            [f"{QUORUM_MARKET}.{name}" for name in names],
            self.chain.deployment.start_block,
            indexed=[request_id],
        )


def require_mode(resolved: ResolvedVersion, mode: TrustMode) -> None:
    """Refuses versions that do not allow a mode.

    Raises:
        InputError: ``mode-not-allowed``.
    """
    if not resolved.version.allows(mode):
        allowed = ", ".join(entry.name for entry in modes_of(resolved.version.modes))
        raise InputError(
            "mode-not-allowed",
            f"{resolved.label} does not allow {mode.name}",
            hint=f"it allows {allowed or 'no mode'}",
        )


def outputs_of(manifest: Manifest, packed: bytes) -> Outputs:
    """An output read by the manifest."""
    reals, integers = unpack_outputs(manifest, packed)
    return Outputs(
        reals=MappingProxyType(reals),
        integers=MappingProxyType(integers),
        label=label_of(manifest, reals),
        packed=packed,
    )


def unknown_request(request_id: int) -> NotFoundError:
    """No market knows a request."""
    return NotFoundError(
        "unknown-request",
        f"no market of this network knows request 0x{request_id:064x}",
        hint="check the id and the network; a signed request shows when it is opened",
        request_id=request_id,
    )


def _without_quorum(answer: QuorumAnswer) -> ChainError:
    why = {
        RefundReason.NOT_ENOUGH_MEMBERS: "not enough members could be drawn",
        RefundReason.SEED_MISSED: "nobody drew the members in time",
        RefundReason.NO_QUORUM: "not enough members agreed",
        None: "it was refunded",
    }[answer.reason]
    return ChainError(
        "request-refunded",
        f"request 0x{answer.request_id:064x} has no output: {why}",
        hint="the price is back in the deposit at the quorum market; ask again",
        request_id=answer.request_id,
    )
