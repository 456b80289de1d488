"""Options about strangers' models and files, and what this machine has against them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from gateless_proofs.isolation import Isolation

_PANEL = "Strangers' models and files"

AllowUnsandboxed = Annotated[
    bool,
    typer.Option(
        "--allow-unsandboxed",
        rich_help_panel=_PANEL,
        help="Run models even where nothing keeps them from the network.",
    ),
]
LoopbackStores = Annotated[
    bool | None,
    typer.Option(
        rich_help_panel=_PANEL,
        help="Fetch from stores on this machine that strangers name"
        " (default: on the development chain only).",
    ),
]


async def sandbox_here() -> Isolation:
    """What keeps models apart on this machine, found out by trying."""
    from gateless_proofs.probing import probe

    return await probe()
