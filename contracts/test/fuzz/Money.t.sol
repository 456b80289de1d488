// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RequestParams, RequestState} from "../../src/types/MarketTypes.sol";
import {VersionParams} from "../../src/types/ModelTypes.sol";
import {Network} from "../Network.t.sol";

/// @title Amounts, to the unit
contract MoneyFuzz is Network {
    /// @notice Fee and royalty make the price, whatever the price and the rate; the royalty is rounded down.
    function testFuzz_theSplitIsExact(uint128 price, uint16 bps) external {
        price = uint128(bound(price, 0, DEPOSIT));
        bps = uint16(bound(bps, 0, registry.MAX_ROYALTY_BPS()));
        vm.prank(builder);
        uint64 versionId = registry.publishVersion(modelId, publication(packed, bps));
        RequestParams memory params = paramsFor(versionId, packed, 0);
        params.maxPrice = price;
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        nextBlock();
        fulfillBy(executor, requestId, packed, 0);
        uint256 royalty = market.royaltyOf(modelId);
        uint256 fee = market.balanceOf(executor);
        assertEq(fee + royalty, price, "to the unit");
        assertEq(royalty, uint256(price) * bps / 10_000, "rounded down");
        assertEq(market.balanceOf(requester), DEPOSIT - price, "escrowed once");
        assertEq(token.balanceOf(address(market)), DEPOSIT, "no token moved");
    }

    /// @notice A slash divides into compensation and burn; the harmed gets at most the price and at most half.
    function testFuzz_theSlashIsExact(uint128 price, uint128 collateral) external {
        RequestParams memory params = packedParams();
        params.maxPrice = uint128(bound(price, 0, DEPOSIT));
        params.collateral = uint128(bound(collateral, FLOOR, STAKE));
        uint256 requestId = open(params);
        lockBy(executor, requestId);
        skip(LOCK_DURATION + 1);
        market.refund(requestId);
        uint256 credit = staking.creditOf(requester);
        assertEq(credit + staking.pendingBurn(), params.collateral, "to the unit");
        assertLe(credit, params.maxPrice, "no more than was paid");
        assertLe(credit * 2, params.collateral, "no more than half");
        assertEq(staking.totalStake(executor), STAKE - params.collateral, "out of the stake");
        assertEq(market.balanceOf(requester), DEPOSIT, "the price is back");
        assertEq(token.balanceOf(address(staking)), STAKE, "no token moved");
    }

    /// @notice Any slice of a slash above half is refused, any up to it is exact.
    function testFuzz_compensationBound(uint96 locked, uint256 compensation) external {
        locked = uint96(bound(locked, 1, type(uint96).max));
        address slasher = makeAddr("slasher");
        uint256 minted;
        while (minted < locked && minted < 1e12) {
            token.mint(executor, 1e12);
            minted += 1e12;
        }
        if (locked > minted) locked = uint96(minted);
        compensation = bound(compensation, 0, locked);
        vm.startPrank(executor);
        token.approve(address(staking), locked);
        staking.stake(locked);
        staking.allocate(slasher, locked);
        vm.stopPrank();
        vm.startPrank(slasher);
        staking.lock(executor, "claim", locked);
        if (compensation > locked / 2) {
            vm.expectRevert();
            staking.slash("claim", requester, compensation);
            compensation = locked / 2;
        }
        staking.slash("claim", requester, compensation);
        vm.stopPrank();
        assertEq(staking.creditOf(requester), compensation, "credit");
        assertEq(staking.pendingBurn(), locked - compensation, "burn");
    }

    /// @notice Allocation, locks, exit and slash in any proportion leave nothing stuck and nothing lost.
    function testFuzz_exitAfterASlash(uint128 allocated, uint128 locked, uint128 exiting) external {
        address slasher = makeAddr("slasher");
        allocated = uint128(bound(allocated, 1, 1e12));
        locked = uint128(bound(locked, 1, allocated));
        exiting = uint128(bound(exiting, 1, allocated));
        token.mint(stranger, allocated);
        vm.startPrank(stranger);
        token.approve(address(staking), allocated);
        staking.stake(allocated);
        staking.allocate(slasher, allocated);
        staking.requestExit(slasher, exiting);
        vm.stopPrank();
        vm.startPrank(slasher);
        staking.lock(stranger, "claim", locked);
        staking.slash("claim", requester, locked / 2);
        vm.stopPrank();
        skip(EXIT_DELAY);

        uint256 left = allocated - locked;
        uint256 leaves = exiting < left ? exiting : left;
        if (leaves != 0) {
            vm.prank(stranger);
            assertEq(staking.completeExit(slasher), leaves, "all that was asked for and is left");
        }
        assertEq(staking.allocation(stranger, slasher).exiting, 0, "nothing waits");
        // What stayed allocated may leave by an exit of its own.
        if (left > leaves) {
            vm.prank(stranger);
            staking.requestExit(slasher, left - leaves);
            skip(EXIT_DELAY);
            vm.prank(stranger);
            staking.completeExit(slasher);
        }
        assertEq(staking.freeStake(stranger), left, "everything not slashed is free");
        assertEq(staking.allocation(stranger, slasher).allocated, 0, "nothing stuck");
    }

    /// @notice An allocation beyond what a claim can carry is refused, not truncated.
    function test_allocationsFitAClaim() external {
        // The counter's type, not the supply, is under test: nobody mints 2^96 units call by call.
        token.mint(stranger, 1);
        vm.startPrank(stranger);
        token.approve(address(staking), 1);
        staking.stake(1);
        vm.stopPrank();
        _setFree(stranger, uint256(1) << 96);
        vm.startPrank(stranger);
        vm.expectRevert();
        staking.allocate(address(market), uint256(1) << 96);
        staking.allocate(address(market), (uint256(1) << 96) - 1);
        vm.expectRevert();
        staking.allocate(address(market), 1);
        vm.stopPrank();
        vm.prank(address(market));
        staking.lock(stranger, "claim", (uint256(1) << 96) - 1);
        (, uint256 amount) = staking.claim(address(market), "claim");
        assertEq(amount, (uint256(1) << 96) - 1, "the whole lock");
    }

    function _setFree(address account, uint256 amount) private {
        for (uint256 base = 0; base < 32; ++base) {
            bytes32 slot = keccak256(abi.encode(account, base));
            if (vm.load(address(staking), slot) != bytes32(staking.freeStake(account))) continue;
            vm.store(address(staking), slot, bytes32(amount));
            if (staking.freeStake(account) == amount) return;
        }
        revert("free stake not found");
    }
}
