"""The SDK for programs without an event loop: the same methods, each of which blocks."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from gateless_proofs import Limits

from gateless.adapters.chain.deployment import Deployment
from gateless.adapters.clock import Clock
from gateless.adapters.signer import Signer
from gateless.sdk.client import DEFAULT_HOME, AsyncGateless

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _LoopThread:
    """An event loop in a thread of its own, so that it also works where a loop runs already."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="gateless", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, _R]) -> _R:
        """Result of ``work``; Ctrl-C cancels it and is raised again."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def stop(self) -> None:
        """Ends the loop and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Blocking(Generic[_P, _R]):
    """A method of :class:`AsyncGateless`, with its parameters and documentation, that blocks."""

    def __init__(
        self, method: Callable[Concatenate[AsyncGateless, _P], Coroutine[Any, Any, _R]]
    ) -> None:
        self.method = method
        self.__doc__ = method.__doc__

    @overload
    def __get__(self, instance: None, owner: type[Gateless]) -> _Blocking[_P, _R]: ...

    @overload
    def __get__(self, instance: Gateless, owner: type[Gateless]) -> Callable[_P, _R]: ...

    def __get__(
        self, instance: Gateless | None, owner: type[Gateless]
    ) -> _Blocking[_P, _R] | Callable[_P, _R]:
        if instance is None:
            return self

        @functools.wraps(self.method)
        def blocking(*args: _P.args, **kwargs: _P.kwargs) -> _R:
            return instance.run(self.method(instance.client, *args, **kwargs))

        return blocking


