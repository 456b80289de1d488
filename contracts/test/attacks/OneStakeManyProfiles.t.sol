// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ExecutorStaking} from "../../src/ExecutorStaking.sol";
import {TestDollar} from "../../src/development/TestDollar.sol";
import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Network} from "../Network.t.sol";

/// @dev One of many executors that are nobody: lists itself and hands the stake on.
contract Puppet {
    ExecutorStaking internal immutable STAKING;
    TestDollar internal immutable TOKEN;

    constructor(ExecutorStaking staking, TestDollar token) {
        STAKING = staking;
        TOKEN = token;
    }

    function stake(uint256 amount) external {
        TOKEN.approve(address(STAKING), amount);
        STAKING.stake(amount);
    }

    function list(uint64 versionId) external {
        STAKING.setProfile(IExecutorStaking.Profile("https://spam.example", address(0), 0, 1));
        STAKING.enroll(versionId);
    }

    function enroll(uint64 versionId) external {
        STAKING.enroll(versionId);
    }

    function allocate(address slasher, uint256 amount) external {
        STAKING.allocate(slasher, amount);
    }

    function requestExit(address slasher, uint256 amount) external {
        STAKING.requestExit(slasher, amount);
    }

    function leave(address slasher) external {
        STAKING.completeExit(slasher);
    }

    function handOn(uint256 amount) external {
        STAKING.withdraw(amount, msg.sender);
    }
}

/// @notice One stake, free, lists any number of executors in one transaction: each takes it, lists itself, hands it on.
contract OneStakeManyProfilesAttack is Network {
    function test_attack_freeStakeListsNobody() external {
        token.mint(address(this), MIN_STAKE);
        bytes memory below =
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_StakeBelowMinimum.selector, 0, MIN_STAKE);
        for (uint256 i = 0; i < 3; ++i) {
            Puppet puppet = new Puppet(staking, token);
            token.transfer(address(puppet), MIN_STAKE);
            puppet.stake(MIN_STAKE);
            vm.expectRevert(below);
            puppet.list(packedVersion);
            vm.expectRevert(below);
            puppet.enroll(packedVersion);
            puppet.handOn(MIN_STAKE);
        }
        assertEq(staking.executorCount(), 0, "nobody listed");
        assertEq(staking.enrolledExecutors(packedVersion, 0, 10).length, 0, "nobody enrolled");
    }

    /// @notice Allocated to a slasher of his own, the stake still stays for the delay, each time.
    function test_attack_anOwnSlasherReleasesNothingEarlier() external {
        token.mint(address(this), MIN_STAKE);
        Puppet puppet = new Puppet(staking, token);
        token.transfer(address(puppet), MIN_STAKE);
        puppet.stake(MIN_STAKE);
        puppet.allocate(address(this), MIN_STAKE);
        puppet.requestExit(address(this), MIN_STAKE);
        puppet.list(packedVersion);
        uint64 readyAt = uint64(block.timestamp) + EXIT_DELAY;
        vm.warp(readyAt - 1);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_ExitNotReady.selector, readyAt));
        puppet.leave(address(this));
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_InsufficientFree.selector, address(puppet), 0, MIN_STAKE
            )
        );
        puppet.handOn(MIN_STAKE);
        vm.warp(readyAt);
        puppet.leave(address(this));
        puppet.handOn(MIN_STAKE);
        assertEq(staking.executorCount(), 1, "one listing per stake and delay");
    }

    /// @notice Slashing himself is faster, and costs half.
    function test_attack_slashingOneselfOutOfAnAllocation() external {
        token.mint(address(this), MIN_STAKE);
        Puppet puppet = new Puppet(staking, token);
        token.transfer(address(puppet), MIN_STAKE);
        puppet.stake(MIN_STAKE);
        puppet.allocate(address(this), MIN_STAKE);
        puppet.list(packedVersion);
        staking.lock(address(puppet), "claim", MIN_STAKE);
        staking.slash("claim", address(this), MIN_STAKE / 2);
        staking.withdrawCredit(address(this));
        assertEq(token.balanceOf(address(this)), MIN_STAKE / 2, "half is gone");
    }
}
