// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Backing, LazyClaim, LazyLock, LazyRequest, LazyState} from "../types/LazyTypes.sol";
import {Finality} from "../types/RecordTypes.sol";
import {IRecordMarket} from "./IRecordMarket.sol";

/// @title Market of inferences that are proven only when somebody doubts
/// @notice An executor answers with the output alone, and backs it with stake. Unless somebody challenges it in time,
/// it is final; a challenged answer is proven in time, by anybody, or its executor is slashed. Payment, royalty and
/// callback come with finality and never before.
/// @dev What a function takes as `LazyRequest`, `LazyLock` or `LazyClaim` must be exactly what an event told: the
/// market holds hashes only. Doubts are at the `IDisputeCourt` that the market names.
interface ILazyMarket is IRecordMarket {
    /// @notice A request was escrowed. `input` is empty where the bytes are to be fetched by the request's hint.
    event Requested(
        uint256 indexed requestId, uint64 indexed versionId, address indexed requester, LazyRequest request, bytes input
    );
    /// @notice A request was locked, at the price that is in escrow for it from now on.
    event Locked(uint256 indexed requestId, address indexed executor, LazyLock lock);
    /// @notice The lock of this executor was missed and is another's now, who gets `reward` of the collateral.
    event LockMissed(uint256 indexed requestId, address indexed executor, uint256 reward, uint256 burned);
    /// @notice An executor answered. A request that was signed, locked and answered in one transaction shows here
    /// first.
    event Answered(
        uint256 indexed requestId,
        address indexed executor,
        uint64 indexed versionId,
        LazyClaim claim,
        bytes output,
        string inputHint
    );
    /// @notice The output is final and paid: `fee` to the executor and `royalty` to the version's model make the price.
    event Finalized(
        uint256 indexed requestId,
        address indexed executor,
        uint64 indexed versionId,
        bytes32 outputDigest,
        Finality how,
        uint256 fee,
        uint256 royalty
    );
    /// @notice A claim of a list was left out: it is not due, was shown wrongly, or somebody waits for its output.
    event FinalizationSkipped(uint256 indexed requestId);
    /// @notice No proof came. The requester has the price back, and `compensation` on top; `reward` is the
    /// challenger's.
    event ClaimSlashed(
        uint256 indexed requestId,
        address indexed executor,
        address indexed challenger,
        uint256 compensation,
        uint256 reward,
        uint256 burned
    );
    event RequestRefunded(uint256 indexed requestId, address indexed requester, uint256 amount, uint256 slashed);
    /// @notice What an executor has behind his answers from now on.
    event BackingChanged(address indexed executor, uint256 total);

    error LazyMarket_ExitDelayTooShort(uint64 exitDelay, uint64 minimum);
    error LazyMarket_NoUsableCircuit(uint64 versionId);
    error LazyMarket_VkaNotRegistered(bytes32 vkaDigest);
    error LazyMarket_CollateralBelowFloor(uint256 collateral, uint256 floor);
    error LazyMarket_LockDurationOutOfRange(uint32 lockDuration, uint32 minimum, uint32 maximum);
    error LazyMarket_ChallengeWindowOutOfRange(uint32 challengeWindow, uint32 minimum, uint32 maximum);
    error LazyMarket_ResponseWindowOutOfRange(uint32 responseWindow, uint32 minimum, uint32 maximum);
    error LazyMarket_AuditBpsTooHigh(uint16 auditBps, uint16 maximum);
    error LazyMarket_Expired(uint256 requestId, uint64 deadline);
    error LazyMarket_NotExpired(uint256 requestId, uint64 deadline);
    error LazyMarket_NamedCannotCancel(uint256 requestId, address executor);
    error LazyMarket_NotNamedExecutor(uint256 requestId, address caller, address named);
    error LazyMarket_NotLockHolder(uint256 requestId, address caller, address holder);
    error LazyMarket_LockedInThisBlock(uint256 requestId);
    error LazyMarket_LockTooShort(uint64 lockDeadline, uint64 least);
    error LazyMarket_PriceTooLow(uint256 price, uint256 least);
    error LazyMarket_InsufficientBacking(address executor, uint256 unused, uint256 needed);
    error LazyMarket_ZeroAmount();
    error LazyMarket_ResultKept(uint256 requestId);
    error LazyMarket_StillChallengeable(uint256 requestId, uint64 challengeDeadline);
    error LazyMarket_ChallengeWindowOver(uint256 requestId, uint64 challengeDeadline);
    error LazyMarket_NotCourt(address caller);

