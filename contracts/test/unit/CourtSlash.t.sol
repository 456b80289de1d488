// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {ClaimState, Receipt, SlotState} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

contract CourtSlashTest is CourtNetwork {
    uint256 internal constant REWARD = uint256(BOND) * REWARD_BPS / 10_000;

    function test_aLieCostsItsBond() external {
        uint256 claimId = challenged(lie(3));
        missDeadline(claimId);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ClaimSlashed(
            claimId, challenger, client, RECEIPT_PRICE, REWARD, BOND - RECEIPT_PRICE - REWARD
        );
        vm.prank(stranger);
        court.slash(claimId);
        assertClaim(claimId, ClaimState.SLASHED);
        assertSlot(3, SlotState.SLASHED);
        assertEq(allocatedStake(), COURT_STAKE - BOND, "one bond");
        assertEq(lockedStake(), uint256(BOND) * (CAPACITY - 1), "the others stay locked");
        assertEq(pool().slashedSlots, 1, "counted");
        assertEq(pool().openClaims, 0, "none open");
        assertEq(pool().locked, uint256(BOND) * (CAPACITY - 1), "told");
    }

    function test_theBondIsSplit() external {
        slashed(challenged(lie(0)));
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "the price back");
        assertEq(staking.creditOf(challenger), REWARD, "the reward");
        assertEq(staking.pendingBurn(), BOND - RECEIPT_PRICE - REWARD, "the rest burns");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "and his bond is back");
        assertEq(court.pendingBurn(), 0, "nothing burns at the court");
    }

    function test_theHarmedGetsAtMostHalfLessTheReward() external {
        Receipt memory receipt = lie(0);
        receipt.price = BOND;
        slashed(challenged(receipt));
        assertEq(staking.creditOf(client), BOND / 2 - REWARD, "as much as may leave");
        assertEq(staking.creditOf(challenger), REWARD, "the reward");
        assertEq(staking.pendingBurn(), BOND / 2, "half burns");
    }

    function test_theHarmedGetsAtMostThePrice() external {
        Receipt memory receipt = lie(0);
        receipt.price = 1;
        slashed(challenged(receipt));
        assertEq(staking.creditOf(client), 1, "the price");
        assertEq(staking.pendingBurn(), BOND - 1 - REWARD, "the rest burns");
    }

    function test_aReceiptThatCostNothing() external {
        Receipt memory receipt = lie(0);
        receipt.price = 0;
        slashed(challenged(receipt));
        assertEq(staking.creditOf(client), 0, "nothing paid, nothing back");
        assertEq(staking.creditOf(challenger), REWARD, "the reward");
    }

    function test_aReceiptForNobody() external {
        Receipt memory receipt = lie(0);
        receipt.beneficiary = address(0);
        slashed(challenged(receipt));
        assertEq(staking.creditOf(address(0)), 0, "nobody is paid");
        assertEq(staking.pendingBurn(), BOND - REWARD, "it burns");
    }

    function test_theBeneficiaryMayChallengeHimself() external {
        depositAtCourt(client, MAX_CHALLENGE_BOND);
        slashed(challengedBy(client, lie(0)));
        assertEq(staking.creditOf(client), RECEIPT_PRICE + REWARD, "both");
        vm.startPrank(client);
        staking.withdrawCredit(client);
        court.withdraw(MAX_CHALLENGE_BOND, client);
        vm.stopPrank();
        assertEq(token.balanceOf(client), RECEIPT_PRICE + REWARD + MAX_CHALLENGE_BOND, "paid out");
    }

    function test_bondsThatDoNotDivide() external {
        vm.prank(executor);
        court.openPools(epoch + 1, 1, MIN_BOND + 7, 2, CHALLENGE_BOND);
        vm.warp((epoch + 1) * EPOCH);
        Receipt memory receipt = lie(0);
        receipt.bond = MIN_BOND + 7;
        receipt.price = MIN_BOND;
        slashed(challenged(receipt));
        uint256 reward = uint256(receipt.bond) * REWARD_BPS / 10_000;
        uint256 compensation = receipt.bond / 2 - reward;
        assertEq(staking.creditOf(challenger), reward, "reward");
        assertEq(staking.creditOf(client), compensation, "compensation");
        assertEq(staking.pendingBurn(), receipt.bond - reward - compensation, "to the unit");
        assertGe(staking.pendingBurn(), compensation + reward, "at least half");
    }

    function test_everySlotCanBeSlashed() external {
        openPool(executor, epoch + 1, 3);
        vm.warp((epoch + 1) * EPOCH);
        uint256[] memory claims = new uint256[](3);
        for (uint32 slot = 0; slot < 3; ++slot) {
            claims[slot] = challenged(lie(slot));
        }
        missDeadline(claims[2]);
        for (uint256 i = 0; i < 3; ++i) {
            court.slash(claims[i]);
        }
        assertEq(court.poolOf(executor, epoch + 1).locked, 0, "all gone");
        assertEq(allocatedStake(), COURT_STAKE - 3 * uint256(BOND), "three bonds");
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "the other pool is untouched");
    }

    function test_theSecondClaimOnASlotIsMoot() external {
        depositAtCourt(stranger, CHALLENGE_BOND * 3);
        uint256 first = challengedBy(challenger, lie(0));
        uint256 second = challengedBy(stranger, lie(0));
        missDeadline(second);
        court.slash(first);
        vm.expectEmit(address(court));
        emit IReceiptCourt.ClaimMoot(second, stranger);
        court.slash(second);
        assertClaim(second, ClaimState.MOOT);
        assertEq(court.balanceOf(stranger), CHALLENGE_BOND * 3, "his bond is back");
        assertEq(staking.creditOf(stranger), 0, "and no more");
        assertEq(allocatedStake(), COURT_STAKE - BOND, "one bond, once");
        assertEq(pool().openClaims, 0, "none open");
    }

    function test_theFirstChallengerHasAWindowOfHisOwn() external {
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256 first = challengedBy(challenger, lie(0));
        uint256 second = challengedBy(stranger, lie(0));
        missDeadline(first);
        vm.expectRevert(
            abi.encodeWithSelector(
                IReceiptCourt.ReceiptCourt_NotOverdue.selector, second, claim(first).deadline + WINDOW
            )
        );
        court.slash(second);
        court.slash(first);
        assertEq(staking.creditOf(challenger), REWARD, "the first");
    }

    function test_aMootClaimMayStillBeProven() external {
        // Two receipts for one slot: the lie took the bond; what was honest is honest.
        uint256 first = challenged(lie(0));
        uint256 second = challenged(honest(0));
        slashed(first);
        respond(second);
        assertClaim(second, ClaimState.PROVEN);
    }

    function test_notBeforeTheDeadlineIsOver() external {
        uint256 claimId = challenged(lie(0));
        uint64 deadline = claim(claimId).deadline;
        vm.warp(deadline);
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotOverdue.selector, claimId, deadline));
        court.slash(claimId);
        vm.warp(deadline + 1);
        court.slash(claimId);
    }

    function test_inNoOtherState() external {
        _expectNotOpen(77, ClaimState.NONE);
        uint256 claimId = committed(challenger, honest(0));
        vm.warp(block.timestamp + 2 * WINDOW);
        _expectNotOpen(claimId, ClaimState.COMMITTED);
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        _expectNotOpen(claimId, ClaimState.WITHDRAWN);
        claimId = challenged(honest(0));
        respond(claimId);
        missDeadline(claimId);
        _expectNotOpen(claimId, ClaimState.PROVEN);
        claimId = challenged(lie(0));
        slashed(claimId);
        _expectNotOpen(claimId, ClaimState.SLASHED);
        claimId = reportBy(challenger, honest(1), lie(1));
        _expectNotOpen(claimId, ClaimState.REPORTED);
    }

    function test_aSlashLongAfterTheDeadline() external {
        uint256 claimId = challenged(lie(0));
        vm.warp(block.timestamp + 1000 days);
        court.slash(claimId);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "nothing runs out");
        court.releasePool(executor, epoch);
        assertEq(lockedStake(), 0, "and then the pool goes");
    }

    function test_aSlashDuringAnExit() external {
        vm.prank(executor);
        staking.requestExit(address(court), COURT_STAKE);
        slashed(challenged(lie(0)));
        assertEq(allocatedStake(), COURT_STAKE - BOND, "slashed");
        assertEq(staking.allocation(executor, address(court)).exiting, COURT_STAKE - BOND, "what is left exits");
    }

    function _expectNotOpen(uint256 claimId, ClaimState state) private {
        vm.expectRevert(abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotOpen.selector, claimId, state));
        court.slash(claimId);
    }
}
