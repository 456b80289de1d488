"""``gateless receipt``: back, check and challenge bonded receipts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateless.cli.command import command
from gateless.cli.commands.asking import ask
from gateless.cli.context import Cli
from gateless.cli.inputs import read_inputs
from gateless.cli.output import facts, table
from gateless.cli.receipts import (
    claim_data,
    claim_facts,
    packed_output,
    read_receipt,
    receipt_data,
    receipt_facts,
)
from gateless.cli.render import amount, moment, transactions, with_transactions
from gateless.core.amounts import format_amount, parse_amount
from gateless.core.claims import ClaimState
from gateless.sdk.progress import Step

app = typer.Typer(help="Back, check and challenge bonded receipts.", no_args_is_help=True)

_File = Annotated[Path, typer.Argument(metavar="FILE", help="The receipt, as JSON.")]
_Claim = Annotated[int, typer.Argument(metavar="ID", min=1, help="Number of the claim.")]
_Source = Annotated[
    str,
    typer.Option("--input", "-i", metavar="FILE", help="The values that were asked about."),
]


command(app, "ask", example="gateless receipt ask digits --input image.json --save receipt.json")(
    ask
)


@command(
    app,
    "check",
    example="gateless receipt check receipt.json digits --input image.json --output 0x05fd",
)
async def _check(
    cli: Cli,
    file: _File,
    ref: Annotated[str, typer.Argument(metavar="REF", help="The version that was asked.")],
    source: _Source,
    output: Annotated[
        str, typer.Option(metavar="HEX", help="The packed output that was received.")
    ],
    executor: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The executor that was asked.")
    ] = None,
    beneficiary: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who must be compensated.")
    ] = None,
    price: Annotated[str | None, typer.Option(metavar="AMOUNT", help="What was paid.")] = None,
    min_bond: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Least bond behind the receipt.")
    ] = None,
    min_life: Annotated[
        int,
        typer.Option(metavar="SECONDS", min=0, help="For how long it must be open to a challenge."),
    ] = 3600,
) -> None:
    """Say whether a wrong output could be punished. Nothing is sent, nothing computed anew."""
    from gateless.sdk.tensors import pack_inputs

    signed = read_receipt(file)
    received = packed_output(output)
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            manifest = await gateless.manifest(ref, progress=progress)
            checked = await gateless.check_receipt(
                signed,
                ref,
                pack_inputs(manifest, read_inputs(source)),
                received,
                executor=executor,
                beneficiary=beneficiary,
                price=None if price is None else parse_amount(price, token),
                min_bond=0 if min_bond is None else parse_amount(min_bond, token),
                min_life=min_life,
                progress=progress,
            )
        cli.output.result(
            {
                "digest": f"0x{signed.digest.hex()}",
                "version": checked.resolved.label,
                "proven": checked.proven,
                "receipt": receipt_data(signed.receipt, token),
            },
            "the receipt is worth its bond"
            + (", and what it says was proven on chain already" if checked.proven else ""),
            "",
            facts(receipt_facts(signed.receipt, checked.resolved.label, token)),
        )


@command(
    app,
    "challenge",
    example="gateless receipt challenge receipt.json --input image.json",
)
async def _challenge(cli: Cli, file: _File, source: _Source) -> None:
    """Demand a proof of what a receipt says. If it is right, this costs the challenge's bond."""
    from gateless.sdk.tensors import pack_inputs

    signed = read_receipt(file)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:

            def report(step: Step) -> None:
                if step.stage == "committed":
                    cli.on_interrupt(
                        f"{step.detail}; to have its bond back: gateless receipt cancel ID"
                    )
                progress(step)

            manifest = await gateless.manifest(signed.receipt.version_id, progress=report)
            packed = pack_inputs(manifest, read_inputs(source))
            done = await gateless.challenge_receipt(signed, packed, progress=report)
        cli.output.result(
            claim_data(done.claim) | {"transactions": transactions(done.transactions)},
            facts(claim_facts(done.claim)),
            *with_transactions(done.transactions),
        )
        number = done.claim.claim_id
        cli.output.note(f"see what becomes of it: gateless receipt claim {number} --wait")


@command(app, "report", example="gateless receipt report first.json second.json")
async def _report(
    cli: Cli,
    first: Annotated[Path, typer.Argument(metavar="FILE", help="A receipt, as JSON.")],
    second: Annotated[
        Path, typer.Argument(metavar="FILE", help="Another receipt for the same slot.")
    ],
) -> None:
    """Show two receipts for one slot: the executor forfeits its pool, a part of it is yours."""
    one, two = read_receipt(first), read_receipt(second)
    async with cli.network("user") as gateless:
        with cli.progress() as progress:

            def report(step: Step) -> None:
                if step.stage == "committed":
                    cli.on_interrupt(
                        f"{step.detail}; to have its bond back: gateless receipt cancel ID"
                    )
                progress(step)

            done = await gateless.report_equivocation(one, two, progress=report)
        cli.output.result(
            claim_data(done.claim) | {"transactions": transactions(done.transactions)},
            facts(claim_facts(done.claim)),
            *with_transactions(done.transactions),
        )
        cli.output.note(
            "the reward comes when the pool is released; to have the bond back:"
            " gateless receipt withdraw"
        )


