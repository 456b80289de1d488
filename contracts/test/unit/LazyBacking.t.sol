// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {Backing, LazyClaim} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title What stands behind lazy answers
contract LazyBackingTest is LazyNetwork {
    function test_backingIsOneClaim() external {
        (address holder, uint256 amount) = staking.claim(address(lazy), bytes32(uint256(uint160(executor))));
        assertEq(holder, executor, "the executor's");
        assertEq(amount, BACKING, "all of it");
        _allocate(COLLATERAL);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.BackingChanged(executor, BACKING + COLLATERAL);
        vm.prank(executor);
        lazy.back(COLLATERAL);
        (, amount) = staking.claim(address(lazy), bytes32(uint256(uint160(executor))));
        assertEq(amount, BACKING + COLLATERAL, "one larger claim");
        _assertBacking(BACKING + COLLATERAL, 0);
    }

    function test_onlyAllocatedStakeBacks() external {
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                executor,
                address(lazy),
                BACKING,
                BACKING + 1
            )
        );
        vm.prank(executor);
        lazy.back(1);
        vm.expectRevert();
        vm.prank(executor);
        lazy.back(type(uint256).max - BACKING);
        _assertBacking(BACKING, 0);
    }

    function test_whatIsUsedStays() external {
        LazyClaim memory claim = honest();
        _assertBacking(BACKING, COLLATERAL);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_InsufficientBacking.selector,
                executor,
                BACKING - COLLATERAL,
                BACKING - COLLATERAL + 1
            )
        );
        vm.prank(executor);
        lazy.unback(BACKING - COLLATERAL + 1);
        vm.prank(executor);
        lazy.unback(BACKING - COLLATERAL);
        _assertBacking(COLLATERAL, COLLATERAL);
        finalized(claim);
        vm.prank(executor);
        lazy.unback(COLLATERAL);
        _assertBacking(0, 0);
        (address holder,) = staking.claim(address(lazy), bytes32(uint256(uint160(executor))));
        assertEq(holder, address(0), "no claim is left");
    }

    function test_nothingIsNoAmount() external {
        vm.expectRevert(ILazyMarket.LazyMarket_ZeroAmount.selector);
        vm.prank(executor);
        lazy.back(0);
        vm.expectRevert(ILazyMarket.LazyMarket_ZeroAmount.selector);
        vm.prank(executor);
        lazy.unback(0);
    }

    function test_theLastUnitCanBeSlashed() external {
        vm.prank(executor);
        lazy.unback(BACKING - COLLATERAL);
        slashed(challenged(lie()));
        _assertBacking(0, 0);
        (address holder,) = staking.claim(address(lazy), bytes32(uint256(uint160(executor))));
        assertEq(holder, address(0), "no claim is left");
        // And a fresh start.
        _allocate(COLLATERAL);
        vm.prank(executor);
        lazy.back(COLLATERAL);
        _assertBacking(COLLATERAL, 0);
    }

    function test_severalAnswersUseTheirSum() external {
        LazyClaim memory first = honest();
        LazyClaim memory second = challenged(lie());
        LazyClaim memory third = honest();
        _assertBacking(BACKING, 3 * COLLATERAL);
        slashed(second);
        _assertBacking(BACKING - COLLATERAL, 2 * COLLATERAL);
        prove(first);
        _assertBacking(BACKING - COLLATERAL, COLLATERAL);
        finalized(third);
        _assertBacking(BACKING - COLLATERAL, 0);
    }

    function _allocate(uint256 amount) private {
        token.mint(executor, amount);
        vm.startPrank(executor);
        token.approve(address(staking), amount);
        staking.stake(amount);
        staking.allocate(address(lazy), amount);
        vm.stopPrank();
    }

    function _assertBacking(uint256 total, uint256 used) private view {
        Backing memory backing = lazy.backingOf(executor);
        assertEq(backing.total, total, "total");
        assertEq(backing.used, used, "used");
        assertEq(staking.allocation(executor, address(lazy)).locked, total, "all of it is locked");
    }
}
