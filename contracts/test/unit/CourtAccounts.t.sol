// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IReceiptCourt} from "../../src/interfaces/IReceiptCourt.sol";
import {Permit} from "../../src/types/MarketTypes.sol";
import {CourtNetwork} from "../CourtNetwork.t.sol";

contract CourtAccountsTest is CourtNetwork {
    function test_depositIsABalance() external {
        token.mint(stranger, 5e6);
        vm.prank(stranger);
        token.approve(address(court), 5e6);
        vm.expectEmit(address(court));
        emit IReceiptCourt.Deposited(stranger, stranger, 5e6);
        vm.prank(stranger);
        court.deposit(5e6);
        assertEq(court.balanceOf(stranger), 5e6, "balance");
        assertEq(token.balanceOf(address(court)), CHALLENGER_DEPOSIT + 5e6, "tokens");
    }

    function test_depositsAddUp() external {
        depositAtCourt(stranger, 1);
        depositAtCourt(stranger, 2);
        assertEq(court.balanceOf(stranger), 3, "balance");
    }

    function test_depositOfNothingIsRefused() external {
        vm.expectRevert(IReceiptCourt.ReceiptCourt_ZeroAmount.selector);
        court.deposit(0);
    }

    function test_depositNeedsTheTokens() external {
        vm.expectRevert();
        vm.prank(stranger);
        court.deposit(1);
    }

    function test_depositWithPermit() external {
        token.mint(requester, 7e6);
        Permit memory permit = permitFor(requesterKey, address(court), 7e6, block.timestamp + 1);
        vm.prank(requester);
        court.depositWithPermit(permit);
        assertEq(court.balanceOf(requester), 7e6, "balance");
    }

    function test_depositWithAPermitThatWasUsed() external {
        token.mint(requester, 7e6);
        Permit memory permit = permitFor(requesterKey, address(court), 7e6, block.timestamp + 1);
        token.permit(requester, address(court), permit.value, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(requester);
        court.depositWithPermit(permit);
        assertEq(court.balanceOf(requester), 7e6, "the allowance decides");
    }

    function test_depositWithABadPermitIsRefused() external {
        token.mint(requester, 7e6);
        Permit memory permit = permitFor(requesterKey, address(court), 7e6, block.timestamp - 1);
        vm.expectRevert();
        vm.prank(requester);
        court.depositWithPermit(permit);
    }

    function test_withdrawPaysOut() external {
        vm.expectEmit(address(court));
        emit IReceiptCourt.Withdrawn(challenger, stranger, 3e6);
        vm.prank(challenger);
        court.withdraw(3e6, stranger);
        assertEq(token.balanceOf(stranger), 3e6, "paid");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - 3e6, "the rest stays");
    }

    function test_withdrawAll() external {
        vm.prank(challenger);
        court.withdraw(CHALLENGER_DEPOSIT, challenger);
        assertEq(token.balanceOf(challenger), CHALLENGER_DEPOSIT, "paid");
        assertEq(token.balanceOf(address(court)), 0, "empty");
    }

    function test_withdrawMoreThanTheBalanceIsRefused() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IReceiptCourt.ReceiptCourt_InsufficientBalance.selector,
                challenger,
                CHALLENGER_DEPOSIT,
                CHALLENGER_DEPOSIT + 1
            )
        );
        vm.prank(challenger);
        court.withdraw(CHALLENGER_DEPOSIT + 1, challenger);
    }

    function test_withdrawNothingIsRefused() external {
        vm.expectRevert(IReceiptCourt.ReceiptCourt_ZeroAmount.selector);
        vm.prank(challenger);
        court.withdraw(0, challenger);
    }

    function test_withdrawToNobodyIsRefused() external {
        vm.startPrank(challenger);
        vm.expectRevert(IReceiptCourt.ReceiptCourt_ZeroAddress.selector);
        court.withdraw(1, address(0));
        vm.expectRevert(IReceiptCourt.ReceiptCourt_ZeroAddress.selector);
        court.withdraw(1, address(court));
        vm.stopPrank();
    }

    function test_burnSendsWhatFailedChallengesLeft() external {
        respond(challenged(honest(0)));
        uint256 left = CHALLENGE_BOND - CHALLENGE_BOND * EXECUTOR_BPS / 10_000;
        assertEq(court.pendingBurn(), left, "waits");
        address dead = court.BURN_ADDRESS();
        vm.expectEmit(address(court));
        emit IReceiptCourt.Burned(left);
        vm.prank(stranger);
        assertEq(court.burn(), left, "told");
        assertEq(token.balanceOf(dead), left, "burned");
        assertEq(court.pendingBurn(), 0, "once");
    }

    function test_whatWaitsToBurnAddsUp() external {
        (uint256 first, uint256 second) = (challenged(honest(0)), challenged(honest(1)));
        respond(first);
        uint256 left = court.pendingBurn();
        respond(second);
        assertEq(court.pendingBurn(), 2 * left, "both failed challenges left as much");
        assertEq(court.burn(), 2 * left, "all of it burns at once");
    }

    function test_burnOfNothingIsRefused() external {
        vm.expectRevert(IReceiptCourt.ReceiptCourt_NothingToBurn.selector);
        court.burn();
    }

    function test_commitTakesTheDepositFirst() external {
        token.mint(challenger, 100e6);
        vm.prank(challenger);
        token.approve(address(court), 100e6);
        vm.prank(challenger);
        court.commit(SALT);
        assertEq(token.balanceOf(challenger), 100e6, "the account is untouched");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT - MAX_CHALLENGE_BOND, "the deposit is not");
    }

    function test_commitPullsWhatTheDepositLacks() external {
        depositAtCourt(stranger, 3e6);
        token.mint(stranger, 5e6);
        vm.startPrank(stranger);
        token.approve(address(court), 5e6);
        court.commit(SALT);
        vm.stopPrank();
        assertEq(court.balanceOf(stranger), 0, "deposit");
        assertEq(token.balanceOf(stranger), 0, "account");
    }

    function test_commitWithoutADepositPullsAll() external {
        token.mint(stranger, MAX_CHALLENGE_BOND);
        vm.startPrank(stranger);
        token.approve(address(court), MAX_CHALLENGE_BOND);
        vm.expectEmit(address(court));
        emit IReceiptCourt.Deposited(stranger, stranger, MAX_CHALLENGE_BOND);
        court.commit(SALT);
        vm.stopPrank();
        assertEq(token.balanceOf(address(court)), CHALLENGER_DEPOSIT + MAX_CHALLENGE_BOND, "pulled");
    }

    function test_commitWithoutMoneyIsRefused() external {
        vm.expectRevert();
        vm.prank(stranger);
        court.commit(SALT);
        assertEq(court.claimCount(), 0, "nothing entered");
    }
}
