"""``gateless devnet``: the whole network on this machine."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateless.cli.command import command
from gateless.cli.context import Cli
from gateless.cli.foreground import until_stopped
from gateless.cli.output import facts, table
from gateless.cli.render import amount, ether
from gateless.core.amounts import format_amount, parse_amount
from gateless.sdk.progress import Step

if TYPE_CHECKING:
    from gateless.devnet import Devnet

app = typer.Typer(help="A whole network on this machine, with test money.", no_args_is_help=True)

_NEXT = """\
next, in another terminal:
  gateless model publish MODEL.onnx --calibration DATA.npz --name NAME
  gateless executor stake 50 --serve NAME --min-price 0.10 --endpoint http://127.0.0.1:8700
  gateless executor run --port 8700
  gateless infer NAME --input INPUT.json
Ctrl-C stops the network and forgets it; --keep remembers it for the next start."""


@command(app, "up", example="gateless devnet up")
async def _up(
    cli: Cli,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the chain (default: a free one).")
    ] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="Keep the chain's state for the next start.")
    ] = False,
    block_time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="Mine at this pace, as quorums need (default: by transaction)."
        ),
    ] = None,
) -> None:
    """Start a chain, deploy the contracts and fund accounts; runs until Ctrl-C."""
    from gateless.devnet import running_devnet

    state = cli.home / "devnet-state.json" if keep else None
    async with AsyncExitStack() as stack:
        with cli.progress() as progress:

            def report(stage: str, fraction: float) -> None:
                progress(Step("devnet", stage, fraction=fraction))

            network = running_devnet(
                cli.home, port=port, state=state, block_time=block_time, progress=report
            )
            devnet = await stack.enter_async_context(network)
        data, rows = await _accounts(devnet)
        deployment = devnet.deployment
        cli.output.result(
            data,
            facts(
                [
                    ("network", deployment.name),
                    ("chain", f"{deployment.rpc_url} (chain id {deployment.chain_id})"),
                    ("file", str(devnet.deployment_file)),
                    ("password", f"{data['password']} (of the wallets below; worth nothing)"),
                ]
            ),
            "",
            table("wallet", "address", "tokens", rows=rows, right=["tokens"]),
            "",
            _NEXT,
        )
        await until_stopped()
    cli.output.note("the network is stopped")


@command(app, "status", example="gateless devnet status")
async def _status(cli: Cli) -> None:
    """Say whether the development network runs, and at which block."""
    async with cli.network() as gateless:
        block = await gateless.chain.block()
        deployment = gateless.chain.deployment
        cli.output.result(
            {
                "network": deployment.name,
                "rpc_url": deployment.rpc_url,
                "chain_id": deployment.chain_id,
                "block": block.number,
                "timestamp": block.timestamp,
                "contracts": deployment.contracts,
            },
            facts(
                [
                    ("network", deployment.name),
                    ("chain", f"{deployment.rpc_url} (chain id {deployment.chain_id})"),
                    ("block", f"{block.number:,}"),
                    *sorted(deployment.contracts.items()),
                ]
            ),
        )


@command(app, "fund", example="gateless devnet fund alice --amount 100")
async def _fund(
    cli: Cli,
    account: Annotated[str, typer.Argument(metavar="WALLET|ADDRESS", help="Who gets test money.")],
    value: Annotated[
        str, typer.Option("--amount", metavar="AMOUNT", help="How many test dollars.")
    ] = "1000",
) -> None:
    """Give an account test dollars and gas money; on the development chain only."""
    from gateless.adapters.chain.calls import mint
    from gateless.adapters.chain.sender import Sender
    from gateless.devnet.accounts import NATIVE_BALANCE
    from gateless.devnet.anvil_control import AnvilControl
    from gateless.sdk.terms import checked_address

    named = not account.startswith("0x")
    address = (
        cli.wallets().address_of(account) if named else str(checked_address(account, "account"))
    )
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        units = parse_amount(value, token)
        control = await AnvilControl.of(gateless.chain.rpc)
        await control.set_native_balance(address, NATIVE_BALANCE)
        await Sender(gateless.chain, gateless.signer).send(mint(address, units))
        held = await gateless.balances(address)
        cli.output.result(
            {
                "address": address,
                "wallet": amount(held.wallet, token),
                "gas": {"units": held.native_wei, "text": ether(held.native_wei)},
            },
            f"{address} now holds {format_amount(held.wallet, token)} and {ether(held.native_wei)}",
        )


@command(app, "advance", example="gateless devnet advance 600")
async def _advance(
    cli: Cli,
    seconds: Annotated[int, typer.Argument(metavar="SECONDS", min=1, help="How far.")],
) -> None:
    """Move the development chain's clock forward, for instance past a request's deadline."""
    from gateless.devnet.anvil_control import AnvilControl

    async with cli.network() as gateless:
        control = await AnvilControl.of(gateless.chain.rpc)
        await control.advance(seconds)
        block = await gateless.chain.block()
        cli.output.result(
            {"timestamp": block.timestamp, "block": block.number},
            f"the chain's clock is {seconds} seconds further, at block {block.number}",
        )


async def _accounts(devnet: Devnet) -> tuple[dict[str, Any], list[tuple[str, str, str]]]:
    from gateless.devnet.accounts import ACCOUNTS, DEVELOPMENT_PASSWORD

    token = devnet.deployment.token
    accounts: list[dict[str, Any]] = []
    rows: list[tuple[str, str, str]] = []
    for name in ACCOUNTS:
        address = devnet.signers[name].address
        held = await devnet.client.token.balance_of(address)
        accounts.append({"wallet": name, "address": address, "tokens": amount(held, token)})
        rows.append((name, address, format_amount(held, token)))
    data = {
        "network": devnet.deployment.name,
        "rpc_url": devnet.deployment.rpc_url,
        "chain_id": devnet.deployment.chain_id,
        "deployment_file": str(devnet.deployment_file),
        "contracts": devnet.deployment.contracts,
        "token": {"address": token.address, "symbol": token.symbol, "decimals": token.decimals},
        "password": DEVELOPMENT_PASSWORD,
        "accounts": accounts,
    }
    return data, rows
