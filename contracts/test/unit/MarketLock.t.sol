// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Request, RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

contract MarketLockTest is Network {
    function test_locksStakeAndTime() external {
        uint256 requestId = openPacked();
        uint64 lockDeadline = uint64(block.timestamp) + LOCK_DURATION;
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestLocked(requestId, executor, PRICE, lockDeadline);
        lockBy(executor, requestId);
        Request memory stored = market.requestOf(requestId);
        assertEq(uint256(stored.state), uint256(RequestState.LOCKED), "state");
        assertEq(stored.executor, executor, "holder");
        assertEq(stored.lockDeadline, lockDeadline, "deadline");
        assertEq(stored.lockBlock, block.number, "block");
        (address claimed, uint256 amount) = staking.claim(address(market), bytes32(requestId));
        assertEq(claimed, executor, "claim's executor");
        assertEq(amount, COLLATERAL, "claim's amount");
        assertEq(staking.available(executor, address(market)), STAKE - COLLATERAL, "available");
    }

    function test_theRequestsDeadlineBoundsTheLocks() external {
        RequestParams memory params = packedParams();
        uint256 requestId = open(params);
        vm.warp(params.deadline - MIN_LOCK);
        lockBy(executor, requestId);
        assertEq(market.requestOf(requestId).lockDeadline, params.deadline, "not beyond");
    }

    function test_termsAreTheHashOfWhatIsStored() external {
        RequestParams memory params = paramsFor(kzgVersion, kzg, 1);
        params.executor = executor;
        params.callback = stranger;
        params.callbackGas = 12_345;
        uint256 requestId = open(params);
        Request memory stored = market.requestOf(requestId);
        // In halves, for the stack; every value is one word.
        bytes memory head = abi.encode(requester, params.versionId, params.mode, params.inputBinding);
        bytes memory prices = abi.encode(params.maxPrice, params.minPrice, params.rampStart, params.rampLength);
        bytes memory tail = abi.encode(
            ROYALTY_BPS,
            params.collateral,
            params.deadline,
            params.lockDuration,
            params.executor,
            params.callback,
            params.callbackGas
        );
        head = bytes.concat(head, prices);
        assertEq(head.length + tail.length, 15 * 32, "fifteen words");
        assertEq(market.termsOf(requestId), keccak256(bytes.concat(head, tail)), "terms");
        assertEq(stored.royaltyBps, ROYALTY_BPS, "the version's royalty");
        bytes32 terms = market.termsOf(requestId);
        lockBy(executor, requestId);
        assertEq(market.termsOf(requestId), terms, "the same after the lock");
    }

    function test_everyTermCounts() external {
        RequestParams memory params = packedParams();
        bytes32[] memory seen = new bytes32[](12);
        seen[0] = market.termsOf(open(params));
        params.versionId = kzgVersion;
        seen[1] = market.termsOf(open(params));
        params.inputBinding = keccak256("another");
        seen[2] = market.termsOf(open(params));
        ++params.maxPrice;
        seen[3] = market.termsOf(open(params));
        ++params.collateral;
        seen[4] = market.termsOf(open(params));
        ++params.deadline;
        seen[5] = market.termsOf(open(params));
        ++params.lockDuration;
        seen[6] = market.termsOf(open(params));
        params.executor = executor;
        seen[7] = market.termsOf(open(params));
        params.callback = stranger;
        seen[8] = market.termsOf(open(params));
        ++params.callbackGas;
        seen[9] = market.termsOf(open(params));
        vm.prank(builder);
        params.versionId = registry.publishVersion(modelId, publication(kzg, ROYALTY_BPS + 1));
        seen[10] = market.termsOf(open(params));
        depositFor(stranger, DEPOSIT);
        vm.prank(stranger);
        seen[11] = market.termsOf(market.request(params, "", ""));
        for (uint256 i = 1; i < seen.length; ++i) {
            for (uint256 j = 0; j < i; ++j) {
                assertTrue(seen[i] != seen[j], "a term that does not count");
            }
        }
        assertEq(market.termsOf(open(packedParams())), seen[0], "but the id is none of them");
    }

    function test_refusesOtherTerms() external {
        uint256 requestId = openPacked();
        bytes32 actual = market.termsOf(requestId);
        bytes32 given = actual ^ bytes32(uint256(1));
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_OtherTerms.selector, requestId, given, actual)
        );
        vm.prank(executor);
        market.lock(requestId, given, 0, 0);
        assertState(requestId, RequestState.OPEN);
        lockBy(executor, requestId);
    }

    function test_refusesALockShorterThanTheCallerNeeds() external {
        uint256 requestId = openPacked();
        bytes32 terms = market.termsOf(requestId);
        uint64 lockDeadline = uint64(block.timestamp) + LOCK_DURATION;
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_LockTooShort.selector, lockDeadline, lockDeadline + 1
            )
        );
        vm.prank(executor);
        market.lock(requestId, terms, LOCK_DURATION + 1, 0);
        vm.prank(executor);
        market.lock(requestId, terms, LOCK_DURATION, 0); // to the second
        assertState(requestId, RequestState.LOCKED);
    }

    function test_theNamedExecutorAnswersUntilTheDeadline() external {
        // No least time for an answer in the same transaction.
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        vm.warp(params.deadline);
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        assertState(requestId, RequestState.PAID);
    }

    function test_oneLockAtATime() external {
        uint256 requestId = openLocked();
        address second = makeAddr("second");
        stakeFor(second, STAKE);
        bytes32 terms = market.termsOf(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.LOCKED)
        );
        vm.prank(second);
        market.lock(requestId, terms, 0, 0);
    }

    function test_onlyTheNamedExecutorLocks() external {
        RequestParams memory params = packedParams();
        params.executor = makeAddr("named");
        uint256 requestId = open(params);
        bytes32 terms = market.termsOf(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, executor, params.executor
            )
        );
        vm.prank(executor);
        market.lock(requestId, terms, 0, 0);
        stakeFor(params.executor, COLLATERAL);
        lockBy(params.executor, requestId);
        assertState(requestId, RequestState.LOCKED);
    }

    function test_needsAllocatedStake() external {
        RequestParams memory params = packedParams();
        params.collateral = uint128(STAKE) + 1;
        uint256 requestId = open(params);
        bytes32 terms = market.termsOf(requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                executor,
                address(market),
                STAKE,
                STAKE + 1
            )
        );
        vm.prank(executor);
        market.lock(requestId, terms, 0, 0);
        assertState(requestId, RequestState.OPEN);
    }

    function test_lockAndFulfillNeedsTheName() external {
        uint256 requestId = openPacked();
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, executor, address(0)
            )
        );
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
    }

    function test_lockAndFulfillInOneTransaction() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        assertState(requestId, RequestState.PAID);
        assertEq(staking.available(executor, address(market)), STAKE, "stake unlocked");
        assertEq(market.balanceOf(executor), PRICE * 9 / 10, "paid");
    }

    function test_lockAndFulfillNeedsStakeAllTheSame() external {
        RequestParams memory params = packedParams();
        params.executor = stranger;
        uint256 requestId = open(params);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                stranger,
                address(market),
                0,
                COLLATERAL
            )
        );
        vm.prank(stranger);
        market.lockAndFulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
    }

    function test_theNamedExecutorMayFulfilInTheLocksBlock() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }
}
