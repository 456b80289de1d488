// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceConsumer} from "../../src/interfaces/IInferenceConsumer.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";

/// @dev Takes next to nothing while it is being estimated, and all that it may afterwards.
contract TwoFaced is IInferenceConsumer {
    bool public greedy;

    function turn() external {
        greedy = true;
    }

    function onInference(uint256, uint64, address, bytes32, bytes32, bytes calldata) external view {
        while (greedy) {}
    }
}

/// @notice The requester's callbacks are cheap when the executor estimates the gas of a batch, and burn all that was
/// promised to them when it is mined. Were the promise held against the gas at each call only, the first callbacks
/// would leave too little for the last, the whole batch would fail each time it is sent, and the executor would miss
/// its locks.
contract BatchDeceivedEstimateAttack is BatchNetwork {
    uint32 internal constant CALLBACK_GAS = 300_000;

    TwoFaced internal consumer;
    uint256[] internal ids;

    function setUp() public override {
        super.setUp();
        consumer = new TwoFaced();
        for (uint256 row = 0; row < ROWS; ++row) {
            RequestParams memory params = rowParams(row);
            (params.callback, params.callbackGas) = (address(consumer), CALLBACK_GAS);
            ids.push(open(params));
            lockBy(executor, ids[row]);
        }
        nextBlock();
    }

    function test_attack_whatSufficesForCheapCallbacksSufficesForGreedyOnes() external {
        // The least that an estimator finds, to within 1,000 gas.
        (uint256 tooLittle, uint256 enough) = (500_000, 3_000_000);
        assertTrue(_try(enough), "enough for cheap callbacks");
        while (enough - tooLittle > 1000) {
            uint256 middle = (enough + tooLittle) / 2;
            if (_try(middle)) enough = middle;
            else tooLittle = middle;
        }
        consumer.turn();
        assertTrue(_try(enough), "enough for greedy ones");
    }

    function _try(uint256 gasGiven) private returns (bool success) {
        uint256 snapshot = vm.snapshotState();
        Case memory proven = batch.cases[0];
        bytes memory data = abi.encodeCall(market.fulfillBatch, (ids, BATCH, proven.input, proven.output, proven.proof));
        vm.prank(executor);
        (success,) = address(market).call{gas: gasGiven}(data);
        if (success) assertEq(market.balanceOf(executor), ROWS * PRICE * 9 / 10, "all paid");
        vm.revertToState(snapshot);
    }
}
