from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from chain_scenarios import DOLLAR, RealModel, deposit, publish, request_params
from gateless.adapters.chain import calls, registry_calls
from gateless.adapters.chain.client import ChainClient
from gateless.adapters.chain.fees import FeePolicy
from gateless.adapters.chain.lane import SendingPolicy
from gateless.adapters.chain.sender import Sender
from gateless.adapters.signer import LocalSigner
from gateless.core.errors import ChainError, ContractError, FundsError, NotFoundError
from gateless.devnet import Devnet
from rpc_proxy import Answer, DropAfter, HttpStatus, RpcFault, RpcProxy


async def nonce_of(net: Devnet, name: str) -> int:
    return await net.client.rpc.quantity(
        "eth_getTransactionCount", net.signers[name].address, "latest"
    )


async def until_pooled(net: Devnet, tx_hash: str) -> None:
    """Waits until the node has a transaction."""
    for _ in range(500):
        if await net.client.rpc.request("eth_getTransactionByHash", tx_hash) is not None:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{tx_hash} never arrived")


async def test_send_returns_the_decoded_receipt(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    stages: list[tuple[str, float]] = []
    receipt = await net.sender("user").send(
        calls.mint(net.signers["user"].address, 5),
        progress=lambda stage, share: stages.append((stage, share)),
    )
    assert receipt.status == 1
    assert receipt.gas_used > 21_000
    assert receipt.effective_gas_price > 0
    assert receipt.block_number == (await net.client.block()).number
    assert receipt.event("Transfer").contract == "token"
    assert receipt.event("Transfer").args["value"] == 5
    assert [stage for stage, _ in stages] == [
        f"{step}: mint test dollars" for step in ("simulate", "send", "wait", "done")
    ]
    assert [share for _, share in stages] == sorted(share for _, share in stages)


async def test_revert_is_found_before_anything_is_sent(
    isolated_devnet: Devnet, model: RealModel
) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "too-dear")
    await deposit(net, "user", DOLLAR)
    params = await request_params(net, model, version_id, max_price=3_500_000)
    before = await nonce_of(net, "user")
    with pytest.raises(FundsError) as info:
        await net.sender("user").send(calls.request(params, model.case(0)[0]))
    error = info.value
    assert error.code == "token-accounts-insufficient-balance"
    assert "too low by 2.50 tUSD" in error.message
    assert "gateless wallet deposit 2.5" in error.hint
    assert error.context["missing"] == 2_500_000
    assert await nonce_of(net, "user") == before
    # The refusal took no nonce: the next transaction goes through at once.
    await net.sender("user").send(calls.mint(net.signers["user"].address, 1))


async def test_named_errors_of_a_send(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "refusals")
    model_id = version_id >> 32
    await deposit(net, "user", 5 * DOLLAR)
    user = net.sender("user")
    good = await request_params(net, model, version_id)
    packed = model.case(0)[0]
    for call, kind, code in (
        (
            registry_calls.set_alias(model_id, "x", version_id),
            ContractError,
            "model-registry-not-holder",
        ),
        (registry_calls.register_model("refusals"), ContractError, "model-registry-name-taken"),
        (registry_calls.register_model("No Name"), ContractError, "model-registry-invalid-name"),
        (calls.refund(999), NotFoundError, "unknown-request"),
        (
            calls.request(replace(good, deadline=1), packed),
            ContractError,
            "inference-market-deadline-out-of-range",
        ),
        (
            calls.request(replace(good, collateral=1), packed),
            ContractError,
            "inference-market-collateral-below-floor",
        ),
        (
            calls.allocate(net.client.market.address, DOLLAR),
            FundsError,
            "executor-staking-insufficient-free",
        ),
        (calls.enroll(version_id), FundsError, "executor-staking-stake-below-minimum"),
    ):
        with pytest.raises(kind) as info:
            await user.send(call)
        assert info.value.code == code, info.value
        assert info.value.hint, code
        assert info.value.context["error"]


async def test_deadline_hint_names_the_window(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "late")
    await deposit(net, "user", 5 * DOLLAR)
    params = await request_params(net, model, version_id, deadline=1_000_000_000)
    with pytest.raises(ContractError, match="deadline is out of range") as info:
        await net.sender("user").send(calls.request(params, model.case(0)[0]))
    assert "UTC and 20" in info.value.hint


