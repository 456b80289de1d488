// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice An executor lies, and takes his stake away before his receipts die: by the exit queue, by closing, releasing
/// or shrinking the pool, or by giving his profile another key.
contract ReceiptExecutorLeavesAttack is CourtNetwork {
    function test_attack_theExitQueueLeavesTheBonds() external {
        Receipt memory receipt = lie(0);
        vm.startPrank(executor);
        staking.requestExit(address(court), COURT_STAKE);
        vm.warp(block.timestamp + EXIT_DELAY);
        staking.completeExit(address(court)); // what no pool locks
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector, uint256(BOND) * CAPACITY)
        );
        staking.completeExit(address(court));
        vm.stopPrank();
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "the bonds stay");
        assertTrue(pool().inExit, "and clients see it");
        assertTrue(block.timestamp > receipt.expires, "until long after the receipts");
    }

    function test_attack_aLieDuringTheExitIsSlashed() external {
        vm.prank(executor);
        staking.requestExit(address(court), COURT_STAKE);
        uint256 claimId = challenged(lie(0));
        vm.warp(block.timestamp + EXIT_DELAY);
        vm.prank(executor);
        staking.completeExit(address(court));
        court.slash(claimId);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "compensated");
        assertEq(lockedStake(), uint256(BOND) * (CAPACITY - 1), "one bond gone");
    }

    function test_attack_anExitAskedForInAdvance() external {
        // Ready long ago, and never completed: what is locked cannot leave all the same.
        backCourt(stranger, uint256(BOND) * 2, receiptKey);
        vm.prank(stranger);
        staking.requestExit(address(court), uint256(BOND) * 2);
        vm.warp((block.timestamp / EPOCH + 20) * EPOCH);
        epoch = court.epochAt(uint64(block.timestamp));
        openPool(stranger, epoch, 2);
        vm.expectPartialRevert(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector);
        vm.prank(stranger);
        staking.completeExit(address(court));
        assertTrue(court.poolOf(stranger, epoch).inExit, "clients refuse him");
    }

    function test_attack_neitherClosedNorReleasedNorShrunk() external {
        vm.startPrank(executor);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_EpochBegun.selector, epoch));
        court.closePool(epoch);
        vm.expectPartialRevert(IReceiptCourt.ReceiptCourt_PoolStillNeeded.selector);
        court.releasePool(executor, epoch);
        vm.expectPartialRevert(IReceiptCourt.ReceiptCourt_PoolExists.selector);
        court.openPools(epoch, 1, MIN_BOND, 1, CHALLENGE_BOND);
        vm.stopPrank();
        // There is no function that makes a pool smaller; growing changes nothing that was there.
        Receipt memory receipt = lie(0);
        vm.prank(executor);
        court.growPool(epoch, 1);
        assertFlaw(receipt, ReceiptFlaw.NONE);
    }

    function test_attack_rotatingTheKeyStrandsNoReceipt() external {
        Receipt memory receipt = lie(0);
        bytes memory signature = sign(receipt);
        (address newKey, uint256 newPrivateKey) = makeAddrAndKey("new receipt key");
        setKey(executor, newKey);
        assertEq(pool().receiptKey, receiptKey, "the pool keeps its key");
        assertEq(uint256(court.flawOf(receipt, signature)), uint256(ReceiptFlaw.NONE), "still good");
        slashed(challenged(receipt));
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "and it pays");
        // The new key counts from the next pool on, and the old one no more there.
        openPool(executor, epoch + 1, 2);
        vm.warp((epoch + 1) * EPOCH);
        receipt = lie(0);
        assertFlaw(receipt, ReceiptFlaw.FOREIGN_SIGNATURE);
        assertEq(
            uint256(court.flawOf(receipt, signWith(newPrivateKey, receipt))), uint256(ReceiptFlaw.NONE), "the new one"
        );
    }

    function test_attack_removingTheKeyStrandsNoReceipt() external {
        Receipt memory receipt = lie(0);
        setKey(executor, address(0));
        assertFlaw(receipt, ReceiptFlaw.NONE);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoReceiptKey.selector, executor));
        openPool(executor, epoch + 1, 1);
    }

    function test_attack_otherSlashersCannotTakeTheBonds() external {
        // The executor allots his stake to a slasher of his own, which "slashes" it to a friend.
        vm.startPrank(executor);
        vm.expectRevert();
        staking.allocate(stranger, COURT_STAKE);
        vm.stopPrank();
        uint256 poolId = pool().poolId;
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, stranger, bytes32(poolId))
        );
        vm.prank(stranger);
        staking.slash(bytes32(poolId), stranger, 0);
    }
}
