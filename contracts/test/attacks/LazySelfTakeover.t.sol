// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: a requester offers one unit for a large collateral. When the lock is missed he takes his own request
/// over, in his own name or another's, and answers anything. The reward is no more than the price, as at a refund.
contract LazySelfTakeoverAttack is LazyNetwork {
    function test_attack_forAPriceOfOneUnit() external {
        LazyRequest memory asked = wanted();
        (asked.maxPrice, asked.collateral) = (1, 400e6);
        takenOver(asked);
        assertEq(staking.creditOf(requester), 1, "the price");
        assertEq(staking.pendingBurn(), 400e6 - 1, "the rest burns");
    }

    function test_attack_forNothing() external {
        LazyRequest memory asked = wanted();
        (asked.maxPrice, asked.collateral) = (0, 400e6);
        takenOver(asked);
        assertEq(staking.creditOf(requester), 0, "nothing");
        assertEq(staking.pendingBurn(), 400e6, "all of it burns");
    }

    function testFuzz_attack_neverMoreThanThePriceNorHalf(uint256 price, uint256 collateral) external {
        LazyRequest memory asked = wanted();
        asked.maxPrice = uint128(bound(price, 0, DEPOSIT));
        asked.collateral = uint128(bound(collateral, FLOOR, BACKING));
        takenOver(asked);
        assertLe(staking.creditOf(requester), asked.maxPrice, "no more than the price");
        assertLe(staking.creditOf(requester), asked.collateral / 2, "nor than half");
        assertEq(staking.creditOf(requester) + staking.pendingBurn(), asked.collateral, "to the unit");
    }

    /// @dev By its own requester, who answers anything, unchallenged.
    function takenOver(LazyRequest memory asked) private {
        backLazy(requester, BACKING);
        LazyLock memory missed = lockedBy(asked, executor);
        vm.warp(missed.lockDeadline + 1);
        LazyLock memory own = lockNow(asked, requester);
        vm.prank(requester);
        lazy.takeOver(asked, missed, 0);
        nextBlock();
        LazyClaim memory claim = claimNow(asked, requester, own.price, "");
        vm.prank(requester);
        lazy.fulfill(asked, own, "");
        finalized(claim);
        assertLazy(claim.requestId, LazyState.FINAL);
    }
}
