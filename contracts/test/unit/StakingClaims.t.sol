// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Network} from "../Network.t.sol";

contract StakingClaimsTest is Network {
    bytes32 internal constant CLAIM = keccak256("claim");

    address internal slasher;

    function setUp() public override {
        super.setUp();
        slasher = makeAddr("slasher");
        token.mint(executor, 101);
        vm.startPrank(executor);
        token.approve(address(staking), 101);
        staking.stake(101);
        staking.allocate(slasher, 101);
        vm.stopPrank();
    }

    function test_locksAndUnlocks() external {
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Locked(executor, slasher, CLAIM, 60);
        _lock(CLAIM, 60);
        (address claimed, uint256 amount) = staking.claim(slasher, CLAIM);
        assertEq(claimed, executor, "claim's executor");
        assertEq(amount, 60, "claim's amount");
        assertEq(staking.available(executor, slasher), 41, "available");

        vm.expectEmit(address(staking));
        emit IExecutorStaking.Unlocked(executor, slasher, CLAIM, 60);
        vm.prank(slasher);
        staking.unlock(CLAIM);
        (claimed, amount) = staking.claim(slasher, CLAIM);
        assertEq(claimed, address(0), "claim closed");
        assertEq(staking.available(executor, slasher), 101, "all available");
    }

    function test_lockRefusals() external {
        vm.startPrank(slasher);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAmount.selector);
        staking.lock(executor, CLAIM, 0);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector, executor, slasher, 101, 102
            )
        );
        staking.lock(executor, CLAIM, 102);
        staking.lock(executor, CLAIM, 60);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_ClaimExists.selector, slasher, CLAIM));
        staking.lock(executor, CLAIM, 1);
        vm.stopPrank();
        // A contract that the executor never chose can lock nothing.
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientAllocation.selector, executor, stranger, 0, 1
            )
        );
        vm.prank(stranger);
        staking.lock(executor, CLAIM, 1);
    }

    function test_onlyTheSlasherOfAClaimEndsIt() external {
        _lock(CLAIM, 60);
        bytes memory unknown =
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, stranger, CLAIM);
        vm.startPrank(stranger);
        vm.expectRevert(unknown);
        staking.unlock(CLAIM);
        vm.expectRevert(unknown);
        staking.slash(CLAIM, stranger, 30);
        vm.stopPrank();
    }

    function test_aClaimEndsOnce() external {
        _lock(CLAIM, 60);
        vm.startPrank(slasher);
        staking.unlock(CLAIM);
        bytes memory unknown =
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, slasher, CLAIM);
        vm.expectRevert(unknown);
        staking.unlock(CLAIM);
        vm.expectRevert(unknown);
        staking.slash(CLAIM, requester, 0);
        staking.lock(executor, CLAIM, 10); // a closed claim's id may serve again
        staking.slash(CLAIM, requester, 5);
        vm.expectRevert(unknown);
        staking.slash(CLAIM, requester, 5);
        vm.stopPrank();
    }

    function test_severalClaimsEndAtOnce() external {
        _lock("first", 30);
        _lock("second", 20);
        _lock("third", 5);
        bytes32[] memory ids = new bytes32[](2);
        (ids[0], ids[1]) = (bytes32("first"), bytes32("third"));
        vm.expectEmit(address(staking));
        emit IExecutorStaking.UnlockedMany(executor, slasher, ids, 35);
        vm.prank(slasher);
        staking.unlockMany(executor, ids);
        assertEq(staking.allocation(executor, slasher).locked, 20, "one is left");
        (address holder, uint256 amount) = staking.claim(slasher, "first");
        assertEq(holder, address(0), "closed");
        assertEq(amount, 0, "closed");
        (, amount) = staking.claim(slasher, "second");
        assertEq(amount, 20, "open");
    }

    function test_severalClaimsAllOrNone() external {
        _lock("first", 30);
        bytes32[] memory ids = new bytes32[](2);
        // The same one twice: the second time it is none.
        (ids[0], ids[1]) = (bytes32("first"), bytes32("first"));
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, slasher, bytes32("first"))
        );
        vm.prank(slasher);
        staking.unlockMany(executor, ids);
        // Of another slasher.
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_UnknownClaim.selector, stranger, bytes32("first"))
        );
        vm.prank(stranger);
        staking.unlockMany(executor, ids);
        // Of another executor: it would free his stake for the first one's.
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_ClaimOfAnother.selector, bytes32("first"), executor)
        );
        vm.prank(slasher);
        staking.unlockMany(stranger, ids);
        assertEq(staking.allocation(executor, slasher).locked, 30, "still locked");
    }

    function test_slashSplitsBetweenHarmedAndBurn() external {
        _lock(CLAIM, 61);
        uint256 held = token.balanceOf(address(staking));
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Slashed(executor, slasher, CLAIM, 61, requester, 30);
        vm.prank(slasher);
        staking.slash(CLAIM, requester, 30);
        assertEq(staking.creditOf(requester), 30, "credit");
        assertEq(staking.pendingBurn(), 31, "to burn");
        assertEq(staking.allocation(executor, slasher).allocated, 40, "allocated");
        assertEq(staking.allocation(executor, slasher).locked, 0, "locked");
        assertEq(staking.totalStake(executor), STAKE + 40, "total");
        assertEq(token.balanceOf(address(staking)), held, "no token moved");
    }

    function test_compensationIsHalfAtMost() external {
        _lock(CLAIM, 61);
        vm.startPrank(slasher);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_CompensationTooHigh.selector, 31, 30));
        staking.slash(CLAIM, requester, 31);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAddress.selector);
        staking.slash(CLAIM, address(0), 1);
        staking.slash(CLAIM, address(0), 0); // nobody to compensate: all burns
        vm.stopPrank();
        assertEq(staking.pendingBurn(), 61, "all burns");
    }

    function test_creditsAreWithdrawnByTheirOwner() external {
        _lock(CLAIM, 60);
        vm.prank(slasher);
        staking.slash(CLAIM, requester, 30);
        vm.startPrank(requester);
        vm.expectRevert(IExecutorStaking.ExecutorStaking_ZeroAddress.selector);
        staking.withdrawCredit(address(0));
        vm.expectEmit(address(staking));
        emit IExecutorStaking.CreditWithdrawn(requester, builder, 30);
        assertEq(staking.withdrawCredit(builder), 30, "amount");
        vm.expectRevert(IExecutorStaking.ExecutorStaking_NothingToWithdraw.selector);
        staking.withdrawCredit(builder);
        vm.stopPrank();
        assertEq(token.balanceOf(builder), 30, "paid out");
    }

    function test_anyoneBurns() external {
        vm.expectRevert(IExecutorStaking.ExecutorStaking_NothingToWithdraw.selector);
        staking.burn();
        _lock(CLAIM, 60);
        vm.prank(slasher);
        staking.slash(CLAIM, requester, 20);
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Burned(40);
        vm.prank(stranger);
        assertEq(staking.burn(), 40, "amount");
        assertEq(token.balanceOf(staking.BURN_ADDRESS()), 40, "out of reach");
        assertEq(staking.pendingBurn(), 0, "nothing left");
    }

    function _lock(bytes32 claimId, uint256 amount) private {
        vm.prank(slasher);
        staking.lock(executor, claimId, amount);
    }
}
