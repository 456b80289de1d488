// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice The executor prepares his exit in advance, takes work, and leaves with the stake before the slash.
contract UnbondingEscapeAttack is Network {
    function test_attack_anExitReadyBeforeTheLock() external {
        vm.prank(executor);
        staking.requestExit(address(market), STAKE);
        skip(EXIT_DELAY);
        // The exit could be completed at any moment; first he takes a request.
        uint256 requestId = openPacked();
        lockBy(executor, requestId);
        vm.prank(executor);
        uint256 left = staking.completeExit(address(market));
        assertEq(left, STAKE - COLLATERAL, "the locked part stays");
        vm.prank(executor);
        staking.withdraw(left, executor);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector, COLLATERAL));
        vm.prank(executor);
        staking.completeExit(address(market));

        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertEq(staking.creditOf(requester) + staking.pendingBurn(), COLLATERAL, "slashed in full");
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NoExit.selector, executor, address(market))
        );
        vm.prank(executor);
        staking.completeExit(address(market));
        assertEq(staking.totalStake(executor), 0, "nothing is left");
    }

    function test_attack_completingTheExitBeforeTheRefundIsMined() external {
        // Locked first, then the exit: the delay alone outlives every lock.
        uint256 requestId = openPacked();
        lockBy(executor, requestId);
        vm.prank(executor);
        staking.requestExit(address(market), STAKE);
        skip(MAX_LIFETIME + MAX_LOCK);
        IExecutorStaking.Allocation memory held = staking.allocation(executor, address(market));
        assertLe(block.timestamp, held.exitReadyAt, "every claim can be final before the exit is ready");
        skip(EXIT_DELAY);
        vm.prank(executor);
        assertEq(staking.completeExit(address(market)), STAKE - COLLATERAL, "not the locked part");
        market.refund(requestId); // late, and still in full
        assertEq(staking.creditOf(requester) + staking.pendingBurn(), COLLATERAL, "slashed in full");
    }

    function test_attack_movingStakeToAFriendlySlasher() external {
        // A slasher of his own may lock and slash what is allocated to it, and nothing else.
        address friend = makeAddr("friendly slasher");
        uint256 requestId = openLocked();
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_InsufficientFree.selector, executor, 0, 1)
        );
        vm.prank(executor);
        staking.allocate(friend, 1);
        vm.startPrank(friend);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, friend, bytes32(requestId))
        );
        staking.unlock(bytes32(requestId));
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector, executor, friend, 0, 1
            )
        );
        staking.lock(executor, "claim", 1);
        vm.stopPrank();
    }
}
