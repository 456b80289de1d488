// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a lock is held back until it cannot be kept, or mined early for a low price; a requester cancels in
/// front of an answer; two executors race for a missed lock. Who locks states the least time and price that he takes.
contract LazyLateLockAttack is LazyNetwork {
    function test_attack_minedLate() external {
        LazyRequest memory request = wanted();
        send(request);
        vm.warp(request.deadline - 5 minutes);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_LockTooShort.selector, request.deadline, block.timestamp + 8 minutes
            )
        );
        vm.prank(executor);
        lazy.lock(request, 8 minutes, 0);
        assertEq(lazy.backingOf(executor).used, 0, "nothing at stake");
    }

    function test_attack_aSignedOneMinedEarly() external {
        LazyRequest memory request = wanted();
        (request.rampStart, request.rampLength) = (uint64(block.timestamp), 1000);
        bytes memory signature = signatureFor(request);
        vm.warp(block.timestamp + 499);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_PriceTooLow.selector, uint256(PRICE) * 499 / 1000, PRICE / 2)
        );
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, PRICE / 2);
        vm.warp(block.timestamp + 1);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, PRICE / 2);
        assertLazy(idOf(request), LazyState.LOCKED);
    }

    function test_attack_aTakeOverMinedLate() external {
        backLazy(stranger, BACKING);
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(request.deadline - 2 minutes);
        vm.expectPartialRevert(ILazyMarket.LazyMarket_LockTooShort.selector);
        vm.prank(stranger);
        lazy.takeOver(request, missed, 3 minutes);
        assertEq(lazy.backingOf(executor).total, BACKING, "nobody is slashed for it");
        vm.prank(stranger);
        lazy.takeOver(request, missed, 2 minutes);
    }

    function test_attack_twoTakeOver() external {
        address third = makeAddr("third executor");
        backLazy(stranger, BACKING);
        backLazy(third, BACKING);
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        vm.prank(stranger);
        lazy.takeOver(request, missed, 0);
        vm.expectRevert(otherRecord(idOf(request), LazyState.LOCKED, LazyState.LOCKED));
        vm.prank(third);
        lazy.takeOver(request, missed, 0);
        assertEq(lazy.backingOf(executor).total, BACKING - COLLATERAL, "slashed once");
        assertEq(lazy.backingOf(third).used, 0, "nothing of the late one is used");
    }

    /// @notice Missed again and again: each time a whole collateral.
    function test_attack_missedTwiceByFriends() external {
        backLazy(stranger, BACKING);
        LazyRequest memory request = wanted();
        request.lockDuration = MIN_LOCK;
        LazyLock memory first = lockedBy(request, executor);
        vm.warp(first.lockDeadline + 1);
        LazyLock memory second = lockNow(request, stranger);
        vm.prank(stranger);
        lazy.takeOver(request, first, 0);
        vm.warp(second.lockDeadline + 1);
        lazy.refundLocked(request, second);
        assertEq(lazy.backingOf(executor).total, BACKING - COLLATERAL, "the first");
        assertEq(lazy.backingOf(stranger).total, BACKING - COLLATERAL, "the second");
        assertGe(staking.pendingBurn(), COLLATERAL, "half of both burns");
        assertEq(lazy.balanceOf(requester), DEPOSIT, "and the requester has his money");
    }

    function test_attack_aCancelInFrontOfANamedAnswer() external {
        LazyRequest memory request = wantedNamed();
        uint256 requestId = send(request);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_NamedCannotCancel.selector, requestId, executor));
        vm.prank(requester);
        lazy.cancel(request);
        LazyClaim memory claim = claimNow(request, executor, PRICE, truth());
        vm.prank(executor);
        lazy.lockAndFulfill(request, truth());
        finalized(claim);
        assertEq(lazy.balanceOf(executor), PRICE - PRICE / 10, "paid");
    }
}
