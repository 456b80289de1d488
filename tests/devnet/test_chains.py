from __future__ import annotations

import pytest
from gateless.core.errors import ConfigError
from gateless.devnet.chains import CHAINS, ChainConstants, chain_constants
from gateless_proofs.srs import DEVELOPMENT_CHAIN_ID, DEVELOPMENT_G2, PUBLIC_G2

ALL = pytest.mark.parametrize("chain", CHAINS.values(), ids=lambda chain: chain.name)


@ALL
def test_no_stake_leaves_before_every_claim_is_final(chain: ChainConstants) -> None:
    assert chain.exit_delay > chain.max_lifetime + chain.max_lock_duration


@ALL
def test_no_stake_leaves_before_every_receipt_is_dead(chain: ChainConstants) -> None:
    court = chain.court
    longest = court.epoch_length + court.max_receipt_life + court.response_window
    assert chain.exit_delay > longest


@ALL
def test_a_court_leaves_room_and_burns_enough(chain: ChainConstants) -> None:
    court = chain.court
    assert 0 < court.response_window <= court.max_receipt_life
    assert court.epoch_length > 0
    assert court.min_bond > 0
    assert 0 < court.min_challenge_bond < court.max_challenge_bond
    assert court.max_capacity > 0
    assert 0 < court.reward_bps <= 2_500
    assert 0 < court.executor_bps <= 9_000
    assert court.max_input_length == chain.max_input_length


@ALL
def test_no_stake_leaves_before_every_lazy_answer_is_final(chain: ChainConstants) -> None:
    lazy = chain.lazy
    windows = lazy.max_challenge_window + lazy.max_response_window
    assert chain.exit_delay >= chain.max_lifetime + chain.max_lock_duration + windows


@ALL
def test_a_lazy_market_leaves_room_and_burns_enough(chain: ChainConstants) -> None:
    lazy = chain.lazy
    assert 0 < lazy.min_challenge_window < lazy.max_challenge_window
    assert 0 < lazy.min_response_window < lazy.max_response_window
    assert 0 < lazy.reward_bps <= 2_500
    assert 0 < lazy.executor_bps <= 9_000
    assert lazy.challenge_bond > 0
    assert lazy.max_output_length >= 65_536  # else the market refuses to be made


@ALL
def test_bounds_leave_room(chain: ChainConstants) -> None:
    assert 0 < chain.min_lock_duration < chain.max_lock_duration <= chain.max_lifetime
    assert 0 < chain.collateral_floor <= chain.min_stake
    assert chain.max_callback_gas > 0
    assert chain.max_input_length > 0


@ALL
def test_toxic_srs_and_test_money_stay_on_the_development_chain(chain: ChainConstants) -> None:
    development = chain.chain_id == DEVELOPMENT_CHAIN_ID
    assert (chain.srs == "development") is development
    assert chain.test_token is development
    assert chain.accepted_g2 == (DEVELOPMENT_G2 if development else PUBLIC_G2)


def test_names_and_ids_are_unique() -> None:
    assert len({chain.name for chain in CHAINS.values()}) == len(CHAINS)
    assert all(chain_constants(chain_id).chain_id == chain_id for chain_id in CHAINS)


@pytest.mark.parametrize("chain_id", [42_161, 42_170, 421_614])
def test_no_chain_whose_block_hashes_can_be_foretold(chain_id: int) -> None:
    with pytest.raises(ConfigError, match=f"chain {chain_id}"):
        chain_constants(chain_id)


def test_unknown_chain_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="chain 5") as info:
        chain_constants(5)
    assert info.value.code == "unknown-chain"
    assert "31337 (devnet)" in info.value.hint
