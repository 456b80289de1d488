// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {BoardResult} from "../../src/results/ResultTypes.sol";
import {LazyRequest} from "../../src/types/LazyTypes.sol";
import {BoardNetwork} from "../BoardNetwork.t.sol";

/// @notice Somebody holds a result back and publishes it when others have been, so that what is old counts as the
/// latest.
contract BoardOldResultAsNewAttack is BoardNetwork {
    function test_attack_publishedLastIsNotNewest() external {
        LazyRequest memory old = lazyResult(COLLATERAL, "an old answer");
        uint256 oldAt = block.timestamp;
        LazyRequest memory new_ = lazyResult(FLOOR);
        board.publishLazy(new_);
        vm.warp(block.timestamp + 30 days);
        board.publishLazy(old);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(new_), "the newest is the one that became final last");
        BoardResult memory shown = latest(LAZY, FLOOR + 1);
        assertEq(shown.requestId, lazy.idOf(old), "for its bond it is the newest");
        assertEq(shown.finalAt, oldAt, "and says how old it is");
    }

    function test_attack_publishedAgain() external {
        LazyRequest memory old = lazyResult(COLLATERAL, "an old answer");
        board.publishLazy(old);
        LazyRequest memory new_ = lazyResult(COLLATERAL);
        board.publishLazy(new_);
        vm.expectRevert();
        board.publishLazy(old);
        assertEq(latest(LAZY, 0).requestId, lazy.idOf(new_), "hidden for good");
    }
}
