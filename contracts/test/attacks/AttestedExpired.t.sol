// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AttestedRequest, AttestedState} from "../../src/attested/AttestedTypes.sol";
import {IAttestedMarket} from "../../src/attested/IAttestedMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {AttestedNetwork} from "../AttestedNetwork.t.sol";

/// @notice Answers after the deadline, refunds before it, answers held back for a better price, and signed requests
/// whose deposit is gone.
contract AttestedExpiredAttack is AttestedNetwork {
    /// @dev In every second exactly one of answer and refund is possible.
    function testFuzz_attack_neverBothNeverNeither(uint256 later) external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        later = bound(later, 0, 3 hours);
        vm.warp(block.timestamp + later);
        bytes memory answer = abi.encodeCall(market.fulfill, (asked, 0, output, evidenceFor(asked)));
        uint256 id = vm.snapshotState();
        vm.prank(executor);
        (bool answered,) = address(market).call(answer);
        vm.revertToState(id);
        vm.prank(executor);
        (bool refunded,) = address(market).call(abi.encodeCall(market.refund, (asked)));
        assertTrue(answered != refunded, "one of both");
        assertTrue(answered == (later <= 1 hours), "answered in time");
        assertState(requestId, refunded ? AttestedState.REFUNDED : AttestedState.OPEN);
    }

    function test_attack_aLateAnswer() external {
        AttestedRequest memory asked = request();
        uint256 requestId = open(asked);
        bytes memory evidence = evidenceFor(asked);
        vm.warp(asked.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(IAttestedMarket.AttestedMarket_Expired.selector, requestId, asked.deadline)
        );
        vm.prank(executor);
        market.fulfill(asked, 0, output, evidence);
    }

    function test_attack_aLateSignedAnswer() external {
        AttestedRequest memory asked = request();
        (bytes memory evidence, bytes memory signature) = (evidenceFor(asked), sign(asked));
        vm.warp(asked.deadline + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_DeadlineOutOfRange.selector,
                asked.deadline,
                uint64(block.timestamp),
                uint64(block.timestamp) + MAX_LIFETIME
            )
        );
        vm.prank(executor);
        market.fulfillSigned(asked, signature, 0, output, evidence);
    }

    /// @dev Waiting pays more, and never more than the most; whoever comes first gets it.
    function testFuzz_attack_waitingForTheMost(uint256 later) external {
        AttestedRequest memory asked = rising();
        open(asked);
        later = bound(later, 0, 1 hours);
        vm.warp(block.timestamp + later);
        fulfill(asked);
        uint256 paid = DEPOSIT - market.balanceOf(requester);
        uint256 expected = later >= 30 minutes ? PRICE : 1_000_003 + (PRICE - 1_000_003) * later / 30 minutes;
        assertEq(paid, expected, "the price of the second");
        assertEq(market.balanceOf(executor) + market.royaltyOf(modelId), paid, "to the unit");
    }

    function test_attack_anEmptiedDeposit() external {
        AttestedRequest memory asked = request();
        (bytes memory evidence, bytes memory signature) = (evidenceFor(asked), sign(asked));
        vm.prank(requester);
        market.withdraw(DEPOSIT - PRICE + 1, requester);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, PRICE - 1, PRICE
            )
        );
        vm.prank(executor);
        market.fulfillSigned(asked, signature, 0, output, evidence);
        assertEq(market.nonceWord(requester, 0), 0, "and nothing happened");
    }

    /// @dev What was sent is in escrow: a withdrawal cannot touch it.
    function test_attack_withdrawingTheEscrow() external {
        AttestedRequest memory asked = request();
        open(asked);
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT - PRICE, DEPOSIT
            )
        );
        vm.prank(requester);
        market.withdraw(DEPOSIT, requester);
        fulfill(asked);
    }
}
