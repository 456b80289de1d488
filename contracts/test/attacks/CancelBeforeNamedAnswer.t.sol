// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice The requester reads output and proof in the named executor's pending `lockAndFulfill` and cancels in front
/// of it: he would have the answer, the proof and his price.
contract CancelBeforeNamedAnswerAttack is Network {
    function test_attack_cancelInFrontOfTheAnswer() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output; // seen in the mempool
        bytes memory proof = packed.cases[0].proof;
        nextBlock();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NamedCannotCancel.selector, requestId, executor)
        );
        vm.prank(requester);
        market.cancel(requestId);
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, input, output, proof);
        assertState(requestId, RequestState.PAID);
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "paid for");
    }

    /// @notice The same for a named executor that locks and fulfils in two transactions of one block.
    function test_attack_cancelInFrontOfTheLock() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NamedCannotCancel.selector, requestId, executor)
        );
        vm.prank(requester);
        market.cancel(requestId);
        lockBy(executor, requestId);
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    /// @notice An executor that never answers keeps the price no longer than the deadline.
    function test_refundStaysAfterTheDeadline() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        vm.warp(params.deadline + 1);
        market.refund(requestId);
        assertEq(market.balanceOf(requester), DEPOSIT, "all back");
        assertEq(staking.totalStake(executor), STAKE, "nobody locked, nobody slashed");
    }
}
