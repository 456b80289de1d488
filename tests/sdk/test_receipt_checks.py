"""What makes a receipt worthless to a client: each reason against it has a code of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from court_fixtures import BOND, CAPACITY, CHALLENGE_BOND, DOLLAR, SALT, CourtNetwork
from eth_utils.crypto import keccak
from executor_fixtures import serving
from gateless.adapters.chain import calls, court_calls
from gateless.core.claims import ClaimState, PoolInfo, PoolState
from gateless.core.errors import GatelessError, InputError
from gateless.core.receipts import Court, SignedReceipt, commitment, pair_digest
from gateless.sdk import AsyncGateless
from gateless.sdk.receipt_checks import CheckedReceipt, check_backing
from gateless.sdk.tensors import pack_inputs
from gateless_proofs import Bundle
from market_fixtures import ROW, MakeServed, Served, fund

OUTPUT = b"what the executor answered"
Check = Callable[..., Awaitable[CheckedReceipt]]


@dataclass(frozen=True)
class Client:
    """Somebody who was answered by the executor of the court's network."""

    net: CourtNetwork
    served: Served
    user: AsyncGateless
    packed: bytes

    async def have(self, *names: str) -> None:
        """Gives the user the version's files, as if they had been fetched."""
        root = self.served.bundle.root
        for name in names or [p.name for p in root.iterdir() if p.is_file()]:
            await self.user.services.store.put(root / name)

    def said(self, **changes: Any) -> dict[str, Any]:
        return {
            "version_id": self.served.published.version_id,
            "input_binding": keccak(self.packed),
            "output_digest": keccak(OUTPUT),
            **changes,
        }

    async def signed(self, **changes: Any) -> SignedReceipt:
        return await self.net.signed(**self.said(**changes))

    async def check(self, signed: SignedReceipt, **options: Any) -> CheckedReceipt:
        packed = options.pop("packed", self.packed)
        output = options.pop("output", OUTPUT)
        return await self.user.check_receipt(signed, self.served.name, packed, output, **options)

    async def refused(self, signed: SignedReceipt, **options: Any) -> str:
        with pytest.raises(GatelessError) as caught:
            await self.check(signed, **options)
        assert caught.value.hint
        return caught.value.code


@pytest_asyncio.fixture
async def make_client(
    court_network: CourtNetwork, make_served: MakeServed, tmp_path: Path
) -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    made: list[AsyncGateless] = []

    async def make(name: str, bundle: Bundle | None = None) -> Client:
        net, served = court_network, await make_served(name, bundle)
        user = await AsyncGateless.connect(net.deployment, signer=net.challenger, home=tmp_path)
        made.append(user)
        (tmp_path / "cache").symlink_to(served.executor.home / "cache")
        return Client(net, served, user, pack_inputs(served.bundle.manifest, ROW))

    yield make
    for user in made:
        await user.close()


MakeClient = Callable[..., Awaitable[Client]]


async def test_a_good_receipt_passes(make_client: MakeClient) -> None:
    client = await make_client("receipt-good")
    await client.have()
    signed = await client.signed()
    checked = await client.check(
        signed, executor=client.net.executor.address, price=DOLLAR, min_bond=BOND
    )
    assert checked.signed == signed
    assert checked.resolved.version.version_id == client.served.published.version_id
    assert (checked.pool.bond, checked.proven) == (BOND, False)


async def test_what_it_says_must_be_what_was_asked(make_client: MakeClient) -> None:
    client = await make_client("receipt-says")
    await client.have()
    other = client.served.executor.address
    good = await client.signed()
    for signed, options, code in (
        (replace(good, court=Court(1, good.court.address)), {}, "receipt-other-court"),
        (replace(good, court=Court(31337, other)), {}, "receipt-other-court"),
        (await client.signed(version_id=1 << 40), {}, "receipt-other-version"),
        (await client.signed(input_binding=keccak(b"x")), {}, "receipt-other-input"),
        (await client.signed(input_digest=keccak(b"x")), {}, "receipt-other-input"),
        (await client.signed(input_digest=keccak(client.packed)), {}, "receipt-other-input"),
        (good, {"packed": client.packed[:-1] + b"\x7f"}, "receipt-other-input"),
        (await client.signed(output_digest=keccak(b"x")), {}, "receipt-other-output"),
        (good, {"output": OUTPUT + b"!"}, "receipt-other-output"),
        (good, {"executor": other}, "receipt-other-executor"),
        (await client.signed(beneficiary=other), {}, "receipt-other-beneficiary"),
        (good, {"beneficiary": other}, "receipt-other-beneficiary"),
        (good, {"price": DOLLAR - 1}, "receipt-other-price"),
    ):
        assert await client.refused(signed, **options) == code
    await client.check(good)


