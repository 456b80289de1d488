// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice Somebody keeps receipts until the executor has thrown the inputs away, or until the pool is gone, and
/// challenges them then.
contract ReceiptChallengedAfterExpiryAttack is CourtNetwork {
    function test_attack_noChallengeASecondAfterTheLast() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = commitTo(challenger, court.digestOf(receipt));
        vm.roll(block.number + 1);
        vm.warp(receipt.expires + 1);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        expectRefusal(ReceiptFlaw.EXPIRED);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    /// @dev A commitment made in the receipt's life keeps it alive no longer.
    function test_attack_aStandingCommitmentDoesNotExtendTheLife() external {
        Receipt memory receipt = lie(0);
        uint256 claimId = committed(challenger, receipt);
        outlive(epoch);
        court.releasePool(executor, epoch);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        expectRefusal(ReceiptFlaw.NO_POOL);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "the bond is not trapped");
    }

    function test_attack_aLongLifeIsNoLife() external view {
        Receipt memory receipt = lie(0);
        receipt.expires = type(uint64).max;
        assertFlaw(receipt, ReceiptFlaw.LIFE_OUT_OF_RANGE);
    }

    /// @dev A challenge in the last second gives the executor his whole window.
    function test_attack_aChallengeInTheLastSecondLeavesTimeToProve() external {
        Receipt memory receipt = honest(0);
        vm.warp(receipt.expires - 1);
        uint256 claimId = challenged(receipt);
        assertEq(claim(claimId).deadline, receipt.expires + WINDOW, "a whole window");
        vm.warp(claim(claimId).deadline);
        respond(claimId);
    }
}
