"""``gateless model search``: find models by what they are and how well they are served."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateless.cli.context import Cli
from gateless.cli.index import IndexerOption, ask_index
from gateless.cli.output import table
from gateless.core.amounts import format_amount, parse_amount
from gateless.core.types import TrustMode


async def search(
    cli: Cli,
    text: Annotated[
        str, typer.Argument(metavar="[TEXT]", help="Words, or what words begin with.")
    ] = "",
    tag: Annotated[
        list[str] | None, typer.Option(metavar="TAG", help="Must have it; may be given again.")
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(metavar="MODE", help="Must allow it: zk, lazy_zk, quorum, attested."),
    ] = None,
    task: Annotated[str | None, typer.Option(metavar="TASK", help="Must be for it.")] = None,
    max_price: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Least price of an executor, at most.")
    ] = None,
    min_success: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0, max=100, help="Share of promises kept, at least."),
    ] = None,
    max_latency: Annotated[
        int | None, typer.Option(metavar="SECONDS", min=0, help="Median time to answer, at most.")
    ] = None,
    served: Annotated[bool, typer.Option("--served", help="Must have an executor.")] = False,
    sort: Annotated[
        str, typer.Option(metavar="ORDER", help="relevance, reputation, price or newest.")
    ] = "relevance",
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most this many.")] = 20,
    cursor: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Go on after a page.")
    ] = None,
    indexer: IndexerOption = "http://127.0.0.1:8730",
) -> None:
    """Find models by words, tags, price and what the chain says about them."""
    token = cli.deployment().token
    found = await ask_index(
        indexer,
        "/v1/search",
        {
            "q": text or None,
            "tag": tag or None,
            "mode": [name.upper() for name in mode or ()] or None,
            "task": task,
            "max_price": None if max_price is None else str(parse_amount(max_price, token)),
            "min_success": None if min_success is None else min_success / 100,
            "max_latency": max_latency,
            "status": "served" if served else None,
            "sort": sort,
            "limit": limit,
            "cursor": cursor,
        },
    )
    items = found["items"]
    if found["fuzzy"]:
        cli.output.note("nothing has these words; these models have similar ones")
    cli.output.result(
        found,
        table(
            "model",
            "modes",
            "price",
            "executors",
            "kept",
            "latency",
            "score",
            "about",
            rows=[_row(item, token) for item in items],
            right=["price", "executors", "kept", "latency", "score"],
        )
        if items
        else "nothing found",
    )
    if found["next_cursor"]:
        cli.output.note(f"more: --cursor {found['next_cursor']}")


def _row(item: dict[str, Any], token: Any) -> tuple[str, ...]:
    price, success, latency = item["price"], item["success_rate"], item["latency"]
    mark = " !" if item["status"] == "deprecated" else ""
    return (
        f"{item['name']}@{item['version_id'] & 0xFFFFFFFF}{mark}",
        ",".join(TrustMode[name].name.lower() for name in item["modes"]),
        "-" if price is None else format_amount(int(price), token),
        str(item["executors"]),
        "-" if success is None else f"{100 * success:.0f} %",
        "-" if latency is None else f"{latency} s",
        f"{item['score']:.2f}",
        item["task"] or item["description"][:40],
    )
