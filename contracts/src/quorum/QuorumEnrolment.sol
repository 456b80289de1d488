// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {IExecutorStaking} from "../interfaces/IExecutorStaking.sol";
import {IModelRegistry} from "../interfaces/IModelRegistry.sol";
import {TrustMode} from "../types/ModelTypes.sol";
import {IQuorumMembers} from "./IQuorumMembers.sol";
import {Member, MemberLimits, MemberTerms} from "./QuorumTypes.sol";
import {StakeTree} from "./StakeTree.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Who may be drawn into a quorum
/// @notice Members, their stakes and their terms, one pool for each version and runtime class. An enrolment is one
/// claim in `ExecutorStaking`; each seat in a round keeps one bond of it from being needed elsewhere.
/// @dev A member's weight is its stake while it is awake, and zero otherwise. Its stake is never below its open seats
/// times the bond: a seat is given only where one more bond is there, and a seat costs one bond at most when it ends.
abstract contract QuorumEnrolment is IQuorumMembers, ReentrancyGuardTransient {
    using StakeTree for StakeTree.Tree;

    /// @param tree weights by position.
    /// @param accounts whose position it is; an account keeps its position for good.
    struct Pool {
        StakeTree.Tree tree;
        mapping(uint256 position => address) accounts;
        mapping(address account => Member) members;
    }

    /// @dev What a seat costs its holder.
    /// @param amount taken of its stake.
    /// @param isSilent whether it did not answer.
    /// @param compensation what of the amount goes to `beneficiary`, at most half; the rest burns.
    struct Loss {
        uint256 requestId;
        uint256 amount;
        bool isSilent;
        address beneficiary;
        uint256 compensation;
    }

    /// @dev A pool's name and place, looked up once per call.
    struct PoolRef {
        uint64 versionId;
        bytes32 runtimeClass;
        bytes32 id;
    }

    /// @inheritdoc IQuorumMembers
    uint256 public immutable MIN_STAKE;
    /// @inheritdoc IQuorumMembers
    uint256 public immutable SEAT_BOND;
    /// @inheritdoc IQuorumMembers
    uint256 public immutable OUTLIER_SLASH;
    IExecutorStaking internal immutable STAKING;
    IModelRegistry private immutable REGISTRY;

    mapping(bytes32 poolId => Pool) private _pools;

    constructor(address registry_, address staking_, MemberLimits memory limits) {
        // Check: a lie and silence always have something to lose.
        if (limits.outlierSlash == 0 || limits.outlierSlash > limits.seatBond || limits.seatBond > limits.minStake) {
            revert QuorumMembers_InvalidConfiguration();
        }
        // Effect
        REGISTRY = IModelRegistry(registry_);
        STAKING = IExecutorStaking(staking_);
        MIN_STAKE = limits.minStake;
        SEAT_BOND = limits.seatBond;
        OUTLIER_SLASH = limits.outlierSlash;
    }

    // --- enrolment ---

    /// @inheritdoc IQuorumMembers
    function enroll(uint64 versionId, bytes32 runtimeClass, uint88 stake, MemberTerms calldata terms)
        external
        nonReentrant
    {
        // Check: a version that may be asked so, and a stake worth a place in the tree.
        if (REGISTRY.version(versionId).modes & (1 << uint8(TrustMode.QUORUM)) == 0) {
            revert QuorumMembers_ModeNotAllowed(versionId);
        }
        if (runtimeClass == 0) revert QuorumMembers_ZeroRuntimeClass();
        if (stake < MIN_STAKE) revert QuorumMembers_StakeTooLow(stake, MIN_STAKE);
        PoolRef memory ref = _refOf(versionId, runtimeClass);
        Pool storage pool = _pools[ref.id];
        Member memory member = pool.members[msg.sender];
        if (member.capacity != 0) revert QuorumMembers_AlreadyEnrolled(versionId, runtimeClass, msg.sender);

        // Effect
        member.stake = stake;
        member.isAwake = true;
        if (member.position == 0) {
            member.position = uint32(pool.tree.append(stake));
            pool.accounts[member.position] = msg.sender;
        } else {
            pool.tree.change(member.position, 0, stake);
        }
        _setTerms(ref, pool, member, terms);
        // Interaction
        STAKING.lock(msg.sender, _claimId(ref.id, msg.sender), stake);
    }

    /// @inheritdoc IQuorumMembers
    function addStake(uint64 versionId, bytes32 runtimeClass, uint88 amount) external nonReentrant {
        // Check
        (PoolRef memory ref, Pool storage pool, Member memory member) = _enrolled(versionId, runtimeClass);
        if (amount == 0) revert QuorumMembers_ZeroAmount();
        (uint256 before, uint256 weight) = (member.stake, _weightOf(member));
        // Effect
        member.stake += amount;
        _store(ref, pool, msg.sender, member, weight);
        // Interaction: a claim cannot change, so it ends and a larger one begins. Nobody comes between.
        _relock(_claimId(ref.id, msg.sender), msg.sender, before, member.stake);
    }

    /// @inheritdoc IQuorumMembers
    function setTerms(uint64 versionId, bytes32 runtimeClass, MemberTerms calldata terms) external nonReentrant {
        (PoolRef memory ref, Pool storage pool, Member memory member) = _enrolled(versionId, runtimeClass);
        _setTerms(ref, pool, member, terms);
    }

    /// @inheritdoc IQuorumMembers
    function sleep(uint64 versionId, bytes32 runtimeClass) external nonReentrant {
        // Check
        (PoolRef memory ref, Pool storage pool, Member memory member) = _enrolled(versionId, runtimeClass);
        if (!member.isAwake) revert QuorumMembers_AlreadyAsleep(msg.sender);
        // Effect
        member.isAwake = false;
        _store(ref, pool, msg.sender, member, member.stake);
    }

    /// @inheritdoc IQuorumMembers
    function wake(uint64 versionId, bytes32 runtimeClass) external nonReentrant {
        // Check: what slashes have left is still worth a place.
        (PoolRef memory ref, Pool storage pool, Member memory member) = _enrolled(versionId, runtimeClass);
        if (member.isAwake) revert QuorumMembers_AlreadyAwake(msg.sender);
        if (member.stake < MIN_STAKE) revert QuorumMembers_StakeTooLow(member.stake, MIN_STAKE);
        // Effect
        member.isAwake = true;
        _store(ref, pool, msg.sender, member, 0);
    }

    /// @inheritdoc IQuorumMembers
    function unenroll(uint64 versionId, bytes32 runtimeClass) external nonReentrant {
        // Check: nothing may need its stake any more.
        (PoolRef memory ref, Pool storage pool, Member memory member) = _enrolled(versionId, runtimeClass);
        if (member.openSeats != 0) revert QuorumMembers_SeatsOpen(msg.sender, member.openSeats);
        (uint256 before, uint256 weight) = (member.stake, _weightOf(member));
        // Effect: the position stays its own, for draws that look back and for when it returns.
        Member memory left;
        left.position = member.position;
        _store(ref, pool, msg.sender, left, weight);
        // Interaction
        _relock(_claimId(ref.id, msg.sender), msg.sender, before, 0);
    }

    // --- views ---

    /// @inheritdoc IQuorumMembers
    function memberOf(uint64 versionId, bytes32 runtimeClass, address account) external view returns (Member memory) {
        return _pools[_refOf(versionId, runtimeClass).id].members[account];
    }

    /// @inheritdoc IQuorumMembers
    function memberAt(uint64 versionId, bytes32 runtimeClass, uint256 position) external view returns (address) {
        return _pools[_refOf(versionId, runtimeClass).id].accounts[position];
    }

    /// @inheritdoc IQuorumMembers
    function eligibleStakeAt(uint64 versionId, bytes32 runtimeClass, uint256 blockNumber)
        external
        view
        returns (uint256 stake, uint256 positions)
    {
        _checkOver(blockNumber);
        return _poolOf(_refOf(versionId, runtimeClass)).tree.wholeAt(blockNumber);
    }

    /// @inheritdoc IQuorumMembers
    function weightAt(uint64 versionId, bytes32 runtimeClass, address account, uint256 blockNumber)
        external
        view
        returns (uint256)
    {
        _checkOver(blockNumber);
        Pool storage pool = _poolOf(_refOf(versionId, runtimeClass));
        return pool.tree.weightAt(blockNumber, pool.members[account].position);
    }

    /// @inheritdoc IQuorumMembers
    function staking() external view returns (address) {
        return address(STAKING);
    }

    /// @inheritdoc IQuorumMembers
    function registry() external view returns (address) {
        return address(REGISTRY);
    }

    // --- for rounds ---

    function _refOf(uint64 versionId, bytes32 runtimeClass) internal pure returns (PoolRef memory) {
        return PoolRef(versionId, runtimeClass, keccak256(abi.encode(versionId, runtimeClass)));
    }

    function _poolOf(PoolRef memory ref) internal view returns (Pool storage) {
        return _pools[ref.id];
    }

    /// @dev Ends a member's seat without loss.
    function _leaveSeat(PoolRef memory ref, address account) internal {
        --_pools[ref.id].members[account].openSeats;
    }

    /// @dev Ends a member's seat and takes a part of its stake, at most one bond. Who is left with too little for a
    /// further seat, or did not answer, sleeps until it says that it is there.
    function _slashSeat(PoolRef memory ref, address account, Loss memory loss) internal {
        Pool storage pool = _pools[ref.id];
        Member memory member = pool.members[account];
        (uint256 before, uint256 weight) = (member.stake, _weightOf(member));
        // Effect
        --member.openSeats;
        member.stake -= uint88(loss.amount);
        if (loss.isSilent || member.stake < SEAT_BOND) member.isAwake = false;
        _store(ref, pool, account, member, weight);
        emit MemberSlashed(loss.requestId, account, loss.amount, loss.beneficiary, loss.compensation);
        // Interaction: its claim becomes two, of which one is over when this returns.
        _relock(_claimId(ref.id, account), account, before, member.stake);
        bytes32 slashId = keccak256(abi.encode(ref.id, account, loss.requestId));
        STAKING.lock(account, slashId, loss.amount);
        STAKING.slash(slashId, loss.beneficiary, loss.compensation);
    }

    /// @dev What is not over may still change.
    function _checkOver(uint256 blockNumber) internal view {
        if (blockNumber >= block.number) revert QuorumMembers_BlockNotOver(blockNumber);
    }

    // --- inner steps ---

    function _enrolled(uint64 versionId, bytes32 runtimeClass)
        private
        view
        returns (PoolRef memory ref, Pool storage pool, Member memory member)
    {
        ref = _refOf(versionId, runtimeClass);
        pool = _pools[ref.id];
        member = pool.members[msg.sender];
        if (member.capacity == 0) revert QuorumMembers_NotEnrolled(versionId, runtimeClass, msg.sender);
    }

    function _setTerms(PoolRef memory ref, Pool storage pool, Member memory member, MemberTerms calldata terms)
        private
    {
        // Check: no capacity at all is what `sleep` is for.
        if (terms.capacity == 0) revert QuorumMembers_ZeroCapacity();
        // Effect
        member.capacity = terms.capacity;
        member.minPrice = terms.minPrice;
        member.minSeconds = terms.minSeconds;
        _store(ref, pool, msg.sender, member, _weightOf(member));
    }

    /// @param weight what the tree holds for it.
    function _store(PoolRef memory ref, Pool storage pool, address account, Member memory member, uint256 weight)
        private
    {
        pool.members[account] = member;
        pool.tree.change(member.position, weight, _weightOf(member));
        emit MemberChanged(ref.versionId, ref.runtimeClass, account, member);
    }

    function _relock(bytes32 claimId, address account, uint256 before, uint256 amount) private {
        if (before != 0) STAKING.unlock(claimId);
        if (amount != 0) STAKING.lock(account, claimId, amount);
    }

    function _claimId(bytes32 poolId, address account) private pure returns (bytes32) {
        return keccak256(abi.encode(poolId, account));
    }

    function _weightOf(Member memory member) private pure returns (uint256) {
        return member.isAwake ? member.stake : 0;
    }
}
