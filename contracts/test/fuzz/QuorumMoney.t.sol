// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {QuorumRequest, QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @title Money of rounds, to the unit
contract QuorumMoneyFuzz is QuorumNetwork {
    /// @notice Any size, threshold, price, and any part of honest, lying and silent members.
    function testFuzz_everyUnitIsSomewhere(uint128 price, uint8 size, uint8 needed, uint8 right, uint8 wrong) external {
        uint8 members = uint8(bound(size, MIN_MEMBERS, MEMBER_COUNT));
        QuorumRequest memory asked = requestFor(members, uint8(bound(needed, members / 2 + 1, members)));
        asked.price = uint128(bound(price, 0, DEPOSIT));
        uint256 honest = bound(right, 0, members);
        uint256 lying = bound(wrong, 0, members - honest);
        QuorumRound memory round = _play(asked, honest, lying);

        uint256 silent = members - honest - lying;
        uint256 stakeBefore = MEMBER_COUNT * ALLOCATED;
        if (honest >= asked.threshold) {
            uint256 royalty = uint256(asked.price) * ROYALTY_BPS / 10_000;
            assertState(round.requestId, QuorumState.FINAL);
            assertEq(market.balanceOf(requester), DEPOSIT - asked.price, "he paid");
            assertEq(market.royaltyOf(modelId), royalty, "royalty");
            assertEq(_earned(), asked.price - royalty, "the rest is theirs, to the unit");
            assertEq(staking.pendingBurn(), silent * SEAT_BOND + lying * OUTLIER_SLASH, "all that is slashed burns");
            _assertShares(round, honest, (asked.price - royalty) / honest);
        } else {
            uint256 slashed = silent * SEAT_BOND;
            uint256 most = silent * (SEAT_BOND / 2);
            uint256 compensation = asked.price < most ? asked.price : most;
            assertState(round.requestId, QuorumState.REFUNDED);
            assertEq(market.balanceOf(requester), DEPOSIT, "all of it is back");
            assertEq(_earned(), 0, "nobody is paid");
            assertEq(staking.creditOf(requester), compensation, "compensated");
            assertEq(staking.pendingBurn(), slashed - compensation, "the rest burns");
        }
        uint256 stakeNow = staking.pendingBurn() + staking.creditOf(requester);
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            stakeNow += staking.totalStake(accounts[i]);
            assertEq(memberOf(accounts[i]).openSeats, 0, "no seat is open");
        }
        assertEq(stakeNow, stakeBefore, "no stake is lost");
        assertEq(token.balanceOf(address(market)), DEPOSIT, "no token left the market");
    }

    function _play(QuorumRequest memory asked, uint256 honest, uint256 lying)
        private
        returns (QuorumRound memory round)
    {
        round = drawn(asked);
        for (uint256 seat = 0; seat < honest + lying; ++seat) {
            commitAs(round, seat, seat < honest ? output : lieOf(seat));
        }
        pastCommits(round);
        for (uint256 seat = 0; seat < honest + lying; ++seat) {
            revealAs(round, seat, seat < honest ? output : lieOf(seat));
        }
        market.settle(round, output);
    }

    function _earned() private view returns (uint256 sum) {
        for (uint256 i = 0; i < MEMBER_COUNT; ++i) {
            sum += market.balanceOf(accounts[i]);
        }
    }

    function _assertShares(QuorumRound memory round, uint256 honest, uint256 share) private view {
        for (uint256 seat = 1; seat < round.members.length; ++seat) {
            assertEq(market.balanceOf(round.members[seat]), seat < honest ? share : 0, "equal shares");
        }
        assertGe(market.balanceOf(round.members[0]), share, "the first has what is left, too");
    }
}