class Gateless:
    """:class:`AsyncGateless` for ordinary code. Use it as a context manager::

    with Gateless.connect("devnet", signer=signer) as gateless:
        print(gateless.infer("digits", image).label)
    """

    def __init__(self, client: AsyncGateless, loop: _LoopThread) -> None:
        self.client = client
        self._loop = loop

    @classmethod
    def connect(
        cls,
        network: str | Path | Deployment,
        *,
        signer: Signer | None = None,
        home: Path = DEFAULT_HOME,
        rpc_url: str | Sequence[str] = (),
        limits: Limits | None = None,
        clock: Clock | None = None,
    ) -> Gateless:
        """Connects to a network, see :meth:`AsyncGateless.connect`."""
        loop = _LoopThread()
        try:
            client = loop.run(
                AsyncGateless.connect(
                    network, signer=signer, home=home, rpc_url=rpc_url, limits=limits, clock=clock
                )
            )
        except BaseException:
            loop.stop()
            raise
        return cls(client, loop)

    def run(self, work: Coroutine[Any, Any, _R]) -> _R:
        """Runs a coroutine, such as one of :attr:`client`, to its end."""
        return self._loop.run(work)

    def close(self) -> None:
        """Closes all connections and ends the thread."""
        self._loop.run(self.client.close())
        self._loop.stop()

    def __enter__(self) -> Gateless:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    models = _Blocking(AsyncGateless.models)
    model_count = _Blocking(AsyncGateless.model_count)
    model = _Blocking(AsyncGateless.model)
    resolve = _Blocking(AsyncGateless.resolve)
    manifest = _Blocking(AsyncGateless.manifest)
    bundle = _Blocking(AsyncGateless.bundle)
    publish = _Blocking(AsyncGateless.publish)
    set_alias = _Blocking(AsyncGateless.set_alias)
    deprecate = _Blocking(AsyncGateless.deprecate)
    audit = _Blocking(AsyncGateless.audit)
    offers = _Blocking(AsyncGateless.offers)
    infer = _Blocking(AsyncGateless.infer)
    submit = _Blocking(AsyncGateless.submit)
    wait = _Blocking(AsyncGateless.wait)
    request = _Blocking(AsyncGateless.request)
    requests = _Blocking(AsyncGateless.requests)
    cancel = _Blocking(AsyncGateless.cancel)
    sign = _Blocking(AsyncGateless.sign)
    wait_signed = _Blocking(AsyncGateless.wait_signed)
    cancel_signed = _Blocking(AsyncGateless.cancel_signed)
    hand_over = _Blocking(AsyncGateless.hand_over)
    ask_directly = _Blocking(AsyncGateless.ask_directly)
    refund = _Blocking(AsyncGateless.refund)
    check_receipt = _Blocking(AsyncGateless.check_receipt)
    challenge_receipt = _Blocking(AsyncGateless.challenge_receipt)
    report_equivocation = _Blocking(AsyncGateless.report_equivocation)
    claim = _Blocking(AsyncGateless.claim)
    wait_claim = _Blocking(AsyncGateless.wait_claim)
    slash_claim = _Blocking(AsyncGateless.slash_claim)
    withdraw_commitment = _Blocking(AsyncGateless.withdraw_commitment)
    back_receipts = _Blocking(AsyncGateless.back_receipts)
    name_receipt_key = _Blocking(AsyncGateless.name_receipt_key)
    release_pool = _Blocking(AsyncGateless.release_pool)
    court_balance = _Blocking(AsyncGateless.court_balance)
    withdraw_from_court = _Blocking(AsyncGateless.withdraw_from_court)
    lazy_servers = _Blocking(AsyncGateless.lazy_servers)
    ask_lazily = _Blocking(AsyncGateless.ask_lazily)
    deposit_lazily = _Blocking(AsyncGateless.deposit_lazily)
    lazy_answer = _Blocking(AsyncGateless.lazy_answer)
    wait_lazily = _Blocking(AsyncGateless.wait_lazily)
    challenge_lazily = _Blocking(AsyncGateless.challenge_lazily)
    draw_lot = _Blocking(AsyncGateless.draw_lot)
    prove_lazily = _Blocking(AsyncGateless.prove_lazily)
    slash_lazily = _Blocking(AsyncGateless.slash_lazily)
    finalize_lazily = _Blocking(AsyncGateless.finalize_lazily)
    finalize_many_lazily = _Blocking(AsyncGateless.finalize_many_lazily)
    keep_lazily = _Blocking(AsyncGateless.keep_lazily)
    refund_lazily = _Blocking(AsyncGateless.refund_lazily)
    cancel_lazily = _Blocking(AsyncGateless.cancel_lazily)
    back_lazily = _Blocking(AsyncGateless.back_lazily)
    unback_lazily = _Blocking(AsyncGateless.unback_lazily)
    leave_quorums = _Blocking(AsyncGateless.leave_quorums)
    withdraw_lazily = _Blocking(AsyncGateless.withdraw_lazily)
    ask_quorum = _Blocking(AsyncGateless.ask_quorum)
    quorum_answer = _Blocking(AsyncGateless.quorum_answer)
    wait_quorum = _Blocking(AsyncGateless.wait_quorum)
    advance_quorum = _Blocking(AsyncGateless.advance_quorum)
    most_revealed = _Blocking(AsyncGateless.most_revealed)
    ask_attested = _Blocking(AsyncGateless.ask_attested)
    attested_answer = _Blocking(AsyncGateless.attested_answer)
    wait_attested = _Blocking(AsyncGateless.wait_attested)
    run_for_attestation = _Blocking(AsyncGateless.run_for_attestation)
    sign_attestation = _Blocking(AsyncGateless.sign_attestation)
    answer_attested = _Blocking(AsyncGateless.answer_attested)
    refund_attested = _Blocking(AsyncGateless.refund_attested)
    withdraw_answers = _Blocking(AsyncGateless.withdraw_answers)
    latest_result = _Blocking(AsyncGateless.latest_result)
    publish_result = _Blocking(AsyncGateless.publish_result)
    market_of = _Blocking(AsyncGateless.market_of)
    balances = _Blocking(AsyncGateless.balances)
    deposit = _Blocking(AsyncGateless.deposit)
    withdraw = _Blocking(AsyncGateless.withdraw)
    withdraw_royalties = _Blocking(AsyncGateless.withdraw_royalties)
    executor = _Blocking(AsyncGateless.executor)
    stake = _Blocking(AsyncGateless.stake)
    leave = _Blocking(AsyncGateless.leave)
    unstake = _Blocking(AsyncGateless.unstake)
    cancel_unstake = _Blocking(AsyncGateless.cancel_unstake)
    withdraw_compensations = _Blocking(AsyncGateless.withdraw_compensations)
