// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Permit} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

contract StakingBalancesTest is Network {
    function test_constructor() external {
        assertEq(staking.token(), address(token), "token");
        assertEq(staking.EXIT_DELAY(), EXIT_DELAY, "delay");
        assertEq(staking.MIN_STAKE(), MIN_STAKE, "least stake");
        assertEq(staking.BURN_ADDRESS(), 0x000000000000000000000000000000000000dEaD, "burn address");
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NoCodeAt.selector, stranger));
        new ExecutorStaking(stranger, EXIT_DELAY, MIN_STAKE);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_ExitDelayTooLong.selector, 365 days + 1, 365 days)
        );
        new ExecutorStaking(address(token), 365 days + 1, MIN_STAKE);
        new ExecutorStaking(address(token), 365 days, MIN_STAKE);
    }

    function test_stakeIsFreeAndLeavesAtOnce() external {
        token.mint(stranger, 50e6);
        vm.startPrank(stranger);
        token.approve(address(staking), 50e6);
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Staked(stranger, stranger, 50e6);
        staking.stake(50e6);
        assertEq(staking.freeStake(stranger), 50e6, "free");
        assertEq(staking.totalStake(stranger), 50e6, "total");
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Withdrawn(stranger, builder, 20e6);
        staking.withdraw(20e6, builder);
        vm.stopPrank();
        assertEq(staking.freeStake(stranger), 30e6, "free after");
        assertEq(token.balanceOf(builder), 20e6, "paid out");
    }

    function test_stakeRefusals() external {
        vm.startPrank(stranger);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAmount.selector);
        staking.stake(0);
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(staking), 0, 1)
        );
        staking.stake(1);
        vm.stopPrank();
    }

    function test_withdrawRefusals() external {
        vm.startPrank(executor);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_InsufficientFree.selector, executor, 0, 1)
        );
        staking.withdraw(1, executor); // all of it is allocated
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAmount.selector);
        staking.withdraw(0, executor);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAddress.selector);
        staking.withdraw(1, address(0));
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAddress.selector);
        staking.withdraw(1, address(staking));
        vm.stopPrank();
    }

    function test_stakesWithPermit() external {
        token.mint(requester, 40e6);
        Permit memory permit = permitFor(requesterKey, address(staking), 40e6, block.timestamp);
        vm.prank(requester);
        staking.stakeWithPermit(40e6, permit.deadline, permit.v, permit.r, permit.s);
        assertEq(staking.freeStake(requester), 40e6, "staked");
        // A permit that is no permit leaves the allowance to decide, and there is none.
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(staking), 0, 1)
        );
        vm.prank(requester);
        staking.stakeWithPermit(1, permit.deadline, permit.v, permit.r, permit.s);
    }

    function test_allocates() external {
        address slasher = makeAddr("slasher");
        token.mint(executor, 30e6);
        vm.startPrank(executor);
        token.approve(address(staking), 30e6);
        staking.stake(30e6);
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Allocated(executor, slasher, 10e6);
        staking.allocate(slasher, 10e6);
        vm.stopPrank();
        assertEq(staking.freeStake(executor), 20e6, "free");
        assertEq(staking.allocation(executor, slasher).allocated, 10e6, "allocated");
        assertEq(staking.available(executor, slasher), 10e6, "available");
        assertEq(staking.totalStake(executor), STAKE + 30e6, "total stays");
        assertEq(staking.allocation(executor, address(market)).allocated, STAKE, "other allocations untouched");
    }

    function test_allocateRefusals() external {
        vm.startPrank(executor);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAddress.selector);
        staking.allocate(address(0), 1);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAmount.selector);
        staking.allocate(address(market), 0);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_InsufficientFree.selector, executor, 0, 1)
        );
        staking.allocate(address(market), 1);
        vm.stopPrank();
    }
}