    // --- requests ---
    /// @notice Escrows the request's `maxPrice` from the caller's balance. Only its requester.
    /// @param input the packed input, or empty where executors fetch it by the request's hint.
    /// @return requestId `idOf(request)`.
    function request(LazyRequest calldata request, bytes calldata input) external returns (uint256 requestId);
    /// @notice Takes an open request back before anyone locked it. Only its requester, and not where it names an
    /// executor: that one shows the output in the transaction that locks, and a cancel in front of it would take it for
    /// nothing. Such a request is refunded after its deadline.
    function cancel(LazyRequest calldata request) external;
    /// @notice Refunds a request that nobody locked by its deadline. Anyone may call; nothing can block it.
    function refund(LazyRequest calldata request) external;
    /// @notice Refunds a request whose lock was missed, and slashes who missed it. Anyone may call; nothing can block
    /// it.
    function refundLocked(LazyRequest calldata request, LazyLock calldata lock) external;

    // --- executors ---
    /// @notice Puts more stake behind the caller's answers at this market, out of what he allocated to it.
    function back(uint256 amount) external;
    /// @notice Takes back what no unfinished answer uses.
    function unback(uint256 amount) external;
    /// @notice Locks an open request: the caller must answer before the lock's deadline or lose the collateral. Never
    /// for less than `MIN_LOCK_DURATION`. The price is that of this second, for good; what is left of the most that was
    /// offered returns to the requester's balance.
    /// @param leastSeconds time that must be left between the block that mines the lock and the lock's deadline.
    /// @param leastPrice least price for which the caller takes the request on.
    function lock(LazyRequest calldata request, uint32 leastSeconds, uint128 leastPrice) external;
    /// @notice Makes and locks a request that its requester signed: the price leaves his balance here. The signature
    /// may be of an account without code, of a contract account (ERC-1271) or of one that is not deployed yet
    /// (ERC-6492); it is not looked at again.
    function lockSigned(LazyRequest calldata request, bytes calldata signature, uint32 leastSeconds, uint128 leastPrice)
        external;
    /// @notice Takes a request over whose lock was missed, at the same price and with the whole collateral. Of the
    /// collateral that was missed the price, at most half, is the caller's; the rest burns.
    function takeOver(LazyRequest calldata request, LazyLock calldata missed, uint32 leastSeconds) external;
    /// @notice Answers. Only the lock holder, at least one block after the lock unless the request names him, up to and
    /// including the lock's deadline.
    function fulfill(LazyRequest calldata request, LazyLock calldata lock, bytes calldata output) external;
    /// @notice Lock and answer in one transaction, up to and including the request's deadline; only where the request
    /// names the caller as executor.
    function lockAndFulfill(LazyRequest calldata request, bytes calldata output) external;
    /// @notice Makes, locks and answers a signed request in one transaction; only where it names the caller as
    /// executor.
    function lockSignedAndFulfill(LazyRequest calldata request, bytes calldata signature, bytes calldata output)
        external;
    /// @notice Makes an answer final that nobody challenged in time, and pays it. Anyone.
    /// @param output the packed output where the request has a callback; empty, or not looked at, where it has none.
    function finalize(LazyClaim calldata claim, bytes calldata output) external;
    /// @notice As `finalize` for several answers that nobody waits for, without keeping their results: `resultOf` shows
    /// one after `keepResult`, which is left to whoever needs it. Answers that are not due, or have a callback, are
    /// left out with `FinalizationSkipped`. Reverts where none is left.
    /// @return finalized number of answers that became final.
    function finalizeMany(LazyClaim[] calldata claims) external returns (uint256 finalized);
    /// @notice Keeps the result of an answer that `finalizeMany` made final. Anyone, once, at any time.
    /// @dev Like one that `finalize` kept, it is as of the first second after the answer's challenge window.
    function keepResult(LazyClaim calldata claim) external;

    // --- for the court ---
    /// @notice Makes an answer a disputed one, within its challenge window. Only the court.
    function dispute(LazyClaim calldata claim) external;
    /// @notice Makes an answer final that was proven, disputed or not, and pays it. Only the court.
    /// @param output the proven output.
    function settle(LazyClaim calldata claim, bytes calldata output) external;
    /// @notice Slashes an executor whose disputed answer was not proven in time, and gives the requester his price
    /// back. Only the court.
    /// @param challenger gets the reward.
    function slash(LazyClaim calldata claim, address challenger) external;

    // --- views ---
    function zkVerifier() external view returns (address);
    function staking() external view returns (address);
    /// @notice The `DisputeCourt`, where answers are doubted and proven.
    function court() external view returns (address);
    /// @notice Id of a request: the EIP-712 digest that its requester signs.
    function idOf(LazyRequest calldata request) external view returns (uint256);
    function stateOf(uint256 requestId) external view returns (LazyState);
    function backingOf(address executor) external view returns (Backing memory);
    function COLLATERAL_FLOOR() external view returns (uint128);
    function REWARD_BPS() external view returns (uint16);
    function MIN_LOCK_DURATION() external view returns (uint32);
    function MAX_LOCK_DURATION() external view returns (uint32);
    function MIN_CHALLENGE_WINDOW() external view returns (uint32);
    function MAX_CHALLENGE_WINDOW() external view returns (uint32);
    function MIN_RESPONSE_WINDOW() external view returns (uint32);
    function MAX_RESPONSE_WINDOW() external view returns (uint32);
}
