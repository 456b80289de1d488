"""``gateless wallet``: keys and money. Keys and passwords are never arguments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.output import facts, table
from gateless.cli.passwords import ask_secret, read_secret
from gateless.cli.render import amount, ether, transactions
from gateless.core.amounts import format_amount, parse_amount
from gateless.core.errors import WalletError

app = typer.Typer(help="Keys (keystore V3) and money.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the wallet.")]
_To = Annotated[
    str | None,
    typer.Option("--to", metavar="ADDRESS", help="Who gets it (default: the wallet itself)."),
]


@command(app, "create", example="gateless wallet create alice")
async def _create(cli: Cli, name: _Name) -> None:
    """Make a new account; its key is encrypted with a password that you choose."""
    store = cli.wallets()
    _require_free(cli, name)
    address = store.create(name, cli.password(f"New password for {name!r}", confirm=True))
    path = store.root / f"{name}.json"
    cli.output.result(
        {"name": name, "address": address, "keystore": str(path)},
        facts([("wallet", name), ("address", address), ("keystore", str(path))]),
    )
    cli.output.note("keep a copy of the keystore and remember the password: both are needed")


@command(app, "import", example="gateless wallet import alice --key-file key.txt")
async def _import(
    cli: Cli,
    name: _Name,
    key_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File with the private key in hex; '-' reads stdin."),
    ] = None,
    keystore: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Keystore V3 file made elsewhere; keeps its password."),
    ] = None,
) -> None:
    """Add an existing key. Without options the key is asked for and not shown."""
    store = cli.wallets()
    _require_free(cli, name)
    if key_file is not None and keystore is not None:
        raise WalletError(
            "key-source", "two sources were given", hint="give --key-file or --keystore, not both"
        )
    if keystore is not None:
        text = read_secret(keystore)
        address = store.import_json(name, cli.password(f"Password of {keystore}"), text)
    else:
        key = _read_key(cli, key_file)
        address = store.import_key(
            name, cli.password(f"New password for {name!r}", confirm=True), key
        )
    cli.output.result({"name": name, "address": address}, f"{name}: {address}")


@command(app, "list", example="gateless wallet list")
async def _list(cli: Cli) -> None:
    """List the wallets of this home."""
    found = cli.wallets().list()
    cli.output.result(
        [{"name": name, "address": address} for name, address in found],
        table("wallet", "address", rows=found)
        if found
        else "no wallets yet: gateless wallet create NAME",
    )


@command(app, "show", example="gateless wallet show alice")
async def _show(cli: Cli, name: _Name) -> None:
    """Show a wallet's address and where its keystore is. Never shows the key."""
    store = cli.wallets()
    address = store.address_of(name)
    path = store.root / f"{name}.json"
    cli.output.result(
        {"name": name, "address": address, "keystore": str(path)},
        facts([("wallet", name), ("address", address), ("keystore", str(path))]),
    )


@command(app, "balance", example="gateless wallet balance")
async def _balance(
    cli: Cli,
    address: Annotated[
        str | None, typer.Argument(metavar="[ADDRESS]", help="Account (default: the wallet's).")
    ] = None,
) -> None:
    """Show what an account owns: gas money, tokens, deposit."""
    owner = address or cli.wallets().address_of(cli.wallet_name("user"))
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        held = await gateless.balances(owner)
        cli.output.result(
            {
                "address": held.address,
                "gas": {"units": held.native_wei, "text": ether(held.native_wei)},
                "wallet": amount(held.wallet, token),
                "deposit": amount(held.market, token),
            },
            facts(
                [
                    ("account", held.address),
                    ("gas money", ether(held.native_wei)),
                    ("wallet", format_amount(held.wallet, token)),
                    ("deposit", f"{format_amount(held.market, token)} (pays requests, earns fees)"),
                ]
            ),
        )


@command(app, "deposit", example="gateless wallet deposit 10")
async def _deposit(
    cli: Cli,
    value: Annotated[str, typer.Argument(metavar="AMOUNT", help="How much, such as 1.50.")],
) -> None:
    """Move tokens from the wallet into the deposit that pays requests."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        units = parse_amount(value, token)
        with cli.progress() as progress:
            moved = await gateless.deposit(units, progress=progress)
        held = await gateless.balances()
        cli.output.result(
            {
                "deposited": amount(moved.amount, token),
                "deposit": amount(held.market, token),
                "transactions": transactions([moved.transaction]),
            },
            f"deposited {format_amount(moved.amount, token)};"
            f" the deposit is now {format_amount(held.market, token)}",
        )


@command(app, "withdraw", example="gateless wallet withdraw 2.50")
async def _withdraw(
    cli: Cli,
    value: Annotated[
        str | None, typer.Argument(metavar="[AMOUNT]", help="How much (default: all).")
    ] = None,
    to: _To = None,
) -> None:
    """Move tokens from the deposit back to the wallet."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        units = None if value is None else parse_amount(value, token)
        with cli.progress() as progress:
            moved = await gateless.withdraw(units, to=to, progress=progress)
        cli.output.result(
            {
                "withdrawn": amount(moved.amount, token),
                "to": moved.to,
                "transactions": transactions([moved.transaction]),
            },
            f"withdrew {format_amount(moved.amount, token)} to {moved.to}",
        )


def _require_free(cli: Cli, name: str) -> None:
    """Fails before anybody types a password for a name that is taken."""
    if cli.wallets().has(name):
        raise WalletError(
            "wallet-exists",
            f"there is already a wallet {name!r}",
            hint="choose another name; an existing wallet is never overwritten",
        )


def _read_key(cli: Cli, key_file: Path | None) -> str:
    if key_file is None:
        if not cli.output.interactive:
            raise WalletError(
                "key-required",
                "the private key is needed and nobody can be asked",
                hint="give --key-file FILE, or '-' to read it from stdin",
            )
        return ask_secret("Private key (not shown)").strip()
    if str(key_file) == "-":
        return sys.stdin.readline().strip()
    return read_secret(key_file).strip()
