"""What the demo shows: all of it read from the chain, the bundle or a measurement."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gateless.adapters.chain.abi import ContractAbi
from gateless.adapters.chain.artifacts import load_artifact
from gateless.core.ids import cid_of
from gateless.core.packing import FloatArray
from gateless.devnet import Devnet
from gateless.sdk import (
    Balances,
    InferenceResult,
    PublishResult,
    StakeResult,
    Step,
    format_amount,
)
from gateless_proofs import Bundle
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from examples.digits.forgery import Attempt
from examples.digits.images import draw

#: What the executor logs about a proof.
_MEASURED = ("witness_seconds", "seconds", "proof_bytes")


@dataclass(frozen=True, slots=True)
class ProofTimes:
    """What the executor measured for a request."""

    witness_seconds: float
    prove_seconds: float
    proof_bytes: int


def clear(folder: Path) -> None:
    """Removes what an earlier run left."""
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def progress(console: Console) -> Iterator[Callable[[str, float], None]]:
    """A progress bar for stages with fractions."""
    with _bar(console) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(stage: str, fraction: float) -> None:
            bar.update(task, description=stage, completed=fraction)

        yield report


@contextmanager
def steps(console: Console) -> Iterator[Callable[[Step], None]]:
    """The life of a request as it happens, a line per stage."""
    seen: set[str] = set()
    with _bar(console) as bar:
        task = bar.add_task("asking", total=None)

        def report(step: Step) -> None:
            text = step.detail or step.stage
            bar.update(task, description=text)
            if step.stage in ("requested", "locked", "fulfilled") and text not in seen:
                seen.add(text)
                bar.console.print(f"   · {text}")

        yield report


def _bar(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=20),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _facts(console: Console, rows: Sequence[tuple[str, str]]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", min_width=12)
    table.add_column(overflow="fold")
    for name, value in rows:
        table.add_row(f"   {name}", value)
    console.print(table)


def show_network(console: Console, net: Devnet) -> None:
    """Chain and contracts."""
    contracts = net.deployment.contracts
    _facts(
        console,
        [
            ("chain", f"anvil at {net.deployment.rpc_url}, chain id {net.deployment.chain_id}"),
            ("registry", contracts["ModelRegistry"]),
            ("market", contracts["InferenceMarket"]),
        ],
    )


def show_publication(console: Console, bundle: Bundle, published: PublishResult) -> None:
    """The version and what its manifest says about it."""
    circuit, accuracy = bundle.manifest.circuits[0], bundle.manifest.accuracy
    agreement = accuracy.label_agreement or 0.0
    gas = sum(sent.gas_used for sent in published.transactions)
    _facts(
        console,
        [
            ("version", f"{published.name}@{published.index}, id {published.version_id}"),
            ("manifest", cid_of(published.manifest_digest)),
            ("circuit", f"2^{circuit.logrows} rows, {'exact' if circuit.exact else 'rescaling'}"),
            ("agrees", f"with onnxruntime on {agreement:.1%} of {accuracy.samples} images"),
            ("royalty", "10% of every price"),
            ("gas", f"{gas:,} in {len(published.transactions)} transactions, once"),
        ],
    )


def show_stake(console: Console, net: Devnet, staked: StakeResult) -> None:
    """What the executor put up."""
    token, state = net.deployment.token, staked.state
    _facts(
        console,
        [
            ("executor", state.executor.address),
            ("stake", format_amount(state.allocation.allocated, token)),
            ("asks", f"{format_amount(state.executor.min_price, token)} an inference"),
        ],
    )


def show_image(console: Console, image: FloatArray, index: int, label: int) -> None:
    """The image as the user sees it."""
    console.print(f"   image {index} of the held-out set, a person wrote a {label}:\n")
    for line in draw(image.astype(np.float32)):
        console.print(f"      {line}")
    console.print()


def show_result(console: Console, result: InferenceResult, floats: FloatArray, label: int) -> None:
    """Prediction, and the proven fixed-point scores beside the float ones."""
    (name,) = result.outputs
    proven, integers = result.outputs[name].reshape(-1), result.integers[name]
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for column in ("   digit", "onnxruntime", "proven", "as integer"):
        table.add_column(column, justify="right")
    best = int(np.argmax(proven))
    for digit, (real, fixed, integer) in enumerate(zip(floats, proven, integers, strict=True)):
        style = "bold green" if digit == best else None
        table.add_row(str(digit), f"{real:.4f}", f"{fixed:.4f}", str(integer), style=style)
    console.print(table)
    verdict = "right" if best == label else f"wrong: it is a {label}"
    console.print(f"\n   [bold]it reads a {result.label}[/] ({verdict})\n")


def proof_times(log: Path, request_id: int) -> ProofTimes | None:
    """The executor's own measurement, from its log."""
    facts: dict[str, float] = {}
    for line in log.read_text().splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("request_id") == request_id:
            facts |= {name: entry[name] for name in _MEASURED if name in entry}
    if len(facts) < len(_MEASURED):
        return None
    return ProofTimes(facts["witness_seconds"], facts["seconds"], int(facts["proof_bytes"]))


