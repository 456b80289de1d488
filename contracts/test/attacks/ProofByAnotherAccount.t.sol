// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice A thief copies the executor's proof from the mempool and sends it first.
contract ProofByAnotherAccountAttack is Network {
    function test_attack_anotherAccountsProofIsNotPaid() external {
        uint256 requestId = openLocked();
        stakeFor(stranger, STAKE); // as good an executor as the other, but without this lock
        Money memory before = money();
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotLockHolder.selector, requestId, stranger, executor
            )
        );
        vm.prank(stranger);
        market.fulfill(requestId, 0, input, output, proof);
        vm.expectRevert(
            abi.encodeWithSelector(
                IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, stranger, address(0)
            )
        );
        vm.prank(stranger);
        market.lockAndFulfill(requestId, 0, input, output, proof);
        assertUnchanged(before);
        // The very same bytes pay the lock holder.
        fulfillBy(executor, requestId, packed, 0);
        assertState(requestId, RequestState.PAID);
        assertEq(market.balanceOf(stranger), 0, "the thief got nothing");
    }
}
