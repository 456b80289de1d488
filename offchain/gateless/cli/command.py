"""Turns an async handler into a command: global options in both places, errors, Ctrl-C.

``gateless --json model list`` and ``gateless model list --json`` mean the same, so every command
also takes the global options; a value given after the command's name wins.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from gateless.cli.context import Cli
from gateless.cli.output import Output
from gateless.cli.settings import Flags, joined, resolve_settings
from gateless.core.errors import GatelessError

_PANEL = "Global options"
_INTERRUPTED = 130  # 128 + SIGINT, as shells report it

NetworkOption = Annotated[
    str | None,
    typer.Option(
        "--network",
        metavar="NAME",
        help="Network: its name, or the path of a deployments file (default devnet).",
        rich_help_panel=_PANEL,
    ),
]
HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="DIR",
        help="Where keys, networks and files are kept (default ~/.gateless).",
        rich_help_panel=_PANEL,
    ),
]
RpcOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rpc-url",
        metavar="URL",
        help="RPC endpoint to use instead of the network's own; several in order of trust.",
        rich_help_panel=_PANEL,
    ),
]
WalletOption = Annotated[
    str | None,
    typer.Option(
        "--wallet", metavar="NAME", help="Wallet that signs and pays.", rich_help_panel=_PANEL
    ),
]
PasswordFileOption = Annotated[
    Path | None,
    typer.Option(
        "--password-file",
        metavar="FILE",
        help="File with the wallet's password.",
        rich_help_panel=_PANEL,
    ),
]
JsonOption = Annotated[
    bool | None,
    typer.Option(
        "--json/--no-json",
        help="Print one JSON document instead of text.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
_GLOBAL = {
    "network": NetworkOption,
    "home": HomeOption,
    "rpc_url": RpcOption,
    "wallet": WalletOption,
    "password_file": PasswordFileOption,
    "json_output": JsonOption,
}

Handler = TypeVar("Handler", bound=Callable[..., Coroutine[Any, Any, None]])


def command(
    app: typer.Typer,
    name: str,
    *,
    example: str,
    panel: str | None = None,
    section: str | None = None,
    passes_options: bool = False,
) -> Callable[[Handler], Handler]:
    """Registers ``handler(cli, **its own parameters)`` as command ``name``.

    Args:
        app: the group.
        name: name of the command.
        example: shown at the end of ``--help``.
        panel: heading in the list of commands.
        section: table of the configuration file whose keys are its options; the environment has
            them as ``GATELESS_<SECTION>_<OPTION>``.
        passes_options: whether options that it does not know are arguments.
    """
    context: dict[str, Any] = {"ignore_unknown_options": True} if passes_options else {}
    if section is not None:
        context["auto_envvar_prefix"] = f"GATELESS_{section.upper()}"

    def register(handler: Handler) -> Handler:
        own = list(inspect.signature(handler, eval_str=True).parameters.values())[1:]

        def invoke(ctx: typer.Context, **arguments: Any) -> None:
            given = {key: arguments.pop(key) for key in _GLOBAL}
            flags = Flags(**{**given, "rpc_url": joined(given["rpc_url"])})
            outer = ctx.obj if isinstance(ctx.obj, Flags) else Flags()
            _run(handler, flags.over(outer), arguments)

        functools.update_wrapper(invoke, handler, assigned=("__module__", "__name__", "__doc__"))
        del invoke.__wrapped__  # type: ignore[attr-defined]
        # Typer reads the signature: the handler's own parameters, then the global options.
        invoke.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter("ctx", _KEYWORD, annotation=typer.Context),
                *(parameter.replace(kind=_KEYWORD) for parameter in own),
                *(
                    inspect.Parameter(key, _KEYWORD, default=None, annotation=option)
                    for key, option in _GLOBAL.items()
                ),
            ]
        )
        app.command(
            name,
            epilog=f"Example: {example}",
            rich_help_panel=panel,
            context_settings=context or None,
        )(invoke)
        return handler

    return register


_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _run(
    handler: Callable[..., Coroutine[Any, Any, None]], flags: Flags, arguments: dict[str, Any]
) -> None:
    output = Output(json_output=bool(flags.json_output))
    resume: list[str] = []
    try:
        settings = resolve_settings(flags, os.environ)
        output = Output(json_output=settings.json_output)
        cli = Cli(settings, output, environ=os.environ, resume=resume)
        asyncio.run(handler(cli, **arguments))
    except GatelessError as error:
        output.error(error)
        raise typer.Exit(error.exit_code) from error
    except (KeyboardInterrupt, asyncio.CancelledError) as error:
        # Signals end up here after every ``finally`` and temporary file has been cleaned up.
        output.interrupted(resume)
        raise typer.Exit(_INTERRUPTED) from error
