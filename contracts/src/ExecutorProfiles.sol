// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IExecutorStaking} from "./interfaces/IExecutorStaking.sol";
import {Pages} from "./libraries/Pages.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {EnumerableSet} from "@openzeppelin/contracts/utils/structs/EnumerableSet.sol";

/// @title What executors say of themselves
/// @notice Profiles and enrolments, enumerable by pages. Claims only: money is in `ExecutorStaking`, which extends
/// this.
abstract contract ExecutorProfiles is IExecutorStaking, ReentrancyGuardTransient {
    using EnumerableSet for EnumerableSet.AddressSet;
    using EnumerableSet for EnumerableSet.UintSet;

    uint256 internal constant MAX_ENDPOINT_LENGTH = 256;

    EnumerableSet.AddressSet private _executors;
    mapping(address executor => Profile) private _profiles;
    mapping(address executor => EnumerableSet.UintSet) private _versionsOf;
    mapping(uint64 versionId => EnumerableSet.AddressSet) private _executorsOf;

    /// @inheritdoc IExecutorStaking
    function setProfile(Profile calldata profile) external nonReentrant {
        // Check
        _checkStake(msg.sender);
        uint256 length = bytes(profile.endpoint).length;
        if (length > MAX_ENDPOINT_LENGTH) revert ExecutorStaking_EndpointTooLong(length, MAX_ENDPOINT_LENGTH);
        // Effect
        _executors.add(msg.sender);
        _profiles[msg.sender] = profile;
        emit ProfileSet(msg.sender, profile);
    }

    /// @inheritdoc IExecutorStaking
    function enroll(uint64 versionId) external nonReentrant {
        // Check
        _checkStake(msg.sender);
        // Effect, and Check: both sets change together, so one answer is enough.
        if (!_versionsOf[msg.sender].add(versionId)) revert ExecutorStaking_AlreadyEnrolled(versionId);
        _executorsOf[versionId].add(msg.sender);
        emit Enrolled(msg.sender, versionId);
    }

    /// @inheritdoc IExecutorStaking
    function unenroll(uint64 versionId) external nonReentrant {
        // Effect, and Check: leaving needs no stake.
        if (!_versionsOf[msg.sender].remove(versionId)) revert ExecutorStaking_NotEnrolled(versionId);
        _executorsOf[versionId].remove(msg.sender);
        emit Unenrolled(msg.sender, versionId);
    }

    /// @inheritdoc IExecutorStaking
    function profileOf(address executor) external view returns (Profile memory) {
        return _profiles[executor];
    }

    /// @inheritdoc IExecutorStaking
    function executorCount() external view returns (uint256) {
        return _executors.length();
    }

    /// @inheritdoc IExecutorStaking
    function executors(uint256 offset, uint256 limit) external view returns (address[] memory) {
        (uint256 start, uint256 end) = Pages.bounds(_executors.length(), offset, limit);
        return _executors.values(start, end);
    }

    /// @inheritdoc IExecutorStaking
    function enrolledVersions(address executor, uint256 offset, uint256 limit)
        external
        view
        returns (uint64[] memory versionIds)
    {
        EnumerableSet.UintSet storage set = _versionsOf[executor];
        (uint256 start, uint256 end) = Pages.bounds(set.length(), offset, limit);
        uint256[] memory values = set.values(start, end);
        versionIds = new uint64[](values.length);
        for (uint256 i = 0; i < values.length; ++i) {
            // Only 64-bit ids are ever added.
            versionIds[i] = uint64(values[i]);
        }
    }

    /// @inheritdoc IExecutorStaking
    function enrolledExecutors(uint64 versionId, uint256 offset, uint256 limit)
        external
        view
        returns (address[] memory)
    {
        EnumerableSet.AddressSet storage set = _executorsOf[versionId];
        (uint256 start, uint256 end) = Pages.bounds(set.length(), offset, limit);
        return set.values(start, end);
    }

    /// @inheritdoc IExecutorStaking
    function isEnrolled(address executor, uint64 versionId) external view returns (bool) {
        return _versionsOf[executor].contains(versionId);
    }

    /// @dev Reverts unless the executor has the least allocated stake of a public profile.
    function _checkStake(address executor) internal view virtual;
}
