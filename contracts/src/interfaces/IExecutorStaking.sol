// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Stake of executors, allocated to slashers of their own choice
/// @notice Free stake backs nothing and leaves at once. Allocated stake is what one slasher contract may lock per claim
/// and slash; it becomes free again only through the exit queue. No unit of stake ever backs two claims.
interface IExecutorStaking {
    /// @notice What an executor says of itself, so that users find it from the chain alone.
    /// @param endpoint base URL of its HTTP intake and content store; may be empty.
    /// @param receiptKey ECDSA address that signs its receipts; may be zero.
    /// @param minPrice lowest price it serves for, in token units.
    /// @param capacity requests it works on at once.
    struct Profile {
        string endpoint;
        address receiptKey;
        uint128 minPrice;
        uint32 capacity;
    }

    /// @notice An allocation. `locked <= allocated` and `exiting <= allocated`; `exiting` is the part that waits to
    /// become free and stays lockable and slashable until then.
    struct Allocation {
        uint128 allocated;
        uint128 locked;
        uint128 exiting;
        uint64 exitReadyAt;
    }

    event Staked(address indexed executor, address indexed payer, uint256 amount);
    event Withdrawn(address indexed executor, address indexed to, uint256 amount);
    event Allocated(address indexed executor, address indexed slasher, uint256 amount);
    event ExitRequested(address indexed executor, address indexed slasher, uint256 amount, uint64 readyAt);
    event ExitCancelled(address indexed executor, address indexed slasher, uint256 amount);
    event ExitCompleted(address indexed executor, address indexed slasher, uint256 amount);
    event Locked(address indexed executor, address indexed slasher, bytes32 indexed claimId, uint256 amount);
    event Unlocked(address indexed executor, address indexed slasher, bytes32 indexed claimId, uint256 amount);
    /// @notice Several claims of one executor ended without loss; `amount` is their sum.
    event UnlockedMany(address indexed executor, address indexed slasher, bytes32[] claimIds, uint256 amount);
    event Slashed(
        address indexed executor,
        address indexed slasher,
        bytes32 indexed claimId,
        uint256 amount,
        address beneficiary,
        uint256 compensation
    );
    event CreditWithdrawn(address indexed account, address indexed to, uint256 amount);
    event Burned(uint256 amount);
    event ProfileSet(address indexed executor, Profile profile);
    event Enrolled(address indexed executor, uint64 indexed versionId);
    event Unenrolled(address indexed executor, uint64 indexed versionId);

    error ExecutorStaking_NoCodeAt(address account);
    error ExecutorStaking_ExitDelayTooLong(uint64 exitDelay, uint64 maximum);
    error ExecutorStaking_ZeroAmount();
    error ExecutorStaking_ZeroAddress();
    error ExecutorStaking_InsufficientFree(address executor, uint256 free, uint256 needed);
    error ExecutorStaking_InsufficientAllocation(address executor, address slasher, uint256 available, uint256 needed);
    error ExecutorStaking_ClaimExists(address slasher, bytes32 claimId);
    error ExecutorStaking_UnknownClaim(address slasher, bytes32 claimId);
    error ExecutorStaking_ClaimOfAnother(bytes32 claimId, address executor);
    error ExecutorStaking_NoExit(address executor, address slasher);
    error ExecutorStaking_ExitNotReady(uint64 readyAt);
    error ExecutorStaking_StakeStillLocked(uint256 locked);
    error ExecutorStaking_CompensationTooHigh(uint256 compensation, uint256 maximum);
    error ExecutorStaking_NothingToWithdraw();
    error ExecutorStaking_StakeBelowMinimum(uint256 allocated, uint256 minimum);
    error ExecutorStaking_EndpointTooLong(uint256 length, uint256 maximum);
    error ExecutorStaking_AlreadyEnrolled(uint64 versionId);
    error ExecutorStaking_NotEnrolled(uint64 versionId);
    error ExecutorStaking_TransferMismatch(uint256 received, uint256 expected);

    function token() external view returns (address);
    /// @notice Seconds between `requestExit` and the earliest `completeExit`.
    function EXIT_DELAY() external view returns (uint64);
    /// @notice Allocated stake, over all slashers, needed to set a profile or enrol, in token units. Free stake does
    /// not count: what is allocated stays for the exit delay at least, so every listing holds capital that long.
    function MIN_STAKE() external view returns (uint256);
    /// @notice Where burned stake is sent.
    function BURN_ADDRESS() external view returns (address);

    function stake(uint256 amount) external;
    /// @notice Stakes with an ERC-2612 permit in the same transaction; a permit already used is no error.
    function stakeWithPermit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) external;
    /// @notice Withdraws free stake.
    function withdraw(uint256 amount, address to) external;
    /// @notice Gives `slasher` the right to lock and slash `amount` of the caller's free stake. Trust the slasher's
    /// code.
    function allocate(address slasher, uint256 amount) external;
    /// @notice Starts (or enlarges and restarts) the exit of allocated stake.
    function requestExit(address slasher, uint256 amount) external;
    function cancelExit(address slasher) external;
    /// @notice After the delay, and only as far as no open claim locks it, turns exiting stake into free stake.
    function completeExit(address slasher) external returns (uint256 amount);

    /// @notice For slashers: locks part of the executor's allocation to the caller for one claim.
    function lock(address executor, bytes32 claimId, uint256 amount) external;
    /// @notice For slashers: ends a claim without loss.
    function unlock(bytes32 claimId) external;
    /// @notice For slashers: ends several claims of one executor without loss, at the cost of one change of its
    /// allocation.
    function unlockMany(address executor, bytes32[] calldata claimIds) external;
    /// @notice For slashers: ends a claim by destroying its stake. `compensation` (at most half) is credited to
    /// `beneficiary`, the rest is burned. Moves no tokens, so nothing can block it.
    function slash(bytes32 claimId, address beneficiary, uint256 compensation) external;

    /// @notice Withdraws the caller's compensations.
    function withdrawCredit(address to) external returns (uint256 amount);
    /// @notice Sends all stake slashed for burning to the burn address. Anyone may call.
    function burn() external returns (uint256 amount);

    /// @notice Says how to reach the caller and what it asks. Needs `MIN_STAKE` allocated.
    function setProfile(Profile calldata profile) external;
    /// @notice Says that the caller serves a version. Needs `MIN_STAKE` allocated.
    function enroll(uint64 versionId) external;
    function unenroll(uint64 versionId) external;

    function freeStake(address executor) external view returns (uint256);
    function totalStake(address executor) external view returns (uint256);
    function allocation(address executor, address slasher) external view returns (Allocation memory);
    /// @notice Part of an allocation that can still be locked.
    function available(address executor, address slasher) external view returns (uint256);
    function claim(address slasher, bytes32 claimId) external view returns (address executor, uint256 amount);
    function creditOf(address account) external view returns (uint256);
    function pendingBurn() external view returns (uint256);
    function profileOf(address executor) external view returns (Profile memory);
    function executorCount() external view returns (uint256);
    /// @notice A page of executors that ever set a profile.
    function executors(uint256 offset, uint256 limit) external view returns (address[] memory);
    function enrolledVersions(address executor, uint256 offset, uint256 limit) external view returns (uint64[] memory);
    function enrolledExecutors(uint64 versionId, uint256 offset, uint256 limit) external view returns (address[] memory);
    function isEnrolled(address executor, uint64 versionId) external view returns (bool);
}
