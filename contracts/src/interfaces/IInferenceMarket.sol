// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Permit, Request, RequestParams, RequestState, SignedRequest, SkipReason} from "../types/MarketTypes.sol";
import {IMarketAccounts} from "./IMarketAccounts.sol";

/// @title Market of verified inferences
/// @notice A request is escrowed when it is made and ends in exactly one of: paid, refunded.
interface IInferenceMarket is IMarketAccounts {
    /// @notice A request was escrowed. `input` is empty where the bytes are to be fetched by `inputHint`.
    event RequestCreated(
        uint256 indexed requestId,
        uint64 indexed versionId,
        address indexed requester,
        RequestParams params,
        bytes input,
        string inputHint
    );
    /// @notice A request was locked, at the price that is in escrow for it from now on.
    event RequestLocked(uint256 indexed requestId, address indexed executor, uint256 price, uint64 lockDeadline);
    /// @notice The lock of this executor was missed and is another's now. What he staked on it stays locked until the
    /// request has ended, or is taken over once more.
    event LockMissed(uint256 indexed requestId, address indexed executor);
    /// @notice One of several locks failed; the others were made. `reason` is what it reverted with, cut at 256 bytes.
    event LockSkipped(address indexed executor, uint256 index, bytes reason);
    /// @notice Nonces of an account, those whose bits are set in `mask`, can no longer be used.
    event NoncesCancelled(address indexed account, uint256 wordIndex, uint256 mask);
    /// @notice The output is final and paid: `fee` to the executor and `royalty` to the version's model make the price.
    event RequestFulfilled(
        uint256 indexed requestId,
        address indexed executor,
        uint64 indexed versionId,
        uint256 fee,
        uint256 royalty,
        bytes output
    );
    /// @notice An id of a batch was left out: nothing was paid by its row. Emitted once for each such row, also where
    /// no request has that id and where an earlier row answered it. See `SkipReason`.
    event FulfilmentSkipped(uint256 indexed requestId, address indexed executor, SkipReason reason);
    event RequestRefunded(uint256 indexed requestId, address indexed requester, uint256 amount, uint256 slashed);
    /// @notice The callback ran; `success` false means that it reverted, `returned` is cut at 256 bytes.
    event CallbackExecuted(uint256 indexed requestId, address indexed callback, bool success, bytes returned);

    error InferenceMarket_InvalidConfiguration();
    error InferenceMarket_ExitDelayTooShort(uint64 exitDelay, uint64 minimum);
    error InferenceMarket_UnknownRequest(uint256 requestId);
    error InferenceMarket_ModeNotAllowed(uint64 versionId, uint8 mode);
    error InferenceMarket_ModeNotSupported(uint8 mode);
    error InferenceMarket_VkaNotRegistered(bytes32 vkaDigest);
    error InferenceMarket_NoUsableCircuit(uint64 versionId);
    error InferenceMarket_InputTooLong(uint256 length, uint256 maximum);
    error InferenceMarket_HintTooLong(uint256 length, uint256 maximum);
    error InferenceMarket_ZeroInputDigest();
    error InferenceMarket_InputDigestMismatch(bytes32 given, bytes32 expected);
    error InferenceMarket_InputBindingMismatch(bytes32 proven, bytes32 expected);
    error InferenceMarket_PriceTooHigh(uint256 price, uint256 maximum);
    error InferenceMarket_PriceTooLow(uint256 price, uint256 least);
    error InferenceMarket_InvalidRamp(uint256 minPrice, uint256 maxPrice, uint64 rampStart, uint32 rampLength);
    error InferenceMarket_InvalidSignature(uint256 requestId, address requester);
    error InferenceMarket_NonceUsed(address requester, uint256 nonce);
    error InferenceMarket_NotALock(uint256 index);
    error InferenceMarket_NothingLocked();
    error InferenceMarket_CollateralTooHigh(uint256 collateral, uint256 maximum);
    error InferenceMarket_CollateralBelowFloor(uint256 collateral, uint256 floor);
    error InferenceMarket_DeadlineOutOfRange(uint64 deadline, uint64 earliest, uint64 latest);
    error InferenceMarket_LockDurationOutOfRange(uint32 lockDuration, uint32 minimum, uint32 maximum);
    error InferenceMarket_CallbackGasTooHigh(uint32 callbackGas, uint32 maximum);
    error InferenceMarket_CallbackGasWithoutCallback();
    error InferenceMarket_NotOpen(uint256 requestId, RequestState state);
    error InferenceMarket_NotLocked(uint256 requestId, RequestState state);
    error InferenceMarket_Expired(uint256 requestId, uint64 deadline);
    error InferenceMarket_NotExpired(uint256 requestId, uint64 deadline);
    error InferenceMarket_NamedCannotCancel(uint256 requestId, address executor);
    error InferenceMarket_OtherTerms(uint256 requestId, bytes32 given, bytes32 actual);
    error InferenceMarket_LockTooShort(uint64 lockDeadline, uint64 least);
    error InferenceMarket_NotRequester(uint256 requestId, address caller);
    error InferenceMarket_NotNamedExecutor(uint256 requestId, address caller, address named);
    error InferenceMarket_NotLockHolder(uint256 requestId, address caller, address holder);
    error InferenceMarket_LockedInThisBlock(uint256 requestId);
    error InferenceMarket_EmptyBatch();
    error InferenceMarket_TooManyRequests(uint256 requests, uint256 rows);
    error InferenceMarket_VersionMismatch(uint256 requestId, uint64 versionId, uint64 expected);
    error InferenceMarket_NothingToFulfill();
    error InferenceMarket_NotEnoughGasForCallback(uint256 available, uint256 needed);

