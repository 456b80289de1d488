// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {ILazyMarket} from "../../src/interfaces/ILazyMarket.sol";
import {LazyClaim, LazyRequest} from "../../src/types/LazyTypes.sol";
import {LazyNetwork} from "../LazyNetwork.t.sol";

/// @notice Attack: one unit of stake behind two answers, or behind an answer and another slasher. The market counts
/// what is used of what is locked, and a locked unit is of one slasher.
contract LazyBackingDoubleSpentAttack is LazyNetwork {
    function test_attack_moreAnswersThanBacking() external {
        vm.prank(executor);
        lazy.unback(BACKING - COLLATERAL);
        honest();
        LazyRequest memory request = wantedNamed();
        bytes memory signature = signatureFor(request);
        vm.expectRevert(
            abi.encodeWithSelector(ILazyMarket.LazyMarket_InsufficientBacking.selector, executor, 0, COLLATERAL)
        );
        vm.prank(executor);
        lazy.lockSignedAndFulfill(request, signature, truth());
    }

    function test_attack_allThatIsUsedIsSlashed() external {
        vm.prank(executor);
        lazy.unback(BACKING - 2 * uint256(COLLATERAL));
        LazyClaim memory first = challenged(lie());
        LazyClaim memory second = challenged(lie());
        missDeadline(second);
        court.slash(address(lazy), first);
        court.slash(address(lazy), second);
        assertEq(lazy.backingOf(executor).total, 0, "each its own collateral");
        assertEq(
            staking.allocation(executor, address(lazy)).allocated, BACKING - 2 * uint256(COLLATERAL), "to the unit"
        );
    }

    function test_attack_theSameStakeForAnotherSlasher() external {
        honest();
        vm.startPrank(executor);
        vm.expectRevert();
        staking.allocate(address(market), BACKING);
        // Allocated once more to this market, it backs once more; what is locked already does not.
        vm.expectPartialRevert(IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector);
        lazy.back(1);
        vm.stopPrank();
    }

    /// @notice A lie in one market takes nothing that backs answers at another.
    function test_attack_slashedForAnothersRequest() external {
        uint256 before = staking.allocation(executor, address(market)).allocated;
        slashed(challenged(lie()));
        assertEq(staking.allocation(executor, address(market)).allocated, before, "the other market's stake");
    }
}
