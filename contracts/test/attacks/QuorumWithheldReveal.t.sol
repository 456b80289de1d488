// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRound, QuorumState} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A member sees by the others' reveals that it will be outvoted, and shows nothing, to save what outliers pay;
/// or members withhold to make a round fail.
contract QuorumWithheldRevealAttack is QuorumNetwork {
    function test_attack_silenceCostsMoreThanALie() external {
        QuorumRound memory round = drawn(request());
        commitAll(round, 3);
        for (uint256 seat = 0; seat < 4; ++seat) {
            revealAs(round, seat, seat < 3 ? output : lieOf(seat));
        }
        // Seat 4 keeps its lie to itself.
        pastReveals(round);
        market.settle(round, output);
        uint256 lied = STAKE - memberOf(round.members[3]).stake;
        uint256 withheld = STAKE - memberOf(round.members[4]).stake;
        assertEq(lied, OUTLIER_SLASH, "a lie");
        assertEq(withheld, SEAT_BOND, "silence");
        assertGe(withheld, lied, "silence never costs less");
        assertFalse(memberOf(round.members[4]).isAwake, "and it is not drawn again until it says that it is there");
    }

    function test_attack_notToCommitAtAllIsNoCheaper() external {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 4; ++seat) {
            commitAs(round, seat, output);
        }
        pastCommits(round);
        for (uint256 seat = 0; seat < 4; ++seat) {
            revealAs(round, seat, output);
        }
        market.settle(round, output);
        assertEq(memberOf(round.members[4]).stake, STAKE - SEAT_BOND, "the same");
    }

    /// @dev Two of three withhold: no quorum, and they pay for it. The honest one goes free.
    function test_attack_toMakeTheRoundFail() external {
        QuorumRound memory round = drawn(requestFor(3, 2));
        for (uint256 seat = 0; seat < 3; ++seat) {
            commitAs(round, seat, output);
        }
        revealAs(round, 0, output);
        pastReveals(round);
        market.settle(round, "");
        assertState(round.requestId, QuorumState.REFUNDED);
        assertEq(memberOf(round.members[0]).stake, STAKE, "who revealed goes free");
        for (uint256 seat = 1; seat < 3; ++seat) {
            assertEq(memberOf(round.members[seat]).stake, STAKE - SEAT_BOND, "who withheld pays");
        }
        assertEq(market.balanceOf(requester), DEPOSIT, "the price is back");
        assertEq(staking.creditOf(requester), 2 * (SEAT_BOND / 2), "and a part of what they lost");
    }

    function test_attack_theWithheldCannotComeLater() external {
        QuorumRound memory round = drawn(requestFor(3, 2));
        for (uint256 seat = 0; seat < 3; ++seat) {
            commitAs(round, seat, output);
        }
        pastReveals(round);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMarket.QuorumMarket_RevealsOver.selector, round.revealDeadline));
        revealAs(round, 0, output);
    }
}
