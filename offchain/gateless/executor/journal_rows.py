"""Between the journal's rows and the values that the rest of the executor works with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateless.adapters.chain.prepared import PreparedTx
from gateless.core.types import TrustMode
from gateless.daemon.intents import kept_facts
from gateless.daemon.transactions import IntentState
from gateless.executor import schema
from gateless.executor.states import REQUEST_VANISHED, WorkState
from gateless.executor.work import Intent, IntentKind, NewWork, Work


def unknown_request(request_id: int) -> LookupError:
    """What is raised for a request that is not in the journal."""
    return LookupError(f"request {request_id} is not in the journal")


def column_values(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Column values of facts."""
    return {key: str(value) if key == "fee" else value for key, value in facts.items()}


def work_of(row: Mapping[Any, Any]) -> Work:
    """A row of the work table."""
    values = dict(row)
    return Work(
        **values
        | {
            "mode": TrustMode(values["mode"]),
            "price": int(values["price"]),
            "collateral": int(values["collateral"]),
            "state": WorkState(values["state"]),
            "fee": int(values["fee"]),
        }
    )


def intent_of(row: Mapping[Any, Any], attempts: tuple[PreparedTx, ...]) -> Intent:
    """A row of the intents table, and its attempts."""
    return Intent(
        kind=IntentKind(row["kind"]),
        request_id=row["request_id"],
        batch_id=row["batch_id"],
        **kept_facts(row, attempts),
    )


async def displace(connection: AsyncConnection, entry: NewWork) -> None:
    """Forgets what the journal has under a request's number if it is about another request."""
    table = schema.work.c
    query = select(
        table.version_id,
        table.requester,
        table.input_digest,
        table.price,
        table.deadline,
        table.reason,
    ).where(table.request_id == entry.request_id)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return
    same = (row.version_id, row.requester.lower(), row.input_digest, row.price, row.deadline) == (
        entry.version_id,
        entry.requester.lower(),
        entry.input_digest,
        str(entry.price),
        entry.deadline,
    )
    if same and row.reason != REQUEST_VANISHED:
        # A reorganisation may have moved it to another block, where its input is read from.
        await connection.execute(
            update(schema.work)
            .where(table.request_id == entry.request_id)
            .values(created_block=entry.created_block)
        )
        return
    await connection.execute(
        update(schema.intents)
        .where(
            schema.intents.c.request_id == entry.request_id,
            schema.intents.c.state == IntentState.PENDING,
        )
        # What was sent for the other request may still be mined: it is settled, for none.
        .values(request_id=None, text="its request was undone by a reorganisation")
    )
    await connection.execute(delete(schema.work).where(table.request_id == entry.request_id))
