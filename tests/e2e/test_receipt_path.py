"""A receipt's whole way: answered, checked, doubted, and proven from what the executor kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from gateless.adapters.chain import court_calls
from gateless.adapters.signer import LocalSigner
from gateless.core.claims import ClaimState
from gateless.core.errors import FundsError
from gateless.core.receipts import Receipt, parse_receipt
from gateless.devnet import Devnet
from gateless.executor import Journal
from gateless.executor.issuing import ReceiptIssuer
from gateless.executor.journal_receipts import Answer
from gateless.sdk import PoolTerms
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import KeyCache, Prover
from market_fixtures import ROW, MakeAccount, MakeServed, fund, send

DOLLAR = 1_000_000
TERMS = PoolTerms(bond=10 * DOLLAR, capacity=4, challenge_bond=2 * DOLLAR)


async def test_a_true_answer_and_a_lie(
    isolated_devnet: Devnet, make_served: MakeServed, make_account: MakeAccount, tmp_path: Path
) -> None:
    served, user, watcher = await make_served("path"), await make_account(), await make_account()
    executor, key = served.executor, LocalSigner.random()
    await fund(isolated_devnet, executor.address, 100)
    pools = (await executor.client.back_receipts(TERMS, epochs=2, receipt_key=key.address)).pools
    control, chain = isolated_devnet.control, executor.client.chain
    await control.advance(pools[1].starts - (await chain.block("pending")).timestamp)
    packed = pack_inputs(served.bundle.manifest, ROW)
    for file in (served.bundle.root / "manifest.json", *served.bundle.root.glob("*")):
        await user.client.services.store.put(file)
    prover = Prover(KeyCache(executor.home / "cache"))
    truth = await prover.prove(served.bundle, packed)

    async def answered(output: bytes) -> str:
        journal = await Journal.open(
            tmp_path / "journal.db",
            chain_id=31337,
            market=chain.market.address,
            account=executor.address,
        )
        issuer = ReceiptIssuer(chain, journal, executor.address, key, life=7200)
        said = Answer(
            question=keccak(output),
            version_id=served.published.version_id,
            input_binding=keccak(packed),
            packed_input=packed,
            packed_output=output,
            beneficiary=user.address,
            price=DOLLAR,
        )
        signed = await issuer.issue(said)
        await journal.close()
        return signed.to_json()

    lie = bytes(len(truth.packed_output))
    for output in (truth.packed_output, lie):
        signed = parse_receipt(await answered(output))
        options = {"executor": executor.address, "price": DOLLAR, "min_bond": TERMS.bond}
        # What a check shows is not whether the output is right.
        await user.client.check_receipt(
            signed,
            served.name,
            packed,
            output,
            **options,  # type: ignore[arg-type]
        )
        claim = (await watcher.client.challenge_receipt(signed, packed)).claim
        if output == lie:
            await control.advance(claim.deadline - (await chain.block("pending")).timestamp + 1)
            end = await watcher.client.slash_claim(claim.claim_id)
            assert end.claim.state is ClaimState.SLASHED
            # The harmed is paid, whoever brought the receipt.
            assert (await user.client.withdraw_compensations()).amount == DOLLAR
            assert (await watcher.client.withdraw_compensations()).amount == end.reward
            continue
        (event,) = await chain.events(["ReceiptChallenged"], 0)
        journal = await Journal.open(
            tmp_path / "journal.db",
            chain_id=31337,
            market=chain.market.address,
            account=executor.address,
        )
        kept = await journal.evidence(Receipt.of_struct(event.args["receipt"]))
        await journal.close()
        assert kept is not None and kept.packed_input is not None
        proof = await prover.prove(served.bundle, kept.packed_input)
        assert proof.packed_output == kept.packed_output
        ids = [int(event.args["claimId"])]
        await send(
            executor,
            court_calls.respond(ids, 0, kept.packed_input, proof.packed_output, proof.proof),
        )
        assert (await watcher.client.wait_claim(claim.claim_id)).state is ClaimState.PROVEN
        with pytest.raises(FundsError):
            await user.client.withdraw_compensations()
