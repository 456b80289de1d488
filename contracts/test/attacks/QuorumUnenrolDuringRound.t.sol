// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {MemberTerms, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

/// @notice A member leaves with its stake while a seat may still cost it something: by unenrolling, by the exit queue,
/// by sleep, by lowering its capacity.
contract QuorumUnenrolDuringRoundAttack is QuorumNetwork {
    QuorumRound internal round;
    address internal member;

    function setUp() public override {
        super.setUp();
        round = drawn(request());
        member = round.members[0];
    }

    function test_attack_unenrolling() external {
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_SeatsOpen.selector, member, 1));
        vm.prank(member);
        pool.unenroll(versionId, CLASS);
        pastReveals(round);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_SeatsOpen.selector, member, 1));
        vm.prank(member);
        pool.unenroll(versionId, CLASS);
        market.settle(round, "");
        assertEq(memberOf(member).stake, STAKE - SEAT_BOND, "it paid");
        vm.prank(member);
        pool.unenroll(versionId, CLASS);
        assertEq(lockedOf(member), 0, "then it may leave");
    }

    /// @dev However long before it had asked for its stake.
    function test_attack_throughTheExitQueue() external {
        vm.prank(member);
        staking.requestExit(address(pool), ALLOCATED);
        vm.warp(block.timestamp + EXIT_DELAY);
        vm.startPrank(member);
        assertEq(staking.completeExit(address(pool)), ALLOCATED - STAKE, "what no enrolment holds");
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector, STAKE));
        staking.completeExit(address(pool));
        vm.stopPrank();
        market.settle(round, "");
        assertEq(memberOf(member).stake, STAKE - SEAT_BOND, "slashed all the same");
    }

    function test_attack_sleepingOrLoweringTheCapacity() external {
        vm.startPrank(member);
        pool.setTerms(versionId, CLASS, MemberTerms({capacity: 1, minPrice: type(uint72).max, minSeconds: 0}));
        pool.sleep(versionId, CLASS);
        vm.stopPrank();
        assertEq(memberOf(member).openSeats, 1, "still seated");
        pastReveals(round);
        market.settle(round, "");
        assertEq(memberOf(member).stake, STAKE - SEAT_BOND, "it paid");
    }

    /// @dev The claim behind an enrolment belongs to the pool: nobody else ends it.
    function test_attack_endingTheClaim() external {
        bytes32 poolId = keccak256(abi.encode(versionId, CLASS));
        bytes32 claimId = keccak256(abi.encode(poolId, member));
        (address holder, uint256 amount) = staking.claim(address(pool), claimId);
        assertEq(holder, member, "its claim");
        assertEq(amount, STAKE, "all of it");
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, member, claimId));
        vm.prank(member);
        staking.unlock(claimId);
    }

    /// @dev Two rounds: leaving after the first is as little possible.
    function test_attack_betweenTwoRounds() external {
        QuorumRound memory second = drawn(requestFor(7, 4));
        pastReveals(round);
        market.settle(round, "");
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_SeatsOpen.selector, member, 1));
        vm.prank(member);
        pool.unenroll(versionId, CLASS);
        pastReveals(second);
        market.settle(second, "");
        vm.prank(member);
        pool.unenroll(versionId, CLASS);
    }
}
