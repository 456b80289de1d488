// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice An executor signs many receipts for one slot: one bond behind a hundred answers, as long as nobody compares.
contract ReceiptEquivocationAttack is CourtNetwork {
    function test_attack_twoVictimsWhoCompareTakeThePool() external {
        address second = makeAddr("second client");
        Receipt memory one = lie(0);
        Receipt memory two = lie(0);
        two.beneficiary = second;
        // The first victim is compensated out of the slot; the second finds it empty.
        slashed(challenged(one));
        assertFlaw(two, ReceiptFlaw.SLOT_SLASHED);
        // But the first challenge published a receipt of this slot: with his own the second shows the equivocation.
        depositAtCourt(second, MAX_CHALLENGE_BOND);
        reportBy(second, one, two);
        outlive(epoch);
        court.releasePool(executor, epoch);
        uint256 left = uint256(BOND) * (CAPACITY - 1);
        assertEq(staking.creditOf(second), left * REWARD_BPS / 10_000, "more than any price");
        assertEq(allocatedStake(), COURT_STAKE - uint256(BOND) * CAPACITY, "the whole pool is gone");
    }

    function test_attack_theReportCannotBeFrontRun() external {
        (Receipt memory one, Receipt memory two) = (honest(0), lie(0));
        uint256 claimId = commitTo(challenger, court.pairDigestOf(court.digestOf(one), court.digestOf(two)));
        nextBlock();
        // The liar's friend sees the report in the mempool: his own commitment is too young.
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256 copied = commitTo(stranger, court.pairDigestOf(court.digestOf(one), court.digestOf(two)));
        (bytes memory a, bytes memory b) = (sign(one), sign(two));
        vm.expectRevert();
        vm.prank(stranger);
        court.reportEquivocation(copied, one, a, two, b, SALT);
        vm.prank(challenger);
        court.reportEquivocation(claimId, one, a, two, b, SALT);
        assertEq(pool().reporter, challenger, "the one who found it");
    }

    function test_attack_honestExecutorsCannotBeFramed() external {
        // One good receipt, and a second signed by anybody else.
        (Receipt memory one, Receipt memory two) = (honest(0), lie(0));
        uint256 claimId = commitTo(challenger, court.pairDigestOf(court.digestOf(one), court.digestOf(two)));
        nextBlock();
        (bytes memory a, bytes memory b) = (sign(one), signWith(requesterKey, two));
        expectRefusal(ReceiptFlaw.FOREIGN_SIGNATURE);
        vm.prank(challenger);
        court.reportEquivocation(claimId, one, a, two, b, SALT);
    }

    /// @dev Forfeiting his own pool keeps no victim from his compensation, and brings the liar nothing.
    function test_attack_reportingOneselfDoesNotSaveThePool() external {
        Receipt memory victim = lie(7);
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        reportBy(stranger, honest(0), lie(0)); // the liar's friend
        slashed(challenged(victim));
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "the victim is compensated");
        outlive(epoch);
        court.releasePool(executor, epoch);
        uint256 whole = uint256(BOND) * CAPACITY;
        assertEq(allocatedStake(), COURT_STAKE - whole, "the pool is gone");
        assertLe(staking.creditOf(stranger), whole / 4, "at most a quarter comes round");
    }
}
