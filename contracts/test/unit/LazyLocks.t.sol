// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {IRecordMarket} from "../../src/interfaces/IRecordMarket.sol";
import {ITokenAccounts} from "../../src/interfaces/ITokenAccounts.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @title How lazy requests are taken on, and taken over
contract LazyLocksTest is LazyNetwork {
    /// @dev Of who takes a missed lock over: the price, at most half of the collateral.
    uint256 internal constant REWARD = PRICE < COLLATERAL / 2 ? PRICE : COLLATERAL / 2;

    function test_aLockFixesThePriceAndUsesBacking() external {
        LazyRequest memory request = _rising();
        uint256 requestId = send(request);
        vm.warp(request.rampStart + request.rampLength / 2);
        LazyLock memory made = lockNow(request, executor);
        made.price = PRICE / 2;
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Locked(requestId, executor, made);
        vm.prank(executor);
        lazy.lock(request, 0, made.price);
        assertLazy(requestId, LazyState.LOCKED);
        assertEq(lazy.balanceOf(requester), DEPOSIT - PRICE / 2, "the change is back");
        assertEq(lazyMoney().escrowed, PRICE / 2, "the price is held");
        assertEq(lazy.backingOf(executor).used, COLLATERAL, "used");
        // Nothing that comes later changes it.
        skip(60);
        LazyClaim memory claim = claimNow(request, executor, made.price, truth());
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
        finalized(claim);
        assertEq(lazy.balanceOf(executor) + lazy.royaltyOf(modelId), PRICE / 2, "the price of the lock");
    }

    function test_aLockNeedsUnusedBacking() external {
        LazyRequest memory request = wanted();
        send(request);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_InsufficientBacking.selector, stranger, 0, COLLATERAL)
        );
        vm.prank(stranger);
        lazy.lock(request, 0, 0);
        request = wanted();
        request.collateral = uint128(BACKING) - COLLATERAL + 1;
        send(request);
        honest();
        vm.expectRevert(
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_InsufficientBacking.selector,
                executor,
                BACKING - COLLATERAL,
                BACKING - COLLATERAL + 1
            )
        );
        vm.prank(executor);
        lazy.lock(request, 0, 0);
    }

    function test_aLockKeepsItsBounds() external {
        LazyRequest memory request = _rising();
        uint256 requestId = send(request);
        uint64 end = uint64(block.timestamp) + LOCK_DURATION;
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_LockTooShort.selector, end, end + 1));
        vm.prank(executor);
        lazy.lock(request, LOCK_DURATION + 1, 0);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_PriceTooLow.selector, 0, 1));
        vm.prank(executor);
        lazy.lock(request, 0, 1);
        vm.warp(request.deadline - MIN_LOCK + 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILazyMarket.LazyMarket_LockTooShort.selector, request.deadline, block.timestamp + MIN_LOCK
            )
        );
        vm.prank(executor);
        lazy.lock(request, 0, 0);
        vm.warp(request.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_Expired.selector, requestId, request.deadline));
        vm.prank(executor);
        lazy.lock(request, 0, 0);
    }

    function test_theDeadlineEndsTheLock() external {
        LazyRequest memory request = wanted();
        send(request);
        vm.warp(request.deadline - MIN_LOCK);
        LazyLock memory made = lockLazy(request, executor);
        assertEq(made.lockDeadline, request.deadline, "no longer than the request");
        vm.warp(request.deadline);
        vm.roll(block.number + 1);
        vm.prank(executor);
        lazy.fulfill(request, made, truth());
    }

    function test_onlyTheNamedExecutorLocks() external {
        backLazy(stranger, BACKING);
        LazyRequest memory request = wantedNamed();
        uint256 requestId = send(request);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotNamedExecutor.selector, requestId, stranger, executor)
        );
        vm.prank(stranger);
        lazy.lock(request, 0, 0);
        lockLazy(request, executor);
    }

    function test_aSignedRequestIsMadeByItsLock() external {
        LazyRequest memory request = _rising();
        bytes memory signature = signatureFor(request);
        uint256 requestId = idOf(request);
        vm.warp(request.rampStart + request.rampLength / 5);
        LazyLock memory made = lockNow(request, executor);
        made.price = PRICE / 5;
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Requested(requestId, lazyVersion, requester, request, "");
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Locked(requestId, executor, made);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
        assertEq(lazy.balanceOf(requester), DEPOSIT - PRICE / 5, "only the price leaves");
        assertLazy(requestId, LazyState.LOCKED);
    }

    function test_aSignedRequestNeedsItsSignature() external {
        LazyRequest memory request = wanted();
        bytes memory signature = signatureOf(executorKey, bytes32(idOf(request)));
        _refusedSigned(
            request,
            signature,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidSignature.selector, idOf(request), requester)
        );
        _refusedSigned(
            request,
            "",
            abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidSignature.selector, idOf(request), requester)
        );
        request.requester = address(0);
        signature[64] = bytes1(uint8(1)); // recovers to nobody
        _refusedSigned(
            request,
            signature,
            abi.encodeWithSelector(IRecordMarket.RecordMarket_InvalidSignature.selector, idOf(request), address(0))
        );
    }

    function test_aSignedRequestNeedsTheMoney() external {
        LazyRequest memory request = wanted();
        request.maxPrice = uint128(DEPOSIT) + 1;
        _refusedSigned(
            request,
            signatureFor(request),
            abi.encodeWithSelector(
                ITokenAccounts.TokenAccounts_InsufficientBalance.selector, requester, DEPOSIT, DEPOSIT + 1
            )
        );
    }

    function test_aSignedRequestOutlivesNoDeadline() external {
        LazyRequest memory request = wanted();
        bytes memory signature = signatureFor(request);
        vm.warp(request.deadline + 1);
        _refusedSigned(
            request,
            signature,
            abi.encodeWithSelector(
                IRecordMarket.RecordMarket_DeadlineOutOfRange.selector,
                request.deadline,
                block.timestamp,
                block.timestamp + LAZY_LIFETIME
            )
        );
    }

    function test_aMissedLockIsTakenOver() external {
        address second = makeAddr("second executor");
        backLazy(second, BACKING);
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        LazyMoney memory before = lazyMoney();
        LazyLock memory made = lockNow(request, second);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.Locked(idOf(request), second, made);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.LockMissed(idOf(request), executor, REWARD, COLLATERAL - REWARD);
        vm.prank(second);
        lazy.takeOver(request, missed, 0);
        assertEq(staking.creditOf(second), REWARD, "the price, at most half of what was missed");
        assertEq(staking.pendingBurn(), before.burning + COLLATERAL - REWARD, "the rest burns");
        assertEq(lazy.backingOf(executor).total, BACKING - COLLATERAL, "it is gone");
        assertEq(lazy.backingOf(executor).used, 0, "and backs nothing any more");
        assertEq(lazy.backingOf(second).used, COLLATERAL, "full collateral again");
        assertEq(lazyMoney().escrowed, before.escrowed, "the price stays");
        // Who missed it can answer no more.
        vm.expectRevert(otherRecord(idOf(request), LazyState.LOCKED, LazyState.LOCKED));
        vm.prank(executor);
        lazy.fulfill(request, missed, truth());
        nextBlock();
        LazyClaim memory claim = claimNow(request, second, PRICE, truth());
        vm.prank(second);
        lazy.fulfill(request, made, truth());
        finalized(claim);
        assertEq(lazy.balanceOf(second) + lazy.royaltyOf(modelId), PRICE, "the price is his");
    }

    function test_noTakeOverBeforeItIsMissedNorAfterTheEnd() external {
        backLazy(stranger, BACKING);
        LazyRequest memory request = wanted();
        LazyLock memory held = lockedBy(request, executor);
        uint256 requestId = idOf(request);
        vm.warp(held.lockDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotExpired.selector, requestId, held.lockDeadline)
        );
        vm.prank(stranger);
        lazy.takeOver(request, held, 0);
        vm.warp(request.deadline + 1);
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_Expired.selector, requestId, request.deadline));
        vm.prank(stranger);
        lazy.takeOver(request, held, 0);
    }

    function test_aTakeOverNeedsTimeNameAndBacking() external {
        LazyRequest memory request = wantedNamed();
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        uint64 end = uint64(block.timestamp) + LOCK_DURATION;
        vm.expectRevert(abi.encodeWithSelector(ILazyMarket.LazyMarket_LockTooShort.selector, end, end + 1));
        vm.prank(executor);
        lazy.takeOver(request, missed, LOCK_DURATION + 1);
        backLazy(stranger, BACKING);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotNamedExecutor.selector, idOf(request), stranger, executor)
        );
        vm.prank(stranger);
        lazy.takeOver(request, missed, 0);
        vm.prank(executor);
        lazy.unback(BACKING - COLLATERAL);
        // What he missed is still used, so it cannot back the second lock.
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_InsufficientBacking.selector, executor, 0, COLLATERAL)
        );
        vm.prank(executor);
        lazy.takeOver(request, missed, 0);
    }

    function test_noRefundWhileTheLockRuns() external {
        LazyRequest memory request = wanted();
        LazyLock memory held = lockedBy(request, executor);
        vm.warp(held.lockDeadline);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_NotExpired.selector, idOf(request), held.lockDeadline)
        );
        lazy.refundLocked(request, held);
    }

    function test_aRefundCompensatesNoMoreThanThePriceOrHalf() external {
        LazyRequest memory request = wanted();
        (request.maxPrice, request.collateral) = (PRICE, FLOOR);
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        vm.expectEmit(address(lazy));
        emit ILazyMarket.RequestRefunded(idOf(request), requester, PRICE, FLOOR);
        lazy.refundLocked(request, missed);
        assertEq(staking.creditOf(requester), FLOOR / 2, "half of the collateral");
    }

    function _rising() private returns (LazyRequest memory request) {
        request = wanted();
        request.rampStart = uint64(block.timestamp) + 60;
        request.rampLength = 1000;
    }

    function _refusedSigned(LazyRequest memory request, bytes memory signature, bytes memory reason) private {
        LazyMoney memory before = lazyMoney();
        vm.expectRevert(reason);
        vm.prank(executor);
        lazy.lockSigned(request, signature, 0, 0);
        assertNothingMoved(before);
    }
}
