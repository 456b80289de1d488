"""``gateless executor run`` and ``gateless executor key``: the daemon and its receipt key."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from gateless.cli.context import Cli
from gateless.cli.output import facts
from gateless.cli.render import transactions, with_transactions
from gateless.core.amounts import Token, parse_amount
from gateless.core.errors import InputError, WalletError

if TYPE_CHECKING:
    from gateless.adapters.signer import KeystoreStore, LocalSigner
    from gateless.executor import Executor, ReceiptsConfig
    from gateless.executor.quorum_config import QuorumConfig

_RECEIPTS = "Receipts"
_LAZY = "Lazy requests"
_COSTS = "Costs"
_QUORUMS = "Quorums"


async def key(cli: Cli) -> None:
    """Make the key that signs receipts, and name it in the profile. Run again, it shows it."""
    store, name = _receipt_keys(cli), cli.wallet_name("executor")
    if store.has(name):
        address = store.address_of(name)
    else:
        address = await asyncio.to_thread(
            store.create, name, cli.password(f"Password of wallet {name!r}", wallet=name)
        )
    async with cli.network("executor") as gateless:
        with cli.progress() as progress:
            sent = await gateless.name_receipt_key(address, progress=progress)
    path = store.root / f"{name}.json"
    cli.output.result(
        {
            "receipt_key": address,
            "keystore": str(path),
            "transactions": transactions(sent),
        },
        facts([("receipt key", address), ("keystore", str(path))]),
        *with_transactions(sent),
    )
    cli.output.note("a pool keeps the key that the profile names when it is opened")


async def run(
    cli: Cli,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Take requests and serve files; 0 takes a free port."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    store: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Content store to ask first; may be given several times."),
    ] = None,
    min_price: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Lowest price (default: the profile's).")
    ] = None,
    max_collateral: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Highest collateral of one request.")
    ] = None,
    withdraw_at: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Withdraw what a contract holds once it is this much."),
    ] = None,
    memory: Annotated[
        int, typer.Option(metavar="GIB", min=1, help="Memory limit of each proving process.")
    ] = 8,
    time_limit: Annotated[
        int, typer.Option(metavar="SECONDS", min=1, help="Time limit of each proving process.")
    ] = 900,
    receipt_bond: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            rich_help_panel=_RECEIPTS,
            help="Answer directly, with this stake behind each receipt.",
        ),
    ] = None,
    receipt_capacity: Annotated[
        int,
        typer.Option(
            metavar="N", min=1, rich_help_panel=_RECEIPTS, help="Receipts that an epoch can have."
        ),
    ] = 100,
    challenge_bond: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            rich_help_panel=_RECEIPTS,
            help="What doubt costs; it pays for a proof (default: 1).",
        ),
    ] = None,
    epochs_ahead: Annotated[
        int,
        typer.Option(
            metavar="N", min=0, rich_help_panel=_RECEIPTS, help="Open pools so many epochs ahead."
        ),
    ] = 1,
    receipt_price: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            rich_help_panel=_RECEIPTS,
            help="What an answer costs, by a signed request (default: nothing).",
        ),
    ] = None,
    lazy: Annotated[
        bool, typer.Option(rich_help_panel=_LAZY, help="Whether to answer lazy requests.")
    ] = True,
    lazy_backing: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            rich_help_panel=_LAZY,
            help="Stake to keep behind lazy answers (default: as it is).",
        ),
    ] = None,
    quorum: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REF=STAKE",
            rich_help_panel=_QUORUMS,
            help="Enrol for quorums of this version, with this stake; several may be given.",
        ),
    ] = None,
    quorum_price: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT", rich_help_panel=_QUORUMS, help="Least that a seat must pay."
        ),
    ] = None,
    quorum_seats: Annotated[
        int,
        typer.Option(metavar="N", min=1, rich_help_panel=_QUORUMS, help="Rounds at once."),
    ] = 4,
    proof_second: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT", rich_help_panel=_COSTS, help="What a second of proving costs."
        ),
    ] = None,
    native_price: Annotated[
        str | None,
        typer.Option(
            metavar="AMOUNT",
            rich_help_panel=_COSTS,
            help="What one unit of the chain's currency is worth, for gas.",
        ),
    ] = None,
    capital_yield: Annotated[
        float,
        typer.Option(
            metavar="PERCENT",
            min=0,
            rich_help_panel=_COSTS,
            help="What tied-up stake shall yield in a year.",
        ),
    ] = 0.0,
    profit: Annotated[
        float,
        typer.Option(
            metavar="PERCENT", min=0, rich_help_panel=_COSTS, help="What is added to the cost."
        ),
    ] = 0.0,
    busy: Annotated[
        float,
        typer.Option(
            metavar="PERCENT",
            min=0,
            rich_help_panel=_COSTS,
            help="What is added when all capacity is in use; by its share.",
        ),
    ] = 0.0,
) -> None:
    """Serve requests until Ctrl-C. Stopping finishes what is locked; a restart continues."""
    from gateless.daemon.process import configure_log
    from gateless.executor import ExecutorConfig, LazyConfig, PolicyConfig, run_executor

    deployment = cli.deployment()
    if cli.settings.rpc_url is not None:
        deployment = replace(deployment, rpc_url=cli.settings.rpc_url)
    token = deployment.token
    name = cli.wallet_name("executor")
    signer = await cli.unlock(name)
    receipts = None
    receipt_key = None
    if receipt_bond is not None:
        bond = parse_amount(receipt_bond, token)
        receipts = _receipts(
            bond, receipt_capacity, challenge_bond, epochs_ahead, receipt_price, token
        )
        receipt_key = await _unlock_receipt_key(cli, name)
    config = replace(
        ExecutorConfig.in_home(
            cli.home, deployment.name, deployment.address("InferenceMarket"), signer.address
        ),
        stores=tuple(store or ()),
        serve_host=host,
        serve_port=port,
        memory_bytes=memory << 30,
        prove_seconds=float(time_limit),
        withdraw_threshold=None if withdraw_at is None else parse_amount(withdraw_at, token),
        policy=PolicyConfig(
            min_price=None if min_price is None else parse_amount(min_price, token),
            max_collateral=None if max_collateral is None else parse_amount(max_collateral, token),
            token_per_native=None if native_price is None else parse_amount(native_price, token),
            proof_second_price=float(
                0 if proof_second is None else parse_amount(proof_second, token)
            ),
            capital_bps=round(capital_yield * 100),
            profit_bps=round(profit * 100),
            busy_bps=round(busy * 100),
        ),
        receipts=receipts,
        lazy=LazyConfig(
            enabled=lazy,
            backing=None if lazy_backing is None else parse_amount(lazy_backing, token),
        ),
        quorum=await _quorums(cli, quorum or [], quorum_price, quorum_seats, token),
    )

    def ready(executor: Executor) -> None:
        data = {
            "address": signer.address,
            "network": deployment.name,
            "serving_at": executor.serving_at,
            "journal": str(config.journal_path),
            "receipt_key": None if receipt_key is None else receipt_key.address,
        }
        rows = [
            ("executor", signer.address),
            ("network", deployment.name),
            ("serving at", executor.serving_at or "(nothing; --port serves files and calls)"),
            ("journal", str(config.journal_path)),
        ]
        if receipt_key is not None:
            rows.append(("receipts by", receipt_key.address))
        cli.output.result(data, facts(rows))
        cli.output.note("working; Ctrl-C stops in good order, a second one at once")

    configure_log(json_lines=not cli.output.shows_progress)
    await run_executor(
        config, deployment=deployment, signer=signer, on_ready=ready, receipt_key=receipt_key
    )
    cli.output.note("stopped; everything is in the journal")


async def _quorums(
    cli: Cli, wanted: list[str], price: str | None, seats: int, token: Token
) -> QuorumConfig:
    """Versions and stakes as ``REF=STAKE`` say them."""
    from gateless.core.quorums import MemberTerms
    from gateless.executor.quorum_config import QuorumConfig, QuorumEnrolment

    if not wanted:
        return QuorumConfig()
    least = 0 if price is None else parse_amount(price, token)
    terms = MemberTerms(capacity=seats, min_price=least)
    enrolments = []
    async with cli.network() as gateless:
        for text in wanted:
            ref, separator, stake = text.rpartition("=")
            if not separator:
                raise InputError(
                    "invalid-enrolment",
                    f"{text[:80]!r} names no version and stake",
                    hint="give --quorum REF=STAKE, such as --quorum digits=50",
                )
            version = (await gateless.resolve(ref)).version
            enrolments.append(
                QuorumEnrolment(version.version_id, parse_amount(stake, token), terms)
            )
    return QuorumConfig(tuple(enrolments))


def _receipt_keys(cli: Cli) -> KeystoreStore:
    """Receipt keys by the name of the executor's wallet; apart, for they are no accounts."""
    from gateless.adapters.signer import KeystoreStore

    return KeystoreStore(cli.home / "receipt-keys")


async def _unlock_receipt_key(cli: Cli, name: str) -> LocalSigner:
    store = _receipt_keys(cli)
    if not store.has(name):
        raise WalletError(
            "no-receipt-key",
            f"there is no receipt key for the wallet {name!r}",
            hint="make one: gateless executor key",
        )
    password = cli.password(f"Password of the receipt key of {name!r}", wallet=name)
    return await asyncio.to_thread(store.unlock, name, password)


def _receipts(
    bond: int,
    capacity: int,
    challenge_bond: str | None,
    epochs_ahead: int,
    price: str | None,
    token: Token,
) -> ReceiptsConfig:
    from gateless.executor import ReceiptsConfig

    if bond <= 0:
        raise InputError(
            "invalid-amount", "a receipt's bond is more than nothing", hint="give --receipt-bond 10"
        )
    doubt = 10**token.decimals if challenge_bond is None else parse_amount(challenge_bond, token)
    return ReceiptsConfig(
        bond=bond,
        capacity=capacity,
        challenge_bond=doubt,
        epochs_ahead=epochs_ahead,
        price=0 if price is None else parse_amount(price, token),
    )
