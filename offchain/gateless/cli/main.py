"""The ``gateless`` command."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any, NoReturn

import structlog
import typer
from typer.core import TyperGroup

from gateless import __version__
from gateless.cli.command import (
    HomeOption,
    JsonOption,
    NetworkOption,
    PasswordFileOption,
    RpcOption,
    WalletOption,
)
from gateless.cli.commands import (
    attest,
    config,
    devnet,
    executor,
    indexer,
    infer,
    lazy,
    model,
    quorum,
    receipt,
    request,
    result,
    store,
    wallet,
    watchtower,
)
from gateless.cli.file_defaults import file_defaults
from gateless.cli.output import Output
from gateless.cli.settings import CONFIG_FILE, Flags, joined
from gateless.core.errors import GatelessError, InputError

_INTERNAL_ERROR = 70  # EX_SOFTWARE of sysexits.h

EPILOG = """
**Settings**: flag, then environment (`GATELESS_NETWORK`, `GATELESS_HOME`, `GATELESS_RPC_URL`,
`GATELESS_WALLET`, `GATELESS_PASSWORD_FILE`, `GATELESS_PASSWORD`, `GATELESS_JSON`), then
`config.toml` in the home directory, then default; `gateless config show` tells which.

**Exit codes**: 0 success, 2 bad input or usage, 3 model, 4 proof, 5 subprocess limit, 6 storage,
7 chain or contract, 8 wallet, 9 funds, 10 not found, 11 configuration, 12 database, 70 defect,
130 interrupted.

**Start here**: `gateless devnet up` runs the whole network on this machine.
"""


class GatelessGroup(TyperGroup):
    """The root group: usage errors look like all other errors."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Parses and runs; ends the process with the documented exit code."""
        arguments = list(sys.argv[1:] if args is None else args)
        _keep_log_apart()
        try:
            extra["default_map"] = file_defaults(self, arguments, os.environ)
            code = super().main(
                arguments,
                prog_name or "gateless",
                complete_var,
                standalone_mode=False,
                windows_expand_args=windows_expand_args,
                **extra,
            )
        except typer.TyperException as error:
            usage = _usage(error)
            if not usage.message:
                sys.exit(usage.exit_code)  # a group without a command: its help was the answer
            _fail(usage, arguments)
        except GatelessError as error:
            _fail(error, arguments)
        except typer.Abort:
            sys.exit(130)
        except BrokenPipeError:
            # The reader of our stdout left (``| head``): no error of ours, and nothing to flush to.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except Exception as error:
            if os.environ.get("GATELESS_DEBUG"):
                raise
            _fail(_defect(error), arguments, _INTERNAL_ERROR)
        sys.exit(code if isinstance(code, int) else 0)


def _usage(error: typer.TyperException) -> GatelessError:
    context = getattr(error, "ctx", None)
    where = context.command_path if context is not None else "gateless"
    origin = _origin(error)
    read_from = "" if origin is None else f"it was read from {origin}; "
    return InputError("usage", error.format_message(), hint=f"{read_from}see {where} --help")


def _origin(error: typer.TyperException) -> str | None:
    """Where a bad value is from, unless it stands on the command line."""
    context, param = getattr(error, "ctx", None), getattr(error, "param", None)
    if context is None or param is None:
        return None
    source = context.get_parameter_source(param.name)
    if source is None:
        return None
    if source.name == "ENVIRONMENT":
        name = param.envvar or f"{context.auto_envvar_prefix}_{str(param.name).upper()}"
        return name if isinstance(name, str) else name[0]
    return CONFIG_FILE if source.name == "DEFAULT_MAP" else None


def _defect(error: Exception) -> GatelessError:
    return GatelessError(
        "internal-error",
        f"{type(error).__name__}: {error}",
        hint="this is a defect of gateless; set GATELESS_DEBUG=1 to see where it happened",
    )


def _fail(error: GatelessError, arguments: Sequence[str], exit_code: int | None = None) -> NoReturn:
    wants_json = "--json" in arguments or bool(os.environ.get("GATELESS_JSON"))
    Output(json_output=wants_json).error(error)
    sys.exit(error.exit_code if exit_code is None else exit_code)


app = typer.Typer(
    name="gateless",
    cls=GatelessGroup,
    help="An open network for verified machine-learning inference.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _global_options(
    ctx: typer.Context,
    network: NetworkOption = None,
    home: HomeOption = None,
    rpc_url: RpcOption = None,
    wallet: WalletOption = None,
    password_file: PasswordFileOption = None,
    json_output: JsonOption = None,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    ctx.obj = Flags(network, home, joined(rpc_url), wallet, password_file, json_output)


infer.register(app)
app.add_typer(model.app, name="model")
app.add_typer(request.app, name="request")
app.add_typer(lazy.app, name="lazy")
app.add_typer(quorum.app, name="quorum")
app.add_typer(attest.app, name="attest")
app.add_typer(result.app, name="result")
app.add_typer(receipt.app, name="receipt")
app.add_typer(wallet.app, name="wallet")
app.add_typer(executor.app, name="executor")
app.add_typer(watchtower.app, name="watchtower")
app.add_typer(indexer.app, name="indexer")
app.add_typer(devnet.app, name="devnet")
app.add_typer(store.app, name="store")
app.add_typer(config.app, name="config")


def _keep_log_apart() -> None:
    """What is logged on the way is no answer of a command: it ends with an error where it fails.

    Commands that keep running set their own log up.
    """
    if not structlog.is_configured():
        structlog.configure(
            wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
            logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        )


def run() -> None:
    """Entry point of the installed command."""
    app()
