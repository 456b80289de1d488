// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Request, RequestParams} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Prices rise from the least to the most along the ramp and are fixed by the first lock.
contract MarketPricesTest is Network {
    uint128 internal constant LEAST = 1e6;

    function test_theMostIsEscrowedUntilALock() external {
        uint256 requestId = open(_ramp());
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "the most");
        Request memory stored = market.requestOf(requestId);
        assertEq(stored.price, PRICE, "in escrow");
        assertEq(stored.maxPrice, PRICE, "most");
        assertEq(stored.minPrice, LEAST, "least");
        assertEq(stored.rampStart, block.timestamp + 100, "start");
        assertEq(stored.rampLength, 400, "length");
    }

    function test_theLeastUntilTheRampStarts() external {
        _locksAt(100, LEAST);
    }

    function test_halfwayUpTheRamp() external {
        _locksAt(300, (LEAST + PRICE) / 2);
    }

    function test_aSecondBeforeTheEnd() external {
        _locksAt(499, PRICE - 10_000);
    }

    function test_theMostFromTheEndOn() external {
        _locksAt(500, PRICE);
        _locksAt(700, PRICE);
    }

    function test_aFlatPriceHasNoRamp() external {
        uint256 requestId = openPacked();
        Request memory stored = market.requestOf(requestId);
        assertEq(stored.price, PRICE, "in escrow");
        assertEq(stored.maxPrice, PRICE, "most");
        assertEq(stored.minPrice + stored.rampStart + stored.rampLength, 0, "no ramp");
        lockBy(executor, requestId);
        assertEq(market.requestOf(requestId).price, PRICE, "the price");
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "no change");
    }

    function test_paysTheLocksPrice() external {
        uint256 requestId = open(_ramp());
        skip(300);
        lockBy(executor, requestId);
        skip(300); // the ramp is over, the price stays
        vm.expectEmit(true, true, true, false, address(market));
        emit IInferenceMarket.RequestFulfilled(requestId, executor, packedVersion, 0, 0, "");
        fulfillBy(executor, requestId, packed, 0);
        assertEq(market.balanceOf(executor), 2.7e6, "nine tenths of three");
        assertEq(market.royaltyOf(modelId), 0.3e6, "one tenth");
        assertEq(market.balanceOf(requester), DEPOSIT - 3e6, "paid three");
        Request memory stored = market.requestOf(requestId);
        assertEq(stored.price, 3e6, "which stays readable");
        assertEq(stored.maxPrice + stored.minPrice + stored.rampStart + stored.rampLength, 0, "the ramp is spent");
        assertEq(stored.outputDigest, keccak256(packed.cases[0].output), "the output's digest");
    }

    /// @notice A price of nothing is one as well.
    function test_paysNothingWhereTheRampBeginsThere() external {
        RequestParams memory params = _ramp();
        params.minPrice = 0;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(market.requestOf(requestId).price, 0, "nothing was paid");
        assertEq(market.balanceOf(executor) + market.royaltyOf(modelId), 0, "to nobody");
        assertEq(market.balanceOf(requester), DEPOSIT, "all of it came back");
    }

    function test_anUnlockedRequestReturnsTheMost() external {
        uint256 requestId = open(_ramp());
        skip(300);
        vm.prank(requester);
        market.cancel(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "all of it");
        requestId = open(_ramp());
        skip(1 days);
        market.refund(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "all of it");
    }

    function test_aMissedLockReturnsTheLocksPrice() external {
        uint256 requestId = open(_ramp());
        skip(100);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "change and price make the most");
        assertEq(staking.creditOf(requester), LEAST, "the compensation is as high as the price");
    }

    function test_theExecutorStatesHisLeastPrice() external {
        uint256 requestId = open(_ramp());
        bytes32 terms = market.termsOf(requestId);
        skip(300);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_PriceTooLow.selector, 3e6, 3e6 + 1));
        vm.prank(executor);
        market.lock(requestId, terms, 0, 3e6 + 1);
        vm.prank(executor);
        market.lock(requestId, terms, 0, 3e6);
        assertEq(market.requestOf(requestId).price, 3e6, "the price");
    }

    function test_termsStayThroughTheLock() external {
        uint256 requestId = open(_ramp());
        bytes32 terms = market.termsOf(requestId);
        skip(200);
        lockBy(executor, requestId);
        assertEq(market.termsOf(requestId), terms, "the ramp is what was asked, not what is paid");
        assertEq(market.requestOf(requestId).maxPrice, PRICE, "still shown");
    }

    function test_rampsThatAreNone() external {
        RequestParams memory params = _ramp();
        params.minPrice = PRICE;
        _refusesRamp(params);
        params = _ramp();
        params.rampLength = 0;
        _refusesRamp(params);
        params.minPrice = 0;
        _refusesRamp(params); // a start is left
        params.rampStart = 0;
        open(params);
        params.minPrice = 1;
        _refusesRamp(params);
    }

    function test_rampsThatEndTooLate() external {
        RequestParams memory params = _ramp();
        params.rampStart = params.deadline - params.rampLength;
        open(params);
        ++params.rampStart;
        _refusesRamp(params);
        params.rampStart = type(uint64).max; // no sum that overflows
        _refusesRamp(params);
        params.rampStart = 0;
        params.rampLength = type(uint32).max;
        _refusesRamp(params);
        params.rampLength = type(uint24).max; // began long ago, and is over
        lockBy(executor, open(params));
    }

    function _ramp() private view returns (RequestParams memory params) {
        params = packedParams();
        params.minPrice = LEAST;
        params.rampStart = uint64(block.timestamp) + 100;
        params.rampLength = 400;
    }

    function _locksAt(uint256 later, uint256 price) private {
        uint256 before = market.balanceOf(requester);
        uint256 requestId = open(_ramp());
        skip(later);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestLocked(requestId, executor, price, uint64(block.timestamp) + LOCK_DURATION);
        lockBy(executor, requestId);
        assertEq(market.requestOf(requestId).price, price, "the price");
        assertEq(market.balanceOf(requester), before - price, "change is back");
    }

    function _refusesRamp(RequestParams memory params) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_InvalidRamp.selector,
                params.minPrice,
                params.maxPrice,
                params.rampStart,
                params.rampLength
            )
        );
        vm.prank(requester);
        market.request(params, "", "");
    }
}