async def test_it_must_be_one_that_the_court_takes(make_client: MakeClient) -> None:
    client = await make_client("receipt-flaws")
    await client.have()
    net = client.net
    now = await net.now()
    life = (await net.client.court.limits()).max_receipt_life
    good = await client.signed()
    for signed, code in (
        (await client.signed(epoch=net.epoch + 2), "receipt-no-pool"),
        (await client.signed(slot=CAPACITY), "receipt-beyond-capacity"),
        (await client.signed(bond=BOND + 1), "receipt-other-bond"),
        (await client.signed(epoch=net.epoch + 1), "receipt-other-epoch"),
        (await client.signed(issued=now + 900), "receipt-not-yet-issued"),
        (await client.signed(issued=now, expires=now + life + 1), "receipt-life-out-of-range"),
        (replace(good, signature=bytes(65)), "receipt-foreign-signature"),
        (
            await SignedReceipt.sign(good.court, good.receipt, net.executor),
            "receipt-foreign-signature",
        ),
        (
            replace(good, receipt=replace(good.receipt, price=1)),
            "receipt-foreign-signature",
        ),
    ):
        assert await client.refused(signed) == code
    ending = await client.signed(expires=now + 2)
    await net.devnet.control.advance(60)
    assert await client.refused(ending) == "receipt-expired"


async def test_enough_must_stand_behind_it_for_long_enough(make_client: MakeClient) -> None:
    client = await make_client("receipt-backing")
    await client.have()
    net = client.net
    good = await client.signed()
    assert await client.refused(good, min_bond=BOND + 1) == "receipt-bond-too-low"
    dear = {"max_challenge_bond": CHALLENGE_BOND - 1}
    assert await client.refused(good, **dear) == "receipt-challenge-bond-too-high"
    await client.check(good, max_challenge_bond=CHALLENGE_BOND)
    short = await client.signed(expires=await net.now() + 1800)
    assert await client.refused(short) == "receipt-expires-too-soon"
    await client.check(short, min_life=600)

    sender = net.sender(net.executor)
    court = net.client.court.address
    await sender.send(calls.request_exit(court, DOLLAR))
    assert await client.refused(good) == "receipt-executor-in-exit"
    await sender.send(calls.cancel_exit(court))
    await client.check(good)


async def test_executors_that_sign_twice_are_not_trusted_any_more(make_client: MakeClient) -> None:
    client = await make_client("receipt-twice")
    await client.have()
    net = client.net
    first, second = await client.signed(), await client.signed(price=2)
    await net.deposit(net.challenger, (await net.client.court.limits()).max_challenge_bond)
    digest = pair_digest(first.digest, second.digest)
    sender = net.sender(net.challenger)
    sent = await sender.send(court_calls.commit(commitment(net.challenger.address, digest, SALT)))
    claim_id = int(sent.event("Committed").args["claimId"])
    await sender.send(court_calls.report_equivocation(claim_id, first, second, SALT))
    assert await client.refused(await client.signed(slot=1)) == "receipt-pool-forfeited"


async def test_a_slot_used_twice_is_seen_by_whoever_keeps_receipts(
    make_client: MakeClient,
) -> None:
    client = await make_client("receipt-reused")
    await client.have()
    first, second = await client.signed(), await client.signed(price=2)
    assert await client.refused(second, known=[first]) == "receipt-slot-reused"
    elsewhere = SignedReceipt(Court(1, first.court.address), first.receipt, first.signature)
    others = [await client.signed(slot=1), await client.signed(epoch=0), elsewhere]
    await client.check(second, known=[second, *others])
    report = await client.user.report_equivocation(first, second)
    assert report.claim.state is ClaimState.REPORTED