def show_proof(console: Console, result: InferenceResult, times: ProofTimes | None) -> None:
    """Proof and the transaction that verified it."""
    rows = [
        ("request", f"{result.request_id}, answered by {result.executor}"),
        ("verified", result.fulfil_tx),
        ("gas", f"{result.gas_used:,} for verification, payment and callback"),
    ]
    if times is not None:
        rows.insert(
            1,
            (
                "proof",
                f"{times.proof_bytes:,} bytes in {times.prove_seconds:.2f} s"
                f" (witness {times.witness_seconds * 1000:.0f} ms)",
            ),
        )
    _facts(console, rows)


async def show_payment(
    console: Console, net: Devnet, result: InferenceResult, model_id: int
) -> None:
    """Who was paid, as the contract holds it now."""
    token, market = net.deployment.token, net.client.market
    earned = await market.balance_of(result.executor)
    royalty = await market.royalty_of(model_id)
    _facts(
        console,
        [
            ("paid", f"{format_amount(result.price, token)} by {result.requester}"),
            (
                "executor",
                f"{format_amount(result.fee, token)}, holds {format_amount(earned, token)}",
            ),
            (
                "builder",
                f"{format_amount(result.royalty, token)} royalty, the model holds"
                f" {format_amount(royalty, token)}",
            ),
        ],
    )


async def show_consumer(
    console: Console, net: Devnet, reader: str, result: InferenceResult
) -> None:
    """What the consumer contract made of the output, read back from it."""
    artifact = load_artifact("DigitReader")
    abi = ContractAbi(artifact.name, artifact.abi)
    digit = (result.label or "?")[0]
    function = abi.function("countOf")
    call = {"to": reader, "data": "0x" + function.encode_call(int(digit)).hex()}
    count = function.decode_result(await net.client.rpc.data("eth_call", call, "latest"))
    outcome = "received the output" if result.callback and result.callback.success else "failed"
    _facts(
        console,
        [("consumer", f"DigitReader at {reader} {outcome}: it has read {count} x {digit}")],
    )


def show_forgeries(console: Console, attempts: Sequence[Attempt]) -> None:
    """Each attempt and the chain's answer."""
    for attempt in attempts:
        console.print(f"   he sends {attempt.what}:")
        console.print(f"      [red]reverted[/] with {attempt.refusal}", soft_wrap=True)
        console.print(f"      in {attempt.tx_hash}")
        console.print(f"      the {attempt.gas_used:,} gas that he paid are gone")


def show_refund(
    console: Console, net: Devnet, before: Balances, after: Balances, price: int
) -> None:
    """The user's money after the forgery."""
    token = net.deployment.token
    lost = before.wallet + before.market - after.wallet - after.market
    console.print(
        f"   the deadline passes and the user has his money back: {format_amount(price, token)}"
        f" returned, {format_amount(lost, token)} lost"
    )


def show_next(console: Console) -> None:
    """Commands to try now."""
    console.print("\n[bold]Next: a network that stays, in a terminal of its own[/]")
    console.print("   source .venv/bin/activate && gateless devnet up")
    console.print("[bold]and in another one[/]")
    console.print(
        "   source .venv/bin/activate && export GATELESS_PASSWORD=gateless-devnet\n"
        "   gateless model publish examples/digits/digits.onnx --name digits \\\n"
        "       --calibration examples/digits/calibration.npz --wallet builder\n"
        "   gateless executor stake 50 --serve digits --min-price 0.25\n"
        "   gateless executor run &\n"
        "   gateless infer digits --input examples/digits/image.json --wallet user\n"
        "   gateless model audit digits\n"
        "README.md has a first real use in each role."
    )
