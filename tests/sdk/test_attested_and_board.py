"""Answers for which keys vouch, and results that others reuse."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.signer import LocalSigner
from gateless.core.attested import AttestedState, KeySet
from gateless.core.errors import ContractError, InputError, NotFoundError
from gateless.core.lazy import Finality
from gateless.core.results_board import PROVEN_BOND
from gateless.core.types import TrustMode
from gateless.devnet import Devnet
from gateless.sdk import AsyncGateless
from gateless.sdk.progress import Step
from market_fixtures import ROW as TINY_ROW
from market_fixtures import Account, MakeAccount, MakeServed, infer_and_answer, with_files
from quorum_fixtures import DOLLAR, ROW, QuorumStage, quorum_stage

KEYS = [LocalSigner.random() for _ in range(3)]
KEY_SET = KeySet.of(2, [key.address for key in KEYS])


async def signatures_of(
    stage: QuorumStage, request_id: int, output: bytes, executor: str, keys: list[LocalSigner]
) -> dict[str, bytes]:
    """What holders of keys do: each signs with a client of its own."""
    made = {}
    for key in keys:
        async with await AsyncGateless.connect(
            stage.devnet.deployment, signer=key, home=stage.user.home
        ) as holder:
            made[key.address] = await holder.sign_attestation(request_id, output, executor)
    return made


async def test_an_attested_answer(
    devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "attested-whole", executors=1)
    user, bringer = stage.user.client, stage.executors[0]
    asked = await user.ask_attested("attested-whole", ROW, keys=KEY_SET, price=2 * DOLLAR)
    assert (await user.attested_answer(asked.request_id)).state is AttestedState.OPEN
    assert await user.market_of(asked.request_id) is TrustMode.ATTESTED

    output = await bringer.client.run_for_attestation(asked.request_id)
    one = await signatures_of(stage, asked.request_id, output, bringer.address, KEYS[:1])
    with pytest.raises(InputError) as few:
        await bringer.client.answer_attested(asked.request_id, output, KEY_SET, one)
    assert few.value.code == "not-enough-signatures"
    two = await signatures_of(stage, asked.request_id, output, bringer.address, KEYS[1:])
    other = KeySet.of(1, KEY_SET.keys)
    with pytest.raises(InputError) as foreign:
        await bringer.client.answer_attested(asked.request_id, output, other, two)
    assert foreign.value.code == "other-key-set"
    # Signed for this bringer and this output: nobody else, and nothing else, passes.
    for account, brought in ((stage.builder, output), (bringer, output[:-1] + b"\1")):
        with pytest.raises(ContractError) as copied:
            await account.client.answer_attested(asked.request_id, brought, KEY_SET, two)
        assert copied.value.code == "attested-market-not-attested"
    await bringer.client.answer_attested(asked.request_id, output, KEY_SET, two)

    answer = await user.wait_attested(asked.request_id)
    assert answer.executor == bringer.address
    assert answer.outputs is not None
    assert answer.outputs.reals["y"].tolist() == [[2 * value for value in ROW]]
    assert answer.result.how is Finality.ATTESTED
    earned = await user.attested.balance_of(bringer.address)
    assert earned == 2 * DOLLAR * 9 // 10

    # The result for others: only where they believe these keys.
    await bringer.client.publish_result(asked.request_id)
    reader = stage.builder.client
    assert await reader.latest_result("attested-whole", ROW) is None
    modes = (TrustMode.ATTESTED,)
    with pytest.raises(InputError) as unnamed:
        await reader.latest_result("attested-whole", ROW, modes=modes)
    assert unnamed.value.code == "keys-needed"
    assert await reader.latest_result("attested-whole", ROW, modes=modes, keys=other) is None
    known = await reader.latest_result("attested-whole", ROW, modes=modes, keys=KEY_SET)
    assert known is not None
    assert known.shown.request_id == asked.request_id
    assert known.outputs is not None
    assert known.outputs.packed == output
    with pytest.raises(ContractError) as twice:
        await bringer.client.publish_result(asked.request_id)
    assert twice.value.code == "result-board-hidden"


async def test_an_attested_request_that_nobody_answers(
    devnet: Devnet, make_account: MakeAccount, tmp_path: Path
) -> None:
    stage = await quorum_stage(devnet, make_account, tmp_path, "attested-late", executors=0)
    user = stage.user.client
    asked = await user.ask_attested("attested-late", ROW, keys=KEY_SET, price=DOLLAR, timeout=600)
    with pytest.raises(ContractError) as early:
        await user.refund_attested(asked.request_id)
    assert early.value.code == "attested-market-not-expired"
    await devnet.control.skip(601)
    await user.refund_attested(asked.request_id)
    assert (await user.attested_answer(asked.request_id)).state is AttestedState.REFUNDED
    assert await user.attested.balance_of(stage.user.address) == DOLLAR
    with pytest.raises(ContractError) as caught:
        await user.publish_result(asked.request_id)
    assert caught.value.code == "result-board-not-final"


async def test_a_proven_result_is_reused(
    make_account: MakeAccount, make_served: MakeServed
) -> None:
    served = await make_served("board-proven")
    payer = await with_files(await make_account(), served)
    steps: list[Step] = []
    paid = await infer_and_answer(payer, served, steps)
    reader: Account = await with_files(await make_account(tokens=0), served)
    assert await reader.client.latest_result("board-proven", TINY_ROW) is None
    await served.executor.client.publish_result(paid.request_id)

    known = await reader.client.latest_result("board-proven", TINY_ROW, min_bond=10**30)
    assert known is not None
    assert known.shown.how is Finality.PROVEN
    assert known.shown.bond == PROVEN_BOND
    assert known.outputs is not None
    assert known.outputs.label == paid.label
    assert keccak(known.outputs.packed) == known.shown.output_digest
    other = [value + 0.25 for value in TINY_ROW]
    assert await reader.client.latest_result("board-proven", other) is None


async def test_unknown_requests(make_account: MakeAccount) -> None:
    user = (await make_account()).client
    for call in (user.quorum_answer, user.attested_answer, user.publish_result):
        with pytest.raises(NotFoundError) as caught:
            await call((1 << 255) + 7)
        assert caught.value.code == "unknown-request"
