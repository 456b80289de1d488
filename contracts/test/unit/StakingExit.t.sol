// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Network} from "../Network.t.sol";

contract StakingExitTest is Network {
    bytes32 internal constant CLAIM = keccak256("claim");

    address internal slasher;

    function setUp() public override {
        super.setUp();
        slasher = makeAddr("slasher");
        token.mint(executor, 100);
        vm.startPrank(executor);
        token.approve(address(staking), 100);
        staking.stake(100);
        staking.allocate(slasher, 100);
        vm.stopPrank();
    }

    function test_exitTakesTheWholeDelay() external {
        uint64 readyAt = uint64(block.timestamp) + EXIT_DELAY;
        vm.expectEmit(address(staking));
        emit IExecutorStaking.ExitRequested(executor, slasher, 40, readyAt);
        _requestExit(40);
        assertEq(_held().exiting, 40, "exiting");
        assertEq(_held().exitReadyAt, readyAt, "ready at");
        assertEq(staking.available(executor, slasher), 100, "exiting stake is still lockable");

        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_ExitNotReady.selector, readyAt));
        vm.prank(executor);
        staking.completeExit(slasher);

        vm.warp(readyAt);
        vm.expectEmit(address(staking));
        emit IExecutorStaking.ExitCompleted(executor, slasher, 40);
        assertEq(_complete(), 40, "the delay's last second is enough");
        assertEq(_held().allocated, 60, "allocated");
        assertEq(_held().exiting, 0, "nothing exits any more");
        assertEq(_held().exitReadyAt, 0, "no timer");
        assertEq(staking.freeStake(executor), 40, "free");
        assertEq(staking.totalStake(executor), STAKE + 100, "total stays");
    }

    function test_enlargingRestartsTheTimer() external {
        _requestExit(40);
        skip(EXIT_DELAY - 1);
        _requestExit(10);
        assertEq(_held().exiting, 50, "one exit, enlarged");
        skip(1);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_ExitNotReady.selector, _held().exitReadyAt)
        );
        vm.prank(executor);
        staking.completeExit(slasher);
        skip(EXIT_DELAY);
        assertEq(_complete(), 50, "all of it");
    }

    function test_requestRefusals() external {
        vm.startPrank(executor);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAmount.selector);
        staking.requestExit(slasher, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector, executor, slasher, 100, 101
            )
        );
        staking.requestExit(slasher, 101);
        staking.requestExit(slasher, 60);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector, executor, slasher, 40, 41
            )
        );
        staking.requestExit(slasher, 41);
        vm.stopPrank();
    }

    function test_cancels() external {
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NoExit.selector, executor, slasher));
        vm.prank(executor);
        staking.cancelExit(slasher);
        _requestExit(40);
        vm.expectEmit(address(staking));
        emit IExecutorStaking.ExitCancelled(executor, slasher, 40);
        vm.prank(executor);
        staking.cancelExit(slasher);
        assertEq(_held().exiting, 0, "not exiting");
        skip(EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NoExit.selector, executor, slasher));
        vm.prank(executor);
        staking.completeExit(slasher);
    }

    function test_openClaimsHoldBackWhatTheyLocked() external {
        _requestExit(80);
        _lock(CLAIM, 60);
        skip(EXIT_DELAY);
        assertEq(_complete(), 40, "all but the locked part");
        assertEq(_held().exiting, 40, "the rest waits");
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector, 60));
        vm.prank(executor);
        staking.completeExit(slasher);
        vm.prank(slasher);
        staking.unlock(CLAIM);
        assertEq(_complete(), 40, "the rest, without another delay");
        assertEq(_held().allocated, 20, "what was not exiting stays");
    }

    function test_aSlashLeavesNoExitBeyondWhatIsThere() external {
        // allocated 100, locked 60, exiting 80, slashed 60: 40 are left, and those may leave.
        _requestExit(80);
        _lock(CLAIM, 60);
        vm.prank(slasher);
        staking.slash(CLAIM, requester, 30);
        assertEq(_held().allocated, 40, "allocated");
        assertEq(_held().locked, 0, "locked");
        assertEq(_held().exiting, 40, "exiting is cut to what is left");
        skip(EXIT_DELAY);
        assertEq(_complete(), 40, "leaves");
        assertEq(_held().allocated, 0, "nothing stuck");
        assertEq(staking.totalStake(executor), STAKE + 40, "total");
    }

    function test_aSlashOfEverythingEndsTheExit() external {
        _requestExit(80);
        _lock(CLAIM, 100);
        vm.prank(slasher);
        staking.slash(CLAIM, requester, 0);
        assertEq(_held().exiting, 0, "nothing exits");
        assertEq(_held().exitReadyAt, 0, "no timer");
        skip(EXIT_DELAY);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NoExit.selector, executor, slasher));
        vm.prank(executor);
        staking.completeExit(slasher);
    }

    function test_exitsAreSeparatePerSlasher() external {
        _requestExit(40);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NoExit.selector, executor, address(market))
        );
        vm.prank(executor);
        staking.completeExit(address(market));
    }

    function _requestExit(uint256 amount) private {
        vm.prank(executor);
        staking.requestExit(slasher, amount);
    }

    function _complete() private returns (uint256) {
        vm.prank(executor);
        return staking.completeExit(slasher);
    }

    function _lock(bytes32 claimId, uint256 amount) private {
        vm.prank(slasher);
        staking.lock(executor, claimId, amount);
    }

    function _held() private view returns (IExecutorStaking.Allocation memory) {
        return staking.allocation(executor, slasher);
    }
}
