"""``gateless watchtower run``: the daemon that computes answers anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateless.cli.context import Cli
from gateless.cli.database import DatabaseOption, database_url
from gateless.cli.output import facts
from gateless.cli.sandbox import AllowUnsandboxed, LoopbackStores
from gateless.cli.sending import (
    MaxFee,
    MaxTip,
    SignerAddress,
    SignerUrl,
    StuckAfter,
    account,
    sending_policy,
)
from gateless.cli.serving import MetricsHost, MetricsPort, TrustedProxies, server_config
from gateless.core.amounts import parse_amount

if TYPE_CHECKING:
    from gateless.watchtower import Watchtower, WatchtowerConfig


async def run(
    cli: Cli,
    inbox: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where handed receipts lie, as JSON files."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Take receipts by HTTP here; 0 takes a free port."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    store: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Content store to ask first; may be given several times."),
    ] = None,
    database: DatabaseOption = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="REF", help="Watch this version only; may be given several times."),
    ] = None,
    max_at_risk: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Most bonds at risk at once.")
    ] = None,
    min_reward: Annotated[
        str, typer.Option(metavar="AMOUNT", help="Least reward of a challenge.")
    ] = "0",
    withdraw_at: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Withdraw what a contract holds once it is this much."),
    ] = None,
    confirmations: Annotated[
        int, typer.Option(min=0, help="Blocks that must follow before a block counts.")
    ] = 0,
    challenge_unprovable: Annotated[
        bool, typer.Option(help="Challenge answers to inputs that no circuit takes, too.")
    ] = False,
    allow_unsandboxed: AllowUnsandboxed = False,
    loopback_stores: LoopbackStores = None,
    memory: Annotated[
        int, typer.Option(metavar="GIB", min=1, help="Memory limit of the subprocesses.")
    ] = 8,
    time_limit: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="Time limit of each subprocess.")
    ] = 900,
    max_fee: MaxFee = None,
    max_tip: MaxTip = None,
    stuck_after: StuckAfter = 60.0,
    signer_url: SignerUrl = None,
    signer_address: SignerAddress = None,
    metrics_port: MetricsPort = None,
    metrics_host: MetricsHost = "127.0.0.1",
    trusted_proxy: TrustedProxies = None,
) -> None:
    """Watch until Ctrl-C. A restart goes on where it stopped; no claim gets a second bond."""
    from gateless.daemon.process import configure_log, settle_heap
    from gateless.watchtower import run_watchtower

    deployment = cli.deployment()
    token = deployment.token
    versions = frozenset[int]()
    if only:
        async with cli.network() as gateless:
            versions = frozenset([(await gateless.resolve(ref)).version.version_id for ref in only])
    async with account(cli, "watchtower", signer_url, signer_address) as signer:
        config = replace(
            config_of(cli, signer.address),
            database=database_url(database),
            inbox=inbox,
            serve_host=host,
            serve_port=port,
            server=server_config(metrics_port, metrics_host, trusted_proxy),
            stores=tuple(store or ()),
            versions=versions,
            max_at_risk=None if max_at_risk is None else parse_amount(max_at_risk, token),
            min_reward=parse_amount(min_reward, token),
            withdraw_threshold=None if withdraw_at is None else parse_amount(withdraw_at, token),
            confirmations=confirmations,
            sending=sending_policy(max_fee, max_tip, stuck_after),
            challenge_unprovable=challenge_unprovable,
            allow_unsandboxed=allow_unsandboxed,
            loopback_stores=loopback_stores,
            memory_bytes=memory << 30,
            job_seconds=float(time_limit),
        )

        def ready(watchtower: Watchtower) -> None:
            settle_heap()
            data = {
                "address": signer.address,
                "network": deployment.name,
                "inbox": None if inbox is None else str(inbox),
                "serving_at": watchtower.serving_at,
                "journal": str(config.journal),
            }
            rows = [
                ("watchtower", signer.address),
                ("network", deployment.name),
                ("inbox", "(none; --inbox names a folder)" if inbox is None else str(inbox)),
                (
                    "takes receipts at",
                    watchtower.serving_at or "(nowhere; --port serves an address)",
                ),
                ("journal", str(config.journal)),
            ]
            cli.output.result(data, facts(rows))
            cli.output.note("watching; Ctrl-C stops")

        configure_log(json_lines=not cli.output.shows_progress)
        await run_watchtower(config, deployment=deployment, signer=signer, on_ready=ready)
        cli.output.note("stopped; everything is in the journal")


def config_of(cli: Cli, address: str) -> WatchtowerConfig:
    """The folders of this machine's watchtower for the network at hand, and all that is usual."""
    from gateless.watchtower import WatchtowerConfig

    deployment = cli.deployment()
    return WatchtowerConfig.in_home(
        cli.home, deployment.name, deployment.address("ReceiptCourt"), address
    )
