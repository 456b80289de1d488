// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {TrustMode} from "../types/ModelTypes.sol";
import {Result} from "../types/RecordTypes.sol";
import {IMarketAccounts} from "./IMarketAccounts.sol";

/// @title A market that keeps one word per request
/// @notice What the markets of all modes but `ZK` have in common. The id of a request is its EIP-712 digest, signed or
/// not; its details travel in calldata and events, and the market keeps a hash of them.
interface IRecordMarket is IMarketAccounts {
    /// @notice Nonces of an account, those whose bits are set in `mask`, can no longer be used.
    event NoncesCancelled(address indexed account, uint256 wordIndex, uint256 mask);
    /// @notice One of several calls failed; the others were made. `reason` is what it reverted with, cut at 256 bytes.
    event CallSkipped(address indexed caller, uint256 index, bytes reason);
    /// @notice The callback ran; `success` false means that it reverted, `returned` is cut at 256 bytes.
    event CallbackExecuted(uint256 indexed requestId, address indexed callback, bool success, bytes returned);

    error RecordMarket_InvalidConfiguration();
    /// @dev The request is in another state, or, where both are the same, other details were shown.
    error RecordMarket_OtherRecord(uint256 requestId, uint8 state, uint8 expected);
    error RecordMarket_InvalidSignature(uint256 requestId, address requester);
    error RecordMarket_NotRequester(uint256 requestId, address caller, address requester);
    error RecordMarket_NonceUsed(address requester, uint256 nonce);
    error RecordMarket_ModeNotAllowed(uint64 versionId, TrustMode mode);
    error RecordMarket_InputTooLong(uint256 length, uint256 maximum);
    error RecordMarket_HintTooLong(uint256 length, uint256 maximum);
    error RecordMarket_OutputTooLong(uint256 length, uint256 maximum);
    /// @dev Outputs of that version have so many bytes: no answer to it could be brought.
    error RecordMarket_UndeliverableOutput(uint64 versionId, uint256 length, uint256 maximum);
    error RecordMarket_ZeroInputDigest();
    error RecordMarket_InputDigestMismatch(bytes32 given, bytes32 expected);
    error RecordMarket_InputBindingMismatch(bytes32 proven, bytes32 expected);
    error RecordMarket_OutputDigestMismatch(bytes32 given, bytes32 expected);
    error RecordMarket_PriceTooHigh(uint256 price, uint256 maximum);
    error RecordMarket_InvalidRamp(uint256 minPrice, uint256 maxPrice, uint64 rampStart, uint32 rampLength);
    error RecordMarket_DeadlineOutOfRange(uint64 deadline, uint64 earliest, uint64 latest);
    error RecordMarket_CallbackGasTooHigh(uint32 callbackGas, uint32 maximum);
    error RecordMarket_CallbackGasWithoutCallback();
    error RecordMarket_NotEnoughGasForCallback(uint256 available, uint256 needed);
    error RecordMarket_NothingDone();

    /// @notice Makes nonces of the caller useless: those of the word `wordIndex` whose bits are set in `mask`. Nonce n
    /// is bit `n & 255` of word `n >> 8`. No request with one of them can be made from then on.
    function cancelNonces(uint256 wordIndex, uint256 mask) external;
    /// @notice Several calls of this contract in one transaction, each as if the caller had sent it by itself; those
    /// that fail are left out with `CallSkipped`. Reverts where none is left.
    /// @param calls calldata, selectors included.
    /// @return done number of calls that were made.
    function batch(bytes[] calldata calls) external returns (uint256 done);

    // --- views ---
    /// @notice The final output of a request and how it became final; all zero while it is not.
    function resultOf(uint256 requestId) external view returns (Result memory);
    /// @notice The stored word: `state << 248 | 248 bits of details`.
    function recordOf(uint256 requestId) external view returns (uint256);
    /// @notice Used and cancelled nonces of an account, 256 to a word.
    function nonceWord(address account, uint256 wordIndex) external view returns (uint256);
    function signatureValidator() external view returns (address);
    /// @notice The one trust mode of this market's requests.
    function MODE() external view returns (TrustMode);
    function MAX_LIFETIME() external view returns (uint64);
    function MAX_CALLBACK_GAS() external view returns (uint32);
    function MAX_INPUT_LENGTH() external view returns (uint256);
    function MAX_OUTPUT_LENGTH() external view returns (uint256);
}
