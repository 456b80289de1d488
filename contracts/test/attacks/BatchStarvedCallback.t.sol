// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @dev Needs nearly all that was promised, and notes the least that it ever started with.
contract HungryMany is IInferenceConsumer {
    uint256 public served;
    uint256 public least = type(uint256).max;

    function onInference(uint256, uint64, address, bytes32, bytes32, bytes calldata) external {
        uint256 started = gasleft();
        if (started < least) least = started;
        ++served;
        while (gasleft() > 15_000) {}
    }
}

/// @notice The executor sends just so little gas that all payments of a batch succeed, and the last callbacks fail.
contract BatchStarvedCallbackAttack is BatchNetwork {
    uint32 internal constant CALLBACK_GAS = 300_000;

    HungryMany internal consumer;
    uint256[] internal ids;
    uint256 internal refusedByName;

    function setUp() public override {
        super.setUp();
        consumer = new HungryMany();
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = rowParams(row);
            (params.callback, params.callbackGas) = (address(consumer), CALLBACK_GAS);
            ids.push(open(params));
            lockBy(executor, ids[row]);
        }
        nextBlock();
    }

    /// @notice At every amount of gas: either the whole batch fails, or every callback gets what was promised.
    function test_attack_noAmountOfGasStarvesOneCallbackOfABatch() external {
        uint256 paid;
        uint256 refused;
        uint256 least = type(uint256).max;
        // Coarse over the whole range, fine around the edge, which the coarse pass finds.
        for (uint256 gasGiven = 500_000; gasGiven <= 2_500_000; gasGiven += 50_000) {
            if (_try(gasGiven)) {
                ++paid;
                if (gasGiven < least) least = gasGiven;
            } else {
                ++refused;
            }
        }
        assertTrue(paid != 0 && refused != 0, "the range covers both outcomes");
        for (uint256 gasGiven = least - 50_000; gasGiven < least; gasGiven += 500) {
            _try(gasGiven);
        }
        assertTrue(refusedByName != 0, "the market itself refuses, where a callback is what lacks");
    }

    function _try(uint256 gasGiven) private returns (bool success) {
        uint256 snapshot = vm.snapshotState();
        Case memory proven = batch.cases[0];
        bytes memory data = abi.encodeCall(market.fulfillBatch, (ids, BATCH, proven.input, proven.output, proven.proof));
        bytes memory result;
        vm.prank(executor);
        (success, result) = address(market).call{gas: gasGiven}(data);
        bool named = bytes4(result) == IInferenceMarket.InferenceMarket_NotEnoughGasForCallback.selector;
        if (success) {
            assertEq(consumer.served(), ROWS, "every callback ran to its end");
            // Less what decoding takes between the call and the first line that can look.
            assertGe(consumer.least(), CALLBACK_GAS - 1000, "with what was promised");
            assertEq(market.balanceOf(executor), ROWS * PRICE * 9 / 10, "all paid");
        } else {
            assertEq(market.balanceOf(executor), 0, "nobody is paid");
        }
        vm.revertToState(snapshot);
        if (named) ++refusedByName;
    }
}
