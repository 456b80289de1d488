// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IExecutorStaking} from "../../src/interfaces/IExecutorStaking.sol";
import {Network} from "../Network.t.sol";

contract StakingProfilesTest is Network {
    function test_setsAndReplacesAProfile() external {
        IExecutorStaking.Profile memory profile = _profile("https://executor.example");
        vm.expectEmit(address(staking));
        emit IExecutorStaking.ProfileSet(executor, profile);
        vm.prank(executor);
        staking.setProfile(profile);
        assertEq(abi.encode(staking.profileOf(executor)), abi.encode(profile), "profile");
        assertEq(staking.executorCount(), 1, "listed");

        profile.endpoint = "";
        profile.capacity = 0;
        vm.prank(executor);
        staking.setProfile(profile);
        assertEq(abi.encode(staking.profileOf(executor)), abi.encode(profile), "replaced");
        assertEq(staking.executorCount(), 1, "listed once");
    }

    function test_profileNeedsAllocatedStake() external {
        bytes memory below =
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_StakeBelowMinimum.selector, 0, MIN_STAKE);
        vm.startPrank(stranger);
        vm.expectRevert(below);
        staking.setProfile(_profile(""));
        vm.expectRevert(below);
        staking.enroll(packedVersion);
        vm.stopPrank();
        token.mint(stranger, MIN_STAKE);
        vm.startPrank(stranger);
        token.approve(address(staking), MIN_STAKE);
        staking.stake(MIN_STAKE);
        vm.expectRevert(below);
        staking.setProfile(_profile(""));
        vm.expectRevert(below);
        staking.enroll(packedVersion);
        staking.allocate(address(market), MIN_STAKE - 1);
        vm.expectRevert(
            abi.encodeWithSelector(
                IExecutorStaking.ExecutorStaking_StakeBelowMinimum.selector, MIN_STAKE - 1, MIN_STAKE
            )
        );
        staking.setProfile(_profile(""));
        // Summed over slashers: to whom it is allocated does not matter.
        staking.allocate(builder, 1);
        staking.setProfile(_profile(""));
        staking.enroll(packedVersion);
        vm.stopPrank();
    }

    function test_refusesALongEndpoint() external {
        IExecutorStaking.Profile memory profile = _profile(string(new bytes(257)));
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_EndpointTooLong.selector, 257, 256));
        vm.prank(executor);
        staking.setProfile(profile);
    }

    function test_enrolsAndLeaves() external {
        vm.expectEmit(address(staking));
        emit IExecutorStaking.Enrolled(executor, packedVersion);
        vm.startPrank(executor);
        staking.enroll(packedVersion);
        staking.enroll(kzgVersion);
        vm.expectRevert(
            abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_AlreadyEnrolled.selector, packedVersion)
        );
        staking.enroll(packedVersion);
        vm.stopPrank();
        assertTrue(staking.isEnrolled(executor, packedVersion), "enrolled");
        uint64[] memory versions = staking.enrolledVersions(executor, 0, 10);
        assertEq(versions.length, 2, "versions");
        assertEq(versions[1], kzgVersion, "second");
        assertEq(staking.enrolledExecutors(packedVersion, 0, 10)[0], executor, "executor of the version");

        vm.expectEmit(address(staking));
        emit IExecutorStaking.Unenrolled(executor, packedVersion);
        vm.startPrank(executor);
        staking.unenroll(packedVersion);
        vm.expectRevert(abi.encodeWithSelector(IExecutorStaking.ExecutorStaking_NotEnrolled.selector, packedVersion));
        staking.unenroll(packedVersion);
        vm.stopPrank();
        assertFalse(staking.isEnrolled(executor, packedVersion), "left");
        assertEq(staking.enrolledExecutors(packedVersion, 0, 10).length, 0, "nobody serves it");
        assertEq(staking.enrolledVersions(executor, 0, 10).length, 1, "one is left");
    }

    function test_pagesOfExecutors() external {
        address[] memory all = new address[](5);
        for (uint256 i = 0; i < 5; ++i) {
            all[i] = makeAddr(string.concat("executor ", vm.toString(i)));
            stakeFor(all[i], MIN_STAKE);
            vm.startPrank(all[i]);
            staking.setProfile(_profile(""));
            staking.enroll(packedVersion);
            vm.stopPrank();
        }
        address[] memory page = staking.executors(3, 10);
        assertEq(page.length, 2, "short page");
        assertEq(page[0], all[3], "in order");
        assertEq(staking.executors(5, 10).length, 0, "past the end");
        assertEq(staking.executors(0, type(uint256).max).length, 5, "no limit");
        assertEq(staking.enrolledExecutors(packedVersion, 1, 2).length, 2, "page of a version");
    }

    function _profile(string memory endpoint) private view returns (IExecutorStaking.Profile memory) {
        return IExecutorStaking.Profile({endpoint: endpoint, receiptKey: builder, minPrice: 1e6, capacity: 4});
    }
}
