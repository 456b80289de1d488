"""Waiting for a request to end, and collecting what it brought."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from gateless.core.amounts import format_amount
from gateless.core.errors import ChainError
from gateless.core.types import Event, RequestInfo, RequestState
from gateless.sdk.content import Content
from gateless.sdk.progress import ProgressSink, Step, ignore
from gateless.sdk.results import CallbackOutcome, InferenceResult, SubmittedRequest
from gateless.sdk.tensors import label_of, unpack_outputs

#: A chain that mines on demand stands still; this long after the deadline our own clock decides.
GRACE_SECONDS = 5


class Waiting(Content):
    """Follows requests. A request lives on chain: whoever stops waiting loses nothing."""

    async def wait(
        self,
        request: int | SubmittedRequest,
        *,
        patience: float | None = None,
        progress: ProgressSink = ignore,
    ) -> InferenceResult:
        """Waits until a request is fulfilled and returns its output.

        Args:
            request: id of any request, also of other accounts, or what ``submit`` returned.
            patience: seconds after which to stop waiting; default: until it ends or expires.
            progress: told about the stages ``open``, ``locked`` and ``fulfilled``.

        Raises:
            NotFoundError: ``unknown-request``.
            ChainError: ``request-expired``, ``request-refunded``, ``wait-timeout``.
        """
        submitted = request if isinstance(request, SubmittedRequest) else None
        request_id = request if isinstance(request, int) else request.request_id
        clock = self.services.clock
        give_up = None if patience is None else clock.monotonic() + patience
        while True:
            info = await self.chain.market.request(request_id)
            if info.state is RequestState.PAID:
                progress(
                    Step("fulfilled", "verified on chain", fraction=1.0, request_id=request_id)
                )
                return await self._result(info, submitted, progress)
            if info.state is RequestState.REFUNDED:
                raise ChainError(
                    "request-refunded",
                    f"request {request_id} was refunded, it has no output",
                    hint="the price is back in the deposit; ask again with gateless infer",
                    request_id=request_id,
                )
            if self._expired(info):
                raise self._expiry(info)
            if give_up is not None and clock.monotonic() >= give_up:
                raise ChainError(
                    "wait-timeout",
                    f"request {request_id} is not answered yet",
                    hint=f"nothing is lost; go on waiting: gateless request wait {request_id}",
                    request_id=request_id,
                )
            progress(_stage(info))
            await clock.sleep(self.services.poll_seconds)

    def _expired(self, info: RequestInfo) -> bool:
        if info.refundable:
            return True
        locked = info.state is RequestState.LOCKED
        end = info.lock_deadline if locked else info.deadline
        return self.services.clock.now() > end + GRACE_SECONDS

    def _expiry(self, info: RequestInfo) -> ChainError:
        price = format_amount(info.price, self.chain.deployment.token)
        if info.state is RequestState.LOCKED:
            what = f"{info.executor} took request {info.request_id} and missed its deadline"
        else:
            what = f"no executor took request {info.request_id} in time"
        return ChainError(
            "request-expired",
            what,
            hint=f"get the {price} back with: gateless request refund {info.request_id}",
            request_id=info.request_id,
        )

    async def _payment(self, info: RequestInfo) -> Event:
        event = await self.chain.payment(info)
        if event is None:
            raise ChainError(
                "logs-unavailable",
                f"the node does not show how request {info.request_id} was paid",
                hint="use an RPC endpoint that keeps logs of old blocks",
                block=info.paid_block,
            )
        return event

    async def _result(
        self, info: RequestInfo, submitted: SubmittedRequest | None, progress: ProgressSink
    ) -> InferenceResult:
        fulfilled = await self._payment(info)
        packed = bytes(fulfilled.args["output"])
        resolved = await self.resolve(info.version_id)
        manifest = (
            await self._manifest_of(resolved, progress) if submitted is None else submitted.manifest
        )
        outputs, integers = unpack_outputs(manifest, packed)
        receipt = await self.chain.rpc.request("eth_getTransactionReceipt", fulfilled.tx_hash)
        fee, royalty = int(fulfilled.args["fee"]), int(fulfilled.args["royalty"])
        return InferenceResult(
            request_id=info.request_id,
            version_id=info.version_id,
            version_label=resolved.label,
            requester=info.requester,
            executor=str(fulfilled.args["executor"]),
            mode=info.mode,
            outputs=MappingProxyType(outputs),
            integers=MappingProxyType(integers),
            label=label_of(manifest, outputs),
            packed_output=packed,
            output_digest=info.output_digest.hex(),
            price=fee + royalty,
            fee=fee,
            royalty=royalty,
            gas_used=int(receipt["gasUsed"], 16),
            request_tx=None if submitted is None else submitted.transaction.tx_hash,
            fulfil_tx=fulfilled.tx_hash,
            block_number=fulfilled.block_number,
            callback=_callback(self.chain.decode_logs(receipt["logs"]), info.request_id),
            warnings=resolved.warnings if submitted is None else submitted.warnings,
        )


def _stage(info: RequestInfo) -> Step:
    if info.state is RequestState.LOCKED:
        return Step(
            "locked",
            f"locked by {str(info.executor)[:10]}…, which is proving",
            request_id=info.request_id,
        )
    return Step(
        "open",
        f"waiting for an executor to take request {info.request_id}",
        request_id=info.request_id,
    )


def _callback(events: Iterable[Event], request_id: int) -> CallbackOutcome | None:
    for event in events:
        if event.name == "CallbackExecuted" and int(event.args["requestId"]) == request_id:
            return CallbackOutcome(
                address=str(event.args["callback"]),
                success=bool(event.args["success"]),
                returned=bytes(event.args["returned"]),
            )
    return None
