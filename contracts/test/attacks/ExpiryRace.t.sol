// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Two parties act in the same second at the edge of a deadline: never both succeed, and never neither could.
contract ExpiryRaceAttack is Network {
    function test_attack_refundCannotOvertakeAFulfilInTheLastSecond() external {
        uint256 requestId = openLocked();
        vm.warp(market.requestOf(requestId).lockDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotExpired.selector, requestId, uint64(block.timestamp)
            )
        );
        vm.prank(requester);
        market.refund(requestId);
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    function test_attack_fulfilCannotFollowInTheNextSecond() external {
        uint256 requestId = openLocked();
        uint64 lockDeadline = market.requestOf(requestId).lockDeadline;
        vm.warp(lockDeadline + 1);
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_Expired.selector, requestId, lockDeadline)
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
        market.refund(requestId);
        // And in the same second, after the refund, still not.
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotLocked.selector, requestId, RequestState.REFUNDED
            )
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
    }

    function test_attack_lockAndRefundAroundTheRequestsDeadline() external {
        uint256 requestId = openPacked();
        uint256 second = openPacked();
        uint64 deadline = market.requestOf(requestId).deadline;
        bytes32 terms = market.termsOf(second);
        vm.warp(deadline - MIN_LOCK);
        lockBy(executor, requestId); // the last second in which there is time enough
        assertEq(market.requestOf(requestId).lockDeadline, deadline, "and no second longer");
        vm.warp(deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_Expired.selector, second, deadline));
        vm.prank(executor);
        market.lock(second, terms, 0, 0);
        market.refund(second);
        market.refund(requestId);
        assertEq(staking.totalStake(executor), STAKE - COLLATERAL, "only what was locked is slashed");
    }

    function test_attack_cancelAndLockInOneBlock() external {
        // Whoever is first wins; the other one fails without loss.
        uint256 requestId = openPacked();
        lockBy(executor, requestId);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.LOCKED)
        );
        vm.prank(requester);
        market.cancel(requestId);

        requestId = openPacked();
        bytes32 terms = market.termsOf(requestId);
        vm.prank(requester);
        market.cancel(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.REFUNDED)
        );
        vm.prank(executor);
        market.lock(requestId, terms, 0, 0);
    }

    function test_attack_aLateLockDoesNotOutliveTheRequest() external {
        RequestParams memory params = packedParams();
        params.deadline = uint64(block.timestamp) + MAX_LIFETIME;
        params.lockDuration = MAX_LOCK;
        uint256 requestId = open(params);
        vm.warp(params.deadline - MIN_LOCK);
        lockBy(executor, requestId);
        vm.warp(params.deadline + 1);
        market.refund(requestId);
        assertState(requestId, RequestState.REFUNDED);
    }
}
