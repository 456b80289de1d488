// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IInferenceMarket} from "../../src/interfaces/IInferenceMarket.sol";
import {RequestState, SignedRequest} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice Several locks in one transaction: what fails is left out and told.
contract MarketLockManyTest is Network {
    function test_locksSentAndSignedRequests() external {
        uint256 sent = openPacked();
        bytes[] memory locks = new bytes[](3);
        locks[0] = abi.encodeCall(market.lock, (sent, market.termsOf(sent), 0, 0));
        uint256 first;
        uint256 second;
        (locks[1], first) = _signed(1);
        (locks[2], second) = _signed(2);
        vm.prank(executor);
        assertEq(market.lockMany(locks), 3, "all");
        assertState(sent, RequestState.LOCKED);
        assertState(first, RequestState.LOCKED);
        assertState(second, RequestState.LOCKED);
        assertEq(market.requestOf(second).executor, executor, "by the caller");
        assertEq(staking.available(executor, address(market)), STAKE - 3 * COLLATERAL, "his stake");
    }

    function test_leavesOutAndTells() external {
        bytes[] memory locks = new bytes[](3);
        uint256 good;
        (locks[0],) = _signed(1);
        (locks[1], good) = _signed(2);
        locks[2] = locks[0];
        vm.prank(requester);
        market.cancelNonces(0, 2); // nonce 1
        bytes memory used = abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NonceUsed.selector, requester, 1);
        vm.expectEmit(address(market));
        emit IInferenceMarket.LockSkipped(executor, 0, used);
        vm.expectEmit(address(market));
        emit IInferenceMarket.LockSkipped(executor, 2, used);
        vm.prank(executor);
        assertEq(market.lockMany(locks), 1, "one");
        assertState(good, RequestState.LOCKED);
        assertEq(market.balanceOf(requester), DEPOSIT - PRICE, "debited once");
    }

    function test_whatFailsLeavesNothing() external {
        // The stake is enough for five locks.
        bytes[] memory locks = new bytes[](6);
        uint256 last;
        for (uint256 i = 0; i < 6; ++i) {
            (locks[i], last) = _signed(i);
        }
        vm.prank(executor);
        assertEq(market.lockMany(locks), 5, "five");
        vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_UnknownRequest.selector, last));
        market.requestOf(last);
        assertEq(market.nonceWord(requester, 0), 31, "its nonce is free");
        assertEq(market.balanceOf(requester), DEPOSIT - 5 * PRICE, "and its price not taken");
    }

    function test_refusesWhatLocksNothing() external {
        bytes[] memory locks = new bytes[](0);
        vm.startPrank(executor);
        vm.expectRevert(IInferenceMarket.InferenceMarket_NothingLocked.selector);
        market.lockMany(locks);
        locks = new bytes[](1);
        locks[0] = abi.encodeCall(market.lock, (99, 0, 0, 0));
        vm.expectRevert(IInferenceMarket.InferenceMarket_NothingLocked.selector);
        market.lockMany(locks);
        vm.stopPrank();
    }

    function test_takesLocksOnly() external {
        bytes[] memory locks = new bytes[](2);
        (locks[0],) = _signed(1);
        bytes[4] memory others = [
            abi.encodeCall(market.withdraw, (1, executor)),
            abi.encodeCall(market.lockMany, (new bytes[](0))),
            abi.encodeCall(market.refund, (1)),
            bytes("")
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            locks[1] = others[i];
            vm.expectRevert(abi.encodeWithSelector(IInferenceMarket.InferenceMarket_NotALock.selector, 1));
            vm.prank(executor);
            market.lockMany(locks);
        }
    }

    function test_actsForTheCallerOnly() external {
        stakeFor(stranger, COLLATERAL);
        bytes[] memory locks = new bytes[](1);
        uint256 id;
        (locks[0], id) = _signed(1);
        vm.prank(stranger);
        market.lockMany(locks);
        assertEq(market.requestOf(id).executor, stranger, "whoever sends it");
    }

    function _signed(uint256 nonce) private view returns (bytes memory data, uint256 requestId) {
        (SignedRequest memory signed, bytes memory signature) = signedRequest(packedParams(), nonce);
        return (abi.encodeCall(market.lockSigned, (signed, signature, 0, 0)), market.idOf(signed));
    }
}
