// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: somebody makes money stay where it is: an executor who vanishes, leaves, or is slashed for something
/// else; a requester who cannot be paid; a challenger who never comes back. Every end is open to strangers, moves no
/// tokens, and needs nobody's consent.
contract LazyStuckMoneyAttack is LazyNetwork {
    function test_attack_theExecutorVanishesAfterTheLock() external {
        LazyRequest memory request = wanted();
        LazyLock memory missed = lockedBy(request, executor);
        vm.prank(executor);
        staking.requestExit(address(lazy), BACKING);
        vm.warp(block.timestamp + 365 days);
        vm.prank(stranger);
        lazy.refundLocked(request, missed);
        assertEq(lazy.balanceOf(requester), DEPOSIT, "refunded");
    }

    function test_attack_theExecutorVanishesAfterTheAnswer() external {
        LazyClaim memory claim = honest();
        vm.warp(block.timestamp + 365 days);
        vm.prank(stranger);
        lazy.finalize(claim, "");
        assertLazy(claim.requestId, LazyState.FINAL);
    }

    function test_attack_theExecutorVanishesInADispute() external {
        LazyClaim memory claim = challenged(honest());
        vm.warp(block.timestamp + 365 days);
        vm.prank(stranger);
        court.slash(address(lazy), claim);
        assertEq(lazy.balanceOf(requester), DEPOSIT, "the price is back");
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "and the bond");
    }

    /// @notice All of his backing used and lost, lie by lie: each slash finds its collateral.
    function test_attack_everythingIsSlashedAtOnce() external {
        uint256 count = BACKING / COLLATERAL;
        LazyClaim[] memory claims = new LazyClaim[](count);
        for (uint256 i = 0; i < count; ++i) {
            claims[i] = lie();
            commitTo(challenger, claims[i]);
        }
        nextBlock();
        vm.startPrank(challenger);
        for (uint256 i = 0; i < count; ++i) {
            court.challenge(address(lazy), claims[i], SALT);
        }
        vm.stopPrank();
        missDeadline(claims[count - 1]);
        // In whatever order.
        for (uint256 i = 0; i < count; ++i) {
            court.slash(address(lazy), claims[(i * 7) % count]);
        }
        assertEq(lazy.backingOf(executor).total, 0, "nothing is left");
        assertEq(staking.allocation(executor, address(lazy)).allocated, 0, "nor allocated");
        assertEq(lazy.balanceOf(requester), DEPOSIT, "all prices are back");
        (uint256 open,) = court.queueOf(address(lazy), executor);
        assertEq(open, 0, "and no dispute is open");
    }

    /// @notice A requester whose account refuses tokens, or that is the market itself, blocks nobody.
    function test_attack_aRequesterWhoCannotBePaid() external {
        address odd = address(token); // refuses nothing by itself, but can never act
        depositLazy(odd, PRICE);
        LazyRequest memory request = wanted();
        request.requester = odd;
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        lazy.refundLocked(request, missed);
        assertEq(lazy.balanceOf(odd), PRICE, "booked");
        assertEq(staking.creditOf(odd), PRICE, "so is the compensation");
    }

    function test_attack_aCommitmentThatNobodyOpens() external {
        LazyClaim memory claim = honest();
        bytes32 commitment = commitTo(challenger, claim);
        finalized(claim);
        vm.warp(block.timestamp + 365 days);
        vm.prank(challenger);
        court.withdrawCommitment(commitment);
        assertEq(court.balanceOf(challenger), CHALLENGER_DEPOSIT, "his bond waits for him, whatever became of it");
    }

    /// @notice Royalty and deprecation of the version change nothing for requests that are under way.
    function test_attack_thePublisherLosesInterest() external {
        LazyClaim memory claim = honest();
        vm.startPrank(builder);
        registry.setDeprecated(lazyVersion, true, "gone");
        registry.transferFrom(builder, address(0xdead), modelId);
        vm.stopPrank();
        finalized(claim);
        assertEq(lazy.balanceOf(executor), PRICE - PRICE / 10, "paid");
        assertEq(lazy.royaltyOf(modelId), PRICE / 10, "the royalty waits for whoever holds the model");
    }

    /// @notice The stake behind one market's lies is not held by another's open claims.
    function test_attack_theExitOfWhatIsLeft() external {
        slashed(challenged(lie()));
        vm.startPrank(executor);
        lazy.unback(BACKING - COLLATERAL);
        staking.requestExit(address(lazy), BACKING - COLLATERAL);
        vm.expectPartialRevert(IExecutorStaking.ExecutorStaking_ExitNotReady.selector);
        staking.completeExit(address(lazy));
        vm.warp(block.timestamp + EXIT_DELAY);
        assertEq(staking.completeExit(address(lazy)), BACKING - COLLATERAL, "to the unit");
        vm.stopPrank();
    }
}
