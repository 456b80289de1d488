// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @dev Notes the gas that it starts with, and needs nearly all that was promised.
contract Hungry is IInferenceConsumer {
    uint256 public startedWith;

    function onInference(uint256, uint64, address, bytes32, bytes32, bytes calldata) external {
        uint256 started = gasleft();
        startedWith = started;
        while (gasleft() > 15_000) {}
    }
}

/// @notice The executor sends just so little gas that his own payment succeeds and the callback fails for want of it:
/// the EVM hands on 63/64 of what is left, whatever the call states.
contract StarvedCallbackAttack is Network {
    uint32 internal constant CALLBACK_GAS = 400_000;

    Hungry internal consumer;
    uint256 internal requestId;
    bytes internal payload;
    uint256 internal refusedByName;

    function setUp() public override {
        super.setUp();
        consumer = new Hungry();
        RequestParams memory params = packedParams();
        params.callback = address(consumer);
        params.callbackGas = CALLBACK_GAS;
        requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        Case memory proven = packed.cases[0];
        payload = abi.encodeCall(market.fulfill, (requestId, 0, proven.input, proven.output, proven.proof));
    }

    /// @notice At every amount of gas: either the whole transaction fails, or the callback gets what was promised.
    function test_attack_noAmountOfGasStarvesTheCallback() external {
        uint256 paid;
        uint256 refused;
        uint256 least = type(uint256).max;
        // Coarse over the whole range, fine around the edge, which the coarse pass finds.
        for (uint256 gasGiven = 400_000; gasGiven <= 1_400_000; gasGiven += 25_000) {
            if (_try(gasGiven)) {
                ++paid;
                if (gasGiven < least) least = gasGiven;
            } else {
                ++refused;
            }
        }
        assertTrue(paid != 0 && refused != 0, "the range covers both outcomes");
        for (uint256 gasGiven = least - 25_000; gasGiven < least; gasGiven += 250) {
            _try(gasGiven);
        }
        assertTrue(refusedByName != 0, "the market itself refuses, where the callback is what lacks");
    }

    function _try(uint256 gasGiven) private returns (bool success) {
        uint256 snapshot = vm.snapshotState();
        bytes memory data = payload;
        vm.prank(executor);
        bytes memory result;
        (success, result) = address(market).call{gas: gasGiven}(data);
        bool named = bytes4(result) == IInferenceMarket.InferenceMarket_NotEnoughGasForCallback.selector;
        if (success) {
            assertState(requestId, RequestState.PAID);
            // The callee's first instructions cost a little before it can look.
            assertGe(consumer.startedWith(), CALLBACK_GAS - 1000, "the callback was starved");
        } else {
            assertState(requestId, RequestState.LOCKED);
            assertEq(consumer.startedWith(), 0, "nothing happened");
        }
        vm.revertToState(snapshot);
        if (named) ++refusedByName;
    }
}