    // --- requests ---
    /// @notice Escrows `params.maxPrice` from the caller's balance and opens a request.
    /// @param input the packed input, or empty where executors fetch it by `inputHint`.
    function request(RequestParams calldata params, bytes calldata input, string calldata inputHint)
        external
        returns (uint256 requestId);
    /// @notice `depositWithPermit` and `request` in one transaction.
    function requestWithPermit(
        RequestParams calldata params,
        bytes calldata input,
        string calldata inputHint,
        Permit calldata permit
    ) external returns (uint256 requestId);
    /// @notice Takes an open request back before anyone locked it. Only its requester, and not where it names an
    /// executor: that one shows output and proof in the transaction that locks, and a cancel in front of it would take
    /// both for nothing. Such a request is refunded after its deadline.
    function cancel(uint256 requestId) external;
    /// @notice Locks a request: the caller must fulfil before the lock's deadline or lose the collateral. Never for
    /// less than `MIN_LOCK_DURATION`. The price is that of this second, for good; what is left of the most that was
    /// offered returns to the requester's balance.
    /// @dev A request whose lock was missed may be locked again while it lives, at the same price and with the whole
    /// collateral. Who answers it then gets half of the collateral that was missed last; the rest of it burns, as does
    /// all that was missed before.
    /// @param termsHash `termsOf` the request that the caller means. Ids are counted: after a reorganisation of the
    /// chain the same id may be another request, for other terms.
    /// @param leastSeconds time that must be left between the block that mines the lock and the lock's deadline,
    /// against a transaction mined late. Seconds, not a point in time: where the request's own deadline ends the lock,
    /// the lock's deadline is the same however late it is mined.
    /// @param leastPrice least price for which the caller takes the request on. Prices never fall while time passes,
    /// but a block may be earlier than the one that the caller expected.
    function lock(uint256 requestId, bytes32 termsHash, uint32 leastSeconds, uint128 leastPrice) external;
    /// @notice Makes and locks a request that its requester signed: `maxPrice` leaves his balance here. Anyone, or the
    /// executor that the request names. The signature may be of an account without code, of a contract account
    /// (ERC-1271) or of one that is not deployed yet (ERC-6492); it is not looked at again.
    /// @param leastSeconds as in `lock`.
    /// @param leastPrice as in `lock`.
    /// @return requestId `idOf(signed)`.
    function lockSigned(
        SignedRequest calldata signed,
        bytes calldata signature,
        uint32 leastSeconds,
        uint128 leastPrice
    ) external returns (uint256 requestId);
    /// @notice Makes, locks and fulfils a signed request in one transaction; only where it names the caller as
    /// executor.
    function lockSignedAndFulfill(
        SignedRequest calldata signed,
        bytes calldata signature,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external returns (uint256 requestId);
    /// @notice Several locks in one transaction, each as if it had been sent by itself; those that fail are left out
    /// with `LockSkipped`. Reverts where none is left.
    /// @param locks calldata of `lock` and `lockSigned`, selectors included.
    /// @return locked number of requests that were locked.
    function lockMany(bytes[] calldata locks) external returns (uint256 locked);
    /// @notice Makes nonces of the caller useless: those of the word `wordIndex` whose bits are set in `mask`. Nonce n
    /// is bit `n & 255` of word `n >> 8`. What was signed with them and is not locked yet never will be.
    function cancelNonces(uint256 wordIndex, uint256 mask) external;
    /// @notice Delivers a proven output. Only the lock holder, at least one block after the lock, up to and including
    /// the lock's deadline.
    /// @param input packed input for `PACKED`; empty for `KZG`.
    function fulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external;
    /// @notice Delivers the proven outputs of several requests of one version with one proof. Row i answers
    /// `requestIds[i]`; rows after the last id are padding, proven and answered to nobody.
    /// @dev A request that is not locked by the caller, past its lock's deadline or locked in this very block is
    /// skipped, with `FulfilmentSkipped`, whatever its version or input. A request of another version, or with another
    /// input than its row, is the caller's own mistake and reverts the whole, as does a batch of which nothing is left.
    /// Callbacks run after all requests are paid. The transaction needs the gas promised to all of them: which requests
    /// share a batch is the executor's choice.
    /// @param inputs packed inputs of all rows of the circuit's batch.
    /// @param outputs packed outputs of all rows.
    /// @return fulfilled number of requests that were paid.
    function fulfillBatch(
        uint256[] calldata requestIds,
        uint256 circuitIndex,
        bytes calldata inputs,
        bytes calldata outputs,
        bytes calldata proof
    ) external returns (uint256 fulfilled);
    /// @notice Lock and fulfil in one transaction, up to and including the request's deadline; only where the request
    /// names the caller as executor.
    function lockAndFulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external;
    /// @notice Refunds a request that was not locked by its deadline or not fulfilled by its lock's deadline, and
    /// slashes the executor who missed the lock. Anyone may call; nothing can block it.
    function refund(uint256 requestId) external;

    // --- views ---
    function zkVerifier() external view returns (address);
    function staking() external view returns (address);
    function COLLATERAL_FLOOR() external view returns (uint128);
    function MAX_LIFETIME() external view returns (uint64);
    function MIN_LOCK_DURATION() external view returns (uint32);
    function MAX_LOCK_DURATION() external view returns (uint32);
    function MAX_CALLBACK_GAS() external view returns (uint32);
    function MAX_INPUT_LENGTH() external view returns (uint256);
    function signatureValidator() external view returns (address);
    /// @notice Used and cancelled nonces of an account, 256 to a word.
    function nonceWord(address account, uint256 wordIndex) external view returns (uint256);
    /// @notice Id that a signed request has, or will have: the EIP-712 digest that its requester signs.
    function idOf(SignedRequest calldata signed) external view returns (uint256);
    /// @notice Number of requests that were made by `request`; their ids count from 1. Those of signed requests do not.
    function requestCount() external view returns (uint256);
    /// @notice A request; once it is paid, without its price and times (see `Request`).
    function requestOf(uint256 requestId) external view returns (Request memory);
    /// @notice What `lock` compares, of a request that is not paid: keccak256(abi.encode(requester, versionId, mode,
    /// inputBinding, maxPrice, minPrice, rampStart, rampLength, royaltyBps, collateral, deadline, lockDuration,
    /// namedExecutor, callback, callbackGas)), each as stored in `Request`.
    function termsOf(uint256 requestId) external view returns (bytes32);
    /// @notice The stored state and whether the request can be refunded now.
    function statusOf(uint256 requestId) external view returns (RequestState state, bool refundable);
}
