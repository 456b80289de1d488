// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {ClaimState, Receipt} from "../../src/types/ReceiptTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

/// @notice A challenger takes his deposit away between commitment and challenge, or between challenge and verdict, so
/// that a false challenge costs him nothing.
contract ReceiptEmptiedDepositAttack is CourtNetwork {
    function test_attack_theBondLeavesTheBalanceWithTheCommitment() external {
        Receipt memory receipt = honest(0);
        uint256 claimId = committed(challenger, receipt);
        _empty();
        openBy(challenger, claimId, receipt, inputOf(0));
        // What exceeds the pool's challenge bond is free again; the bond itself is not.
        assertEq(court.balanceOf(challenger), MAX_CHALLENGE_BOND - CHALLENGE_BOND, "the excess");
        _empty();
        respond(claimId);
        assertEq(
            court.balanceOf(executor), uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000, "the executor is paid in full"
        );
    }

    function test_attack_theBondCannotBeTakenOutOfAnOpenClaim() external {
        uint256 claimId = challenged(honest(0));
        _empty();
        vm.expectRevert(
            abi.encodeWithSelector(IReceiptCourt.ReceiptCourt_NotCommitted.selector, claimId, ClaimState.OPEN)
        );
        vm.prank(challenger);
        court.withdrawCommitment(claimId);
        assertEq(token.balanceOf(address(court)), CHALLENGE_BOND, "it is there");
    }

    function test_attack_oneBondForTwoCommitments() external {
        vm.prank(challenger);
        court.withdraw(CHALLENGER_DEPOSIT - MAX_CHALLENGE_BOND, challenger);
        commitTo(challenger, court.digestOf(honest(0)));
        bytes32 second = court.commitmentOf(challenger, court.digestOf(honest(1)), SALT);
        // The deposit is used up, and the account has allowed nothing.
        vm.expectRevert();
        vm.prank(challenger);
        court.commit(second);
        assertEq(court.claimCount(), 1, "one");
    }

    /// @dev The executor's collateral is no balance here: it cannot be emptied at all.
    function test_attack_theExecutorsBalanceBacksNothing() external {
        respond(challenged(honest(0)));
        uint256 balance = court.balanceOf(executor);
        vm.prank(executor);
        court.withdraw(balance, executor);
        slashed(challenged(lie(1)));
        assertEq(staking.creditOf(client), RECEIPT_PRICE, "paid out of stake");
    }

    function _empty() private {
        uint256 balance = court.balanceOf(challenger);
        vm.prank(challenger);
        court.withdraw(balance, challenger);
    }
}
