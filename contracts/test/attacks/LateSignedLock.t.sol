// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Attack: whoever orders transactions mines a lock late, so that it cannot be kept, or at a moment whose price
/// suits somebody. The executor states the time and the price that he needs; the requester never pays more than the
/// most that he offered, and what a delay can add to the price is the ramp that he chose.
contract LateSignedLockAttack is Network {
    function testFuzz_theExecutorsTermsHoldWheneverItIsMined(uint256 delay) external {
        RequestParams memory params = packedParams();
        (params.minPrice, params.rampStart, params.rampLength) = (1e6, uint64(block.timestamp) + 600, 1200);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        (uint32 leastSeconds, uint128 leastPrice) = (300, 2e6);
        delay = bound(delay, 0, 2 hours);
        skip(delay);
        vm.prank(executor);
        try market.lockSigned(signed, signature, leastSeconds, leastPrice) returns (uint256 requestId) {
            assertGe(market.requestOf(requestId).lockDeadline, block.timestamp + leastSeconds, "time");
            assertGe(market.requestOf(requestId).price, leastPrice, "price");
            assertLe(market.requestOf(requestId).price, PRICE, "no more than was offered");
            // A quarter of the ramp has passed, and 300 seconds of an hour are left.
            assertTrue(delay >= 900 && delay <= 3300, "not earlier, not later");
        } catch {
            assertTrue(delay < 900 || delay > 3300, "or else it is locked");
            assertEq(staking.available(executor, address(market)), STAKE, "nothing at stake");
            assertEq(market.balanceOf(requester), DEPOSIT, "nothing paid");
        }
    }

    function test_aDelayNeverLowersThePrice() external {
        RequestParams memory params = packedParams();
        (params.minPrice, params.rampStart, params.rampLength) = (1e6, uint64(block.timestamp), 1200);
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        skip(600);
        // As it was when he sent it; a block of an earlier second would pay less.
        uint256 sent = vm.snapshotState();
        vm.prank(executor);
        uint256 requestId = market.lockSigned(signed, signature, 0, 3e6);
        assertEq(market.requestOf(requestId).price, 3e6, "at once");
        vm.revertToState(sent);
        vm.warp(block.timestamp - 1);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_PriceTooLow.selector);
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 3e6);
    }
}
