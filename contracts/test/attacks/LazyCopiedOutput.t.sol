// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {LazyLock, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: somebody sees an answer in the mempool and puts his own in front of it, with the copied output. Only
/// the lock's holder can answer, a lock is a block older than the answer, and answers in one transaction are for the
/// executor whom the request names.
contract LazyCopiedOutputAttack is LazyNetwork {
    function setUp() public override {
        super.setUp();
        backLazy(stranger, BACKING);
    }

    function test_attack_answeringInFrontOfTheHolder() external {
        LazyRequest memory request = wanted();
        LazyLock memory made = lockedBy(request, executor);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_NotLockHolder.selector);
        vm.prank(stranger);
        lazy.fulfill(request, made, truth());
    }

    function test_attack_lockAndAnswerInFrontOfLockAndAnswer() external {
        LazyRequest memory request = wanted();
        send(request);
        LazyLock memory made = lockLazy(request, stranger);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_LockedInThisBlock.selector);
        vm.prank(stranger);
        lazy.fulfill(request, made, truth());
    }

    function test_attack_takingOverAndAnsweringInOneBlock() external {
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        LazyLock memory made = lockNow(request, stranger);
        vm.startPrank(stranger);
        lazy.takeOver(request, missed, 0);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_LockedInThisBlock.selector);
        lazy.fulfill(request, made, truth());
        vm.stopPrank();
    }

    function test_attack_anothersNamedAnswer() external {
        LazyRequest memory request = wantedNamed();
        bytes memory signature = signatureFor(request);
        vm.startPrank(stranger);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_NotNamedExecutor.selector);
        lazy.lockSignedAndFulfill(request, signature, truth());
        // Nor with his own name: that is another request, which nobody signed.
        request.executor = stranger;
        vm.expectPartialRevert(IRecordMarket.RecordMarket_InvalidSignature.selector);
        lazy.lockSignedAndFulfill(request, signature, truth());
        vm.stopPrank();
    }
}
