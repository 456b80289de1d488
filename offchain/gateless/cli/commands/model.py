"""``gateless model``: publish, find and audit models."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from gateless.cli.bundles import BuildRequest, batch_sizes, bundle_for
from gateless.cli.command import command
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
    with_transactions,
)
from gateless.core.amounts import format_amount
from gateless.core.errors import InputError, ProofError, StorageError
from gateless.core.manifest import Binding, Goal, Plan
from gateless.sdk.references import check_model_name, parse_reference

app = typer.Typer(help="Publish, find and audit models.", no_args_is_help=True)

_Goal = Annotated[
    Goal, typer.Option(help="What the circuit keeps low: proving time, gas, memory, or both.")
]
_Batches = Annotated[
    str,
    typer.Option("--batch", metavar="N,N,…", help="Also prove so many inferences at once: 8,32."),
]
_Seed = Annotated[int, typer.Option(min=0, help="Of the random choices of the plan.")]
_MaxLogrows = Annotated[
    int, typer.Option(metavar="K", min=4, max=24, help="Largest circuit: 2^K rows.")
]
_Memory = Annotated[
    int, typer.Option(metavar="GIB", min=1, help="Memory limit of each proving process.")
]
_TimeLimit = Annotated[
    int, typer.Option(metavar="SECONDS", min=1, help="Time limit of each planning or proving step.")
]
_GasBudget = Annotated[
    int | None, typer.Option(metavar="GAS", min=1, help="Most gas of one verification.")
]
_Ref = Annotated[
    str, typer.Argument(metavar="REF", help="name, name@alias, name@index or a version id.")
]


@command(
    app,
    "build",
    example="gateless model build digits.onnx --calibration data.npz --name digits --goal gas",
)
async def _build(
    cli: Cli,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="ONNX file.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the model.")],
    calibration: Annotated[
        Path, typer.Option(metavar="FILE", help="Representative inputs (.npz or .json).")
    ],
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="One sentence about the model.")
    ] = "",
    labels: Annotated[
        str, typer.Option(metavar="A,B,…", help="Names of the scores of a classifier, in order.")
    ] = "",
    accuracy_bound: Annotated[
        float | None,
        typer.Option(metavar="ERROR", help="Largest error at which executors still answer."),
    ] = None,
    binding: Annotated[
        Binding | None, typer.Option(help="How inputs are bound to proofs (default: by size).")
    ] = None,
    goal: _Goal = Goal.BALANCED,
    batch: _Batches = "",
    seed: _Seed = 0,
    max_logrows: _MaxLogrows = 20,
    gas_budget: _GasBudget = None,
    memory: _Memory = 8,
    time_limit: _TimeLimit = 900,
) -> None:
    """Plan and build the circuit of a model, without publishing. Running it again continues."""
    from gateless_proofs import KeyCache, Limits

    check_model_name(name)
    cli.on_interrupt("run the same command again: it continues where it stopped")
    limits = Limits(memory_bytes=memory << 30, seconds=time_limit)
    with cli.progress() as progress:
        bundle = await bundle_for(
            BuildRequest(
                source=source,
                calibration=calibration,
                name=name,
                description=description,
                labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
                accuracy_bound=accuracy_bound,
                binding=binding,
                memory_bytes=memory << 30,
                seconds=time_limit,
                goal=goal,
                batch_sizes=batch_sizes(batch),
                seed=seed,
                max_logrows=max_logrows,
                gas_budget=gas_budget,
            ),
            builds=cli.home / "builds",
            deployment=cli.deployment(),
            keys=KeyCache(cli.home / "cache", limits),
            progress=progress,
        )
    plan = bundle.manifest.plan
    cli.output.result(
        {"bundle": str(bundle.root), "manifest": bundle.manifest.model_dump(mode="json")},
        facts(manifest_rows(bundle.manifest)),
        "",
        _plan_table(plan),
        "",
        plan.why,
    )
    cli.output.note(f"publish it with: gateless model publish {bundle.root} --name {name}")


def _plan_table(plan: Plan) -> RenderableType:
    rows = []
    for place, row in enumerate(plan.candidates):
        mark = "*" if place in plan.winners else ""
        measured = "" if row.trial_seconds is None else f"{row.trial_seconds:.2f}"
        rows.append(
            (
                mark,
                str(row.batch_size),
                f"{row.input_scale}/{row.param_scale} x{row.multiplier}",
                f"{row.base}^{row.legs}" if row.logrows else "",
                str(row.columns or ""),
                str(row.logrows or ""),
                f"{row.seconds:.2f}" if row.logrows else "",
                measured,
                str(row.gas or ""),
                "" if row.max_abs_error is None else f"{row.max_abs_error:.2g}",
                row.verdict,
            )
        )
    return table(
        *("", "rows", "scales", "base", "cols", "k", "predicted s", "measured s", "gas"),
        *("error", "verdict"),
        rows=rows,
        right=["rows", "cols", "k", "predicted s", "measured s", "gas", "error"],
    )


@command(
    app,
    "publish",
    example="gateless model publish digits.onnx --calibration data.npz --name digits --royalty 5",
)
async def _publish(
    cli: Cli,
    source: Annotated[
        Path, typer.Argument(metavar="SOURCE", help="ONNX file, or the folder of a built bundle.")
    ],
    name: Annotated[
        str, typer.Option(metavar="NAME", help="Name of the model, new or already yours.")
    ],
    calibration: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Representative inputs (.npz or .json); for ONNX files."),
    ] = None,
    royalty: Annotated[
        str, typer.Option(metavar="PERCENT", help="Your part of every price, in per cent.")
    ] = "0",
    alias: Annotated[
        str | None,
        typer.Option(metavar="ALIAS", help="Also point this alias at it, such as stable."),
    ] = None,
    uri: Annotated[
        str, typer.Option(metavar="URL", help="Content store that serves the files.")
    ] = "",
    description: Annotated[
        str, typer.Option(metavar="TEXT", help="One sentence about the model.")
    ] = "",
    labels: Annotated[
        str, typer.Option(metavar="A,B,…", help="Names of the scores of a classifier, in order.")
    ] = "",
    accuracy_bound: Annotated[
        float | None,
        typer.Option(metavar="ERROR", help="Largest error at which executors still answer."),
    ] = None,
    binding: Annotated[
        Binding | None, typer.Option(help="How inputs are bound to proofs (default: by size).")
    ] = None,
    goal: _Goal = Goal.BALANCED,
    batch: _Batches = "",
    seed: _Seed = 0,
    max_logrows: _MaxLogrows = 20,
    gas_budget: _GasBudget = None,
    memory: _Memory = 8,
    time_limit: _TimeLimit = 900,
) -> None:
    """Build the circuit of a model and publish it. Running it again continues where it stopped."""
    check_model_name(name)
    royalty_bps = _basis_points(royalty)
    async with cli.network("builder") as gateless:
        cli.on_interrupt("run the same command again: it continues where it stopped")
        with cli.progress() as progress:
            bundle = await bundle_for(
                BuildRequest(
                    source=source,
                    calibration=calibration,
                    name=name,
                    description=description,
                    labels=tuple(label.strip() for label in labels.split(",") if label.strip()),
                    accuracy_bound=accuracy_bound,
                    binding=binding,
                    memory_bytes=memory << 30,
                    seconds=time_limit,
                    goal=goal,
                    batch_sizes=batch_sizes(batch),
                    seed=seed,
                    max_logrows=max_logrows,
                    gas_budget=gas_budget,
                ),
                builds=cli.home / "builds",
                deployment=gateless.chain.deployment,
                keys=gateless.services.keys,
                progress=progress,
            )
            done = await gateless.publish(
                bundle, name, royalty_bps=royalty_bps, uri=uri, alias=alias, progress=progress
            )
        what = "was published already as" if done.already_published else "published as"
        label = f"{name}@{done.index}"
        cli.output.result(
            {
                "model_id": done.model_id,
                "name": name,
                "version_id": done.version_id,
                "version": label,
                "manifest_digest": done.manifest_digest,
                "bundle": str(bundle.root),
                "alias": alias,
                "already_published": done.already_published,
                "transactions": transactions(done.transactions),
            },
            f"{what} {label} (version id {done.version_id})",
            "",
            facts(manifest_rows(bundle.manifest)),
            *with_transactions(done.transactions),
        )
        cli.output.note(f"check it with: gateless model audit {label}")


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


def _basis_points(text: str) -> int:
    """Per cent with at most two decimals to basis points."""
    try:
        value = Decimal(text.strip().removesuffix("%").strip()) * 100
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or value != value.to_integral_value() or not 0 <= value <= 10_000:
        raise InputError(
            "invalid-royalty",
            f"{text!r} is no royalty",
            hint="give per cent with at most two decimals, such as 2.5",
        )
    return int(value)
