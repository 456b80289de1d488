// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ReceiptAccounts} from "./ReceiptAccounts.sol";
import {ReceiptLimits} from "./ReceiptLimits.sol";
import {IReceiptCourt} from "./interfaces/IReceiptCourt.sol";
import {Receipts} from "./libraries/Receipts.sol";
import {CourtLimits, Pool, PoolState, Receipt, ReceiptFlaw, SlotState} from "./types/ReceiptTypes.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";

/// @title What backs receipts
/// @notice A pool is of one executor and one epoch: slots of one bond each, locked in `ExecutorStaking` from the moment
/// it is opened until no receipt of the epoch can be challenged and all claims are final. It only grows; other terms
/// are for other epochs. Claims are in `ReceiptCourt`, which extends this.
/// @dev A pool keeps the receipt key that the profile had when it was opened. The profile's own key may change any
/// second: were receipts held against that one, an executor could sign lies, rotate the key, and every receipt signed
/// before would be worthless. So a new key counts from the next pool on, and the old one until its last pool is
/// released, which is before the stake behind it can exit.
abstract contract ReceiptPools is ReceiptAccounts, ReceiptLimits, EIP712 {
    using BitMaps for BitMaps.BitMap;
    using Receipts for Receipt;

    /// @dev A pool in three slots, the third of which challenges write; `reporter` takes a fourth where there is one.
    struct StoredPool {
        address executor;
        uint96 bond;
        address receiptKey;
        uint32 capacity;
        PoolState state;
        uint96 challengeBond;
        uint32 openClaims;
        uint32 slashedSlots;
        address reporter;
    }

    mapping(uint256 poolId => StoredPool) internal _pools;
    mapping(uint256 poolId => BitMaps.BitMap) private _slashed;
    mapping(address executor => mapping(uint64 epoch => uint40 poolId)) private _poolIds;
    uint40 private _poolCount;

    constructor(address staking_, CourtLimits memory limits)
        ReceiptAccounts(staking_)
        ReceiptLimits(limits)
        EIP712("Gateless ReceiptCourt", "1")
    {
        // Check: who asks for his stake back on the day of his last receipt still has it when that is judged.
        uint64 least = limits.epochLength + limits.maxReceiptLife + limits.responseWindow;
        uint64 exitDelay = STAKING.EXIT_DELAY();
        if (exitDelay < least) revert ReceiptCourt_ExitDelayTooShort(exitDelay, least);
    }

    /// @inheritdoc IReceiptCourt
    function openPools(uint64 firstEpoch, uint256 count, uint128 bond, uint32 capacity, uint128 challengeBond)
        external
        nonReentrant
    {
        // Check: terms within the court's bounds, and a key that can sign.
        if (bond < MIN_BOND) revert ReceiptCourt_BondBelowMinimum(bond, MIN_BOND);
        if (challengeBond < MIN_CHALLENGE_BOND || challengeBond > MAX_CHALLENGE_BOND) {
            revert ReceiptCourt_ChallengeBondOutOfRange(challengeBond, MIN_CHALLENGE_BOND, MAX_CHALLENGE_BOND);
        }
        _checkCapacity(capacity);
        address receiptKey = STAKING.profileOf(msg.sender).receiptKey;
        if (receiptKey == address(0)) revert ReceiptCourt_NoReceiptKey(msg.sender);
        for (uint64 epoch = firstEpoch; epoch < firstEpoch + count; ++epoch) {
            uint256 poolId = _newPool(epoch);
            // Effect: what does not fit 96 bits is more than any allocation, and the lock below refuses it.
            StoredPool storage pool = _pools[poolId];
            pool.executor = msg.sender;
            pool.bond = uint96(bond);
            pool.receiptKey = receiptKey;
            pool.capacity = capacity;
            pool.state = PoolState.OPEN;
            pool.challengeBond = uint96(challengeBond);
            emit PoolOpened(poolId, msg.sender, epoch, receiptKey, bond, challengeBond, capacity);
            // Interaction
            STAKING.lock(msg.sender, bytes32(poolId), uint256(bond) * capacity);
        }
    }

    /// @inheritdoc IReceiptCourt
    function growPool(uint64 epoch, uint32 slots) external nonReentrant {
        // Check: more of an epoch in which receipts can still be issued.
        (uint256 poolId, StoredPool storage pool) = _open(msg.sender, epoch);
        if (slots == 0) revert ReceiptCourt_CapacityOutOfRange(0, MAX_CAPACITY);
        _checkNotOver(epoch);
        if (pool.reporter != address(0)) revert ReceiptCourt_PoolForfeited(poolId);
        uint256 capacity = uint256(pool.capacity) + slots;
        _checkCapacity(capacity);
        uint256 before = _lockedOf(pool);
        // Effect
        pool.capacity = uint32(capacity);
        emit PoolGrown(poolId, uint32(capacity));
        // Interaction: a claim cannot change, so it ends and a larger one begins. Nobody comes between.
        _relock(poolId, pool, before, _lockedOf(pool));
    }

    /// @inheritdoc IReceiptCourt
    function closePool(uint64 epoch) external nonReentrant {
        // Check: no receipt of the pool has been valid for a second.
        (uint256 poolId,) = _open(msg.sender, epoch);
        if (epoch <= epochAt(uint64(block.timestamp))) revert ReceiptCourt_EpochBegun(epoch);
        // Effect: the epoch may be opened again, on other terms.
        delete _pools[poolId];
        delete _poolIds[msg.sender][epoch];
        emit PoolClosed(poolId);
        // Interaction
        STAKING.unlock(bytes32(poolId));
    }

    /// @inheritdoc IReceiptCourt
    function releasePool(address executor, uint64 epoch) external nonReentrant {
        // Check: the last receipt is dead, and every claim is final.
        (uint256 poolId, StoredPool storage pool) = _open(executor, epoch);
        uint64 releasableAt = _releasableAt(epoch);
        if (block.timestamp < releasableAt || pool.openClaims != 0) {
            revert ReceiptCourt_PoolStillNeeded(poolId, releasableAt, pool.openClaims);
        }
        // Effect
        pool.state = PoolState.RELEASED;
        uint256 left = _lockedOf(pool);
        address reporter = pool.reporter;
        uint256 reward = reporter == address(0) ? 0 : _rewardOf(left);
        bool forfeited = reporter != address(0);
        emit PoolReleased(poolId, forfeited ? 0 : left, forfeited ? left : 0, reward);
        // Interaction
        if (left == 0) return;
        if (forfeited) STAKING.slash(bytes32(poolId), reporter, reward);
        else STAKING.unlock(bytes32(poolId));
    }

    /// @inheritdoc IReceiptCourt
    function poolOf(address executor, uint64 epoch) external view returns (Pool memory shown) {
        uint256 poolId = _poolIds[executor][epoch];
        StoredPool storage pool = _pools[poolId];
        shown.poolId = poolId;
        shown.state = pool.state;
        shown.receiptKey = pool.receiptKey;
        shown.bond = pool.bond;
        shown.challengeBond = pool.challengeBond;
        shown.capacity = pool.capacity;
        shown.slashedSlots = pool.slashedSlots;
        shown.openClaims = pool.openClaims;
        shown.reporter = pool.reporter;
        if (pool.state == PoolState.OPEN) shown.locked = _lockedOf(pool);
        shown.starts = epoch * EPOCH_LENGTH;
        shown.ends = shown.starts + EPOCH_LENGTH;
        shown.releasableAt = _releasableAt(epoch);
        shown.inExit = STAKING.allocation(executor, address(this)).exiting != 0;
    }

    /// @inheritdoc IReceiptCourt
    function slotOf(address executor, uint64 epoch, uint32 slot) external view returns (SlotState) {
        uint256 poolId = _poolIds[executor][epoch];
        if (slot >= _pools[poolId].capacity) return SlotState.WORTHLESS;
        return _slashed[poolId].get(slot) ? SlotState.SLASHED : SlotState.INTACT;
    }

    /// @inheritdoc IReceiptCourt
    function digestOf(Receipt calldata receipt) public view returns (bytes32) {
        return _hashTypedDataV4(receipt.hash());
    }

    /// @inheritdoc IReceiptCourt
    function flawOf(Receipt calldata receipt, bytes calldata signature) external view returns (ReceiptFlaw flaw) {
        (flaw,) = _judge(receipt, digestOf(receipt), signature);
    }

    // --- for claims ---

    /// @dev Whether the receipt can be challenged now, and the pool behind it.
    function _judge(Receipt calldata receipt, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (ReceiptFlaw flaw, uint256 poolId)
    {
        (flaw, poolId) = _judgeSigned(receipt, digest, signature);
        if (flaw != ReceiptFlaw.NONE) return (flaw, poolId);
        if (block.timestamp > receipt.expires) return (ReceiptFlaw.EXPIRED, poolId);
        if (_slashed[poolId].get(receipt.slot)) return (ReceiptFlaw.SLOT_SLASHED, poolId);
    }

    /// @dev Whether the executor bound one of his pool's slots to the receipt, however long ago.
    function _judgeSigned(Receipt calldata receipt, bytes32 digest, bytes calldata signature)
        internal
        view
        returns (ReceiptFlaw flaw, uint256 poolId)
    {
        poolId = _poolIds[receipt.executor][receipt.epoch];
        StoredPool storage pool = _pools[poolId];
        // What shares a slot is read at once.
        (address receiptKey, uint32 capacity, PoolState state) = (pool.receiptKey, pool.capacity, pool.state);
        if (state != PoolState.OPEN) return (ReceiptFlaw.NO_POOL, poolId);
        if (receipt.slot >= capacity) return (ReceiptFlaw.BEYOND_CAPACITY, poolId);
        if (receipt.bond != pool.bond) return (ReceiptFlaw.OTHER_BOND, poolId);
        if (epochAt(receipt.issued) != receipt.epoch) return (ReceiptFlaw.OTHER_EPOCH, poolId);
        if (receipt.issued > block.timestamp) return (ReceiptFlaw.NOT_YET_ISSUED, poolId);
        if (receipt.expires < receipt.issued || receipt.expires - receipt.issued > MAX_RECEIPT_LIFE) {
            return (ReceiptFlaw.LIFE_OUT_OF_RANGE, poolId);
        }
        // A signature that is none recovers to zero, which is no pool's key.
        (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (signer != receiptKey) return (ReceiptFlaw.FOREIGN_SIGNATURE, poolId);
    }

    function _isSlashed(uint256 poolId, uint32 slot) internal view returns (bool) {
        return _slashed[poolId].get(slot);
    }

    /// @dev Takes one slot's bond out of the pool and splits it. The caller has checked that it is due.
    /// @param claimId number of the claim, under which the staking contract reports the slash.
    function _slashSlot(
        uint256 claimId,
        uint256 poolId,
        uint32 slot,
        address challenger,
        address beneficiary,
        uint256 price
    ) internal returns (uint256 compensation, uint256 reward, uint256 burned) {
        StoredPool storage pool = _pools[poolId];
        uint256 bond = pool.bond;
        uint256 before = _lockedOf(pool);
        // Effect
        _slashed[poolId].set(slot);
        ++pool.slashedSlots;
        (compensation, reward) = _splitOfSlash(bond, price, beneficiary);
        burned = bond - compensation - reward;
        // Interaction: two claims, since each has one creditor; both are over when this returns. In each at least half
        // burns: twice the compensation in the first, and in the second the rest, of which the reward is at most half.
        address executor = pool.executor;
        _relock(poolId, pool, before, before - bond);
        _slashPart(executor, _slashId(claimId, 0), 2 * compensation, beneficiary, compensation);
        _slashPart(executor, _slashId(claimId, 1), bond - 2 * compensation, challenger, reward);
    }

    function _relock(uint256 poolId, StoredPool storage pool, uint256 before, uint256 amount) private {
        if (before != 0) STAKING.unlock(bytes32(poolId));
        if (amount != 0) STAKING.lock(pool.executor, bytes32(poolId), amount);
    }

    function _slashPart(address executor, bytes32 id, uint256 amount, address creditor, uint256 credit) private {
        if (amount == 0) return;
        STAKING.lock(executor, id, amount);
        STAKING.slash(id, creditor, credit);
    }

    /// @dev The next pool's number, for an epoch of the caller that has none.
    function _newPool(uint64 epoch) private returns (uint256 poolId) {
        // Check
        _checkNotOver(epoch);
        if (_poolIds[msg.sender][epoch] != 0) revert ReceiptCourt_PoolExists(msg.sender, epoch);
        // Effect: the first is 1.
        poolId = ++_poolCount;
        _poolIds[msg.sender][epoch] = uint40(poolId);
    }

    function _open(address executor, uint64 epoch) private view returns (uint256 poolId, StoredPool storage pool) {
        poolId = _poolIds[executor][epoch];
        pool = _pools[poolId];
        if (pool.state != PoolState.OPEN) revert ReceiptCourt_NoPool(executor, epoch);
    }

    function _lockedOf(StoredPool storage pool) private view returns (uint256) {
        return uint256(pool.bond) * (pool.capacity - pool.slashedSlots);
    }

    /// @dev Receipts are issued before the epoch's end and may be challenged up to their last second.
    function _releasableAt(uint64 epoch) private view returns (uint64) {
        return (epoch + 1) * EPOCH_LENGTH + MAX_RECEIPT_LIFE;
    }

    function _checkNotOver(uint64 epoch) private view {
        uint64 current = epochAt(uint64(block.timestamp));
        if (epoch < current) revert ReceiptCourt_EpochOver(epoch, current);
    }

    function _checkCapacity(uint256 capacity) private view {
        if (capacity == 0 || capacity > MAX_CAPACITY) revert ReceiptCourt_CapacityOutOfRange(capacity, MAX_CAPACITY);
    }

    /// @dev Pools are numbered from 1 in the court's claims at the staking contract; slashes are far from those.
    function _slashId(uint256 claimId, uint256 part) private pure returns (bytes32) {
        return bytes32(1 << 255 | claimId << 1 | part);
    }
}
