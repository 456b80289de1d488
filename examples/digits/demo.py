"""The main job on one machine: publish, request, run, prove, verify on chain, get paid.

    make demo

Starts a local chain, deploys, and lets three parties do their business: a builder publishes a
classifier of handwritten digits, an executor stakes and serves it, a user asks for a verified
reading of an image that the classifier has never seen. Then a liar tries to be paid for a forgery.
Every part is real: the chain, the contracts, the daemon, the proofs, the images.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gateless.adapters.chain import calls
from gateless.adapters.chain.artifacts import load_artifact
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import GatelessError
from gateless.devnet import Devnet, running_devnet
from gateless.devnet.create2 import creation
from gateless.sdk import AsyncGateless, InferenceResult
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import BuildOptions, Bundle, CalibrationData, build_bundle
from rich.console import Console

from examples.digits import scenes
from examples.digits.forgery import other_label, try_to_cheat
from examples.digits.images import Split, load_split
from examples.digits.parties import Party, executor_process, serving, settle_in, while_running

HERE = Path(__file__).resolve().parent
DEFAULT_ROOT = HERE.parents[1] / ".build" / "demo"
MODEL_NAME = "digits"
ROYALTY_BPS = 1_000
STAKE = 50
MIN_PRICE = 0.25
LIAR_STAKE = 20
LIAR_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """What all scenes need."""

    console: Console
    net: Devnet
    split: Split

    def units(self, amount: float) -> int:
        """Test dollars to token units."""
        return round(amount * float(10**self.net.deployment.token.decimals))


async def build(stage: Stage, builder: AsyncGateless, root: Path) -> Bundle:
    """Circuit, keys and manifest from the trained ONNX file and its calibration images."""
    out = root / "bundle"
    scenes.clear(out)
    with scenes.progress(stage.console) as report:
        return await build_bundle(
            HERE / "digits.onnx",
            CalibrationData.load(HERE / "calibration.npz"),
            out,
            options=BuildOptions(
                name=MODEL_NAME,
                description="Handwritten digits, 8 x 8 grey pixels, one score per digit.",
                task="image-classification",
                tags=("digits", "mlp"),
                labels=tuple("0123456789"),
            ),
            keys=builder.services.keys,
            progress=report,
        )


async def deploy_reader(stage: Stage, version_id: int) -> str:
    """The consumer contract, deployed by the user for this version."""
    market = stage.net.client.market.address
    reader = creation(load_artifact("DigitReader"), [market, version_id])
    await Sender(stage.net.client, stage.net.signers["user"]).send(reader.call())
    return reader.address


async def ask(
    stage: Stage, user: AsyncGateless, reference: str, index: int, reader: str
) -> InferenceResult:
    """One verified inference of a held-out image, delivered to the consumer contract too."""
    with scenes.steps(stage.console) as report:
        return await user.infer(
            reference,
            stage.split.held_out[index],
            callback=reader,
            callback_gas=200_000,
            progress=report,
        )


async def forge(
    stage: Stage, user: AsyncGateless, bundle: Bundle, reference: str, index: int
) -> None:
    """A staked liar, named by the requester, tries to be paid without a proof."""
    liar = LocalSigner.random()
    await stage.net.control.set_native_balance(liar.address, 10**18)
    await Sender(stage.net.client, stage.net.signers["user"]).send(
        calls.token_transfer(liar.address, stage.units(LIAR_STAKE))
    )
    async with await AsyncGateless.connect(
        stage.net.deployment, signer=liar, home=user.services.bundles.parent
    ) as account:
        await account.stake(stage.units(LIAR_STAKE))
    other = (index + 1) % len(stage.split.held_out)
    before = await user.balances()
    submitted = await user.submit(
        reference,
        stage.split.held_out[other],
        executor=liar.address,
        price=stage.units(MIN_PRICE),
        timeout=LIAR_SECONDS,
        lock_duration=LIAR_SECONDS // 2,
    )
    packed = pack_inputs(bundle.manifest, stage.split.held_out[index])
    genuine = await user.services.prover.prove(bundle, packed)
    lie = other_label(genuine.packed_output, bundle.manifest.outputs[0].spec())
    attempts = await try_to_cheat(
        stage.net, liar, submitted.request_id, (submitted.packed_input, packed), genuine, lie
    )
    # Nobody answered in time: anybody may send the money back, here the user himself.
    await stage.net.control.advance(LIAR_SECONDS + 1)
    await user.refund(submitted.request_id)
    after = await user.balances()
    scenes.show_forgeries(stage.console, attempts)
    scenes.show_refund(stage.console, stage.net, before, after, submitted.price)


async def play(console: Console, root: Path, index: int | None) -> None:
    """All scenes in order."""
    split = load_split()
    chosen = int(np.random.default_rng().integers(len(split.held_out))) if index is None else index
    console.print("[bold]1. A network of your own[/]")
    with scenes.progress(console) as report:
        context = running_devnet(root / "network", progress=report)
        net = await context.__aenter__()
    try:
        stage = Stage(console, net, split)
        scenes.show_network(console, net)
        parties = {name: settle_in(net, name, root) for name in ("builder", "executor", "user")}
        await _business(stage, parties, root, chosen % len(split.held_out))
    finally:
        await context.__aexit__(None, None, None)
    scenes.show_next(console)


async def _business(stage: Stage, parties: dict[str, Party], root: Path, index: int) -> None:
    console, net = stage.console, stage.net
    builder, executor, user = parties["builder"], parties["executor"], parties["user"]
    async with (
        await builder.connect(net) as publisher,
        await executor.connect(net) as operator,
        await user.connect(net) as requester,
        serving(builder.home) as store_url,
    ):
        console.print("\n[bold]2. A builder publishes a model[/]")
        bundle = await build(stage, publisher, root)
        published = await publisher.publish(
            bundle, MODEL_NAME, royalty_bps=ROYALTY_BPS, uri=store_url, alias="stable"
        )
        reference = f"{MODEL_NAME}@{published.index}"
        scenes.show_publication(console, bundle, published)

        console.print("\n[bold]3. An executor stakes and starts working[/]")
        staked = await operator.stake(
            stage.units(STAKE), serve=[reference], min_price=stage.units(MIN_PRICE)
        )
        scenes.show_stake(console, net, staked)
        log = root / "executor.log"
        async with executor_process(executor, net.deployment.name, log) as running:
            console.print("\n[bold]4. A user asks for a verified inference[/]")
            image = stage.split.held_out[index]
            label = int(stage.split.held_out_labels[index])
            scenes.show_image(console, image, index, label)
            reader = await deploy_reader(stage, published.version_id)
            asking = ask(stage, requester, reference, index, reader)
            result = await while_running(running, asking, log)
        floats = await requester.services.prover.float_outputs(
            bundle, pack_inputs(bundle.manifest, image)
        )
        scenes.show_result(console, result, floats[0].reshape(-1), label)
        scenes.show_proof(console, result, scenes.proof_times(log, result.request_id))
        await scenes.show_payment(console, net, result, published.model_id)
        await scenes.show_consumer(console, net, reader, result)

        console.print("\n[bold]5. A liar tries to be paid[/]")
        await forge(stage, requester, bundle, reference, index)


def main() -> int:
    """Runs the demo; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m examples.digits.demo", description="The whole road on this machine."
    )
    parser.add_argument("--image", type=int, help="which held-out image (default: any)")
    parser.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="where its files go")
    options = parser.parse_args()
    console = Console(highlight=False, width=min(Console().width, 100))
    try:
        asyncio.run(play(console, options.root, options.image))
    except GatelessError as error:
        console.print(f"[red]error[{error.code}]:[/] {error.message}\nhint: {error.hint}")
        return error.exit_code
    except KeyboardInterrupt:
        console.print("\nstopped; the network is gone, nothing else to clean up")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
