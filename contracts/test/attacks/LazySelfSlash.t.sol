// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {LazyClaim, LazyLock, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: requester, executor and challenger are one, who slashes himself to move stake past the exit delay or
/// to gain by compensations and rewards. At least half burns, always: all his accounts together lose that.
contract LazySelfSlashAttack is LazyNetwork {
    function testFuzz_attack_allSybilsTogetherLoseHalf(uint256 price, uint256 collateral) external {
        uint256 before = _wealth();
        LazyRequest memory request = wantedNamed();
        request.maxPrice = uint128(bound(price, 0, DEPOSIT));
        request.collateral = uint128(bound(collateral, FLOOR, BACKING));
        slashed(challenged(answerSigned(request, "a lie")));
        assertLe(_wealth(), before - request.collateral / 2, "half is gone");
        assertEq(before - _wealth(), staking.pendingBurn(), "what is gone burns");
    }

    function testFuzz_attack_missingOnesOwnLock(uint256 price, uint256 collateral, bool isTakenOver) external {
        uint256 before = _wealth();
        LazyRequest memory request = wanted();
        request.maxPrice = uint128(bound(price, 0, DEPOSIT));
        request.collateral = uint128(bound(collateral, FLOOR, BACKING / 2));
        LazyLock memory missed = lockedBy(request, executor);
        vm.warp(missed.lockDeadline + 1);
        if (isTakenOver) {
            LazyLock memory made = lockNow(request, executor);
            vm.prank(executor);
            lazy.takeOver(request, missed, 0);
            nextBlock();
            LazyClaim memory claim = claimNow(request, executor, made.price, truth());
            vm.prank(executor);
            lazy.fulfill(request, made, truth());
            finalized(claim);
        } else {
            lazy.refundLocked(request, missed);
        }
        assertLe(_wealth(), before - request.collateral / 2, "half is gone");
    }

    /// @notice Challenging oneself and proving gains nothing: a part of the bond burns.
    function test_attack_challengingOneself() external {
        uint256 before = _wealth();
        prove(challenged(honest()));
        assertEq(before - _wealth(), CHALLENGE_BOND - uint256(CHALLENGE_BOND) * EXECUTOR_BPS / 10_000, "burned");
    }

    /// @dev Of all three together, royalties included.
    function _wealth() private view returns (uint256 sum) {
        address[3] memory sybils = [requester, executor, challenger];
        for (uint256 i = 0; i < 3; ++i) {
            sum += lazy.balanceOf(sybils[i]) + court.balanceOf(sybils[i]) + staking.creditOf(sybils[i])
            + staking.totalStake(sybils[i]);
        }
        sum += lazy.royaltyOf(modelId) + lazyMoney().escrowed + lazyMoney().bonded;
    }
}