async def test_concurrent_sends_share_the_nonces(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    address = net.signers["user"].address
    before = await nonce_of(net, "user")
    senders = [net.sender("user") for _ in range(3)]
    receipts = await asyncio.gather(
        *(senders[index % 3].send(calls.mint(address, index + 1)) for index in range(12))
    )
    assert await nonce_of(net, "user") == before + 12
    assert len({receipt.tx_hash for receipt in receipts}) == 12


async def test_discarded_nonce_is_used_again(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    sender = net.sender("user")
    call = calls.mint(sender.address, 1)
    first, second = await sender.prepare(call), await sender.prepare(call)
    assert second.nonce == first.nonce + 1
    sender.discard(first)
    third = await sender.prepare(call)
    assert third.nonce == first.nonce
    results = await asyncio.gather(sender.submit(second), sender.submit(third))
    assert all(receipt.status == 1 for receipt in results)


async def test_submitting_twice_takes_effect_once(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    sender = net.sender("user")
    before = await net.client.token.balance_of(sender.address)
    prepared = await sender.prepare(calls.mint(sender.address, 7))
    first = await sender.submit(prepared)
    again = await sender.submit(prepared)
    # Another process, after a crash, with nothing but the journaled bytes.
    later = await net.sender("user").submit(prepared)
    assert first == again == later
    assert first.tx_hash == prepared.tx_hash
    assert await net.client.token.balance_of(sender.address) == before + 7


async def test_pending_transaction_can_be_submitted_again(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    sender = net.sender("user")
    await net.control.set_automine(False)
    prepared = await sender.prepare(calls.mint(sender.address, 7))
    waiting = [asyncio.create_task(sender.submit(prepared)) for _ in range(2)]
    await until_pooled(net, prepared.tx_hash)
    assert await sender.receipt(prepared.tx_hash) is None
    await net.control.mine()
    first, second = await asyncio.gather(*waiting)
    assert first == second == await sender.receipt(prepared.tx_hash)


async def test_nonce_taken_by_another_transaction(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    sender = net.sender("user")
    prepared = await sender.prepare(calls.mint(sender.address, 7))
    # Another process with the same key, which knows nothing of this one's plans.
    async with await ChainClient.connect(net.deployment) as other:
        await Sender(other, net.signers["user"]).send(calls.mint(sender.address, 9))
    with pytest.raises(ChainError) as info:
        await sender.submit(prepared)
    assert info.value.code == "nonce-used"
    assert info.value.context["tx_hash"] == prepared.tx_hash
    assert (await sender.send(calls.mint(sender.address, 7))).status == 1


async def test_receipt_timeout_names_the_transaction(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    sender = Sender(net.client, net.signers["user"], timeout=0.3)
    await net.control.set_automine(False)
    prepared = await sender.prepare(calls.mint(sender.address, 7))
    with pytest.raises(ChainError) as info:
        await sender.submit(prepared)
    assert info.value.code == "transaction-timeout"
    assert info.value.context["tx_hash"] == prepared.tx_hash
    # It was still sent: mined later, it is found by its hash.
    await net.control.mine()
    receipt = await sender.receipt(prepared.tx_hash)
    assert receipt is not None
    assert receipt.status == 1


async def test_mined_revert_is_decoded(isolated_devnet: Devnet, model: RealModel) -> None:
    net = isolated_devnet
    version_id = await publish(net, model, "raced")
    await deposit(net, "user", 5 * DOLLAR)
    params = await request_params(net, model, version_id)
    packed = model.case(0)[0]
    created = await net.sender("user").send(calls.request(params, packed))
    request_id = created.event("RequestCreated").args["requestId"]
    user = net.sender("user")
    # Both pass simulation; only the first one mined can succeed.
    first = await user.prepare(calls.cancel(request_id))
    second = await user.prepare(calls.cancel(request_id))
    assert (await user.submit(first)).status == 1
    with pytest.raises(ContractError) as info:
        await user.submit(second)
    error = info.value
    assert error.code == "transaction-reverted"
    assert error.context["reason"] == "inference-market-not-open"
    assert error.context["error"] == "InferenceMarket_NotOpen"
    assert "state=REFUNDED" in error.message
    assert error.context["tx_hash"] == second.tx_hash


async def test_account_without_gas_money(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    poor = LocalSigner.random()
    with pytest.raises(FundsError) as info:
        await Sender(net.client, poor).send(calls.mint(poor.address, 1))
    assert info.value.code == "gas-balance-too-low"
    assert poor.address in info.value.hint
    assert info.value.context["missing"] > 0


async def test_fee_cap(isolated_devnet: Devnet) -> None:
    net = isolated_devnet
    call = calls.mint(net.signers["user"].address, 1)
    low = SendingPolicy(FeePolicy(max_fee_per_gas=1_000))
    capped = Sender(net.client, net.signers["user"], policy=low)
    with pytest.raises(ChainError) as info:
        await capped.send(call)
    assert info.value.code == "fee-above-cap"
    # Headroom above the present fee is given up before anything is refused.
    base = await net.client.rpc.request("eth_getBlockByNumber", "latest", False)
    now = int(base["baseFeePerGas"], 16) + 10
    tight = SendingPolicy(FeePolicy(max_fee_per_gas=now, priority_fee=10))
    receipt = await Sender(net.client, net.signers["user"], policy=tight).send(call)
    assert receipt.effective_gas_price <= now


async def test_chain_without_base_fee(
    isolated_devnet: Devnet, proxy: RpcProxy, proxied_user: Sender
) -> None:
    latest = await isolated_devnet.client.rpc.request("eth_getBlockByNumber", "latest", False)
    del latest["baseFeePerGas"]
    proxy.fail("eth_getBlockByNumber", Answer(latest))
    receipt = await proxied_user.send(calls.mint(proxied_user.address, 1))
    sent = await isolated_devnet.client.rpc.request("eth_getTransactionByHash", receipt.tx_hash)
    assert int(sent["type"], 16) == 0


async def test_node_without_fee_suggestion(proxy: RpcProxy, proxied_user: Sender) -> None:
    proxy.fail("eth_maxPriorityFeePerGas", RpcFault("Method not found", -32601))
    assert (await proxied_user.send(calls.mint(proxied_user.address, 1))).status == 1


async def test_connection_lost_after_the_node_took_the_transaction(
    isolated_devnet: Devnet, proxy: RpcProxy, proxied_user: Sender
) -> None:
    token, address = isolated_devnet.client.token, proxied_user.address
    before = await token.balance_of(address)
    proxy.fail("eth_sendRawTransaction", DropAfter(), times=1)
    receipt = await proxied_user.send(calls.mint(address, 7))
    assert receipt.status == 1
    assert proxy.count("eth_sendRawTransaction") >= 2
    assert await token.balance_of(address) == before + 7


@pytest.mark.parametrize(
    "message", ["already known", "AlreadyKnown", "transaction already in mempool"]
)
async def test_already_known_is_success(
    isolated_devnet: Devnet, proxy: RpcProxy, proxied_user: Sender, message: str
) -> None:
    prepared = await proxied_user.prepare(calls.mint(proxied_user.address, 7))
    await isolated_devnet.client.rpc.request("eth_sendRawTransaction", "0x" + prepared.raw.hex())
    proxy.fail("eth_sendRawTransaction", RpcFault(message))
    assert (await proxied_user.submit(prepared)).tx_hash == prepared.tx_hash


@pytest.mark.parametrize(
    "message", ["max fee per gas less than block base fee", "insufficient funds", "something else"]
)
async def test_refusal_of_what_is_mined_already_is_success(
    proxy: RpcProxy, proxied_user: Sender, message: str
) -> None:
    prepared = await proxied_user.prepare(calls.mint(proxied_user.address, 7))
    receipt = await proxied_user.submit(prepared)
    # Nodes check fees and balances before nonces: after a crash, fees may have risen.
    proxy.fail("eth_sendRawTransaction", RpcFault(message))
    assert await proxied_user.submit(prepared) == receipt


async def test_receipts_that_cannot_be_had_for_a_while(
    proxy: RpcProxy, proxied_user: Sender
) -> None:
    proxy.fail("eth_getTransactionReceipt", HttpStatus(503), times=8)
    assert (await proxied_user.send(calls.mint(proxied_user.address, 7))).status == 1


async def test_node_down_for_good_after_signing(
    isolated_devnet: Devnet, proxy: RpcProxy, behind_proxy: ChainClient
) -> None:
    sender = Sender(behind_proxy, isolated_devnet.signers["user"], timeout=0.5)
    prepared = await sender.prepare(calls.mint(sender.address, 7))
    proxy.rules.append(lambda _method, _params: HttpStatus(502))
    with pytest.raises(ChainError) as info:
        await sender.submit(prepared)
    assert info.value.code == "transaction-timeout"
    assert info.value.context["tx_hash"] == prepared.tx_hash


async def test_refused_transaction_gives_its_nonce_back(
    proxy: RpcProxy, proxied_user: Sender
) -> None:
    proxy.fail("eth_sendRawTransaction", RpcFault("transaction underpriced"), times=1)
    call = calls.mint(proxied_user.address, 7)
    with pytest.raises(ChainError, match="underpriced") as info:
        await proxied_user.send(call)
    assert info.value.code == "transaction-refused"
    assert "higher fee" in info.value.hint
    assert (await proxied_user.send(call)).status == 1


async def test_gas_money_gone_between_check_and_send(proxy: RpcProxy, proxied_user: Sender) -> None:
    fault = RpcFault("insufficient funds for gas * price + value")
    proxy.fail("eth_sendRawTransaction", fault, times=1)
    with pytest.raises(FundsError) as info:
        await proxied_user.send(calls.mint(proxied_user.address, 7))
    assert info.value.code == "gas-balance-too-low"


async def test_forgotten_transaction_is_sent_again(
    isolated_devnet: Devnet, proxy: RpcProxy, behind_proxy: ChainClient
) -> None:
    """A node that restarts loses its pool; the sender notices by patience alone."""

    class FastClock:
        """Time runs sixty times as fast, so that the resend comes soon."""

        def now(self) -> float:
            return 0.0

        def monotonic(self) -> float:
            return asyncio.get_running_loop().time() * 60

        async def sleep(self, seconds: float) -> None:
            await asyncio.sleep(seconds / 60)

    sender = Sender(behind_proxy, isolated_devnet.signers["user"], clock=FastClock())
    proxy.fail("eth_sendRawTransaction", Answer("0x" + "00" * 32), times=1)
    assert (await sender.send(calls.mint(sender.address, 7))).status == 1
    assert proxy.count("eth_sendRawTransaction") == 2


async def test_simulation_returns_the_result(devnet: Devnet) -> None:
    result = await devnet.sender("user").simulate(calls.approve("0x" + "11" * 20, 1))
    assert int.from_bytes(result) == 1
