// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice An executor sends lock and fulfil together; a thief sees both in the mempool and puts his own lock and the
/// copied proof in front, in the same block.
contract CopiedLockAndFulfillAttack is Network {
    function test_attack_openRequestsNeedTheNextBlock() external {
        uint256 requestId = openPacked();
        stakeFor(stranger, STAKE);
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;

        lockBy(stranger, requestId);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_LockedInThisBlock.selector, requestId));
        vm.prank(stranger);
        market.fulfill(requestId, 0, input, output, proof);
        // So nobody who is rational shows a proof before his lock is mined: the honest one cannot do it either.
        vm.roll(block.number + 1);
        vm.prank(stranger);
        market.fulfill(requestId, 0, input, output, proof);
        assertState(requestId, RequestState.PAID);
    }

    function test_attack_theNamedExecutorsBundleCannotBeCopied() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        uint256 requestId = open(params);
        stakeFor(stranger, STAKE);
        bytes memory input = packed.cases[0].input;
        bytes memory output = packed.cases[0].output;
        bytes memory proof = packed.cases[0].proof;
        bytes32 terms = market.termsOf(requestId);
        bytes memory refused = abi.encodeWithSelector(
            IInferenceMarket.InferenceMarket_NotNamedExecutor.selector, requestId, stranger, executor
        );
        vm.startPrank(stranger);
        vm.expectRevert(refused);
        market.lock(requestId, terms, 0, 0);
        vm.expectRevert(refused);
        market.lockAndFulfill(requestId, 0, input, output, proof);
        vm.stopPrank();
        vm.prank(executor);
        market.lockAndFulfill(requestId, 0, input, output, proof);
        assertState(requestId, RequestState.PAID);
    }
}
