// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: an executor asks for his stake back, waits out the exit delay, lies, and leaves before he is
/// slashed. What backs an answer is locked at the staking contract until that answer is final, however long that takes.
contract LazyExitEscapeAttack is LazyNetwork {
    function test_attack_theExitIsReadyBeforeTheSlash() external {
        vm.prank(executor);
        staking.requestExit(address(lazy), BACKING);
        vm.warp(block.timestamp + EXIT_DELAY);
        LazyClaim memory claim = challenged(lie());
        vm.startPrank(executor);
        vm.expectPartialRevert(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector);
        staking.completeExit(address(lazy));
        // What is not used may leave; what backs the lie may not.
        vm.expectPartialRevert(ILazyMarket.LazyMarket_InsufficientBacking.selector);
        lazy.unback(BACKING);
        lazy.unback(BACKING - COLLATERAL);
        assertEq(staking.completeExit(address(lazy)), BACKING - COLLATERAL, "what is not used");
        vm.expectPartialRevert(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector);
        staking.completeExit(address(lazy));
        vm.stopPrank();
        slashed(claim);
        assertEq(staking.allocation(executor, address(lazy)).allocated, 0, "slashed in full");
    }

    function test_attack_unbackingBetweenLockAndAnswer() external {
        LazyRequest memory request = wanted();
        lockedBy(request, executor);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_InsufficientBacking.selector);
        vm.prank(executor);
        lazy.unback(BACKING);
    }

    /// @notice A queue of disputes longer than the exit delay holds the stake for as long.
    function test_attack_aQueueLongerThanTheDelay() external {
        LazyRequest memory request;
        LazyClaim memory claim;
        for (uint256 i = 0; i < 13; ++i) {
            request = wantedNamed();
            request.responseWindow = MAX_RESPONSE_WINDOW;
            claim = challenged(answerSigned(request, "a lie"));
        }
        vm.prank(executor);
        staking.requestExit(address(lazy), BACKING);
        vm.warp(block.timestamp + EXIT_DELAY);
        vm.expectPartialRevert(IExecutorStaking.ExecutorStaking_StakeStillLocked.selector);
        vm.prank(executor);
        staking.completeExit(address(lazy));
        slashed(claim);
    }
}
