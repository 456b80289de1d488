// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ClaimState, Receipt, SlotState} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice Somebody challenges every receipt of an honest executor in one block, so that no prover could keep the
/// deadlines.
contract ReceiptMassChallengeAttack is CourtNetwork {
    uint32 internal constant RECEIPTS = 12;

    function test_attack_deadlinesQueueAndTheAttackerPays() external {
        uint256[] memory list = new uint256[](RECEIPTS);
        for (uint32 slot = 0; slot < RECEIPTS; ++slot) {
            // Different answers: each needs a proof of its own.
            (uint256 index, bool isKzg) = (slot % 2, slot % 4 > 1);
            list[slot] = commitTo(challenger, court.digestOf(_receipt(isKzg, index, slot)));
        }
        vm.roll(block.number + 1);
        for (uint32 slot = 0; slot < RECEIPTS; ++slot) {
            (uint256 index, bool isKzg) = (slot % 2, slot % 4 > 1);
            bytes memory input = isKzg ? kzg.cases[index].input : packed.cases[index].input;
            openBy(challenger, list[slot], _receipt(isKzg, index, slot), input);
        }
        // One window for each: at the pace of one proof a window, no deadline is missed.
        for (uint32 slot = 0; slot < RECEIPTS; ++slot) {
            assertEq(claim(list[slot]).deadline, block.timestamp + (slot + 1) * WINDOW, "one after the other");
        }
        for (uint32 slot = 0; slot < RECEIPTS; ++slot) {
            vm.warp(claim(list[slot]).deadline);
            (uint256 index, bool isKzg) = (slot % 2, slot % 4 > 1);
            respondBy(executor, ids(list[slot]), isKzg ? kzg : packed, index);
            assertClaim(list[slot], ClaimState.PROVEN);
            assertSlot(slot, SlotState.INTACT);
        }
        uint256 lost = uint256(RECEIPTS) * CHALLENGE_BOND;
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - lost, "each challenge cost its bond");
        assertEq(court.balanceOf(executor), lost * EXECUTOR_BPS / 10_000, "the executor was paid for his work");
        assertEq(lockedStake(), uint256(BOND) * CAPACITY, "no stake was touched");
    }

    function test_attack_equalReceiptsTakeOneProof() external {
        uint256[] memory list = new uint256[](RECEIPTS);
        for (uint32 slot = 0; slot < RECEIPTS; ++slot) {
            list[slot] = challenged(honest(slot));
        }
        assertEq(respondBy(executor, list, packed, 0), RECEIPTS, "all by one");
        assertEq(pool().openClaims, 0, "none open");
    }

    function _receipt(bool isKzg, uint256 index, uint32 slot) private view returns (Receipt memory) {
        return isKzg ? receiptFor(kzgVersion, kzg, index, slot) : receiptFor(packedVersion, packed, index, slot);
    }
}
