"""``gateless model``: publish, find and audit models."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from gateless.cli.command import command
from gateless.cli.commands.model_publishing import build, publish
from gateless.cli.commands.model_search import search
from gateless.cli.context import Cli
from gateless.cli.output import facts, short, table
from gateless.cli.render import (
    amount,
    manifest_rows,
    modes,
    moment,
    percent,
    transactions,
    version_data,
    version_rows,
)
from gateless.core.amounts import format_amount
from gateless.core.errors import ProofError, StorageError
from gateless.sdk.references import parse_reference

app = typer.Typer(help="Publish, find and audit models.", no_args_is_help=True)

_Ref = Annotated[
    str, typer.Argument(metavar="REF", help="name, name@alias, name@index or a version id.")
]

command(
    app,
    "build",
    example="gateless model build digits.onnx --calibration data.npz --name digits --goal gas",
)(build)
command(
    app,
    "publish",
    example="gateless model publish digits.onnx --calibration data.npz --name digits --royalty 5",
)(publish)
command(
    app,
    "search",
    example='gateless model search "digits classifier" --mode zk --indexer http://127.0.0.1:8730',
)(search)


@command(app, "list", example="gateless model list --limit 10")
async def _list(
    cli: Cli,
    offset: Annotated[int, typer.Option(min=0, help="Skip this many.")] = 0,
    limit: Annotated[int, typer.Option(min=1, max=500, help="At most this many.")] = 50,
) -> None:
    """List the models of the network, oldest first."""
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        found = await gateless.models(offset, limit)
        total = await gateless.model_count()
        cli.output.result(
            {
                "total": total,
                "models": [
                    {
                        "model_id": model.model_id,
                        "name": model.name,
                        "holder": model.holder,
                        "versions": model.version_count,
                        "royalties": amount(model.royalties, token),
                    }
                    for model in found
                ],
            },
            table(
                "model",
                "versions",
                "holder",
                "royalties",
                rows=[
                    (
                        model.name,
                        str(model.version_count),
                        short(model.holder),
                        format_amount(model.royalties, token),
                    )
                    for model in found
                ],
                right=["versions", "royalties"],
            )
            if found
            else "no models yet: gateless model publish --help",
        )
        if offset + len(found) < total:
            cli.output.note(f"{total - offset - len(found)} more: --offset {offset + len(found)}")


@command(app, "show", example="gateless model show digits@stable")
async def _show(cli: Cli, ref: _Ref) -> None:
    """Show a model with its versions, or (name@…, version id) one version in full."""
    reference = parse_reference(ref)
    async with cli.network() as gateless:
        token = gateless.chain.deployment.token
        if reference.name is None or "@" in ref:
            await _show_version(cli, gateless, ref)
            return
        details = await gateless.model(reference.name)
        named: dict[int, list[str]] = {}
        for alias, version_id in sorted(details.aliases.items()):
            named.setdefault(version_id, []).append(alias)
        model = details.model
        cli.output.result(
            {
                "model_id": model.model_id,
                "name": model.name,
                "holder": model.holder,
                "royalties": amount(model.royalties, token),
                "aliases": dict(details.aliases),
                "versions": [version_data(version) for version in details.versions],
            },
            facts(
                [
                    ("model", model.name),
                    ("model id", str(model.model_id)),
                    ("holder", model.holder),
                    ("royalties", format_amount(model.royalties, token)),
                ]
            ),
            "",
            table(
                "version",
                "aliases",
                "published",
                "modes",
                "royalty",
                rows=[
                    (
                        f"{model.name}@{version.index}" + (" !" if version.deprecated else ""),
                        ", ".join(named.get(version.version_id, [])),
                        moment(version.published_at),
                        modes(version.modes),
                        percent(version.royalty_bps),
                    )
                    for version in details.versions
                ],
                right=["royalty"],
            ),
        )
        if any(version.deprecated for version in details.versions):
            cli.output.note("! deprecated: the publisher advises against this version")


async def _show_version(cli: Cli, gateless: Any, ref: str) -> None:
    resolved = await gateless.resolve(ref)
    for warning in resolved.warnings:
        cli.output.warn(warning)
    data = {"model": resolved.model.name, **version_data(resolved.version)}
    rows = version_rows(resolved.label, resolved.version)
    try:
        manifest = await gateless.manifest(ref)
    except StorageError as error:
        data["manifest_error"] = error.to_dict()
        cli.output.warn(f"the manifest cannot be shown: {error.message}")
    else:
        data["manifest"] = manifest.model_dump(mode="json")
        rows += manifest_rows(manifest)
    offers = await gateless.offers(resolved.version.version_id)
    token = gateless.chain.deployment.token
    data["executors"] = [
        {"address": offer.address, "min_price": amount(offer.min_price, token)} for offer in offers
    ]
    served = (
        f"{len(offers)} executor{'' if len(offers) == 1 else 's'},"
        f" from {format_amount(offers[0].min_price, token)}"
        if offers
        else "no executor yet"
    )
    rows.append(("served by", served))
    data["warnings"] = list(resolved.warnings)
    cli.output.result(data, facts(rows))


@command(app, "audit", example="gateless model audit digits@0")
async def _audit(cli: Cli, ref: _Ref) -> None:
    """Make a version's keys again from its published files and compare them with the chain."""
    async with cli.network() as gateless:
        with cli.progress() as progress:
            resolved, report = await gateless.audit(ref, progress=progress)
        for warning in resolved.warnings:
            cli.output.warn(warning)
        cli.output.result(
            {
                "version": resolved.label,
                "version_id": resolved.version.version_id,
                "ok": report.ok,
                "checks": [
                    {"name": check.name, "ok": check.ok, "detail": check.detail}
                    for check in report.checks
                ],
            },
            table(
                "check",
                "result",
                "detail",
                rows=[
                    (check.name, "ok" if check.ok else "FAILED", check.detail)
                    for check in report.checks
                ],
            ),
        )
        if not report.ok:
            failed = ", ".join(check.name for check in report.checks if not check.ok)
            raise ProofError(
                "audit-failed",
                f"{resolved.label} is not what it says: {failed}",
                hint="do not use or serve this version",
                version_id=resolved.version.version_id,
            )
        cli.output.note(f"{resolved.label} is what it says")


