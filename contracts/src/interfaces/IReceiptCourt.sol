// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Permit} from "../types/MarketTypes.sol";
import {Claim, ClaimState, Pool, Receipt, ReceiptFlaw, SlotState} from "../types/ReceiptTypes.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";

/// @title Court for bonded receipts
/// @notice An executor answers off chain and signs a receipt; a slot of his pool backs it. Within its life anyone may
/// challenge it here. Then a valid proof is on chain by the deadline, or the slot's bond is slashed.
interface IReceiptCourt is IERC5267 {
    event Deposited(address indexed account, address indexed payer, uint256 amount);
    event Withdrawn(address indexed account, address indexed to, uint256 amount);
    event Burned(uint256 amount);

    event PoolOpened(
        uint256 indexed poolId,
        address indexed executor,
        uint64 indexed epoch,
        address receiptKey,
        uint256 bond,
        uint256 challengeBond,
        uint32 capacity
    );
    event PoolGrown(uint256 indexed poolId, uint32 capacity);
    event PoolClosed(uint256 indexed poolId);
    /// @notice The pool's stake is unlocked, or, where it was forfeited, gone: `reward` to the reporter, the rest
    /// burned.
    event PoolReleased(uint256 indexed poolId, uint256 unlocked, uint256 forfeited, uint256 reward);
    /// @notice Two receipts for one slot were shown: nothing of the pool ever returns to its executor. The receipts are
    /// in the report's calldata.
    event Equivocation(
        uint256 indexed poolId,
        address indexed reporter,
        uint256 indexed claimId,
        uint32 slot,
        bytes32 firstDigest,
        bytes32 secondDigest
    );

    event Committed(uint256 indexed claimId, address indexed challenger, bytes32 commitment, uint256 bond);
    event CommitmentWithdrawn(uint256 indexed claimId, address indexed challenger, uint256 bond);
    /// @notice A receipt is doubted. Carries all that a prover needs, and all that shows an equivocation.
    event ReceiptChallenged(
        uint256 indexed claimId,
        address indexed executor,
        uint64 indexed versionId,
        uint64 deadline,
        Receipt receipt,
        bytes signature,
        bytes input
    );
    /// @notice A proof came in time. The challenger's bond: `paid` to the executor, `burned` burned.
    event ClaimProven(uint256 indexed claimId, address indexed prover, uint256 paid, uint256 burned);
    /// @notice A claim of the list was not open, or past its deadline; the others were settled.
    event ResponseSkipped(uint256 indexed claimId, ClaimState state);
    /// @notice No proof came. The slot's bond: `compensation` to the beneficiary, `reward` to the challenger, `burned`
    /// burned, all by way of `ExecutorStaking`. The challenger's own bond returned to his balance.
    event ClaimSlashed(
        uint256 indexed claimId,
        address indexed challenger,
        address indexed beneficiary,
        uint256 compensation,
        uint256 reward,
        uint256 burned
    );
    /// @notice No proof came, but the slot's bond was gone. The challenger's bond returned to his balance.
    event ClaimMoot(uint256 indexed claimId, address indexed challenger);

    error ReceiptCourt_NoCodeAt(address account);
    error ReceiptCourt_InvalidConfiguration();
    error ReceiptCourt_ExitDelayTooShort(uint64 exitDelay, uint64 minimum);
    error ReceiptCourt_ZeroAmount();
    error ReceiptCourt_ZeroAddress();
    error ReceiptCourt_InsufficientBalance(address account, uint256 balance, uint256 needed);
    error ReceiptCourt_TransferMismatch(uint256 received, uint256 expected);
    error ReceiptCourt_NothingToBurn();

    error ReceiptCourt_NoReceiptKey(address executor);
    error ReceiptCourt_BondBelowMinimum(uint256 bond, uint256 minimum);
    error ReceiptCourt_ChallengeBondOutOfRange(uint256 bond, uint256 minimum, uint256 maximum);
    error ReceiptCourt_CapacityOutOfRange(uint256 capacity, uint32 maximum);
    error ReceiptCourt_EpochOver(uint64 epoch, uint64 current);
    error ReceiptCourt_EpochBegun(uint64 epoch);
    error ReceiptCourt_PoolExists(address executor, uint64 epoch);
    error ReceiptCourt_NoPool(address executor, uint64 epoch);
    error ReceiptCourt_PoolForfeited(uint256 poolId);
    error ReceiptCourt_PoolStillNeeded(uint256 poolId, uint64 releasableAt, uint32 openClaims);

    error ReceiptCourt_NotCommitted(uint256 claimId, ClaimState state);
    error ReceiptCourt_NotChallenger(uint256 claimId, address caller);
    error ReceiptCourt_CommittedInThisBlock(uint256 claimId);
    error ReceiptCourt_OtherCommitment(uint256 claimId, bytes32 opened, bytes32 committed);
    error ReceiptCourt_InvalidReceipt(ReceiptFlaw flaw);
    error ReceiptCourt_InputTooLong(uint256 length, uint256 maximum);
    error ReceiptCourt_InputMismatch(bytes32 given, bytes32 expected);
    error ReceiptCourt_AlreadyProven(bytes32 subject);
    error ReceiptCourt_NoEquivocation();
    error ReceiptCourt_NothingToSettle();
    error ReceiptCourt_ProofOfAnotherClaim(uint256 claimId);
    error ReceiptCourt_NotOpen(uint256 claimId, ClaimState state);
    error ReceiptCourt_NotOverdue(uint256 claimId, uint64 deadline);

