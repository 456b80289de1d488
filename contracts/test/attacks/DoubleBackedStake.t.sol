// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {RequestParams} from "../../src/types/MarketTypes.sol";
import {Network} from "../Network.t.sol";

/// @notice One unit of stake is made to back two claims: the second victim would find nothing.
contract DoubleBackedStakeAttack is Network {
    function test_attack_twoRequestsOnOneCollateral() external {
        RequestParams memory params = packedParams();
        params.collateral = uint128(STAKE) / 2 + 1;
        uint256 first = open(params);
        uint256 second = open(params);
        bytes32 terms = market.termsOf(second);
        lockBy(executor, first);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                executor,
                address(market),
                STAKE - params.collateral,
                params.collateral
            )
        );
        vm.prank(executor);
        market.lock(second, terms, 0, 0);
    }

    function test_attack_everyUnitBacksOneClaim() external {
        // As many locks as the stake holds, each slashed in full, and nothing is left over or missing.
        uint256 claims = STAKE / COLLATERAL;
        for (uint256 i = 0; i < claims; ++i) {
            lockBy(executor, openPacked());
        }
        uint256 beyond = openPacked();
        bytes32 terms = market.termsOf(beyond);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector,
                executor,
                address(market),
                0,
                COLLATERAL
            )
        );
        vm.prank(executor);
        market.lock(beyond, terms, 0, 0);
        skip(1 hours);
        for (uint256 id = 1; id <= claims; ++id) {
            market.refund(id);
        }
        assertEq(staking.creditOf(requester) + staking.pendingBurn(), STAKE, "all of it");
        assertEq(staking.totalStake(executor), 0, "and no more");
    }

    function test_attack_oneStakeForTwoSlashers() external {
        // Free stake goes to one slasher or the other; an exit frees it only when nothing locks it.
        address second = makeAddr("second slasher");
        lockBy(executor, openPacked());
        vm.startPrank(executor);
        staking.requestExit(address(market), STAKE);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_InsufficientFree.selector, executor, 0, 1)
        );
        staking.allocate(second, 1);
        vm.warp(block.timestamp + EXIT_DELAY);
        uint256 freed = staking.completeExit(address(market));
        staking.allocate(second, freed);
        vm.stopPrank();
        assertEq(
            uint256(staking.allocation(executor, second).allocated)
                + staking.allocation(executor, address(market)).allocated,
            STAKE,
            "the allocations share the stake"
        );
        assertEq(staking.available(executor, address(market)), 0, "what the claim locked serves nobody else");
    }

    function test_attack_reusingAClaimId() external {
        uint256 requestId = openPacked();
        lockBy(executor, requestId);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_ClaimExists.selector, address(market), bytes32(requestId)
            )
        );
        vm.prank(address(market)); // even the slasher itself
        staking.lock(executor, bytes32(requestId), 1);
    }
}
