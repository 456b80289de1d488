// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IModelRegistry} from "../../src/interfaces/IModelRegistry.sol";
import {IQuorumMembers} from "../../src/quorum/IQuorumMembers.sol";
import {Member, MemberTerms, QuorumRound} from "../../src/quorum/QuorumTypes.sol";
import {TrustMode} from "../../src/types/ModelTypes.sol";
import {QuorumNetwork} from "../QuorumNetwork.t.sol";

contract QuorumEnrolmentTest is QuorumNetwork {
    address internal newcomer;

    function setUp() public override {
        super.setUp();
        newcomer = makeAddr("newcomer");
        backPool(newcomer, ALLOCATED);
    }

    // --- what happens ---

    function test_enrollLocksTheStake() external {
        MemberTerms memory asked = MemberTerms({capacity: 2, minPrice: 5, minSeconds: 60});
        Member memory expected = Member({
            stake: STAKE,
            position: uint32(MEMBER_COUNT + 1),
            capacity: 2,
            openSeats: 0,
            minPrice: 5,
            minSeconds: 60,
            isAwake: true
        });
        vm.expectEmit(address(pool));
        emit IQuorumMembers.MemberChanged(versionId, CLASS, newcomer, expected);
        vm.prank(newcomer);
        pool.enroll(versionId, CLASS, STAKE, asked);
        assertEq(abi.encode(memberOf(newcomer)), abi.encode(expected), "member");
        assertEq(lockedOf(newcomer), STAKE, "locked");
        assertEq(pool.memberAt(versionId, CLASS, MEMBER_COUNT + 1), newcomer, "position");
    }

    function test_stakeCountsFromTheNextBlock() external {
        uint256 before = MEMBER_COUNT * STAKE;
        assertEq(_eligible(block.number - 1), before, "before");
        enrollAs(newcomer, STAKE);
        nextBlock();
        assertEq(_eligible(block.number - 2), before, "the past stays");
        assertEq(_eligible(block.number - 1), before + STAKE, "from its block's end on");
        assertEq(pool.weightAt(versionId, CLASS, newcomer, block.number - 2), 0, "weight before");
        assertEq(pool.weightAt(versionId, CLASS, newcomer, block.number - 1), STAKE, "weight");
    }

    function test_addStake() external {
        address account = accounts[2];
        vm.prank(account);
        pool.addStake(versionId, CLASS, 7e6);
        assertEq(memberOf(account).stake, STAKE + 7e6, "stake");
        assertEq(lockedOf(account), STAKE + 7e6, "locked, in one claim");
        nextBlock();
        assertEq(pool.weightAt(versionId, CLASS, account, block.number - 1), STAKE + 7e6, "weight");
        assertEq(_eligible(block.number - 1), MEMBER_COUNT * STAKE + 7e6, "whole");
    }

    function test_sleepAndWake() external {
        address account = accounts[3];
        vm.prank(account);
        pool.sleep(versionId, CLASS);
        assertEq(lockedOf(account), STAKE, "still locked");
        assertFalse(memberOf(account).isAwake, "asleep");
        nextBlock();
        assertEq(pool.weightAt(versionId, CLASS, account, block.number - 1), 0, "weighs nothing");
        vm.prank(account);
        pool.wake(versionId, CLASS);
        nextBlock();
        assertEq(pool.weightAt(versionId, CLASS, account, block.number - 1), STAKE, "weighs again");
        assertEq(_eligible(block.number - 1), MEMBER_COUNT * STAKE, "as before");
    }

    function test_stakeAddedInSleepCountsOnWaking() external {
        address account = accounts[3];
        vm.startPrank(account);
        pool.sleep(versionId, CLASS);
        pool.addStake(versionId, CLASS, 1e6);
        nextBlock();
        assertEq(pool.weightAt(versionId, CLASS, account, block.number - 1), 0, "asleep");
        pool.wake(versionId, CLASS);
        vm.stopPrank();
        nextBlock();
        assertEq(pool.weightAt(versionId, CLASS, account, block.number - 1), STAKE + 1e6, "all of it");
    }

    function test_setTerms() external {
        vm.prank(accounts[0]);
        pool.setTerms(versionId, CLASS, MemberTerms({capacity: 9, minPrice: 3, minSeconds: 2}));
        Member memory member = memberOf(accounts[0]);
        assertEq(member.capacity, 9, "capacity");
        assertEq(member.minPrice, 3, "price");
        assertEq(member.minSeconds, 2, "time");
        assertEq(member.stake, STAKE, "stake stays");
    }

    function test_unenrollFreesTheStakeAndKeepsThePosition() external {
        address account = accounts[1];
        vm.prank(account);
        pool.unenroll(versionId, CLASS);
        assertEq(lockedOf(account), 0, "free");
        Member memory gone;
        gone.position = 2;
        assertEq(abi.encode(memberOf(account)), abi.encode(gone), "nothing but the position");
        nextBlock();
        assertEq(_eligible(block.number - 1), (MEMBER_COUNT - 1) * STAKE, "weighs nothing");
        enrollAs(account, 2 * STAKE);
        assertEq(memberOf(account).position, 2, "the same position");
        nextBlock();
        assertEq(pool.weightAt(versionId, CLASS, account, block.number - 1), 2 * STAKE, "the new stake");
    }

    function test_poolsAreApart() external {
        uint64 other = publish(QUORUM_AND_ATTESTED);
        vm.startPrank(newcomer);
        pool.enroll(versionId, keccak256("another class"), STAKE, terms());
        pool.enroll(other, CLASS, STAKE, terms());
        vm.stopPrank();
        nextBlock();
        assertEq(_eligible(block.number - 1), MEMBER_COUNT * STAKE, "neither class nor version");
        (uint256 stake, uint256 positions) = pool.eligibleStakeAt(other, CLASS, block.number - 1);
        assertEq(stake, STAKE, "its own");
        assertEq(positions, 1, "its own positions");
        assertEq(lockedOf(newcomer), 2 * STAKE, "stake for each");
    }

    function test_exitingStakeStaysWhileEnrolled() external {
        address account = accounts[0];
        vm.prank(account);
        staking.requestExit(address(pool), ALLOCATED);
        vm.warp(block.timestamp + EXIT_DELAY);
        vm.prank(account);
        staking.completeExit(address(pool));
        assertEq(staking.freeStake(account), ALLOCATED - STAKE, "only what no enrolment holds");
        assertEq(lockedOf(account), STAKE, "the rest is there");
    }

    function test_whoOwnsWhat() external view {
        assertEq(pool.market(), address(market), "market");
        assertEq(pool.registry(), address(registry), "registry");
        assertEq(pool.staking(), address(staking), "staking");
        assertEq(pool.MIN_STAKE(), MIN_STAKE, "least stake");
        assertEq(pool.SEAT_BOND(), SEAT_BOND, "bond");
        assertEq(pool.OUTLIER_SLASH(), OUTLIER_SLASH, "outlier");
    }

    // --- what is refused ---

    function test_refusesVersionsThatDoNotAllowIt() external {
        uint64 other = publish(uint8(1 << uint8(TrustMode.ATTESTED)));
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_ModeNotAllowed.selector, other));
        vm.prank(newcomer);
        pool.enroll(other, CLASS, STAKE, terms());
        vm.expectRevert(abi.encodeWithSelector(IModelRegistry.ModelRegistry_UnknownVersion.selector, 99));
        vm.prank(newcomer);
        pool.enroll(99, CLASS, STAKE, terms());
    }

    function test_refusesNoClassNoCapacityTooLittle() external {
        vm.startPrank(newcomer);
        vm.expectRevert(IQuorumMembers.QuorumMembers_ZeroRuntimeClass.selector);
        pool.enroll(versionId, 0, STAKE, terms());
        vm.expectRevert(IQuorumMembers.QuorumMembers_ZeroCapacity.selector);
        pool.enroll(versionId, CLASS, STAKE, MemberTerms({capacity: 0, minPrice: 0, minSeconds: 0}));
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMembers.QuorumMembers_StakeTooLow.selector, MIN_STAKE - 1, MIN_STAKE)
        );
        pool.enroll(versionId, CLASS, MIN_STAKE - 1, terms());
        pool.enroll(versionId, CLASS, MIN_STAKE, terms());
        vm.stopPrank();
    }

    function test_refusesStakeThatIsNotAllocated() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                newcomer,
                address(pool),
                ALLOCATED,
                ALLOCATED + 1
            )
        );
        vm.prank(newcomer);
        pool.enroll(versionId, CLASS, uint88(ALLOCATED + 1), terms());
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                accounts[0],
                address(pool),
                ALLOCATED,
                ALLOCATED + 1
            )
        );
        vm.prank(accounts[0]);
        pool.addStake(versionId, CLASS, uint88(ALLOCATED + 1 - STAKE));
    }

    function test_refusesToEnrollTwice() external {
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMembers.QuorumMembers_AlreadyEnrolled.selector, versionId, CLASS, accounts[0])
        );
        enrollAs(accounts[0], STAKE);
    }

    function test_refusesWhatOnlyMembersMay() external {
        bytes memory refusal =
            abi.encodeWithSelector(IQuorumMembers.QuorumMembers_NotEnrolled.selector, versionId, CLASS, stranger);
        vm.startPrank(stranger);
        vm.expectRevert(refusal);
        pool.addStake(versionId, CLASS, 1);
        vm.expectRevert(refusal);
        pool.setTerms(versionId, CLASS, terms());
        vm.expectRevert(refusal);
        pool.sleep(versionId, CLASS);
        vm.expectRevert(refusal);
        pool.wake(versionId, CLASS);
        vm.expectRevert(refusal);
        pool.unenroll(versionId, CLASS);
        vm.stopPrank();
    }

    function test_refusesNothingAndNoChange() external {
        vm.startPrank(accounts[0]);
        vm.expectRevert(IQuorumMembers.QuorumMembers_ZeroAmount.selector);
        pool.addStake(versionId, CLASS, 0);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_AlreadyAwake.selector, accounts[0]));
        pool.wake(versionId, CLASS);
        pool.sleep(versionId, CLASS);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_AlreadyAsleep.selector, accounts[0]));
        pool.sleep(versionId, CLASS);
        vm.stopPrank();
    }

    function test_refusesToWakeWithTooLittle() external {
        address account = newcomer;
        enrollAs(account, MIN_STAKE);
        nextBlock();
        // Drawn and silent until too little is left.
        vm.prank(account);
        pool.setTerms(versionId, CLASS, terms());
        for (uint256 i = 0; i < MEMBER_COUNT - 4; ++i) {
            vm.prank(accounts[i]);
            pool.sleep(versionId, CLASS);
        }
        nextBlock();
        QuorumRound memory round = drawn(requestFor(5, 3));
        pastCommits(round);
        market.settle(round, "");
        assertEq(memberOf(account).stake, MIN_STAKE - SEAT_BOND, "slashed");
        vm.expectRevert(
            abi.encodeWithSelector(IQuorumMembers.QuorumMembers_StakeTooLow.selector, MIN_STAKE - SEAT_BOND, MIN_STAKE)
        );
        vm.prank(account);
        pool.wake(versionId, CLASS);
        vm.startPrank(account);
        pool.addStake(versionId, CLASS, SEAT_BOND);
        pool.wake(versionId, CLASS);
        vm.stopPrank();
        assertTrue(memberOf(account).isAwake, "with enough again");
    }

    function test_refusesToLookAtThePresent() external {
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_BlockNotOver.selector, block.number));
        pool.eligibleStakeAt(versionId, CLASS, block.number);
        vm.expectRevert(abi.encodeWithSelector(IQuorumMembers.QuorumMembers_BlockNotOver.selector, block.number));
        pool.weightAt(versionId, CLASS, accounts[0], block.number);
    }

    function _eligible(uint256 at) private view returns (uint256 stake) {
        (stake,) = pool.eligibleStakeAt(versionId, CLASS, at);
    }
}
