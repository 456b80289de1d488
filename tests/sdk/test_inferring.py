"""The main job: ask, get a proof verified on chain, pay."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from eth_utils.crypto import keccak
from gateless.adapters.storage import parse_hint, put_bundle
from gateless.core.types import RequestState
from gateless.devnet import Devnet
from gateless.sdk import AsyncGateless, Step
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import Bundle
from market_fixtures import (
    PRICE,
    ROW,
    MakeAccount,
    MakeServed,
    infer_and_answer,
    with_files,
)

DOLLAR = 1_000_000


async def test_a_verified_inference(make_served: MakeServed, make_account: MakeAccount) -> None:
    served = await make_served("infer-whole", royalty_bps=500)
    user = await with_files(await make_account(tokens=10), served)
    steps: list[Step] = []
    result = await infer_and_answer(user, served, steps, price=DOLLAR)

    stages = [step.stage for step in steps]
    assert stages.index("requested") < stages.index("fulfilled")
    assert "open" in stages or "locked" in stages
    assert result.requester == user.address
    assert result.executor == served.executor.address
    assert result.version_label == "infer-whole@0"
    assert (result.price, result.fee, result.royalty) == (DOLLAR, 950_000, 50_000)
    assert result.gas_used > 300_000  # a Halo2 verification is in it
    assert result.request_tx is not None and result.request_tx != result.fulfil_tx
    assert result.warnings == ()

    # The proven numbers are the model's: onnxruntime says the same, within the stated bound.
    reference = await user.client.services.prover.float_outputs(
        served.bundle, (await user.client.submit(served.name, ROW)).packed_input
    )
    name = served.bundle.manifest.outputs[0].name
    bound = served.bundle.manifest.accuracy.bound
    np.testing.assert_allclose(result.outputs[name], reference[0], atol=bound)
    assert result.label == served.bundle.manifest.labels[int(np.argmax(reference[0]))]
    with pytest.raises(ValueError, match="read-only"):
        result.outputs[name][0, 0] = 1.0
    assert isinstance(result.outputs, Mapping)

    # Who was paid what.
    assert (await served.executor.client.balances()).market == 950_000
    assert (await served.builder.client.model(served.name)).model.royalties == 50_000
    taken = await served.builder.client.withdraw_royalties(served.name)
    assert taken.amount == 50_000

    # Anyone can look it up later, without a key.
    async with await AsyncGateless.connect(user.client.chain.deployment, home=user.home) as reader:
        again = await reader.wait(result.request_id)
    assert again.packed_output == result.packed_output
    assert again.fulfil_tx == result.fulfil_tx
    assert again.request_tx is None


async def test_an_input_bound_by_commitment(
    make_served: MakeServed, make_account: MakeAccount, committed_bundle: Bundle
) -> None:
    served = await make_served("infer-committed", bundle=committed_bundle)
    user = await make_account(tokens=10)
    await put_bundle(user.client.services.store, committed_bundle.root)
    steps: list[Step] = []
    result = await infer_and_answer(user, served, steps, price=DOLLAR)
    assert {"fetch-bundle", "commit"} <= {step.stage for step in steps}
    info = await user.client.request(result.request_id)
    packed = pack_inputs(committed_bundle.manifest, ROW)
    assert info.input_digest == keccak(packed)
    assert info.input_binding != info.input_digest
    reference = await user.client.services.prover.float_outputs(committed_bundle, packed)
    name = committed_bundle.manifest.outputs[0].name
    bound = committed_bundle.manifest.accuracy.bound
    np.testing.assert_allclose(result.outputs[name], reference[0], atol=bound)


async def test_an_input_that_does_not_travel_through_the_chain(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-hinted")
    user = await with_files(await make_account(tokens=1), served)
    submitted = await user.client.submit(served.name, ROW, input_store="https://store.example.org")
    (event,) = (
        event
        for event in await user.client.chain.events(["RequestCreated"], 0)
        if event.args["requestId"] == submitted.request_id
    )
    assert event.args["input"] == b""
    hint = parse_hint(event.args["inputHint"])
    assert hint.base_url == "https://store.example.org"
    assert await user.client.services.store.get(hint.sha256) == submitted.packed_input


async def test_the_price_defaults_to_the_cheapest_offer(
    make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-cheap")
    user = await with_files(await make_account(tokens=1), served)
    submitted = await user.client.submit(served.name, ROW)
    assert submitted.price == PRICE
    info = await user.client.request(submitted.request_id)
    assert info.state is RequestState.OPEN
    # The wallet paid for it in the same transaction; the rest stayed where it was.
    balances = await user.client.balances()
    assert (balances.wallet, balances.market) == (DOLLAR - PRICE, 0)


async def test_a_callback_receives_the_output(
    devnet: Devnet, make_served: MakeServed, make_account: MakeAccount
) -> None:
    served = await make_served("infer-callback")
    user = await with_files(await make_account(), served)
    # The test dollar is a contract without that function: the callback fails, the result stands.
    target = devnet.deployment.token.address
    result = await infer_and_answer(user, served, [], callback=target, callback_gas=50_000)
    assert result.callback is not None
    assert result.callback.address == target
    assert not result.callback.success
    assert (await user.client.request(result.request_id)).state is RequestState.PAID
