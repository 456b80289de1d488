// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A lock signed with an hour left is held back, or stuck in the mempool, until the request's deadline. A lock
/// that cannot be kept is certain loss, and half of it the requester's.
contract LateLockAttack is Network {
    uint256 internal requestId;
    uint64 internal deadline;
    bytes32 internal terms;

    function setUp() public override {
        super.setUp();
        RequestParams memory params = packedParams();
        params.maxPrice = COLLATERAL / 2; // the compensation is as high as it can be
        deadline = params.deadline;
        requestId = open(params);
        terms = market.termsOf(requestId);
    }

    function test_attack_aLockOfZeroSeconds() external {
        vm.warp(deadline);
        _refused(0, deadline, deadline + MIN_LOCK);
    }

    function test_attack_aLockShorterThanTheLeast() external {
        vm.warp(deadline - MIN_LOCK + 1);
        _refused(0, deadline, deadline + 1);
        // A second earlier there is time enough, for whoever asks for no more.
        vm.warp(deadline - MIN_LOCK);
        vm.prank(executor);
        market.lock(requestId, terms, 0, 0);
        assertEq(market.requestOf(requestId).lockDeadline, block.timestamp + MIN_LOCK, "the least");
    }

    /// @notice The request's deadline ends a late lock, so the lock's deadline alone says nothing: what counts is what
    /// is left of it when the lock is mined.
    function test_attack_aLockShorterThanTheExecutorNeeds() external {
        uint32 needed = 300;
        vm.warp(deadline - needed + 1);
        _refused(needed, deadline, deadline + 1);
        vm.warp(deadline - needed);
        vm.prank(executor);
        market.lock(requestId, terms, needed, 0);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    /// @notice A requester grants less than the executor needs from the start.
    function test_attack_aLockDurationShorterThanTheExecutorNeeds() external {
        uint64 lockDeadline = uint64(block.timestamp) + LOCK_DURATION;
        _refused(LOCK_DURATION + 1, lockDeadline, lockDeadline + 1);
        _refused(type(uint32).max, lockDeadline, uint64(block.timestamp) + type(uint32).max);
    }

    function _refused(uint32 leastSeconds, uint64 lockDeadline, uint64 least) private {
        Money memory before = money();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_LockTooShort.selector, lockDeadline, least)
        );
        vm.prank(executor);
        market.lock(requestId, terms, leastSeconds, 0);
        assertUnchanged(before);
        assertState(requestId, RequestState.OPEN);
    }
}
