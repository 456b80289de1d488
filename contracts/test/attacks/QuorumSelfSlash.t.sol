// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Requester and members are one: he has himself slashed and compensated.
contract QuorumSelfSlashAttack is QuorumNetwork {
    /// @dev Everybody is his. However many are silent, and whatever he pays: half of each bond is gone at least.
    function testFuzz_attack_silenceInARoundOfHisOwn(uint128 price, uint8 silent) external {
        price = uint128(bound(price, 0, DEPOSIT));
        uint256 mute = bound(silent, 1, 5);
        uint256 before = _wealth();
        QuorumRequest memory asked = request();
        asked.price = price;
        QuorumRound memory round = drawn(asked);
        for (uint256 seat = mute; seat < 5; ++seat) {
            commitAs(round, seat, lieOf(seat));
        }
        pastCommits(round);
        for (uint256 seat = mute; seat < 5; ++seat) {
            revealAs(round, seat, lieOf(seat));
        }
        market.settle(round, "");
        assertLe(_wealth(), before - mute * SEAT_BOND / 2, "at least half of each bond");
        assertLe(staking.creditOf(requester), price, "no more than the price");
    }

    function testFuzz_attack_liesInARoundOfHisOwn(uint128 price, uint8 liars) external {
        price = uint128(bound(price, 0, DEPOSIT));
        uint256 honest = 5 - bound(liars, 1, 2);
        uint256 before = _wealth();
        QuorumRequest memory asked = request();
        asked.price = price;
        QuorumRound memory round = revealed(asked, honest);
        market.settle(round, output);
        uint256 royalty = uint256(price) * ROYALTY_BPS / 10_000;
        assertEq(_wealth(), before - royalty - (5 - honest) * OUTLIER_SLASH, "all of it, and the royalty");
    }

    /// @dev All that he has, wherever it is.
    function _wealth() private view returns (uint256 sum) {
        sum = market.balanceOf(requester) + staking.creditOf(requester);
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            sum += staking.totalStake(accounts[i]) + staking.creditOf(accounts[i]) + market.balanceOf(accounts[i]);
        }
    }
}
