// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarketAccounts} from "../../src/interfaces/IMarketAccounts.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {Permit} from "../../src/types/MarketTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title Deposits, withdrawals and royalties at a lazy market, deposits and withdrawals at its court
/// @notice The same accounts at both, each for itself.
contract LazyAccountsTest is LazyNetwork {
    function test_depositsAreByContract() external {
        _depositAndWithdraw(lazy);
        _depositAndWithdraw(court);
        // What lies at one is nothing at the other.
        depositLazy(stranger, 10);
        vm.expectRevert(
            abi.encodeWithSelector(ITokenAccounts.TokenAccounts_InsufficientBalance.selector, stranger, 0, 10)
        );
        vm.prank(stranger);
        court.withdraw(10, stranger);
    }

    function test_depositsByPermit() external {
        _permitted(lazy);
        _permitted(court);
    }

    function test_amountsAndReceiversMakeSense() external {
        _makesSense(lazy);
        _makesSense(court);
    }

    function test_royaltiesAreTheHoldersOfTheModel() external {
        finalized(honest());
        uint256 royalty = PRICE / 10;
        assertEq(lazy.royaltyOf(modelId), royalty, "earned");
        vm.expectRevert(
            abi.encodeWithSelector(IMarketAccounts.MarketAccounts_NotRoyaltyHolder.selector, modelId, stranger)
        );
        vm.prank(stranger);
        lazy.withdrawRoyalty(modelId, stranger);
        // Whoever holds the token now, also for what was earned before.
        vm.prank(builder);
        registry.transferFrom(builder, stranger, modelId);
        vm.prank(builder);
        vm.expectRevert(
            abi.encodeWithSelector(IMarketAccounts.MarketAccounts_NotRoyaltyHolder.selector, modelId, builder)
        );
        lazy.withdrawRoyalty(modelId, builder);
        vm.startPrank(stranger);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAddress.selector);
        lazy.withdrawRoyalty(modelId, address(lazy));
        vm.expectEmit(address(lazy));
        emit IMarketAccounts.RoyaltyWithdrawn(modelId, stranger, stranger, royalty);
        assertEq(lazy.withdrawRoyalty(modelId, stranger), royalty, "all of it");
        vm.expectRevert(IMarketAccounts.MarketAccounts_NothingToWithdraw.selector);
        lazy.withdrawRoyalty(modelId, stranger);
        vm.stopPrank();
        assertEq(token.balanceOf(stranger), royalty, "paid out once");
        assertEq(lazyMoney().escrowed, 0, "and nothing else moved");
    }

    function test_earningsAreWithdrawn() external {
        finalized(honest());
        uint256 fee = PRICE - PRICE / 10;
        vm.prank(executor);
        lazy.withdraw(fee, stranger);
        assertEq(token.balanceOf(stranger), fee, "to whom he likes");
        assertEq(lazy.balanceOf(executor), 0, "and gone");
    }

    function _depositAndWithdraw(ITokenAccounts accounts) private {
        token.mint(stranger, 100);
        vm.startPrank(stranger);
        token.approve(address(accounts), 100);
        vm.expectEmit(address(accounts));
        emit ITokenAccounts.Deposited(stranger, stranger, 100);
        accounts.deposit(100);
        assertEq(accounts.balanceOf(stranger), 100, "deposited");
        vm.expectEmit(address(accounts));
        emit ITokenAccounts.Withdrawn(stranger, challenger, 60);
        uint256 before = token.balanceOf(challenger);
        accounts.withdraw(60, challenger);
        assertEq(token.balanceOf(challenger) - before, 60, "paid out");
        vm.expectRevert(
            abi.encodeWithSelector(ITokenAccounts.TokenAccounts_InsufficientBalance.selector, stranger, 40, 41)
        );
        accounts.withdraw(41, stranger);
        accounts.withdraw(40, stranger);
        vm.stopPrank();
        assertEq(accounts.balanceOf(stranger), 0, "all of it");
    }

    function _permitted(ITokenAccounts accounts) private {
        uint256 before = accounts.balanceOf(requester);
        token.mint(requester, 70);
        Permit memory permit = permitFor(requesterKey, address(accounts), 70, block.timestamp);
        // Somebody else may use the permit first: the deposit goes through all the same.
        vm.prank(stranger);
        token.permit(requester, address(accounts), 70, permit.deadline, permit.v, permit.r, permit.s);
        vm.prank(requester);
        accounts.depositWithPermit(permit);
        assertEq(accounts.balanceOf(requester) - before, 70, "deposited");
        // And it serves nobody but its owner.
        vm.expectRevert();
        vm.prank(stranger);
        accounts.depositWithPermit(permit);
    }

    function _makesSense(ITokenAccounts accounts) private {
        vm.startPrank(requester);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAmount.selector);
        accounts.deposit(0);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAmount.selector);
        accounts.withdraw(0, requester);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAddress.selector);
        accounts.withdraw(1, address(0));
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAddress.selector);
        accounts.withdraw(1, address(accounts));
        vm.stopPrank();
    }
}
