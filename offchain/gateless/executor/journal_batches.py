"""The journal's part about proofs that several requests share."""

from __future__ import annotations

import json

from sqlalchemy import insert, select, update

from gateless.adapters.clock import Clock
from gateless.adapters.db import Database
from gateless.executor import schema
from gateless.executor.journal_rows import work_of
from gateless.executor.states import COMMITTED, WorkState
from gateless.executor.work import Batch, NewBatch, Work

#: Where a shared proof finds a request that waits for one.
_UNPROVED = (WorkState.LOCKED, WorkState.PROVING)


class BatchBook:
    """Shared proofs, in the journal's database."""

    _database: Database
    _clock: Clock

    async def keep_batch(self, batch: NewBatch) -> int:
        """Writes a shared proof down and moves the requests that wait for it, all at once.

        Requests that ended meanwhile stay as they are; their rows are proven all the same.

        Returns:
            The batch's number.
        """
        values = {
            "version_id": batch.version_id,
            "circuit_index": batch.circuit_index,
            "request_ids": json.dumps(list(batch.request_ids)),
            "packed_inputs": b"".join(batch.packed_inputs),
            "packed_outputs": b"".join(batch.packed_outputs),
            "proof": batch.proof,
            "created_at": self._clock.now(),
        }
        query = insert(schema.batches).values(values).returning(schema.batches.c.batch_id)
        table = schema.work.c
        async with self._database.begin() as connection:
            batch_id = int((await connection.execute(query)).scalar_one())
            for row, request_id in enumerate(batch.request_ids):
                await connection.execute(
                    update(schema.work)
                    .where(table.request_id == request_id, table.state.in_(_UNPROVED))
                    .values(
                        state=WorkState.PROVED,
                        reason="",
                        text="",
                        batch_id=batch_id,
                        packed_output=batch.packed_outputs[row],
                        updated_at=self._clock.now(),
                    )
                )
        return batch_id

    async def batch(self, batch_id: int) -> Batch:
        """A shared proof.

        Raises:
            LookupError: there is none of that number.
        """
        query = select(schema.batches).where(schema.batches.c.batch_id == batch_id)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise LookupError(f"batch {batch_id} is not in the journal")
        return Batch(
            batch_id=row.batch_id,
            version_id=row.version_id,
            circuit_index=row.circuit_index,
            request_ids=tuple(json.loads(row.request_ids)),
            packed_inputs=row.packed_inputs,
            packed_outputs=row.packed_outputs,
            proof=row.proof,
        )

    async def members(self, batch_id: int) -> list[Work]:
        """The requests that a shared proof is for, as far as they are still in the journal."""
        query = select(schema.work).where(schema.work.c.batch_id == batch_id)
        async with self._database.connect() as connection:
            return [work_of(row._mapping) for row in await connection.execute(query)]

    async def drop_settled_batches(self) -> None:
        """Frees the room of shared proofs that no request waits for any more."""
        waiting = (
            select(schema.work.c.batch_id)
            .where(schema.work.c.batch_id.is_not(None), schema.work.c.state.in_(list(COMMITTED)))
            .scalar_subquery()
        )
        query = (
            update(schema.batches)
            .where(schema.batches.c.batch_id.not_in(waiting), schema.batches.c.proof != b"")
            .values(proof=b"", packed_inputs=b"", packed_outputs=b"")
        )
        async with self._database.begin() as connection:
            await connection.execute(query)

    async def batch_counts(self) -> tuple[int, int]:
        """How many shared proofs were made, and for how many requests."""
        query = select(schema.batches.c.request_ids)
        async with self._database.connect() as connection:
            sizes = [len(json.loads(ids)) for (ids,) in await connection.execute(query)]
        return len(sizes), sum(sizes)
