"""``gateless indexer``: keep an index of the network, and serve it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url
from gateless.cli.index import IndexerOption, ask_index
from gateless.cli.output import facts
from gateless.cli.serving import MetricsHost, MetricsPort, TrustedProxies, server_config

if TYPE_CHECKING:
    from gateless.indexer import Indexer, IndexerConfig

app = typer.Typer(help="Keep an index of the network, and serve it.", no_args_is_help=True)


@command(
    app, "run", example="gateless indexer run --port 8730 --confirmations 2", section="indexer"
)
async def _run(
    cli: Cli,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Serve the API here; 0 takes a free port.")
    ] = 8730,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    database: DatabaseOption = None,
    confirmations: Annotated[
        int, typer.Option(min=0, help="Blocks that must follow before a block counts.")
    ] = 0,
    store: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Content store to ask first; may be given several times."),
    ] = None,
    follow_uris: Annotated[
        bool, typer.Option(help="Fetch manifests from where publishers and executors say.")
    ] = True,
    rate: Annotated[
        float, typer.Option(min=0.1, help="Requests a second that one address may make.")
    ] = 50.0,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    trusted_proxy: TrustedProxies = None,
) -> None:
    """Follow the chain and serve the API until Ctrl-C. A restart goes on where it stopped."""
    from gateless.daemon.process import configure_log, settle_heap
    from gateless.indexer import run_indexer

    deployment = cli.deployment()
    config = replace(
        _config(cli),
        database=database_url(database),
        serve_host=host,
        serve_port=port,
        confirmations=confirmations,
        stores=tuple(store or ()),
        follow_uris=follow_uris,
        rate_per_second=rate,
        burst=max(1, round(4 * rate)),
        server=server_config(metrics_port, metrics_host, trusted_proxy),
    )

    def ready(indexer: Indexer) -> None:
        settle_heap()
        data = {
            "network": deployment.name,
            "api": indexer.serving_at,
            "openapi": f"{indexer.serving_at}/openapi.json",
            "database": str(config.index),
        }
        rows = [
            ("network", deployment.name),
            ("API", indexer.serving_at),
            ("its document", f"{indexer.serving_at}/openapi.json"),
            ("index", str(config.index)),
        ]
        cli.output.result(data, facts(rows))
        cli.output.note("indexing; Ctrl-C stops")

    configure_log(json_lines=not cli.output.shows_progress)
    await run_indexer(config, deployment=deployment, on_ready=ready)
    cli.output.note("stopped; what was read is in the index")


@command(app, "status", example="gateless indexer status --indexer http://127.0.0.1:8730")
async def _status(cli: Cli, indexer: IndexerOption = "http://127.0.0.1:8730") -> None:
    """Show how far a running indexer is, and what keeps it."""
    told = await ask_index(indexer, "/v1/status")
    indexed = told["indexed"]
    rows = [
        ("network", f"{told['network']} (chain {told['chain_id']})"),
        ("indexed to", "nothing yet" if indexed is None else f"block {indexed['number']}"),
        ("chain is at", "unknown" if told["head"] is None else f"block {told['head']}"),
        ("behind", _blocks(told["blocks_behind"])),
        *((name.replace("_", " "), str(count)) for name, count in told["counts"].items()),
    ]
    problem = told["problem"]
    if problem is not None:
        rows.append(("problem", f"{problem}: its log says more"))
    cli.output.result(told, facts(rows))


@command(app, "rebuild", example="gateless indexer rebuild")
async def _rebuild(cli: Cli, database: DatabaseOption = None) -> None:
    """Make everything again from the event log, while no indexer runs. The chain is not asked."""
    from gateless.indexer.store import IndexStore

    deployment = cli.deployment()
    config = replace(_config(cli), database=database_url(database))
    store = await IndexStore.open(config.index, deployment)
    try:
        await store.rebuild()
        positions = await store.positions(1)
    finally:
        await store.close()
    last = positions[0].number if positions else None
    cli.output.result(
        {"database": str(config.index), "indexed": last},
        facts(
            [
                ("index", str(config.index)),
                ("rebuilt up to", "nothing read yet" if last is None else f"block {last}"),
            ]
        ),
    )


def _config(cli: Cli) -> IndexerConfig:
    from gateless.indexer import IndexerConfig

    deployment = cli.deployment()
    return IndexerConfig.in_home(cli.home, deployment.name, deployment.address("ModelRegistry"))


def _blocks(count: Any) -> str:
    return "unknown" if count is None else f"{count} block{'' if count == 1 else 's'}"
