// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {ClaimState, PoolState, Receipt, ReceiptFlaw, SlotState} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

contract CourtEquivocationTest is CourtNetwork {
    function test_aReportForfeitsThePool() external {
        (Receipt memory first, Receipt memory second) = (honest(5), lie(5));
        uint256 poolId = pool().poolId;
        (bytes32 one, bytes32 two) = (court.digestOf(first), court.digestOf(second));
        uint256 claimId = commitTo(challenger, court.pairDigestOf(one, two));
        nextBlock();
        (bytes memory a, bytes memory b) = (sign(first), sign(second));
        vm.expectEmit(address(court));
        emit IReceiptCourt.Equivocation(poolId, challenger, claimId, 5, one, two);
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
        assertClaim(claimId, ClaimState.REPORTED);
        assertEq(pool().reporter, challenger, "forfeited");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "the whole bond is back");
        assertEq(pool().locked, uint256(BOND) * CAPACITY, "everything stays locked");
    }

    function test_nothingOfAForfeitedPoolReturns() external {
        reportBy(challenger, honest(0), lie(0));
        outlive(epoch);
        uint256 left = uint256(BOND) * CAPACITY;
        uint256 reward = left * REWARD_BPS / 10_000;
        vm.expectEmit(address(court));
        emit IReceiptCourt.PoolReleased(pool().poolId, 0, left, reward);
        court.releasePool(executor, epoch);
        assertEq(staking.creditOf(challenger), reward, "the reporter");
        assertEq(staking.pendingBurn(), left - reward, "the rest burns");
        assertEq(allocatedStake(), COURT_STAKE - left, "the executor lost it");
        assertEq(lockedStake(), 0, "nothing locked");
        assertEq(uint256(pool().state), uint256(PoolState.RELEASED), "state");
    }

    function test_otherPoolsOfTheExecutorAreUntouched() external {
        openPool(executor, epoch + 1, 3);
        reportBy(challenger, honest(0), lie(0));
        assertEq(court.poolOf(executor, epoch + 1).reporter, address(0), "the next epoch");
        outlive(epoch);
        court.releasePool(executor, epoch);
        assertEq(lockedStake(), 3 * uint256(BOND), "still locked");
        outlive(epoch + 1);
        court.releasePool(executor, epoch + 1);
        assertEq(allocatedStake(), COURT_STAKE - uint256(BOND) * CAPACITY, "returned");
    }

    function test_theOtherReceiptsKeepTheirBonds() external {
        reportBy(challenger, honest(0), lie(0));
        uint256 claimId = challenged(lie(1));
        slashed(claimId);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "compensated as ever");
        assertSlot(1, SlotState.SLASHED);
        outlive(epoch);
        uint256 left = uint256(BOND) * (CAPACITY - 1);
        court.releasePool(executor, epoch);
        assertEq(allocatedStake(), COURT_STAKE - BOND - left, "everything is gone");
    }

    function test_theSlotItselfStillBacksOneReceipt() external {
        reportBy(challenger, honest(0), lie(0));
        slashed(challenged(lie(0)));
        assertSlot(0, SlotState.SLASHED);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "compensated");
    }

    function test_honestAnswersStayRight() external {
        reportBy(challenger, honest(0), lie(0));
        uint256 claimId = challenged(honest(1));
        respond(claimId);
        assertClaim(claimId, ClaimState.PROVEN);
    }

    function test_aReportAfterTheSlotIsSlashed() external {
        (Receipt memory first, Receipt memory second) = (honest(0), lie(0));
        slashed(challenged(second));
        reportBy(challenger, first, second);
        assertEq(pool().reporter, challenger, "still an equivocation");
    }

    function test_aReportAfterBothReceiptsDied() external {
        (Receipt memory first, Receipt memory second) = (honest(0), lie(0));
        vm.warp(pool().releasableAt + 10 days);
        reportBy(challenger, first, second);
        court.releasePool(executor, epoch);
        assertEq(staking.creditOf(challenger), uint256(BOND) * CAPACITY * REWARD_BPS / 10_000, "until the release");
    }

    function test_noReportAfterTheRelease() external {
        (Receipt memory first, Receipt memory second) = (honest(0), lie(0));
        outlive(epoch);
        court.releasePool(executor, epoch);
        _expectReportRefused(first, second, _flaw(ReceiptFlaw.NO_POOL));
    }

    function test_whateverDiffersIsAnEquivocation() external {
        uint256 before = vm.snapshotState();
        for (uint256 i = 0; i < 5; ++i) {
            vm.revertToState(before);
            before = vm.snapshotState();
            (Receipt memory first, Receipt memory second) = (honest(0), honest(0));
            if (i == 0) second.beneficiary = stranger;
            if (i == 1) second.price += 1;
            if (i == 2) second.expires -= 1;
            if (i == 3) second.versionId = kzgVersion;
            if (i == 4) second.inputBinding = keccak256("another input");
            reportBy(challenger, first, second);
            assertEq(pool().reporter, challenger, "forfeited");
        }
    }

    function test_oneReceiptIsNone() external {
        _expectReportRefused(honest(0), honest(0), _none());
    }

    function test_twoSlotsAreNone() external {
        _expectReportRefused(honest(0), honest(1), _none());
    }

    function test_twoEpochsAreNone() external {
        openPool(executor, epoch + 1, 2);
        Receipt memory first = honest(0);
        vm.warp((epoch + 1) * EPOCH);
        _expectReportRefused(first, honest(0), _none());
    }

    function test_twoExecutorsAreNone() external {
        backCourt(stranger, 100e6, receiptKey);
        openPool(stranger, epoch, 2);
        Receipt memory second = honest(0);
        second.executor = stranger;
        _expectReportRefused(honest(0), second, _none());
    }

    function test_worthlessReceiptsAreNone() external {
        Receipt memory second = honest(CAPACITY);
        second.price = 0;
        _expectReportRefused(honest(CAPACITY), second, _flaw(ReceiptFlaw.BEYOND_CAPACITY));
        second = honest(0);
        second.bond = BOND + 1;
        _expectReportRefused(honest(0), second, _flaw(ReceiptFlaw.OTHER_BOND));
        _expectReportRefused(second, honest(0), _flaw(ReceiptFlaw.OTHER_BOND));
        second = honest(0);
        second.expires = second.issued + RECEIPT_LIFE + 1;
        _expectReportRefused(honest(0), second, _flaw(ReceiptFlaw.LIFE_OUT_OF_RANGE));
    }

    function test_aForgedReceiptIsNone() external {
        (Receipt memory first, Receipt memory second) = (honest(0), lie(0));
        uint256 claimId = commitTo(challenger, court.pairDigestOf(court.digestOf(first), court.digestOf(second)));
        nextBlock();
        (bytes memory good, bytes memory alsoGood) = (sign(first), sign(second));
        bytes memory forged = signWith(requesterKey, second);
        expectRefusal(ReceiptFlaw.FOREIGN_SIGNATURE);
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, good, second, forged, SALT);
        expectRefusal(ReceiptFlaw.FOREIGN_SIGNATURE);
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, forged, second, alsoGood, SALT);
    }

    function test_onceForAPool() external {
        reportBy(challenger, honest(0), lie(0));
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256 poolId = pool().poolId;
        (Receipt memory first, Receipt memory second) = (honest(1), lie(1));
        uint256 claimId = commitTo(stranger, court.pairDigestOf(court.digestOf(first), court.digestOf(second)));
        nextBlock();
        (bytes memory a, bytes memory b) = (sign(first), sign(second));
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_PoolForfeited.selector, poolId));
        vm.prank(stranger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
        vm.prank(stranger);
        court.withdrawCommitment(claimId);
        assertEq(court.balanceOf(stranger), MAX_CHALLENGE_BOND, "nothing lost");
    }

    function test_aReportIsCommittedBefore() external {
        (Receipt memory first, Receipt memory second) = (honest(0), lie(0));
        bytes32 pair = court.pairDigestOf(court.digestOf(first), court.digestOf(second));
        uint256 claimId = commitTo(challenger, pair);
        (bytes memory a, bytes memory b) = (sign(first), sign(second));
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_CommittedInThisBlock.selector, claimId));
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
        nextBlock();
        // In the order that was committed to, by who committed.
        vm.expectPartialRevert(IReceiptCourt.ReceiptCourt_OtherCommitment.selector);
        vm.prank(challenger);
        court.reportEquivocation(claimId, second, b, first, a, SALT);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotChallenger.selector, claimId, stranger));
        vm.prank(stranger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
    }

    function test_aCommitmentToAPairOpensNoChallenge() external {
        (Receipt memory first, Receipt memory second) = (lie(0), honest(0));
        uint256 claimId = commitTo(challenger, court.pairDigestOf(court.digestOf(first), court.digestOf(second)));
        nextBlock();
        bytes memory signature = sign(first);
        bytes memory input = inputOf(0);
        vm.expectPartialRevert(IReceiptCourt.ReceiptCourt_OtherCommitment.selector);
        vm.prank(challenger);
        court.challengeReceipt(claimId, first, signature, input, SALT);
    }

    function _none() private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NoEquivocation.selector);
    }

    function _flaw(ReceiptFlaw flaw) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_InvalidReceipt.selector, flaw);
    }

    function _expectReportRefused(Receipt memory first, Receipt memory second, bytes memory error) private {
        uint256 claimId = commitTo(challenger, court.pairDigestOf(court.digestOf(first), court.digestOf(second)));
        nextBlock();
        (bytes memory a, bytes memory b) = (sign(first), sign(second));
        vm.expectRevert(error);
        vm.prank(challenger);
        court.reportEquivocation(claimId, first, a, second, b, SALT);
        assertEq(pool().reporter, address(0), "not forfeited");
    }
}