async def test_a_slot_whose_bond_is_gone_backs_nothing(make_client: MakeClient) -> None:
    client = await make_client("receipt-slashed")
    await client.have()
    net = client.net
    signed = await client.signed()
    challenge = await client.user.challenge_receipt(signed, client.packed)
    await net.devnet.control.advance(challenge.claim.deadline - await net.now() + 1)
    await client.user.slash_claim(challenge.claim.claim_id)
    assert await client.refused(await client.signed(price=5)) == "receipt-slot-slashed"
    await client.check(await client.signed(slot=1))


async def test_the_files_must_be_obtainable(make_client: MakeClient) -> None:
    client = await make_client("receipt-files")
    served = client.served
    signed = await client.signed()
    assert await client.refused(signed) == "receipt-bundle-unavailable"
    # The executor that serves the version serves its files; nobody takes other bytes for them.
    store = served.executor.client.services.store
    largest = max(served.bundle.manifest.files, key=lambda entry: entry.size)
    async with serving(store, tamper_with=largest.sha256) as url:
        await served.executor.client.stake(0, endpoint=url)
        with pytest.raises(GatelessError) as caught:
            await client.check(signed)
        assert caught.value.code == "receipt-bundle-unavailable"
        assert caught.value.context["cause"] == "content-tampered"
    async with serving(store) as url:
        await served.executor.client.stake(0, endpoint=url)
        await client.check(signed)


async def test_inputs_bound_by_commitment(
    make_client: MakeClient, committed_bundle: Bundle
) -> None:
    client = await make_client("receipt-committed", committed_bundle)
    user = client.user
    plain = await client.signed()
    assert await client.refused(plain) == "receipt-bundle-unavailable"
    await client.have()
    assert await client.refused(plain) == "receipt-other-input"
    x, y = await user.services.prover.commitment(committed_bundle, client.packed)
    bound = {"input_binding": keccak(x + y)}
    assert await client.refused(await client.signed(**bound)) == "receipt-other-input"
    await client.check(await client.signed(**bound, input_digest=keccak(client.packed)))


async def test_a_client_without_a_wallet_names_the_beneficiary_or_does_not_care(
    make_client: MakeClient, tmp_path: Path
) -> None:
    client = await make_client("receipt-reader")
    await client.have()
    signed = await client.signed()
    async with await AsyncGateless.connect(client.net.deployment, home=tmp_path) as reader:
        arguments = (signed, client.served.name, client.packed, OUTPUT)
        await reader.check_receipt(*arguments)
        with pytest.raises(InputError) as caught:
            await reader.check_receipt(*arguments, beneficiary=client.net.executor.address)
        assert caught.value.code == "receipt-other-beneficiary"


async def test_stake_that_is_not_locked_backs_nothing(court_network: CourtNetwork) -> None:
    receipt = await court_network.receipt()
    pool: PoolInfo = await court_network.pool()
    now = await court_network.now()
    for changes in ({"state": PoolState.RELEASED}, {"locked": BOND - 1}):
        with pytest.raises(InputError) as caught:
            check_backing(receipt, replace(pool, **changes), now, min_bond=0, min_life=0)  # type: ignore[arg-type]
        assert caught.value.code == "receipt-bond-not-locked"
    check_backing(receipt, pool, now, min_bond=BOND, min_life=receipt.expires - now)
    with pytest.raises(InputError):
        check_backing(receipt, pool, now, min_bond=BOND, min_life=receipt.expires - now + 1)


async def test_inputs_too_long_for_a_challenge_are_refused(make_client: MakeClient) -> None:
    client = await make_client("receipt-long")
    await client.have()
    long = bytes((await client.net.client.court.limits()).max_input_length + 1)
    signed = await client.signed(input_binding=keccak(long))
    assert await client.refused(signed, packed=long) == "receipt-input-too-long"
    await fund(client.net.devnet, client.net.challenger.address, 1)
    with pytest.raises(InputError) as caught:
        await client.user.challenge_receipt(signed, long)
    assert caught.value.code == "receipt-input-too-long"
