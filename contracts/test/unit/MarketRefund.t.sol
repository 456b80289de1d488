// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

contract MarketRefundTest is Network {
    function test_refundsWhatNobodyLocked() external {
        uint256 requestId = openPacked();
        uint64 deadline = market.requestOf(requestId).deadline;
        vm.warp(deadline);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotExpired.selector, requestId, deadline)
        );
        market.refund(requestId);
        (, bool refundable) = market.statusOf(requestId);
        assertFalse(refundable, "not in the deadline's second");

        vm.warp(deadline + 1);
        (, refundable) = market.statusOf(requestId);
        assertTrue(refundable, "strictly after");
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestRefunded(requestId, requester, PRICE, 0);
        vm.prank(stranger); // anybody
        market.refund(requestId);
        assertState(requestId, RequestState.REFUNDED);
        assertEq(market.balanceOf(requester), DEPOSIT, "all back");
        assertEq(staking.pendingBurn(), 0, "nobody slashed");
        (, refundable) = market.statusOf(requestId);
        assertFalse(refundable, "once");
    }

    function test_refundsAndSlashesAMissedLock() external {
        uint256 requestId = openLocked();
        uint64 lockDeadline = market.requestOf(requestId).lockDeadline;
        vm.warp(lockDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotExpired.selector, requestId, lockDeadline)
        );
        market.refund(requestId);
        vm.warp(lockDeadline + 1);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestRefunded(requestId, requester, PRICE, COLLATERAL);
        vm.prank(stranger);
        market.refund(requestId);
        assertState(requestId, RequestState.REFUNDED);
        assertEq(market.balanceOf(requester), DEPOSIT, "price back");
        assertEq(staking.creditOf(requester), PRICE, "compensation: the price, here below half");
        assertEq(staking.pendingBurn(), COLLATERAL - PRICE, "the rest burns");
        assertEq(staking.totalStake(executor), STAKE - COLLATERAL, "out of the stake");
    }

    function test_compensationIsAtMostHalfTheCollateral() external {
        RequestParams memory params = packedParams();
        params.maxPrice = 50e6;
        params.collateral = 20e6 + 1;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertEq(staking.creditOf(requester), 10e6, "half, rounded down");
        assertEq(staking.pendingBurn(), 10e6 + 1, "at least half burns");
    }

    function test_refundsOnce() external {
        uint256 requestId = openLocked();
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        bytes32 terms = market.termsOf(requestId);
        Money memory before = money();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.REFUNDED)
        );
        market.refund(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotLocked.selector, requestId, RequestState.REFUNDED
            )
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.REFUNDED)
        );
        vm.prank(executor);
        market.lock(requestId, terms, 0, 0);
        assertUnchanged(before);
    }

    function test_aMissedLockIsRefundableBeforeTheRequestsDeadline() external {
        uint256 requestId = openLocked();
        skip(LOCK_DURATION + 1);
        assertLe(block.timestamp, market.requestOf(requestId).deadline, "the request itself would still live");
        market.refund(requestId);
        assertState(requestId, RequestState.REFUNDED);
    }
}