@command(app, "claim", example="gateless receipt claim 3 --wait")
async def _show_claim(
    cli: Cli,
    claim_id: _Claim,
    wait: Annotated[bool, typer.Option(help="Wait until it is answered, or overdue.")] = False,
) -> None:
    """Show what became of a challenge."""
    async with cli.network() as gateless:
        if wait:
            with cli.progress() as progress:
                claim = await gateless.wait_claim(claim_id, progress=progress)
        else:
            claim = await gateless.claim(claim_id)
        cli.output.result(claim_data(claim), facts(claim_facts(claim)))
        if wait and claim.state is ClaimState.OPEN:
            cli.output.note(f"no proof came in time: gateless receipt slash {claim_id}")


@command(app, "slash", example="gateless receipt slash 3")
async def _slash(cli: Cli, claim_id: _Claim) -> None:
    """End an overdue challenge: the harmed and the challenger are credited. Anyone may."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            end = await gateless.slash_claim(claim_id, progress=progress)
        amounts = {
            "compensation": end.compensation,
            "reward": end.reward,
            "burned": end.burned,
        }
        cli.output.result(
            claim_data(end.claim)
            | {name: amount(units, token) for name, units in amounts.items()}
            | {"transactions": transactions([end.transaction])},
            facts(
                [
                    *claim_facts(end.claim),
                    *((name, format_amount(units, token)) for name, units in amounts.items()),
                ]
            ),
        )
        cli.output.note("compensations and rewards are had by: gateless receipt withdraw")


@command(app, "cancel", example="gateless receipt cancel 3")
async def _cancel(cli: Cli, claim_id: _Claim) -> None:
    """Take back a challenge that was announced and not opened, as an interrupted one."""
    async with cli.network("user") as gateless:
        with cli.progress() as progress:
            sent = await gateless.withdraw_commitment(claim_id, progress=progress)
        cli.output.result(
            {"claim_id": claim_id, "transactions": transactions([sent])},
            f"claim {claim_id} is taken back, its bond is at the court",
        )


@command(app, "withdraw", example="gateless receipt withdraw")
async def _withdraw(
    cli: Cli,
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Where to (default: the wallet).")
    ] = None,
) -> None:
    """Fetch bonds that came back, compensations and rewards."""
    async with cli.network("user") as gateless:
        token = gateless.chain.deployment.token
        credited = await gateless.chain.staking.credit_of(gateless.signer.address)
        moved = []
        with cli.progress() as progress:
            if credited:
                moved.append(await gateless.withdraw_compensations(to=to, progress=progress))
            if await gateless.court_balance() or not credited:
                moved.append(await gateless.withdraw_from_court(to=to, progress=progress))
        total = sum(entry.amount for entry in moved)
        sent = [entry.transaction for entry in moved]
        cli.output.result(
            {
                "amount": amount(total, token),
                "to": moved[0].to,
                "transactions": transactions(sent),
            },
            f"{format_amount(total, token)} are at {moved[0].to}",
            *with_transactions(sent),
        )


@command(
    app,
    "back",
    example="gateless receipt back --bond 10 --capacity 100 --challenge-bond 4",
)
async def _back(
    cli: Cli,
    bond: Annotated[str, typer.Option(metavar="AMOUNT", help="Stake behind each receipt.")],
    capacity: Annotated[int, typer.Option(min=1, help="Receipts that an epoch can have.")],
    challenge_bond: Annotated[
        str, typer.Option(metavar="AMOUNT", help="What a challenger must put up.")
    ],
    epochs: Annotated[int, typer.Option(min=1, help="How many epochs.")] = 1,
    first: Annotated[
        int | None, typer.Option(metavar="EPOCH", help="The first (default: the current one).")
    ] = None,
    signer: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Who signs receipts (default: the profile's, else the wallet)."
        ),
    ] = None,
) -> None:
    """Back receipts with stake: open a pool for each epoch that has none. For executors."""
    from gateless.sdk.pools import PoolTerms

    async with cli.network("executor") as gateless:
        token = gateless.chain.deployment.token
        terms = PoolTerms(parse_amount(bond, token), capacity, parse_amount(challenge_bond, token))
        cli.on_interrupt("steps already mined stay; run the same again to do the rest")
        with cli.progress() as progress:
            done = await gateless.back_receipts(
                terms, epochs=epochs, first_epoch=first, receipt_key=signer, progress=progress
            )
        pools = list(enumerate(done.pools, done.first_epoch))
        cli.output.result(
            {
                "pools": [
                    {
                        "epoch": epoch,
                        "state": pool.state.name,
                        "signer": pool.receipt_key,
                        "bond": amount(pool.bond, token),
                        "capacity": pool.capacity,
                        "challenge_bond": amount(pool.challenge_bond, token),
                        "ends": pool.ends,
                        "releasable_at": pool.releasable_at,
                    }
                    for epoch, pool in pools
                ],
                "transactions": transactions(done.transactions),
            },
            table(
                "epoch",
                "ends",
                "bond",
                "slots",
                rows=[
                    (
                        str(epoch),
                        moment(pool.ends),
                        format_amount(pool.bond, token),
                        str(pool.capacity),
                    )
                    for epoch, pool in pools
                ],
                right=["epoch", "slots"],
            ),
            *with_transactions(done.transactions),
        )


@command(app, "release", example="gateless receipt release 494000")
async def _release(
    cli: Cli,
    epoch: Annotated[int, typer.Argument(metavar="EPOCH", min=0, help="The pool's epoch.")],
) -> None:
    """Unlock a pool whose receipts are dead. For executors."""
    async with cli.network("executor") as gateless:
        with cli.progress() as progress:
            sent = await gateless.release_pool(epoch, progress=progress)
        cli.output.result(
            {"epoch": epoch, "transactions": transactions([sent])},
            f"the pool of epoch {epoch} is released",
        )
