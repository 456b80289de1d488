"""``gateless model build`` and ``gateless model publish``: from an ONNX file to a version."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated

import typer
from rich.console import RenderableType

from gateless.cli.bundles import (
    BuildRequest,
    batch_sizes,
    bundle_for,
    needs_circuit,
    trust_modes,
)
from gateless.cli.context import Cli
from gateless.cli.output import facts, table
from gateless.cli.render import manifest_rows, transactions, with_transactions
from gateless.core.errors import InputError
from gateless.core.manifest import Binding, Goal, Plan
from gateless.sdk.references import check_model_name

#: calibration samples from which on the plan holds some out
_HELD_OUT_FROM = 8


def _positive(bound: float | None) -> float | None:
    if bound is not None and not 0 < bound < math.inf:
        raise typer.BadParameter("an error is a number above 0")
    return bound


def _listed(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


# Options that both commands take, about the circuit to build.
_Description = Annotated[str, typer.Option(metavar="TEXT", help="One sentence about the model.")]
_Labels = Annotated[
    str, typer.Option(metavar="A,B,…", help="Names of the scores of a classifier, in order.")
]
_Task = Annotated[str, typer.Option(metavar="TASK", help="What it does, for searches.")]
_Tags = Annotated[str, typer.Option(metavar="A,B,…", help="Words that it is found by.")]
_License = Annotated[
    str, typer.Option("--license", metavar="SPDX", help="What may be done with it: MIT, …")
]
_Modes = Annotated[
    str,
    typer.Option(
        "--mode",
        metavar="MODE,MODE,…",
        help="Trust modes to allow: zk, lazy_zk, quorum, attested (default: zk,lazy_zk)."
        " Without zk and lazy_zk no circuit is built.",
    ),
]
_AccuracyBound = Annotated[
    float | None,
    typer.Option(
        metavar="ERROR",
        help="Largest error at which executors still answer (default: 1 % of the range).",
        callback=_positive,
    ),
]
_Binding = Annotated[
    Binding | None, typer.Option(help="How inputs are bound to proofs (default: by size).")
]
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


async def build(
    cli: Cli,
    source: Annotated[Path, typer.Argument(metavar="SOURCE", help="ONNX file.")],
    name: Annotated[str, typer.Option(metavar="NAME", help="Name of the model.")],
    calibration: Annotated[
        Path, typer.Option(metavar="FILE", help="Representative inputs (.npz or .json).")
    ],
    description: _Description = "",
    labels: _Labels = "",
    task: _Task = "",
    tags: _Tags = "",
    license_: _License = "",
    mode: _Modes = "",
    accuracy_bound: _AccuracyBound = None,
    binding: _Binding = None,
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
                labels=_listed(labels),
                task=task,
                tags=_listed(tags),
                license=license_,
                accuracy_bound=accuracy_bound,
                binding=binding,
                memory_bytes=memory << 30,
                seconds=time_limit,
                goal=goal,
                batch_sizes=batch_sizes(batch),
                seed=seed,
                max_logrows=max_logrows,
                gas_budget=gas_budget,
                circuit=needs_circuit(trust_modes(mode)),
            ),
            builds=cli.home / "builds",
            deployment=cli.deployment(),
            keys=KeyCache(cli.home / "cache", limits),
            progress=progress,
        )
    plan = bundle.manifest.plan
    _note_few_samples(cli, bundle.manifest.accuracy.samples)
    cli.output.result(
        {"bundle": str(bundle.root), "manifest": bundle.manifest.model_dump(mode="json")},
        facts(manifest_rows(bundle.manifest)),
        "",
        *((_plan_table(plan), "") if plan.candidates else ()),
        plan.why,
    )
    cli.output.note(f"publish it with: gateless model publish {bundle.root} --name {name}")


def _note_few_samples(cli: Cli, samples: int) -> None:
    if samples < _HELD_OUT_FROM:
        cli.output.note(
            f"only {samples} calibration sample{'' if samples == 1 else 's'}: from"
            f" {_HELD_OUT_FROM} on, some are held out to judge the accuracy on"
        )


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


async def publish(
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
    description: _Description = "",
    labels: _Labels = "",
    task: _Task = "",
    tags: _Tags = "",
    license_: _License = "",
    mode: _Modes = "",
    accuracy_bound: _AccuracyBound = None,
    binding: _Binding = None,
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
    modes = trust_modes(mode)
    async with cli.network("builder") as gateless:
        cli.on_interrupt("run the same command again: it continues where it stopped")
        with cli.progress() as progress:
            bundle = await bundle_for(
                BuildRequest(
                    source=source,
                    calibration=calibration,
                    name=name,
                    description=description,
                    labels=_listed(labels),
                    task=task,
                    tags=_listed(tags),
                    license=license_,
                    accuracy_bound=accuracy_bound,
                    binding=binding,
                    memory_bytes=memory << 30,
                    seconds=time_limit,
                    goal=goal,
                    batch_sizes=batch_sizes(batch),
                    seed=seed,
                    max_logrows=max_logrows,
                    gas_budget=gas_budget,
                    circuit=needs_circuit(modes),
                ),
                builds=cli.home / "builds",
                deployment=gateless.chain.deployment,
                keys=gateless.services.keys,
                progress=progress,
            )
            _note_few_samples(cli, bundle.manifest.accuracy.samples)
            done = await gateless.publish(
                bundle,
                name,
                royalty_bps=royalty_bps,
                modes=modes,
                uri=uri,
                alias=alias,
                progress=progress,
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
