// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IQuorumMarket} from "../../src/quorum/IQuorumMarket.sol";
import {QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A member who did not run the model copies what others show: a commitment, and later salt and output of who
/// made it; in the same round, or in another.
contract QuorumCopiedCommitAttack is QuorumNetwork {
    function test_attack_anothersCommitment() external {
        QuorumRound memory round = drawn(request());
        commitAll(round, 5);
        // Seat 4 is lazy: it had copied seat 0's commitment instead of making its own.
        round = drawn(request());
        for (uint256 seat = 0; seat < 4; ++seat) {
            commitAs(round, seat, output);
        }
        bytes32 copied = market.commitmentOf(round.members[0], round.requestId, SALT, keccak256(output));
        vm.prank(round.members[4]);
        market.commit(round, 4, copied);
        revealAs(round, 0, output);
        _refused(round, 4, copied, round.requestId);
        for (uint256 seat = 1; seat < 4; ++seat) {
            revealAs(round, seat, output);
        }
        pastReveals(round);
        market.settle(round, output);
        assertEq(memberOf(round.members[4]).stake, STAKE - SEAT_BOND, "and pays as one who is silent");
    }

    function test_attack_itsOwnOfAnotherRound() external {
        QuorumRound memory first = revealed(requestFor(7, 4), 7);
        QuorumRound memory second = drawn(requestFor(7, 4));
        // All seven sit in both: seat 0 of the second uses what its holder made for the first.
        bytes32 old = market.commitmentOf(second.members[0], first.requestId, SALT, keccak256(output));
        vm.prank(second.members[0]);
        market.commit(second, 0, old);
        for (uint256 seat = 1; seat < 7; ++seat) {
            commitAs(second, seat, output);
        }
        _refused(second, 0, old, second.requestId);
    }

    function test_attack_withoutTheSalt() external {
        QuorumRound memory round = drawn(request());
        bytes32 commitment =
            market.commitmentOf(round.members[0], round.requestId, keccak256("secret"), keccak256(output));
        vm.prank(round.members[0]);
        market.commit(round, 0, commitment);
        // Outputs of a classifier are few: without a salt, whoever tries them all would see which one it is.
        for (uint256 guess = 0; guess < 256; ++guess) {
            bytes32 tried = market.commitmentOf(round.members[0], round.requestId, bytes32(guess), keccak256(output));
            assertTrue(tried != commitment, "the salt hides it");
        }
    }

    function test_attack_afterTheFirstReveal() external {
        QuorumRound memory round = drawn(request());
        for (uint256 seat = 0; seat < 4; ++seat) {
            commitAs(round, seat, output);
        }
        pastCommits(round);
        revealAs(round, 0, output);
        bytes32 commitment = market.commitmentOf(round.members[4], round.requestId, SALT, keccak256(output));
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_CommitmentsOver.selector, round.commitDeadline)
        );
        vm.prank(round.members[4]);
        market.commit(round, 4, commitment);
    }

    /// @dev The holder of the seat shows the salt and output that belong to what was copied.
    function _refused(QuorumRound memory round, uint256 seat, bytes32 committed, uint256 requestId) private {
        bytes32 even = ~bytes32(uint256(1));
        bytes32 own = market.commitmentOf(round.members[seat], requestId, SALT, keccak256(output));
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMarket.QuorumMarket_OtherCommitment.selector, own & even, committed & even)
        );
        revealAs(round, seat, output);
    }
}
