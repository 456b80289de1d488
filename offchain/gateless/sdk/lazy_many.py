"""Many lazy answers at once, and what that leaves to whoever needs a result on chain."""

from __future__ import annotations

from collections.abc import Sequence

from gateless.adapters.chain import lazy_calls
from gateless.sdk.lazy import Lazy, moved
from gateless.sdk.lazy_results import LazyEnd
from gateless.sdk.progress import ProgressSink, ignore


class LazyMany(Lazy):
    """Ends of several lazy requests in one transaction."""

    async def finalize_many_lazily(
        self, request_ids: Sequence[int], *, progress: ProgressSink = ignore
    ) -> tuple[LazyEnd, ...]:
        """Makes answers final that nobody doubted in time, and pays them. Anyone may.

        Cheaper for each than :meth:`finalize_lazily`, as the results are not kept for other
        contracts: :meth:`keep_lazily` does that, where somebody needs it. Answers that are not due,
        or have a callback, are left out: their state says so.

        Raises:
            NotFoundError: ``unknown-request``: one of them was never answered.
            ContractError: ``record-market-nothing-done``: none of them is due.
        """
        claims = [await self._claim(request_id) for request_id in request_ids]
        receipt, sent = await self._send(lazy_calls.finalize_many(claims), progress)
        return tuple(
            [await self._end(entry, moved(receipt, entry), [sent]) for entry in request_ids]
        )

    async def keep_lazily(self, request_id: int, *, progress: ProgressSink = ignore) -> LazyEnd:
        """Keeps the result of an answer that became final among many. Anyone may, once.

        From then on other contracts read it by ``resultOf``, and it can be published.

        Raises:
            ContractError: ``lazy-market-result-kept``; ``record-market-other-record``: not final.
        """
        call = lazy_calls.keep_result(await self._claim(request_id))
        return await self._step(request_id, call, progress)
