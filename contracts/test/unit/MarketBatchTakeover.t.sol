// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {BatchNetwork} from "../BatchNetwork.t.sol";
import {Vm} from "../Vm.sol";

/// @notice Requests whose lock somebody missed, answered in a batch with others.
contract MarketBatchTakeoverTest is BatchNetwork {
    address internal second;

    function setUp() public override {
        super.setUp();
        second = makeAddr("second");
        stakeFor(second, STAKE);
    }

    function test_everyMissedLockOfABatchIsPaidForOnce() external {
        uint256[] memory ids = _takenOver(2);
        assertEq(fulfillBatchBy(second, ids), 2, "both");
        assertState(ids[0], RequestState.PAID);
        assertState(ids[1], RequestState.PAID);
        assertEq(staking.creditOf(second), 2 * (COLLATERAL / 2), "half of each missed collateral");
        assertEq(staking.pendingBurn(), 2 * (COLLATERAL - COLLATERAL / 2), "the other halves burn");
        assertEq(staking.allocation(executor, address(market)).allocated, STAKE - 2 * COLLATERAL, "the first pays");
        assertEq(staking.allocation(executor, address(market)).locked, 0, "and owes nothing more");
        assertEq(staking.available(second, address(market)), STAKE, "the second's stake is free");
    }

    function test_whoSentTheBatchIsRewardedAndNotWhoSignedTheTransaction() external {
        uint256[] memory ids = _takenOver(1);
        vm.prank(second, makeAddr("signer"));
        market.fulfillBatch(ids, BATCH, batch.cases[0].input, batch.cases[0].output, batch.cases[0].proof);
        assertEq(staking.creditOf(second), COLLATERAL / 2, "rewarded");
        assertEq(staking.creditOf(makeAddr("signer")), 0, "nobody else");
    }

    function test_nobodyIsCalledBackWhoDidNotAsk() external {
        uint256[] memory ids = lockRows(2);
        vm.recordLogs();
        fulfillBatchBy(executor, ids);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            assertTrue(logs[i].topics[0] != IInferenceMarket.CallbackExecuted.selector, "no callback");
        }
    }

    /// @dev Requests of the batch's rows that the first executor locked and missed, and the second holds now.
    function _takenOver(uint256 count) private returns (uint256[] memory ids) {
        ids = lockRows(count);
        vm.warp(market.requestOf(ids[0]).lockDeadline + 1);
        for (uint256 i = 0; i < count; ++i) {
            lockBy(second, ids[i]);
        }
        nextBlock();
    }
}
