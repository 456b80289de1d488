// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Request, RequestParams, RequestState, SkipReason} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @dev Keeps the last output that each request brought.
contract Collector is IInferenceConsumer {
    mapping(uint256 requestId => bytes output) public outputs;
    uint256 public calls;

    function onInference(uint256 requestId, uint64, address, bytes32, bytes32, bytes calldata output) external {
        outputs[requestId] = output;
        ++calls;
    }
}

/// @dev Fails always.
contract Refuser is IInferenceConsumer {
    function onInference(uint256, uint64, address, bytes32, bytes32, bytes calldata) external pure {
        revert("no");
    }
}

contract MarketFulfillBatchTest is BatchNetwork {
    function test_paysEveryRequestOfABatch() external {
        uint256[] memory ids = lockRows(ROWS);
        Money memory before = money();
        bytes32[] memory claims = new bytes32[](ROWS);
        for (uint256 row = 0; row < ROWS; ++row) {
            claims[row] = bytes32(ids[row]);
            vm.expectEmit(address(market));
            emit IInferenceMarket.RequestFulfilled(
                ids[row], executor, batchVersion, PRICE * 9 / 10, PRICE / 10, packed.cases[row].output
            );
        }
        vm.expectEmit(address(staking));
        emit IExecutorStaking.UnlockedMany(executor, address(market), claims, ROWS * COLLATERAL);
        assertEq(fulfillBatchBy(executor, ids), ROWS, "all");

        Money memory now_ = money();
        assertEq(before.escrowed - now_.escrowed, ROWS * PRICE, "escrow released");
        assertEq(now_.executorBalance - before.executorBalance, ROWS * PRICE * 9 / 10, "fees");
        assertEq(now_.royalty - before.royalty, ROWS * PRICE / 10, "royalties");
        assertEq(now_.locked, 0, "stake unlocked");
        assertEq(now_.allocated, STAKE, "stake whole");
        for (uint256 row = 0; row < ROWS; ++row) {
            Request memory stored = market.requestOf(ids[row]);
            assertEq(uint256(stored.state), uint256(RequestState.PAID), "state");
            assertEq(stored.outputDigest, keccak256(packed.cases[row].output), "its own row");
            assertEq(stored.executor, executor, "who answered");
        }
    }

    /// @notice Rows of a batch and single proofs give the same answers: they are circuits of one version.
    function test_batchAndSingleProofsAgree() external {
        uint256[] memory ids = lockRows(2);
        fulfillBatchBy(executor, one(ids[0]));
        Case memory proven = packed.cases[1];
        vm.prank(executor);
        market.fulfill(ids[1], SINGLE, proven.input, proven.output, proven.proof);
        assertEq(market.requestOf(ids[0]).outputDigest, keccak256(packed.cases[0].output), "by the batch");
        assertEq(market.requestOf(ids[1]).outputDigest, keccak256(outputOf(1)), "by the single circuit");
    }

    function test_theSecondProofServesTheSameRequestsInAnotherOrder() external {
        uint256[] memory ids = lockRows(ROWS);
        uint256[] memory turned = new uint256[](ROWS);
        for (uint256 row = 0; row < ROWS; ++row) {
            turned[row] = ids[(row + 1) % ROWS];
        }
        Case memory proven = batch.cases[1];
        vm.prank(executor);
        assertEq(market.fulfillBatch(turned, BATCH, proven.input, proven.output, proven.proof), ROWS, "all");
    }

    /// @notice One request that names its caller may be locked in this very block, as in `fulfill`.
    function test_theNamedExecutorNeedsNoBlockBetween() external {
        RequestParams memory params = rowParams(0);
        params.executor = executor;
        uint256 named = open(params);
        lockBy(executor, named);
        assertEq(fulfillBatchBy(executor, one(named)), 1, "paid");
    }

    function test_everySkippedRequestIsReportedWithItsReason() external {
        stakeFor(stranger, STAKE);
        uint256[] memory ids = new uint256[](ROWS);
        RequestParams memory params = rowParams(0);
        params.lockDuration = MIN_LOCK;
        ids[0] = open(params); // will be late
        lockBy(executor, ids[0]);
        ids[1] = open(rowParams(1)); // another's
        lockBy(stranger, ids[1]);
        ids[2] = open(rowParams(2)); // fine
        lockBy(executor, ids[2]);
        skip(MIN_LOCK + 1);
        ids[3] = open(rowParams(3)); // locked in this block
        lockBy(executor, ids[3]);

        _expectSkip(ids[0], SkipReason.EXPIRED);
        _expectSkip(ids[1], SkipReason.NOT_LOCK_HOLDER);
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestFulfilled(
            ids[2], executor, batchVersion, PRICE * 9 / 10, PRICE / 10, packed.cases[2].output
        );
        _expectSkip(ids[3], SkipReason.LOCKED_IN_THIS_BLOCK);
        assertEq(fulfillBatchBy(executor, ids), 1, "one of four");
        assertState(ids[0], RequestState.LOCKED);
        assertState(ids[1], RequestState.LOCKED);
        assertState(ids[2], RequestState.PAID);
        assertState(ids[3], RequestState.LOCKED);
        assertEq(money().locked, 2 * COLLATERAL, "the others stay backed");
    }

    function test_openEndedAndUnknownRequestsAreNotLocked() external {
        uint256[] memory ids = new uint256[](ROWS);
        ids[0] = open(rowParams(0));
        ids[1] = open(rowParams(1));
        vm.prank(requester);
        market.cancel(ids[1]);
        ids[2] = 77; // as after a reorganisation
        ids[3] = open(rowParams(3));
        lockBy(executor, ids[3]);
        nextBlock();
        for (uint256 row = 0; row < 3; ++row) {
            _expectSkip(ids[row], SkipReason.NOT_LOCKED);
        }
        assertEq(fulfillBatchBy(executor, ids), 1, "the last");
        assertState(ids[0], RequestState.OPEN);
        assertState(ids[1], RequestState.REFUNDED);
        assertState(ids[3], RequestState.PAID);
    }

    function test_nothingToPayIsAnError() external {
        refuseBatchBy(
            executor, new uint256[](0), abi.encodeWithSelector(IInferenceMarket.InferenceMarket_EmptyBatch.selector)
        );
        uint256[] memory ids = lockRows(2);
        bytes memory nothing = abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NothingToFulfill.selector);
        refuseBatchBy(stranger, ids, nothing);
        assertEq(fulfillBatchBy(executor, ids), 2, "once");
        refuseBatchBy(executor, ids, nothing);
    }

    function test_everyRequestIsCalledBackWithItsOwnRow() external {
        Collector collector = new Collector();
        address refuser = address(new Refuser());
        uint256[] memory ids = new uint256[](ROWS);
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = rowParams(row);
            // Row 1 asks for no callback, row 2 for one that fails.
            if (row != 1) (params.callback, params.callbackGas) = (row == 2 ? refuser : address(collector), 200_000);
            ids[row] = open(params);
            lockBy(executor, ids[row]);
        }
        nextBlock();
        vm.expectEmit(true, true, false, false, address(market));
        emit IInferenceMarket.CallbackExecuted(ids[2], refuser, false, "");
        assertEq(fulfillBatchBy(executor, ids), ROWS, "a failing callback undoes nothing");
        assertEq(collector.calls(), 2, "each once");
        assertEq(collector.outputs(ids[0]), packed.cases[0].output, "first");
        assertEq(collector.outputs(ids[3]), packed.cases[3].output, "last");
    }

    /// @notice A request that was skipped is not called back, wherever it stands.
    function test_skippedRequestsAreNotCalledBack() external {
        Collector collector = new Collector();
        uint256[] memory ids = new uint256[](2);
        for (uint256 row = 0; row < 2; ++row) {
            RequestParams memory params = rowParams(row);
            (params.callback, params.callbackGas) = (address(collector), 200_000);
            ids[row] = open(params);
        }
        lockBy(executor, ids[1]);
        nextBlock();
        fulfillBatchBy(executor, ids);
        assertEq(collector.calls(), 1, "one");
        assertEq(collector.outputs(ids[1]), packed.cases[1].output, "the paid one");
    }

    /// @notice Royalties are split price by price: rounding is the same as one by one.
    function test_theSplitIsPerRequest() external {
        uint256[] memory ids = new uint256[](ROWS);
        uint128[4] memory prices = [uint128(19), 9, 0, 11];
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = rowParams(row);
            params.maxPrice = prices[row];
            ids[row] = open(params);
            lockBy(executor, ids[row]);
        }
        nextBlock();
        fulfillBatchBy(executor, ids);
        assertEq(market.royaltyOf(modelId), 1 + 0 + 0 + 1, "rounded down each");
        assertEq(market.balanceOf(executor), 39 - 2, "the rest");
    }

    function test_aBatchOfSingleProofsIsABatchOfOne() external {
        uint256[] memory ids = lockRows(1);
        Case memory proven = packed.cases[0];
        vm.prank(executor);
        assertEq(market.fulfillBatch(ids, SINGLE, proven.input, proven.output, proven.proof), 1, "paid");
    }

    function _expectSkip(uint256 requestId, SkipReason reason) private {
        vm.expectEmit(address(market));
        emit IInferenceMarket.FulfilmentSkipped(requestId, executor, reason);
    }
}
