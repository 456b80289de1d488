// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {Pool, PoolState, Receipt, ReceiptFlaw, SlotState} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

contract CourtPoolsTest is CourtNetwork {
    function test_anOpenPoolLocksItsBonds() external view {
        Pool memory opened = pool();
        assertEq(uint256(opened.state), uint256(PoolState.OPEN), "state");
        assertEq(opened.receiptKey, receiptKey, "key");
        assertEq(opened.bond, BOND, "bond");
        assertEq(opened.challengeBond, CHALLENGE_BOND, "challenge bond");
        assertEq(opened.capacity, CAPACITY, "capacity");
        assertEq(opened.locked, uint256(BOND) * CAPACITY, "locked");
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "at the staking contract");
        (address holder, uint256 amount) = staking.claim(address(court), bytes32(opened.poolId));
        assertEq(holder, executor, "by its executor");
        assertEq(amount, uint256(BOND) * CAPACITY, "in one claim");
    }

    function test_aPoolTellsItsTimes() external view {
        Pool memory opened = pool();
        assertEq(opened.starts, epoch * EPOCH, "starts");
        assertEq(opened.ends, (epoch + 1) * EPOCH, "ends");
        assertEq(opened.releasableAt, (epoch + 1) * EPOCH + RECEIPT_LIFE, "releasable");
        assertEq(opened.reporter, address(0), "not forfeited");
        assertFalse(opened.inExit, "not in exit");
    }

    function test_epochsHaveTheirLength() external view {
        assertEq(court.epochAt(epoch * EPOCH - 1), epoch - 1, "last second before");
        assertEq(court.epochAt(epoch * EPOCH), epoch, "first second");
        assertEq(court.epochAt((epoch + 1) * EPOCH - 1), epoch, "last second");
    }

    function test_openingIsAnnounced() external {
        uint256 poolId = pool().poolId + 1;
        vm.expectEmit(address(court));
        emit IReceiptCourt.PoolOpened(poolId, executor, epoch + 1, receiptKey, BOND, CHALLENGE_BOND, 7);
        openPool(executor, epoch + 1, 7);
        assertEq(court.poolOf(executor, epoch + 1).poolId, poolId, "numbered on");
    }

    function test_severalEpochsAtOnce() external {
        vm.prank(executor);
        court.openPools(epoch + 1, 3, BOND, 2, CHALLENGE_BOND);
        for (uint64 at = epoch + 1; at < epoch + 4; ++at) {
            assertEq(court.poolOf(executor, at).capacity, 2, "open");
        }
        assertEq(court.poolOf(executor, epoch + 4).capacity, 0, "no more");
        assertEq(lockedStake(), uint256(BOND) * (CAPACITY + 6), "each locks its own");
    }

    function test_noEpochsAreNoPools() external {
        vm.prank(executor);
        court.openPools(epoch + 1, 0, BOND, 2, CHALLENGE_BOND);
        assertEq(court.poolOf(executor, epoch + 1).poolId, 0, "none");
    }

    function test_poolsBelongToTheirExecutor() external {
        backCourt(stranger, 100e6, client);
        openPool(stranger, epoch, 3);
        assertEq(court.poolOf(stranger, epoch).capacity, 3, "his");
        assertEq(court.poolOf(stranger, epoch).receiptKey, client, "his key");
        assertEq(pool().capacity, CAPACITY, "the other's");
    }

    function test_onePoolPerEpoch() external {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_PoolExists.selector, executor, epoch));
        openPool(executor, epoch, 1);
    }

    function test_noPoolForAnEpochThatIsOver() external {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_EpochOver.selector, epoch - 1, epoch));
        openPool(executor, epoch - 1, 1);
    }

    function test_aPoolNeedsAKey() external {
        backCourt(stranger, 100e6, address(0));
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoReceiptKey.selector, stranger));
        openPool(stranger, epoch, 1);
    }

    function test_aPoolNeedsStakeAllocatedToTheCourt() external {
        uint256 unlocked = COURT_STAKE - uint256(BOND) * CAPACITY;
        uint32 tooMany = uint32(unlocked / BOND) + 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                executor,
                address(court),
                unlocked,
                uint256(BOND) * tooMany
            )
        );
        openPool(executor, epoch + 1, tooMany);
        openPool(executor, epoch + 1, tooMany - 1);
        assertEq(lockedStake(), COURT_STAKE, "to the last unit");
    }

    function test_stakeOfTheMarketDoesNotBackReceipts() external {
        vm.startPrank(executor);
        assertEq(staking.available(executor, address(market)), STAKE, "there");
        vm.expectRevert();
        court.openPools(epoch + 1, 1, uint128(COURT_STAKE), 1, CHALLENGE_BOND);
        vm.stopPrank();
    }

    function test_bondsHaveAMinimum() external {
        vm.expectRevert(
            abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_BondBelowMinimum.selector, MIN_BOND - 1, MIN_BOND)
        );
        vm.prank(executor);
        court.openPools(epoch + 1, 1, MIN_BOND - 1, 1, CHALLENGE_BOND);
        vm.prank(executor);
        court.openPools(epoch + 1, 1, MIN_BOND, 1, CHALLENGE_BOND);
    }

    function test_aBondBeyondAnyStakeIsRefused() external {
        vm.expectRevert();
        vm.prank(executor);
        court.openPools(epoch + 1, 1, type(uint128).max, 1, CHALLENGE_BOND);
        vm.expectRevert();
        vm.prank(executor);
        // Cut to 96 bits it would be small.
        court.openPools(epoch + 1, 1, uint128(1 << 96) + MIN_BOND, 1, CHALLENGE_BOND);
    }

    function test_challengeBondsHaveBounds() external {
        uint128[2] memory wrong = [MIN_CHALLENGE_BOND - 1, MAX_CHALLENGE_BOND + 1];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    IReceiptCourt.ReceiptCourt_ChallengeBondOutOfRange.selector,
                    wrong[i],
                    MIN_CHALLENGE_BOND,
                    MAX_CHALLENGE_BOND
                )
            );
            vm.prank(executor);
            court.openPools(epoch + 1, 1, BOND, 1, wrong[i]);
        }
        vm.startPrank(executor);
        court.openPools(epoch + 1, 1, BOND, 1, MIN_CHALLENGE_BOND);
        court.openPools(epoch + 2, 1, BOND, 1, MAX_CHALLENGE_BOND);
        vm.stopPrank();
    }

    function test_capacityHasBounds() external {
        _expectCapacityRefused(0);
        openPool(executor, epoch + 1, 0);
        _expectCapacityRefused(MAX_CAPACITY + 1);
        openPool(executor, epoch + 1, MAX_CAPACITY + 1);
    }

    // --- growing ---

    function test_growingAddsSlots() external {
        vm.expectEmit(address(court));
        emit IReceiptCourt.PoolGrown(pool().poolId, CAPACITY + 5);
        vm.prank(executor);
        court.growPool(epoch, 5);
        assertEq(pool().capacity, CAPACITY + 5, "more");
        assertEq(lockedStake(), uint256(BOND) * (CAPACITY + 5), "locked");
        assertSlot(CAPACITY + 4, SlotState.INTACT);
        assertSlot(CAPACITY + 5, SlotState.WORTHLESS);
    }

    function test_growingAfterASlash() external {
        slashed(challenged(lie(0)));
        vm.prank(executor);
        court.growPool(epoch, 1);
        assertEq(pool().locked, uint256(BOND) * CAPACITY, "one gone, one more");
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "at the staking contract");
        assertSlot(0, SlotState.SLASHED);
    }

    function test_growingAPoolWhoseBondsAreAllGone() external {
        openPool(executor, epoch + 1, 1);
        vm.warp((epoch + 1) * EPOCH);
        Receipt memory receipt = lie(0);
        uint256 claimId = challenged(receipt);
        slashed(claimId);
        assertEq(court.poolOf(executor, epoch + 1).locked, 0, "nothing left");
        vm.prank(executor);
        court.growPool(epoch + 1, 2);
        assertEq(court.poolOf(executor, epoch + 1).locked, uint256(BOND) * 2, "new slots");
    }

    function test_growingNeedsAPool() external {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoPool.selector, executor, epoch + 1));
        vm.prank(executor);
        court.growPool(epoch + 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoPool.selector, stranger, epoch));
        vm.prank(stranger);
        court.growPool(epoch, 1);
    }

    function test_growingHasBounds() external {
        vm.startPrank(executor);
        _expectCapacityRefused(0);
        court.growPool(epoch, 0);
        _expectCapacityRefused(uint256(CAPACITY) + MAX_CAPACITY);
        court.growPool(epoch, MAX_CAPACITY);
        _expectCapacityRefused(uint256(CAPACITY) + type(uint32).max);
        court.growPool(epoch, type(uint32).max);
        vm.expectRevert();
        court.growPool(epoch, 500);
        vm.stopPrank();
        assertEq(pool().capacity, CAPACITY, "unchanged");
    }

    function test_noGrowingOfAnEpochThatIsOver() external {
        vm.warp((epoch + 1) * EPOCH);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_EpochOver.selector, epoch, epoch + 1));
        vm.prank(executor);
        court.growPool(epoch, 1);
    }

    function test_growingInTheLastSecond() external {
        vm.warp((epoch + 1) * EPOCH - 1);
        vm.prank(executor);
        court.growPool(epoch, 1);
        assertEq(pool().capacity, CAPACITY + 1, "more");
    }

    function test_noGrowingOfAForfeitedPool() external {
        reportBy(challenger, honest(0), lie(0));
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_PoolForfeited.selector, pool().poolId));
        vm.prank(executor);
        court.growPool(epoch, 1);
    }

    // --- closing ---

    function test_closingAPoolOfALaterEpoch() external {
        openPool(executor, epoch + 1, 5);
        uint256 poolId = court.poolOf(executor, epoch + 1).poolId;
        vm.expectEmit(address(court));
        emit IReceiptCourt.PoolClosed(poolId);
        vm.prank(executor);
        court.closePool(epoch + 1);
        assertEq(uint256(court.poolOf(executor, epoch + 1).state), uint256(PoolState.NONE), "gone");
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "unlocked");
        (address holder,) = staking.claim(address(court), bytes32(poolId));
        assertEq(holder, address(0), "no claim");
    }

    function test_aClosedEpochMayBeOpenedAgainOnOtherTerms() external {
        openPool(executor, epoch + 1, 5);
        vm.prank(executor);
        court.closePool(epoch + 1);
        vm.prank(executor);
        court.openPools(epoch + 1, 1, BOND * 2, 3, MIN_CHALLENGE_BOND);
        assertEq(court.poolOf(executor, epoch + 1).bond, BOND * 2, "other terms");
    }

    function test_noClosingOnceTheEpochHasBegun() external {
        openPool(executor, epoch + 1, 5);
        vm.warp((epoch + 1) * EPOCH - 1);
        uint256 before = vm.snapshotState();
        vm.prank(executor);
        court.closePool(epoch + 1);
        vm.revertToState(before);
        vm.warp((epoch + 1) * EPOCH);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_EpochBegun.selector, epoch + 1));
        vm.prank(executor);
        court.closePool(epoch + 1);
    }

    function test_noClosingOfAnothersPool() external {
        openPool(executor, epoch + 1, 5);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoPool.selector, stranger, epoch + 1));
        vm.prank(stranger);
        court.closePool(epoch + 1);
    }

    // --- releasing ---

    function test_releaseUnlocksEverything() external {
        outlive(epoch);
        uint256 poolId = pool().poolId;
        vm.expectEmit(address(court));
        emit IReceiptCourt.PoolReleased(poolId, uint256(BOND) * CAPACITY, 0, 0);
        vm.prank(stranger);
        court.releasePool(executor, epoch);
        assertEq(lockedStake(), 0, "unlocked");
        assertEq(allocatedStake(), COURT_STAKE, "nothing lost");
        assertEq(uint256(pool().state), uint256(PoolState.RELEASED), "state");
        assertEq(pool().locked, 0, "told");
    }

    function test_releaseUnlocksWhatIsLeft() external {
        slashed(challenged(lie(0)));
        outlive(epoch);
        court.releasePool(executor, epoch);
        assertEq(lockedStake(), 0, "unlocked");
        assertEq(allocatedStake(), COURT_STAKE - BOND, "one bond is gone");
    }

    function test_releaseOfAPoolWithNothingLeft() external {
        openPool(executor, epoch + 1, 1);
        vm.warp((epoch + 1) * EPOCH);
        slashed(challenged(lie(0)));
        outlive(epoch + 1);
        vm.expectEmit(address(court));
        emit IReceiptCourt.PoolReleased(court.poolOf(executor, epoch + 1).poolId, 0, 0, 0);
        court.releasePool(executor, epoch + 1);
    }

    function test_noReleaseBeforeTheLastReceiptIsDead() external {
        vm.warp(pool().releasableAt - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReceiptCourt.ReceiptCourt_PoolStillNeeded.selector, pool().poolId, pool().releasableAt, 0
            )
        );
        court.releasePool(executor, epoch);
        // The last receipt that can be: its last second is this one.
        Receipt memory last = lie(0);
        last.issued = (epoch + 1) * EPOCH - 1;
        last.expires = last.issued + RECEIPT_LIFE;
        last.epoch = epoch;
        assertEq(last.expires, block.timestamp, "alive");
        assertFlaw(last, ReceiptFlaw.NONE);
        vm.warp(block.timestamp + 1);
        assertFlaw(last, ReceiptFlaw.EXPIRED);
        court.releasePool(executor, epoch);
    }

    function test_noReleaseWhileAClaimIsOpen() external {
        Receipt memory last = honest(0);
        last.issued = (epoch + 1) * EPOCH - 1;
        last.expires = last.issued + RECEIPT_LIFE;
        vm.warp(last.expires - 1);
        uint256 claimId = challenged(last);
        outlive(epoch);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReceiptCourt.ReceiptCourt_PoolStillNeeded.selector, pool().poolId, pool().releasableAt, 1
            )
        );
        court.releasePool(executor, epoch);
        respond(claimId);
        court.releasePool(executor, epoch);
        assertEq(lockedStake(), 0, "unlocked");
    }

    function test_noReleaseWhileAClaimIsOverdueButNotSlashed() external {
        Receipt memory last = lie(0);
        last.issued = (epoch + 1) * EPOCH - 1;
        last.expires = last.issued + RECEIPT_LIFE;
        vm.warp(last.expires - 1);
        uint256 claimId = challenged(last);
        missDeadline(claimId);
        vm.expectPartialRevert(IReceiptCourt.ReceiptCourt_PoolStillNeeded.selector);
        court.releasePool(executor, epoch);
        court.slash(claimId);
        court.releasePool(executor, epoch);
        assertEq(allocatedStake(), COURT_STAKE - BOND, "the lie cost its bond");
    }

    function test_noReleaseTwice() external {
        outlive(epoch);
        court.releasePool(executor, epoch);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoPool.selector, executor, epoch));
        court.releasePool(executor, epoch);
    }

    function test_noReleaseOfAPoolThatNeverWas() external {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoPool.selector, stranger, epoch));
        court.releasePool(stranger, epoch);
    }

    function test_clientsSeeAnExit() external {
        vm.prank(executor);
        staking.requestExit(address(court), 1);
        assertTrue(pool().inExit, "in exit");
        vm.prank(executor);
        staking.cancelExit(address(court));
        assertFalse(pool().inExit, "no more");
    }

    function _expectCapacityRefused(uint256 capacity) private {
        vm.expectRevert(
            abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_CapacityOutOfRange.selector, capacity, MAX_CAPACITY)
        );
    }
}
