"""What signed bytes say, and what a replacement offers."""

from __future__ import annotations

from typing import Any

import pytest
import rlp
from eth_account import Account
from gateless.adapters.chain.fees import FeePolicy, Fees, raised_fees
from gateless.adapters.chain.prepared import PreparedTx, decode_transaction
from gateless.core.errors import ChainError
from hypothesis import given, settings
from hypothesis import strategies as st

KEY = Account.from_key(b"\x03" * 32)
TARGET = "0x" + "22" * 20
GWEI = 10**9
FEES = st.integers(0, 10**12)
#: Signing takes what the machine has time for.
UNHURRIED = settings(deadline=None)


def signed(**changes: Any) -> bytes:
    tx = {
        "chainId": 5,
        "nonce": 0,
        "to": TARGET,
        "value": 0,
        "data": "0x",
        "gas": 21_000,
        "maxFeePerGas": 2,
        "maxPriorityFeePerGas": 1,
        "type": 2,
    }
    return bytes(KEY.sign_transaction(tx | changes).raw_transaction)


@UNHURRIED
@given(
    nonce=st.integers(0, 2**63),
    value=st.integers(0, 2**128),
    data=st.binary(max_size=200),
    gas=st.integers(0, 2**40),
    fee=FEES,
    tip=FEES,
)
def test_fields_come_back(
    nonce: int, value: int, data: bytes, gas: int, fee: int, tip: int
) -> None:
    asked = {
        "chainId": 5,
        "nonce": nonce,
        "to": TARGET,
        "value": value,
        "data": "0x" + data.hex(),
        "gas": gas,
        "maxFeePerGas": fee,
        "maxPriorityFeePerGas": tip,
        "type": 2,
    }
    said = decode_transaction(bytes(KEY.sign_transaction(asked).raw_transaction))
    assert said.fields() == asked
    assert said.sender == KEY.address


def test_legacy_fields_come_back() -> None:
    asked = {
        "chainId": 31337,
        "nonce": 3,
        "to": TARGET,
        "value": 4,
        "data": "0x00ff",
        "gas": 50_000,
        "gasPrice": 6,
    }
    said = decode_transaction(bytes(KEY.sign_transaction(asked).raw_transaction))
    assert said.fields() == asked
    assert said.sender == KEY.address


def test_the_hash_is_that_of_the_bytes() -> None:
    sent = KEY.sign_transaction(
        {"chainId": 5, "nonce": 1, "to": TARGET, "value": 0, "data": "0x", "gas": 1, "gasPrice": 1}
    )
    prepared = PreparedTx.of(bytes(sent.raw_transaction), 1, "label")
    assert prepared.tx_hash == sent.hash.to_0x_hex()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x02",
        b"\x01" + signed()[1:],
        b"\x02" + signed()[2:],
        signed()[:-1],
        signed() + b"\x00",
        signed(accessList=[{"address": TARGET, "storageKeys": []}]),
        b"\x02" + rlp.encode([b"\x00"] * 12),
        rlp.encode([b""] * 9),
        rlp.encode([[b""]] * 9),
        rlp.encode([b""] * 8),
    ],
)
def test_what_is_no_transaction(raw: bytes) -> None:
    with pytest.raises(ChainError) as info:
        decode_transaction(raw)
    assert info.value.code == "invalid-transaction"


@UNHURRIED
@given(st.binary(max_size=150))
def test_any_bytes_are_refused_in_order(raw: bytes) -> None:
    for candidate in (raw, b"\x02" + raw, signed()[:5] + raw):
        with pytest.raises(ChainError):
            decode_transaction(candidate)


@UNHURRIED
@given(
    before=st.builds(Fees, FEES, FEES),
    market=st.none() | st.builds(Fees, FEES, FEES),
    cap=st.none() | FEES,
    tip_cap=st.none() | FEES,
)
def test_a_replacement_is_taken_by_any_node_and_within_the_caps(
    before: Fees, market: Fees | None, cap: int | None, tip_cap: int | None
) -> None:
    policy = FeePolicy(max_fee_per_gas=cap, max_priority_fee_per_gas=tip_cap)
    raised = raised_fees(before, market, policy)
    if raised is None:
        is_capped = cap is not None or tip_cap is not None or market is not None
        assert is_capped or (before.priority or 0) > before.per_gas / 2
        return
    assert raised.per_gas > before.per_gas
    assert raised.per_gas * 8 >= before.per_gas * 9
    assert raised.priority is not None
    assert before.priority is not None
    assert raised.priority > before.priority
    assert raised.priority * 8 >= before.priority * 9
    assert raised.priority <= raised.per_gas
    assert cap is None or raised.per_gas <= cap
    assert tip_cap is None or raised.priority <= tip_cap
    if market is not None:
        assert cap is not None or raised.per_gas >= market.per_gas
        assert raised.per_gas <= 4 * market.per_gas
        assert raised.priority <= 4 * max(market.priority or 0, 10**9)


def test_a_legacy_replacement_raises_its_price() -> None:
    assert raised_fees(Fees(100, None), Fees(80, None), FeePolicy()) == Fees(113, None)
    assert raised_fees(Fees(100, None), Fees(500, None), FeePolicy()) == Fees(500, None)
    assert raised_fees(Fees(100, None), None, FeePolicy(max_fee_per_gas=112)) is None


def test_fees_do_not_climb_for_ever_where_more_does_not_help() -> None:
    market = fees = Fees(20 * GWEI, GWEI)
    rounds = 0
    while (raised := raised_fees(fees, market, FeePolicy())) is not None:
        fees, rounds = raised, rounds + 1
    assert rounds == 11  # 1.125 ** 12 is more than four
    assert fees.per_gas <= 4 * market.per_gas
