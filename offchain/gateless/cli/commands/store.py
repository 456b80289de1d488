"""``gateless store``: the content store of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.foreground import stop_signal
from gateless.core.ids import cid_of

app = typer.Typer(help="Hold and serve content-addressed files.", no_args_is_help=True)


@command(app, "serve", example="gateless store serve --port 8600")
async def _serve(
    cli: Cli,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 8600,
) -> None:
    """Serve this machine's files, such as published bundles, over HTTP until Ctrl-C."""
    from gateless.adapters.storage import LocalStore, create_app
    from gateless.cli.serving import serve_until
    from gateless.daemon.serving import base_url, listen

    listener = listen(host, port)
    url = base_url(listener)
    with stop_signal() as stopped:
        cli.output.result({"url": url}, f"serving {cli.home / 'content'} at {url}")
        await serve_until(stopped, create_app(LocalStore(cli.home / "content")), listener)


@command(app, "put", example="gateless store put bundle.zip")
async def _put(
    cli: Cli, file: Annotated[Path, typer.Argument(metavar="FILE", help="File to add.")]
) -> None:
    """Add a file; prints its sha256 and CID."""
    from gateless.adapters.storage import LocalStore

    digest = await LocalStore(cli.home / "content").put(file)
    cli.output.result({"sha256": digest, "cid": cid_of(digest)}, digest, cid_of(digest))
