// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice An executor signs more receipts than he has bonds, or larger ones than his bonds are.
contract ReceiptOverIssuedAttack is CourtNetwork {
    function test_attack_slotsBeyondCapacityAreWorthlessAndSeenToBe() external {
        Receipt memory receipt = lie(CAPACITY);
        assertFlaw(receipt, ReceiptFlaw.BEYOND_CAPACITY);
        uint256 claimId = committed(challenger, receipt);
        bytes memory signature = sign(receipt);
        bytes memory input = inputOf(0);
        expectRefusal(ReceiptFlaw.BEYOND_CAPACITY);
        vm.prank(challenger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "nobody's bond is taken for it");
    }

    function test_attack_everyReceiptClaimsOnlyItsOwnBond() external {
        // All slots lied about, all challenged: each takes one bond, and each victim is compensated.
        uint256[] memory list = new uint256[](CAPACITY);
        for (uint32 slot = 0; slot < CAPACITY; ++slot) {
            list[slot] = challenged(lie(slot));
        }
        missDeadline(list[CAPACITY - 1]);
        for (uint256 i = 0; i < CAPACITY; ++i) {
            court.slash(list[i]);
            assertEq(allocatedStake(), COURT_STAKE - uint256(BOND) * (i + 1), "one bond");
        }
        assertEq(staking.creditOf(client), uint256(RECEIPT_PRICE) * CAPACITY, "all compensated");
        assertEq(pool().locked, 0, "and no slot was without");
    }

    function test_attack_aBondThatIsNotThePoolsIsSeenToBe() external view {
        Receipt memory receipt = lie(0);
        receipt.bond = BOND * 100;
        assertFlaw(receipt, ReceiptFlaw.OTHER_BOND);
    }

    function test_attack_oneStakeForTwoPools() external {
        // What is locked for this epoch cannot be locked for the next.
        uint32 rest = uint32((COURT_STAKE - uint256(BOND) * CAPACITY) / BOND);
        openPool(executor, epoch + 1, rest);
        vm.expectRevert();
        openPool(executor, epoch + 2, 1);
    }
}