    function EPOCH_LENGTH() external view returns (uint64);
    function MAX_RECEIPT_LIFE() external view returns (uint64);
    function RESPONSE_WINDOW() external view returns (uint64);
    function MIN_BOND() external view returns (uint128);
    function MIN_CHALLENGE_BOND() external view returns (uint128);
    /// @notice What every commitment holds, so that its size tells nothing; the excess over the pool's challenge bond
    /// returns to the challenger's balance when it is opened.
    function MAX_CHALLENGE_BOND() external view returns (uint128);
    function MAX_CAPACITY() external view returns (uint32);
    function REWARD_BPS() external view returns (uint16);
    function EXECUTOR_BPS() external view returns (uint16);
    function MAX_INPUT_LENGTH() external view returns (uint256);
    /// @notice Where burned bonds are sent.
    function BURN_ADDRESS() external view returns (address);

    // --- money ---

    function deposit(uint256 amount) external;
    /// @notice Deposits with an ERC-2612 permit in the same transaction; a permit already used is no error.
    function depositWithPermit(Permit calldata permit) external;
    function withdraw(uint256 amount, address to) external;
    /// @notice Sends what failed challenges left for burning to the burn address. Anyone may call.
    function burn() external returns (uint256 amount);

    // --- pools ---

    /// @notice Opens the caller's pools for `count` epochs, each with `capacity` slots of `bond`, locked out of the
    /// stake that he allocated to this court. Each takes over the receipt key of his profile and keeps it.
    /// @param firstEpoch the current epoch or a later one.
    /// @param challengeBond what a challenger of a receipt must put up.
    function openPools(uint64 firstEpoch, uint256 count, uint128 bond, uint32 capacity, uint128 challengeBond) external;

    /// @notice Adds slots to the caller's pool of an epoch that is not over. Nothing that was there changes.
    function growPool(uint64 epoch, uint32 slots) external;

    /// @notice Takes a pool back whose epoch has not begun: none of its receipts can have been issued.
    function closePool(uint64 epoch) external;

    /// @notice Unlocks what is left of a pool when none of its receipts can be challenged any more and all claims are
    /// final. Anyone may call. A forfeited pool is slashed instead: `REWARD_BPS` to the reporter, the rest burned.
    function releasePool(address executor, uint64 epoch) external;

    // --- challenges ---

    /// @notice Announces a challenge, or a report of equivocation, without saying of what. `MAX_CHALLENGE_BOND` leaves
    /// the caller's balance; what that lacks is pulled from his account.
    /// @param commitment `commitmentOf(caller, digest, salt)`.
    function commit(bytes32 commitment) external returns (uint256 claimId);

    /// @notice Takes a commitment back that was not opened.
    function withdrawCommitment(uint256 claimId) external;

    /// @notice Opens a commitment of an earlier block: the executor must prove within the response window after the
    /// later of now and his last open deadline.
    /// @dev What the receipt's version is, and whether it can be proven, is not looked at: an executor signs nothing
    /// that he cannot prove.
    /// @param input the packed input, whole.
    function challengeReceipt(
        uint256 claimId,
        Receipt calldata receipt,
        bytes calldata signature,
        bytes calldata input,
        bytes32 salt
    ) external;

    /// @notice Proves what open claims doubt. Anyone may call; one proof settles every claim of the list with the same
    /// version, input binding and output digest. Claims that are settled or overdue are left out and reported.
    /// @param input packed input; empty where the version binds inputs by KZG commitment.
    function respond(
        uint256[] calldata claimIds,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external returns (uint256 settled);

    /// @notice Ends a claim whose deadline is over: the slot's bond is slashed, the challenger has his bond back.
    /// Anyone may call.
    function slash(uint256 claimId) external;

    /// @notice Opens a commitment of an earlier block to show two different valid receipts for one slot: the pool is
    /// forfeited. The caller's bond returns to his balance.
    /// @dev The receipts may be dead already, as long as the pool is not released. Bonds of its slots go on backing its
    /// receipts until it is.
    function reportEquivocation(
        uint256 claimId,
        Receipt calldata first,
        bytes calldata firstSignature,
        Receipt calldata second,
        bytes calldata secondSignature,
        bytes32 salt
    ) external;

    // --- views ---

    function token() external view returns (address);
    function zkVerifier() external view returns (address);
    function staking() external view returns (address);
    function balanceOf(address account) external view returns (uint256);
    function pendingBurn() external view returns (uint256);
    function epochAt(uint64 timestamp) external view returns (uint64);
    function poolOf(address executor, uint64 epoch) external view returns (Pool memory);
    function slotOf(address executor, uint64 epoch, uint32 slot) external view returns (SlotState);
    /// @notice EIP-712 digest of a receipt: what the receipt key signs.
    function digestOf(Receipt calldata receipt) external view returns (bytes32);
    /// @notice What makes a receipt worthless now; `NONE` means that it could be challenged. A client looks beside this
    /// whether the pool is forfeited or its executor in exit, and whether the receipt lives long enough.
    function flawOf(Receipt calldata receipt, bytes calldata signature) external view returns (ReceiptFlaw);
    function commitmentOf(address challenger, bytes32 digest, bytes32 salt) external pure returns (bytes32);
    function pairDigestOf(bytes32 first, bytes32 second) external pure returns (bytes32);
    function claimCount() external view returns (uint256);
    function claimOf(uint256 claimId) external view returns (Claim memory);
    /// @notice The executor's open claims, the deadline of the last of them (zero if there is none), and how many were
    /// ever opened against him.
    function queueOf(address executor) external view returns (uint256 open, uint64 lastDeadline, uint256 everOpened);
    /// @notice Whether this was ever proven here: then it cannot be challenged again.
    function isProven(uint64 versionId, bytes32 inputBinding, bytes32 outputDigest) external view returns (bool);
}
