// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice Members enrol and are never there: rounds fail, requesters wait, honest members work for nothing.
contract QuorumDeadMembersAttack is QuorumNetwork {
    uint256 internal constant DEAD = 3;

    /// @dev A dead member harms one round: it pays for that one and is not drawn again.
    function test_attack_theDeadFallAsleep() external {
        uint256 paid;
        for (uint256 i = 0; i < 6; ++i) {
            QuorumRound memory round = drawn(requestFor(4, 3));
            _playHonest(round);
            if (market.stateOf(round.requestId) == QuorumState.FINAL) ++paid;
        }
        uint256 awake;
        for (uint256 i = 0; i < DEAD; ++i) {
            if (memberOf(accounts[i]).isAwake) ++awake;
            assertGe(memberOf(accounts[i]).stake, STAKE - SEAT_BOND, "each paid once at most");
        }
        assertGe(paid, 3, "rounds succeed again");
        assertLe(awake, 1, "who was drawn sleeps");
    }

    /// @dev Nobody is there at all: the price is back after two windows, and the requester has a part of the bonds.
    function test_attack_nobodyIsThere() external {
        QuorumRound memory round = drawn(request());
        vm.warp(round.commitDeadline + 1);
        market.settle(round, "");
        assertEq(market.balanceOf(requester), DEPOSIT, "back");
        assertEq(staking.creditOf(requester), PRICE, "and compensated, up to the price");
        nextBlock();
        (uint256 stake,) = pool.eligibleStakeAt(versionId, CLASS, block.number - 1);
        assertEq(stake, 2 * STAKE, "the five sleep");
    }

    /// @dev They wake to do it again: it costs a bond each time, until too little is left to wake.
    function test_attack_wakingUpToBeDeadAgain() external {
        for (uint256 i = DEAD + 1; i < MEMBER_COUNT; ++i) {
            vm.prank(accounts[i]);
            pool.sleep(versionId, CLASS);
        }
        nextBlock();
        uint256 rounds;
        for (; memberOf(accounts[0]).stake >= MIN_STAKE; ++rounds) {
            QuorumRound memory round = drawn(requestFor(4, 3));
            vm.warp(round.commitDeadline + 1);
            market.settle(round, "");
            for (uint256 i = 0; i <= DEAD && memberOf(accounts[i]).stake >= MIN_STAKE; ++i) {
                vm.prank(accounts[i]);
                pool.wake(versionId, CLASS);
            }
            nextBlock();
        }
        assertEq(rounds, (STAKE - MIN_STAKE) / SEAT_BOND + 1, "as often as the stake lasts");
        vm.expectRevert(
            abi.encodeWithSelector(
                IQuorumMembers.QuorumMembers_StakeTooLow.selector, memberOf(accounts[0]).stake, MIN_STAKE
            )
        );
        vm.prank(accounts[0]);
        pool.wake(versionId, CLASS);
        assertEq(market.balanceOf(requester), DEPOSIT, "and the requester lost nothing");
    }

    /// @dev The first three accounts are dead, the others work.
    function _playHonest(QuorumRound memory round) private {
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            if (!_isDead(round.members[seat])) commitAs(round, seat, output);
        }
        pastCommits(round);
        uint256 revealed_;
        for (uint256 seat = 0; seat < round.members.length; ++seat) {
            if (_isDead(round.members[seat])) continue;
            revealAs(round, seat, output);
            ++revealed_;
        }
        market.settle(round, revealed_ >= round.threshold ? output : bytes(""));
    }

    function _isDead(address account) private view returns (bool) {
        for (uint256 i = 0; i < DEAD; ++i) {
            if (accounts[i] == account) return true;
        }
        return false;
    }
}
