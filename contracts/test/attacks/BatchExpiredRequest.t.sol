// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState, SkipReason} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice One request of a batch expires, is refunded or cancelled before the batch is mined: the others must not lose
/// their answers, nor the executor his collateral for them.
contract BatchExpiredRequestAttack is BatchNetwork {
    function test_attack_oneExpiredRequestSinksNoBatch() external {
        uint256[] memory ids = _mixed();
        vm.warp(market.requestOf(ids[0]).lockDeadline + 1);
        vm.expectEmit(address(market));
        emit IInferenceMarket.FulfilmentSkipped(ids[0], executor, SkipReason.EXPIRED);
        assertEq(fulfillBatchBy(executor, ids), 3, "the others");
        // It is still what it was: refundable, with its collateral.
        Money memory before = money();
        market.refund(ids[0]);
        Money memory now_ = money();
        assertEq(now_.requesterBalance - before.requesterBalance, PRICE, "refunded");
        assertEq(before.allocated - now_.allocated, COLLATERAL, "slashed");
        assertEq(now_.locked, 0, "nothing else was locked");
    }

    function test_theLastSecondStillCounts() external {
        uint256[] memory ids = _mixed();
        vm.warp(market.requestOf(ids[0]).lockDeadline);
        assertEq(fulfillBatchBy(executor, ids), ROWS, "all");
    }

    /// @notice Somebody refunds it in front of the batch.
    function test_attack_aRefundInFrontOfTheBatch() external {
        uint256[] memory ids = _mixed();
        vm.warp(market.requestOf(ids[0]).lockDeadline + 1);
        vm.prank(requester);
        market.refund(ids[0]);
        vm.expectEmit(address(market));
        emit IInferenceMarket.FulfilmentSkipped(ids[0], executor, SkipReason.NOT_LOCKED);
        assertEq(fulfillBatchBy(executor, ids), 3, "the others");
        assertState(ids[0], RequestState.REFUNDED);
    }

    /// @notice A request that its requester took back, and one that nobody holds any more.
    function test_attack_aCancelInFrontOfTheBatch() external {
        uint256[] memory ids = _mixed();
        uint256 open_ = open(rowParams(3));
        vm.prank(requester);
        market.cancel(open_);
        ids[3] = open_;
        assertEq(fulfillBatchBy(executor, ids), 3, "the others");
        assertState(open_, RequestState.REFUNDED);
    }

    /// @notice All of them late: nothing is paid, everything refundable.
    function test_attack_aBatchThatIsLateAsAWhole() external {
        uint256[] memory ids = _mixed();
        skip(LOCK_DURATION + 1);
        refuseBatchBy(executor, ids, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NothingToFulfill.selector));
        for (uint256 i = 0; i < ROWS; ++i) {
            market.refund(ids[i]);
        }
        assertEq(money().allocated, STAKE - ROWS * COLLATERAL, "all slashed");
    }

    /// @dev The first request has the shortest lock.
    function _mixed() private returns (uint256[] memory ids) {
        ids = new uint256[](ROWS);
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = rowParams(row);
            if (row == 0) params.lockDuration = MIN_LOCK;
            ids[row] = open(params);
            lockBy(executor, ids[row]);
        }
        nextBlock();
    }
}