@command(app, "alias", example="gateless model alias digits@3 stable")
async def _alias(
    cli: Cli,
    ref: _Ref,
    alias: Annotated[str, typer.Argument(metavar="ALIAS", help="Such as stable.")],
) -> None:
    """Point an alias of your model at one of its versions."""
    async with cli.network("builder") as gateless:
        with cli.progress() as progress:
            sent = await gateless.set_alias(ref, alias, progress=progress)
        cli.output.result(
            {"alias": alias, "ref": ref, "transactions": transactions([sent])},
            f"{alias} now points at {ref}",
        )


@command(app, "deprecate", example='gateless model deprecate digits@0 --reason "use digits@1"')
async def _deprecate(
    cli: Cli,
    ref: _Ref,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for its users.")] = "",
    undo: Annotated[bool, typer.Option("--undo", help="Withdraw the advice.")] = False,
) -> None:
    """Advise against a version of your model. Nothing is removed or forbidden."""
    async with cli.network("builder") as gateless:
        with cli.progress() as progress:
            sent = await gateless.deprecate(ref, reason, deprecated=not undo, progress=progress)
        cli.output.result(
            {"ref": ref, "deprecated": not undo, "transactions": transactions([sent])},
            f"{ref} is {'recommended again' if undo else 'deprecated'}",
        )


@command(app, "withdraw", example="gateless model withdraw digits")
async def _withdraw(
    cli: Cli,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Your model.")],
    to: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Who gets it (default: the wallet).")
    ] = None,
) -> None:
    """Withdraw the royalties of your model."""
    async with cli.network("builder") as gateless:
        token = gateless.chain.deployment.token
        with cli.progress() as progress:
            moved = await gateless.withdraw_royalties(name, to=to, progress=progress)
        cli.output.result(
            {
                "withdrawn": amount(moved.amount, token),
                "to": moved.to,
                "transactions": transactions([moved.transaction]),
            },
            f"withdrew {format_amount(moved.amount, token)} to {moved.to}",
        )
