// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IMarketAccounts} from "../../src/interfaces/IMarketAccounts.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {Permit} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {IERC20Errors, IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

contract MarketAccountsTest is Network {
    function test_depositsAndWithdraws() external {
        token.mint(stranger, 30e6);
        vm.startPrank(stranger);
        token.approve(address(market), 30e6);
        vm.expectEmit(address(market));
        emit ITokenAccounts.Deposited(stranger, stranger, 30e6);
        market.deposit(30e6);
        assertEq(market.balanceOf(stranger), 30e6, "balance");
        vm.expectEmit(address(market));
        emit ITokenAccounts.Withdrawn(stranger, builder, 10e6);
        market.withdraw(10e6, builder);
        vm.stopPrank();
        assertEq(market.balanceOf(stranger), 20e6, "balance after");
        assertEq(token.balanceOf(builder), 10e6, "paid out");
    }

    function test_depositRefusals() external {
        vm.startPrank(stranger);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAmount.selector);
        market.deposit(0);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 0, 1));
        market.deposit(1);
        vm.stopPrank();
    }

    function test_withdrawRefusals() external {
        vm.startPrank(requester);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAmount.selector);
        market.withdraw(0, requester);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAddress.selector);
        market.withdraw(1, address(0));
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAddress.selector);
        market.withdraw(1, address(market));
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT, DEPOSIT + 1
            )
        );
        market.withdraw(DEPOSIT + 1, requester);
        vm.stopPrank();
    }

    function test_escrowCannotBeWithdrawn() external {
        openPacked();
        vm.expectRevert(
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT - PRICE, DEPOSIT
            )
        );
        vm.prank(requester);
        market.withdraw(DEPOSIT, requester);
    }

    function test_depositsWithPermit() external {
        token.mint(requester, 7e6);
        Permit memory permit = permitFor(requesterKey, address(market), 7e6, block.timestamp);
        vm.prank(requester);
        market.depositWithPermit(permit);
        assertEq(market.balanceOf(requester), DEPOSIT + 7e6, "balance");
        // Used, expired or forged permits leave the allowance to decide, and there is none.
        token.mint(requester, 7e6);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(market), 0, 7e6)
        );
        vm.prank(requester);
        market.depositWithPermit(permit);
    }

    function test_royaltyGoesToTheHolder() external {
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);
        uint256 royalty = uint256(PRICE) * ROYALTY_BPS / 10_000;
        assertEq(market.royaltyOf(modelId), royalty, "credited to the model");

        vm.expectRevert(
            abi.encodeWithSelector(IMarketAccounts.MarketAccounts_NotRoyaltyHolder.selector, modelId, stranger)
        );
        vm.prank(stranger);
        market.withdrawRoyalty(modelId, stranger);
        vm.startPrank(builder);
        vm.expectRevert(ITokenAccounts.TokenAccounts_ZeroAddress.selector);
        market.withdrawRoyalty(modelId, address(0));
        vm.expectEmit(address(market));
        emit IMarketAccounts.RoyaltyWithdrawn(modelId, builder, stranger, royalty);
        assertEq(market.withdrawRoyalty(modelId, stranger), royalty, "amount");
        vm.expectRevert(IMarketAccounts.MarketAccounts_NothingToWithdraw.selector);
        market.withdrawRoyalty(modelId, stranger);
        vm.stopPrank();
        assertEq(token.balanceOf(stranger), royalty, "paid out");
    }

    function test_royaltyOfAnUnknownModel() external {
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, 99));
        market.withdrawRoyalty(99, stranger);
    }
}
