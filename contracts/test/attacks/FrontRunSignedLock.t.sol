// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestParams, RequestState, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Attack: somebody copies a lock of a signed request from the mempool and is mined first. He has taken the
/// request on, with his own stake: the first loses the gas of a lock that reverts and nothing else, and the requester
/// is served all the same. Whoever wants one executor only names him, and then the copy is worthless.
contract FrontRunSignedLockAttack is Network {
    function test_theCopyIsAPromiseOfItsOwn() external {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), 1);
        stakeFor(stranger, COLLATERAL);
        vm.prank(stranger);
        uint256 requestId = market.lockSigned(signed, signature, 0, 0);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, requester, 1));
        vm.prank(executor);
        market.lockSigned(signed, signature, 0, 0);
        assertEq(staking.available(executor, address(market)), STAKE, "nothing at stake");
        assertEq(staking.available(stranger, address(market)), 0, "all at stake");
        // And if it was only to hinder: he pays, the other takes it over.
        skip(LOCK_DURATION + 1);
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        assertEq(staking.creditOf(executor), COLLATERAL / 2, "for half of the hinderer's stake");
    }

    function test_aNamedExecutorCannotBeCopied() external {
        RequestParams memory params = packedParams();
        params.executor = executor;
        (SignedRequest memory signed, bytes memory signature) = signedRequest(params, 1);
        Case memory proven = packed.cases[0];
        stakeFor(stranger, COLLATERAL);
        vm.startPrank(stranger);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_NotNamedExecutor.selector);
        market.lockSigned(signed, signature, 0, 0);
        vm.expectPartialRevert(IInferenceMarket.InferenceMarket_NotNamedExecutor.selector);
        market.lockSignedAndFulfill(signed, signature, 0, proven.input, proven.output, proven.proof);
        vm.stopPrank();
        vm.prank(executor);
        uint256 requestId = market.lockSignedAndFulfill(signed, signature, 0, proven.input, proven.output, proven.proof);
        assertState(requestId, RequestState.PAID);
    }

    function test_anUnnamedAnswerWaitsABlock() external {
        // Lock and proof in one block, by whoever: a proof seen beside its lock could be copied with it.
        uint256 requestId = lockSignedBy(executor, packedParams(), 1);
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_LockedInThisBlock.selector, requestId));
        fulfillBy(executor, requestId, packed, 0);
    }
}
