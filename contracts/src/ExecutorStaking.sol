// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ExecutorProfiles} from "./ExecutorProfiles.sol";
import {IExecutorStaking} from "./interfaces/IExecutorStaking.sol";
import {TokenTransfers} from "./libraries/TokenTransfers.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title Stake of executors, allocated to slashers of their own choice
/// @notice Where a unit of stake is, it is in one place: free, or in one allocation; and in an allocation it is either
/// unlocked or locked by one claim. Slashed stake becomes a credit or waits to be burned.
contract ExecutorStaking is ExecutorProfiles {
    using SafeERC20 for IERC20;
    using TokenTransfers for IERC20;
    using SafeCast for uint256;

    /// @inheritdoc IExecutorStaking
    address public constant BURN_ADDRESS = 0x000000000000000000000000000000000000dEaD;
    /// @inheritdoc IExecutorStaking
    uint64 public immutable EXIT_DELAY;
    /// @inheritdoc IExecutorStaking
    uint256 public immutable MIN_STAKE;

    /// @dev A slip at deployment must not lock stake for good.
    uint64 private constant MAX_EXIT_DELAY = 365 days;
    IERC20 private immutable TOKEN;

    /// @dev One slot. Allocations are kept below 2^96, so every lock fits.
    struct Claim {
        address executor;
        uint96 amount;
    }

    mapping(address executor => uint256 amount) private _free;
    mapping(address executor => uint256 amount) private _allocatedTotal;
    mapping(address executor => mapping(address slasher => Allocation)) private _allocations;
    mapping(address slasher => mapping(bytes32 claimId => Claim)) private _claims;
    mapping(address account => uint256 amount) private _credits;
    uint256 private _pendingBurn;

    constructor(address token_, uint64 exitDelay, uint256 minStake) {
        // Check
        if (token_.code.length == 0) revert ExecutorStaking_NoCodeAt(token_);
        if (exitDelay > MAX_EXIT_DELAY) revert ExecutorStaking_ExitDelayTooLong(exitDelay, MAX_EXIT_DELAY);
        // Effect
        TOKEN = IERC20(token_);
        EXIT_DELAY = exitDelay;
        MIN_STAKE = minStake;
    }

    // --- stake in and out ---

    /// @inheritdoc IExecutorStaking
    function stake(uint256 amount) external nonReentrant {
        _stake(amount);
    }

    /// @inheritdoc IExecutorStaking
    function stakeWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external nonReentrant {
        TOKEN.tryPermit(amount, deadline, v, r, s);
        _stake(amount);
    }

    /// @inheritdoc IExecutorStaking
    function withdraw(uint256 amount, address to) external nonReentrant {
        // Check
        _checkPayout(to);
        _takeFree(amount);
        emit Withdrawn(msg.sender, to, amount);
        // Interaction
        TOKEN.safeTransfer(to, amount);
    }

    // --- allocations and their exit ---

    /// @inheritdoc IExecutorStaking
    function allocate(address slasher, uint256 amount) external nonReentrant {
        // Check
        if (slasher == address(0)) revert ExecutorStaking_ZeroAddress();
        // Effect: from free to one slasher; the sum stays.
        _takeFree(amount);
        _allocatedTotal[msg.sender] += amount;
        Allocation storage held = _allocations[msg.sender][slasher];
        held.allocated = (held.allocated + amount).toUint96();
        emit Allocated(msg.sender, slasher, amount);
    }

    /// @inheritdoc IExecutorStaking
    function requestExit(address slasher, uint256 amount) external nonReentrant {
        // Check: no more than is not exiting already.
        if (amount == 0) revert ExecutorStaking_ZeroAmount();
        Allocation storage held = _allocations[msg.sender][slasher];
        uint256 staying = held.allocated - held.exiting;
        if (amount > staying) {
            revert ExecutorStaking_InsufficientAllocation(msg.sender, slasher, staying, amount);
        }
        // Effect: one exit at a time; the larger amount waits the whole delay again. `amount <= allocated < 2^96`.
        uint64 readyAt = uint64(block.timestamp) + EXIT_DELAY;
        held.exiting += uint128(amount);
        held.exitReadyAt = readyAt;
        emit ExitRequested(msg.sender, slasher, amount, readyAt);
    }

    /// @inheritdoc IExecutorStaking
    function cancelExit(address slasher) external nonReentrant {
        // Check
        Allocation storage held = _allocations[msg.sender][slasher];
        uint256 amount = held.exiting;
        if (amount == 0) revert ExecutorStaking_NoExit(msg.sender, slasher);
        // Effect
        held.exiting = 0;
        held.exitReadyAt = 0;
        emit ExitCancelled(msg.sender, slasher, amount);
    }

    /// @inheritdoc IExecutorStaking
    function completeExit(address slasher) external nonReentrant returns (uint256 amount) {
        // Check: an exit is there and its delay is over.
        Allocation storage held = _allocations[msg.sender][slasher];
        uint128 exiting = held.exiting;
        if (exiting == 0) revert ExecutorStaking_NoExit(msg.sender, slasher);
        if (block.timestamp < held.exitReadyAt) revert ExecutorStaking_ExitNotReady(held.exitReadyAt);
        // Check: open claims keep what they locked; the rest may leave now, that part later.
        amount = Math.min(exiting, held.allocated - held.locked);
        if (amount == 0) revert ExecutorStaking_StakeStillLocked(held.locked);

        // Effect: from the allocation to free. `amount` fits, being at most `exiting`.
        held.allocated -= uint128(amount);
        held.exiting = exiting - uint128(amount);
        if (held.exiting == 0) held.exitReadyAt = 0;
        _allocatedTotal[msg.sender] -= amount;
        _free[msg.sender] += amount;
        emit ExitCompleted(msg.sender, slasher, amount);
    }

    // --- for slashers ---

    /// @inheritdoc IExecutorStaking
    function lock(address executor, bytes32 claimId, uint256 amount) external nonReentrant {
        // Check: a claim id lives once at a time, and the stake is there and backs no other claim.
        if (amount == 0) revert ExecutorStaking_ZeroAmount();
        Claim storage opened = _claims[msg.sender][claimId];
        if (opened.executor != address(0)) revert ExecutorStaking_ClaimExists(msg.sender, claimId);
        Allocation storage held = _allocations[executor][msg.sender];
        uint256 unlocked = held.allocated - held.locked;
        if (amount > unlocked) {
            revert ExecutorStaking_InsufficientAllocation(executor, msg.sender, unlocked, amount);
        }
        // Effect: `amount <= allocated < 2^96`.
        held.locked += uint128(amount);
        opened.executor = executor;
        opened.amount = uint96(amount);
        emit Locked(executor, msg.sender, claimId, amount);
    }

    /// @inheritdoc IExecutorStaking
    function unlock(bytes32 claimId) external nonReentrant {
        // Check, Effect
        (address executor, uint256 amount) = _closeClaim(claimId);
        _allocations[executor][msg.sender].locked -= uint128(amount);
        emit Unlocked(executor, msg.sender, claimId, amount);
    }

    /// @inheritdoc IExecutorStaking
    function unlockMany(address executor, bytes32[] calldata claimIds) external nonReentrant {
        // Check, Effect: claim by claim, so that none counts twice.
        uint256 total;
        for (uint256 i = 0; i < claimIds.length; ++i) {
            (address holder, uint256 amount) = _closeClaim(claimIds[i]);
            if (holder != executor) revert ExecutorStaking_ClaimOfAnother(claimIds[i], holder);
            // Claims are parts of one allocation, which is below 2^96.
            total += amount;
        }
        _allocations[executor][msg.sender].locked -= uint128(total);
        emit UnlockedMany(executor, msg.sender, claimIds, total);
    }

    /// @inheritdoc IExecutorStaking
    function slash(bytes32 claimId, address beneficiary, uint256 compensation) external nonReentrant {
        // Check: at least half burns, so nobody gains by slashing himself; the harmed one exists.
        (address executor, uint256 amount) = _closeClaim(claimId);
        if (compensation > amount / 2) revert ExecutorStaking_CompensationTooHigh(compensation, amount / 2);
        if (compensation != 0 && beneficiary == address(0)) revert ExecutorStaking_ZeroAddress();

        // Effect: out of the allocation. What is left may be less than what was exiting; then that exits.
        Allocation storage held = _allocations[executor][msg.sender];
        uint128 left = held.allocated - uint128(amount);
        held.allocated = left;
        held.locked -= uint128(amount);
        if (held.exiting > left) {
            held.exiting = left;
            if (left == 0) held.exitReadyAt = 0;
        }
        _allocatedTotal[executor] -= amount;
        _credits[beneficiary] += compensation;
        _pendingBurn += amount - compensation;
        emit Slashed(executor, msg.sender, claimId, amount, beneficiary, compensation);
    }

    // --- what slashing leaves ---

    /// @inheritdoc IExecutorStaking
    function withdrawCredit(address to) external nonReentrant returns (uint256 amount) {
        // Check
        _checkPayout(to);
        amount = _credits[msg.sender];
        if (amount == 0) revert ExecutorStaking_NothingToWithdraw();
        // Effect
        _credits[msg.sender] = 0;
        emit CreditWithdrawn(msg.sender, to, amount);
        // Interaction
        TOKEN.safeTransfer(to, amount);
    }

    /// @inheritdoc IExecutorStaking
    function burn() external nonReentrant returns (uint256 amount) {
        // Check
        amount = _pendingBurn;
        if (amount == 0) revert ExecutorStaking_NothingToWithdraw();
        // Effect
        _pendingBurn = 0;
        emit Burned(amount);
        // Interaction
        TOKEN.safeTransfer(BURN_ADDRESS, amount);
    }

    // --- views ---

    /// @inheritdoc IExecutorStaking
    function token() external view returns (address) {
        return address(TOKEN);
    }

    /// @inheritdoc IExecutorStaking
    function freeStake(address executor) external view returns (uint256) {
        return _free[executor];
    }

    /// @inheritdoc IExecutorStaking
    function allocation(address executor, address slasher) external view returns (Allocation memory) {
        return _allocations[executor][slasher];
    }

    /// @inheritdoc IExecutorStaking
    function available(address executor, address slasher) external view returns (uint256) {
        Allocation storage held = _allocations[executor][slasher];
        return held.allocated - held.locked;
    }

    /// @inheritdoc IExecutorStaking
    function claim(address slasher, bytes32 claimId) external view returns (address executor, uint256 amount) {
        Claim storage opened = _claims[slasher][claimId];
        return (opened.executor, opened.amount);
    }

    /// @inheritdoc IExecutorStaking
    function creditOf(address account) external view returns (uint256) {
        return _credits[account];
    }

    /// @inheritdoc IExecutorStaking
    function pendingBurn() external view returns (uint256) {
        return _pendingBurn;
    }

    /// @inheritdoc IExecutorStaking
    function totalStake(address executor) public view returns (uint256) {
        return _free[executor] + _allocatedTotal[executor];
    }

    // --- inner steps ---

    function _stake(uint256 amount) private {
        // Check
        if (amount == 0) revert ExecutorStaking_ZeroAmount();
        // Interaction: before the effect, because what arrived decides; the guard is held.
        uint256 received = TOKEN.pull(amount);
        if (received != amount) revert ExecutorStaking_TransferMismatch(received, amount);
        // Effect
        _free[msg.sender] += amount;
        emit Staked(msg.sender, msg.sender, amount);
    }

    function _takeFree(uint256 amount) private {
        // Check
        if (amount == 0) revert ExecutorStaking_ZeroAmount();
        uint256 free = _free[msg.sender];
        if (amount > free) revert ExecutorStaking_InsufficientFree(msg.sender, free, amount);
        // Effect
        _free[msg.sender] = free - amount;
    }

    function _closeClaim(bytes32 claimId) private returns (address executor, uint256 amount) {
        // Check
        Claim storage opened = _claims[msg.sender][claimId];
        (executor, amount) = (opened.executor, opened.amount);
        if (executor == address(0)) revert ExecutorStaking_UnknownClaim(msg.sender, claimId);
        // Effect
        delete _claims[msg.sender][claimId];
    }

    /// @dev Tokens sent to this contract itself would be in no account.
    function _checkPayout(address to) private view {
        if (to == address(0) || to == address(this)) revert ExecutorStaking_ZeroAddress();
    }

    /// @inheritdoc ExecutorProfiles
    function _checkStake(address executor) internal view override {
        // Allocated stake only: free stake leaves at once, so that one sum could list any number of accounts in turn.
        uint256 allocated = _allocatedTotal[executor];
        if (allocated < MIN_STAKE) revert ExecutorStaking_StakeBelowMinimum(allocated, MIN_STAKE);
    }
}
