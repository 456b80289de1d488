// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, SkipReason} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @notice An executor puts one request into a batch twice, or into two batches, to be paid twice.
contract BatchSameRequestTwiceAttack is BatchNetwork {
    function test_attack_twiceInOneBatch() external {
        uint256[] memory ids = lockRows(2);
        uint256[] memory twice = new uint256[](ROWS);
        (twice[0], twice[1], twice[2], twice[3]) = (ids[0], ids[1], ids[0], ids[1]);
        Money memory before = money();
        vm.expectEmit(address(market));
        emit IInferenceMarket.FulfilmentSkipped(ids[0], executor, SkipReason.NOT_LOCKED);
        assertEq(fulfillBatchBy(executor, twice), 2, "each once");
        _checkPaidOnce(before, 2);
    }

    /// @notice With a batch that holds the same row several times, so that every repetition has the right input.
    function test_attack_twiceWithEqualRows() external {
        // Case 1 of the batch fixture is turned by one: its last row is the first one of case 0. Two requests with the
        // same input may share nothing but that: each is paid for itself.
        uint256 first = _locked(0);
        uint256 second = _locked(0);
        nextBlock();
        Money memory before = money();
        assertEq(fulfillBatchBy(executor, two(first, first + 1000)), 1, "the first");
        Case memory turned = batch.cases[1];
        uint256[] memory ids = new uint256[](ROWS);
        (ids[0], ids[1], ids[2], ids[3]) = (first, first, first, second);
        vm.prank(executor);
        assertEq(market.fulfillBatch(ids, BATCH, turned.input, turned.output, turned.proof), 1, "only the second");
        _checkPaidOnce(before, 2);
    }

    function test_attack_inASecondBatch() external {
        uint256[] memory ids = lockRows(3);
        Money memory before = money();
        assertEq(fulfillBatchBy(executor, ids), 3, "first batch");
        _checkPaidOnce(before, 3);
        before = money();
        refuseBatchBy(executor, ids, abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NothingToFulfill.selector));
        // Beside one that is due: that one is paid, the others are not paid again.
        uint256 due = _locked(3);
        nextBlock();
        before = money();
        uint256[] memory again = new uint256[](ROWS);
        (again[0], again[1], again[2], again[3]) = (ids[0], ids[1], ids[2], due);
        assertEq(fulfillBatchBy(executor, again), 1, "only the due one");
        _checkPaidOnce(before, 1);
    }

    /// @notice Once by itself, once in a batch.
    function test_attack_inABatchAfterASingleProof() external {
        uint256[] memory ids = lockRows(2);
        Money memory before = money();
        Case memory proven = packed.cases[0];
        vm.prank(executor);
        market.fulfill(ids[0], SINGLE, proven.input, proven.output, proven.proof);
        assertEq(fulfillBatchBy(executor, ids), 1, "only the other");
        _checkPaidOnce(before, 2);
    }

    function _locked(uint256 index) private returns (uint256 requestId) {
        RequestParams memory params = rowParams(index);
        requestId = open(params);
        lockBy(executor, requestId);
    }

    function _checkPaidOnce(Money memory before, uint256 count) private view {
        Money memory now_ = money();
        assertEq(before.escrowed - now_.escrowed, count * PRICE, "out of escrow");
        assertEq(now_.executorBalance - before.executorBalance, count * PRICE * 9 / 10, "fees");
        assertEq(now_.royalty - before.royalty, count * PRICE / 10, "royalties");
        assertEq(now_.locked, 0, "no claim is left");
    }
}
