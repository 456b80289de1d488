// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {Request, RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev Keeps what it was called with.
contract Keeper is IInferenceConsumer {
    bytes public received;

    function onInference(
        uint256 requestId,
        uint64 versionId,
        address asker,
        bytes32 inputDigest,
        bytes32 inputBinding,
        bytes calldata output
    ) external {
        received = abi.encode(msg.sender, requestId, versionId, asker, inputDigest, inputBinding, output);
        // Some return data, though the interface declares none.
        assembly ("memory-safe") {
            mstore(0, 0x1234)
            return(0, 0x20)
        }
    }
}

contract MarketFulfillTest is Network {
    function test_paysAndUnlocks() external {
        uint256 requestId = openLocked();
        Money memory before = money();
        vm.expectEmit(address(market));
        emit IInferenceMarket.RequestFulfilled(
            requestId, executor, packedVersion, PRICE * 9 / 10, PRICE / 10, packed.cases[0].output
        );
        fulfillBy(executor, requestId, packed, 0);

        Money memory now_ = money();
        assertEq(before.escrowed - now_.escrowed, PRICE, "escrow released");
        assertEq(now_.executorBalance - before.executorBalance, PRICE * 9 / 10, "fee");
        assertEq(now_.royalty - before.royalty, PRICE / 10, "royalty");
        assertEq(now_.requesterBalance, before.requesterBalance, "requester paid at creation");
        assertEq(now_.locked, 0, "stake unlocked");
        assertEq(now_.allocated, STAKE, "stake whole");
        Request memory stored = market.requestOf(requestId);
        assertEq(uint256(stored.state), uint256(RequestState.PAID), "state");
        assertEq(stored.outputDigest, keccak256(packed.cases[0].output), "output digest");
        assertEq(stored.executor, executor, "who answered");
    }

    /// @notice What a paid request keeps, and what gave its place to the output's digest.
    function test_whatAPaidRequestKeeps() external {
        Keeper keeper = new Keeper();
        RequestParams memory params = paramsFor(kzgVersion, kzg, 0);
        params.callback = address(keeper);
        params.callbackGas = 900_000;
        params.executor = executor;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        Request memory before = market.requestOf(requestId);
        vm.roll(1_234_567);
        fulfillBy(executor, requestId, kzg, 0);

        Request memory expected_ = before;
        expected_.state = RequestState.PAID;
        expected_.outputDigest = keccak256(kzg.cases[0].output);
        expected_.paidBlock = 1_234_432; // 256 * 4,822
        (expected_.price, expected_.maxPrice) = (0, 0);
        (expected_.royaltyBps, expected_.deadline) = (0, 0);
        (expected_.lockDuration, expected_.lockDeadline, expected_.lockBlock) = (0, 0, 0);
        assertEq(abi.encode(market.requestOf(requestId)), abi.encode(expected_), "all the rest stays");
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.PAID)
        );
        market.termsOf(requestId);
    }

    function test_everyPackedFixtureIsPaid() external {
        for (uint256 i = 0; i < packed.cases.length; ++i) {
            uint256 requestId = open(paramsFor(packedVersion, packed, i));
            lockBy(executor, requestId);
            nextBlock();
            fulfillBy(executor, requestId, packed, i);
            assertState(requestId, RequestState.PAID);
        }
    }

    function test_everyKzgFixtureIsPaid() external {
        for (uint256 i = 0; i < kzg.cases.length; ++i) {
            uint256 requestId = open(paramsFor(kzgVersion, kzg, i));
            lockBy(executor, requestId);
            nextBlock();
            fulfillBy(executor, requestId, kzg, i);
            assertState(requestId, RequestState.PAID);
        }
    }

    function test_needsALock() external {
        uint256 requestId = openPacked();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotLocked.selector, requestId, RequestState.OPEN)
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, "", "", "");
    }

    function test_paysOnce() external {
        uint256 requestId = openLocked();
        fulfillBy(executor, requestId, packed, 0);
        Money memory before = money();
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotLocked.selector, requestId, RequestState.PAID)
        );
        vm.prank(executor);
        market.fulfill(requestId, 0, packed.cases[0].input, packed.cases[0].output, packed.cases[0].proof);
        skip(MAX_LIFETIME);
        vm.expectRevert(
            abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotOpen.selector, requestId, RequestState.PAID)
        );
        market.refund(requestId);
        assertUnchanged(before);
    }

    function test_theCallbackGetsTheOutput() external {
        Keeper keeper = new Keeper();
        RequestParams memory params = paramsFor(kzgVersion, kzg, 0);
        params.callback = address(keeper);
        params.callbackGas = 900_000;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        vm.expectEmit(address(market));
        emit IInferenceMarket.CallbackExecuted(requestId, address(keeper), true, abi.encode(0x1234));
        fulfillBy(executor, requestId, kzg, 0);
        assertEq(
            keeper.received(),
            abi.encode(
                address(market),
                requestId,
                kzgVersion,
                requester,
                keccak256(kzg.cases[0].input),
                kzg.cases[0].inputBinding,
                kzg.cases[0].output
            ),
            "what it received"
        );
    }

    function test_aCallbackOfNoContractIsNoHarm() external {
        RequestParams memory params = packedParams();
        params.callback = stranger;
        params.callbackGas = 50_000;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        vm.expectEmit(address(market));
        emit IInferenceMarket.CallbackExecuted(requestId, stranger, true, "");
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
    }

    function test_aFreeRequestPaysNothingToAnybody() external {
        RequestParams memory params = packedParams();
        params.maxPrice = 0;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        Money memory before = money();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(money().executorBalance, before.executorBalance, "no fee");
        assertEq(money().royalty, before.royalty, "no royalty");
        assertState(requestId, RequestState.PAID);
    }

    function test_royaltyIsTheOneOfTheRequestsVersion() external {
        vm.prank(builder);
        uint64 dear = registry.publishVersion(modelId, publication(packed, 5000));
        uint256 requestId = openLocked(); // still the first version, at 10 %
        fulfillBy(executor, requestId, packed, 0);
        assertEq(market.royaltyOf(modelId), PRICE / 10, "first version's royalty");
        requestId = open(paramsFor(dear, packed, 0));
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(market.royaltyOf(modelId), PRICE / 10 + PRICE / 2, "plus the other's");
    }
}
