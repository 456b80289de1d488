// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Receipt, ReceiptFlaw} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice A thief finds a client's receipt and brings it to the court.
contract ReceiptStolenAttack is CourtNetwork {
    function test_attack_compensationGoesToTheBeneficiary() external {
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256 claimId = challengedBy(stranger, lie(0));
        missDeadline(claimId);
        vm.prank(stranger);
        court.slash(claimId);
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "the client");
        // What any watchtower would get for the same work and risk.
        assertEq(staking.creditOf(stranger), uint256(BOND) * REWARD_BPS / 10_000, "the challenger's reward");
    }

    function test_attack_theBeneficiaryCannotBeChanged() external {
        Receipt memory receipt = lie(0);
        bytes memory signature = sign(receipt);
        receipt.beneficiary = stranger;
        assertEq(uint256(court.flawOf(receipt, signature)), uint256(ReceiptFlaw.FOREIGN_SIGNATURE), "signed");
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        uint256 claimId = committed(stranger, receipt);
        bytes memory input = inputOf(0);
        expectRefusal(ReceiptFlaw.FOREIGN_SIGNATURE);
        vm.prank(stranger);
        court.challengeReceipt(claimId, receipt, signature, input, SALT);
    }

    function test_attack_aThiefOfAnHonestReceiptPays() external {
        depositAtCourt(stranger, MAX_CHALLENGE_BOND);
        respond(challengedBy(stranger, honest(0)));
        assertEq(court.balanceOf(stranger), MAX_CHALLENGE_BOND - CHALLENGE_BOND, "his bond");
        assertEq(staking.creditOf(client), 0, "nobody was harmed");
    }
}
