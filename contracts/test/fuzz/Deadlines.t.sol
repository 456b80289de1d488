// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @title Every second of a request's life
contract DeadlinesFuzz is Network {
    /// @notice At any second at most one of lock and refund is possible for an open request; none in the last seconds,
    /// where a lock would be shorter than the least.
    function testFuzz_openRequestsLockOrRefund(uint64 elapsed) external {
        RequestParams memory params = packedParams();
        uint256 requestId = open(params);
        vm.warp(block.timestamp + bound(elapsed, 0, 2 hours));
        bool expired = block.timestamp > params.deadline;
        bytes32 terms = market.termsOf(requestId);
        (, bool refundable) = market.statusOf(requestId);
        assertTrue(refundable == expired, "view");
        if (expired) {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceMarket.InferenceMarket_Expired.selector, requestId, params.deadline)
            );
            vm.prank(executor);
            market.lock(requestId, terms, 0, 0);
            market.refund(requestId);
        } else {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotExpired.selector, requestId, params.deadline)
            );
            market.refund(requestId);
            uint64 least = uint64(block.timestamp) + MIN_LOCK;
            if (params.deadline < least) {
                vm.expectRevert(
                    abi.encodeWithSelector(
                        IInferenceMarket.InferenceMarket_LockTooShort.selector, params.deadline, least
                    )
                );
                vm.prank(executor);
                market.lock(requestId, terms, 0, 0);
                return;
            }
            lockBy(executor, requestId);
            assertGe(market.requestOf(requestId).lockDeadline, least, "the least at least");
        }
    }

    /// @notice At any second exactly one of fulfil and refund is possible for a locked request.
    function testFuzz_lockedRequestsFulfilOrRefund(uint64 lockAfter, uint64 elapsed, uint32 lockDuration) external {
        RequestParams memory params = packedParams();
        params.lockDuration = uint32(bound(lockDuration, MIN_LOCK, MAX_LOCK));
        uint256 requestId = open(params);
        vm.warp(block.timestamp + bound(lockAfter, 0, params.deadline - MIN_LOCK - block.timestamp));
        lockBy(executor, requestId);
        uint256 lockDeadline = market.requestOf(requestId).lockDeadline;
        assertLe(lockDeadline, params.deadline, "inside the request's life");
        vm.warp(block.timestamp + bound(elapsed, 0, 2 hours));
        vm.roll(block.number + 1);

        bool expired = block.timestamp > lockDeadline;
        (, bool refundable) = market.statusOf(requestId);
        assertTrue(refundable == expired, "view");
        if (expired) {
            bytes memory output = packed.cases[0].output;
            bytes memory input = packed.cases[0].input;
            bytes memory proof = packed.cases[0].proof;
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceMarket.InferenceMarket_Expired.selector, requestId, lockDeadline)
            );
            vm.prank(executor);
            market.fulfill(requestId, 0, input, output, proof);
            market.refund(requestId);
            assertState(requestId, RequestState.REFUNDED);
        } else {
            vm.expectRevert(
                abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotExpired.selector, requestId, lockDeadline)
            );
            market.refund(requestId);
            fulfillBy(executor, requestId, packed, 0);
            assertState(requestId, RequestState.PAID);
        }
    }

    /// @notice A changed bit anywhere in input, output or proof is refused.
    function testFuzz_anyChangedBitIsRefused(uint256 bit) external {
        uint256 requestId = openLocked();
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        bit = bound(bit, 0, 8 * (input.length + output.length + proof.length) - 1);
        uint256 at = bit / 8;
        bytes1 mask = bytes1(uint8(1 << (bit % 8)));
        if (at < input.length) input[at] ^= mask;
        else if (at < input.length + output.length) output[at - input.length] ^= mask;
        else proof[at - input.length - output.length] ^= mask;
        Money memory before = money();
        vm.expectRevert();
        vm.prank(executor);
        market.fulfill(requestId, 0, input, output, proof);
        assertUnchanged(before);
        assertState(requestId, RequestState.LOCKED);
    }
}
