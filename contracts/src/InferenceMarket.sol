// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketFulfilment} from "./MarketFulfilment.sol";
import {MarketRequests} from "./MarketRequests.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {Limits, Permit, RequestParams, RequestState} from "./types/MarketTypes.sol";
import {Circuit, CircuitRole, InputBinding, TrustMode, Version} from "./types/ModelTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Market of verified inferences
/// @notice A request goes OPEN -> LOCKED -> PAID, or from OPEN or LOCKED to REFUNDED. Its price leaves the requester's
/// balance when it is made, and reaches balances and royalties once, when it leaves the open states.
contract InferenceMarket is MarketFulfilment {
    using StoredRequests for StoredRequest;

    uint256 private constant MAX_HINT_LENGTH = 256;

    constructor(address token_, address registry_, address zkVerifier_, address staking_, Limits memory limits)
        MarketRequests(token_, registry_, zkVerifier_, staking_, limits)
    {}

    // --- a request's life ---

    /// @inheritdoc IInferenceMarket
    function request(RequestParams calldata params, bytes calldata input, string calldata inputHint)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        return _request(params, input, inputHint);
    }

    /// @inheritdoc IInferenceMarket
    function requestWithPermit(
        RequestParams calldata params,
        bytes calldata input,
        string calldata inputHint,
        Permit calldata permit
    ) external nonReentrant returns (uint256 requestId) {
        _depositWithPermit(permit);
        return _request(params, input, inputHint);
    }

    /// @inheritdoc IInferenceMarket
    function cancel(uint256 requestId) external nonReentrant {
        // Check: the requester, before anybody committed stake to it.
        StoredRequest storage stored = _known(requestId);
        if (stored.requester != msg.sender) revert InferenceMarket_NotRequester(requestId, msg.sender);
        if (stored.state != RequestState.OPEN) revert InferenceMarket_NotOpen(requestId, stored.state);
        // Check: nobody is named. The named executor shows output and proof in the transaction that locks: a cancel put
        // in front of it would take them for nothing.
        address named = stored.namedExecutor;
        if (named != address(0)) revert InferenceMarket_NamedCannotCancel(requestId, named);
        // Effect
        _refund(requestId, stored, 0);
    }

    /// @inheritdoc IInferenceMarket
    function lock(uint256 requestId, bytes32 termsHash, uint32 leastSeconds) external nonReentrant {
        StoredRequest storage stored = _known(requestId);
        uint64 lockDeadline = _checkLock(requestId, stored);
        // Check: the request that the caller looked at. An id is a counter: after a reorganisation it may be another's.
        bytes32 actual = stored.termsHash();
        if (termsHash != actual) revert InferenceMarket_OtherTerms(requestId, termsHash, actual);
        // Check: however late this was mined, the caller's time is left, and the market's minimum.
        uint256 least = block.timestamp + Math.max(leastSeconds, MIN_LOCK_DURATION);
        if (lockDeadline < least) revert InferenceMarket_LockTooShort(lockDeadline, uint64(least));
        _lock(requestId, stored, lockDeadline);
    }

    /// @inheritdoc IInferenceMarket
    function lockAndFulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant {
        // Check: nobody else could lock this request, so there is nobody to copy from.
        StoredRequest storage stored = _known(requestId);
        if (stored.namedExecutor != msg.sender) {
            revert InferenceMarket_NotNamedExecutor(requestId, msg.sender, stored.namedExecutor);
        }
        // No bound in time: what is fulfilled at once needs none. No terms: the proof binds version and input.
        _lock(requestId, stored, _checkLock(requestId, stored));
        _fulfill(requestId, circuitIndex, input, output, proof);
    }

    /// @inheritdoc IInferenceMarket
    function refund(uint256 requestId) external nonReentrant {
        // Check: strictly after the last second in which it could be locked or fulfilled.
        StoredRequest storage stored = _known(requestId);
        RequestState state = stored.state;
        if (state != RequestState.OPEN && state != RequestState.LOCKED) {
            revert InferenceMarket_NotOpen(requestId, state);
        }
        uint64 last = _lastSecond(stored);
        if (block.timestamp <= last) revert InferenceMarket_NotExpired(requestId, last);

        // Effect
        uint256 collateral = state == RequestState.LOCKED ? stored.collateral : 0;
        _refund(requestId, stored, collateral);

        // Interaction: moves no tokens, and cannot fail for the claim that this contract opened: the compensation is at
        // most half of the collateral, and the requester is an account.
        if (collateral != 0) {
            STAKING.slash(bytes32(requestId), stored.requester, Math.min(stored.pending.price, collateral / 2));
        }
    }

    // --- steps ---

    function _request(RequestParams calldata params, bytes calldata input, string calldata inputHint)
        private
        returns (uint256 requestId)
    {
        // Check
        _checkBounds(params);
        uint16 royaltyBps = _checkVersion(params);
        _checkInput(params, input, inputHint);

        // Effect: escrow, which exists as the price of an unfinished request.
        _debit(msg.sender, params.price);
        requestId = ++_requestCount;
        _requests[requestId].open(params, msg.sender, royaltyBps);
        emit RequestCreated(requestId, params.versionId, msg.sender, params, input, inputHint);
    }

    function _checkLock(uint256 requestId, StoredRequest storage stored) private view returns (uint64 lockDeadline) {
        // Check: open, in time, and for the caller.
        if (stored.state != RequestState.OPEN) revert InferenceMarket_NotOpen(requestId, stored.state);
        uint64 deadline = stored.pending.deadline;
        if (block.timestamp > deadline) revert InferenceMarket_Expired(requestId, deadline);
        address named = stored.namedExecutor;
        if (named != address(0) && named != msg.sender) {
            revert InferenceMarket_NotNamedExecutor(requestId, msg.sender, named);
        }
        // The request's deadline bounds the lock's. Times fit 64 bits, and the smaller of both fits as well.
        return uint64(Math.min(block.timestamp + stored.pending.lockDuration, deadline));
    }

    /// @dev The caller has checked that `msg.sender` may lock now, until `lockDeadline`.
    function _lock(uint256 requestId, StoredRequest storage stored, uint64 lockDeadline) private {
        // Effect
        stored.lock(msg.sender, lockDeadline);
        emit RequestLocked(requestId, msg.sender, lockDeadline);

        // Interaction: reverts unless the caller has that much allocated to this market and unlocked.
        STAKING.lock(msg.sender, bytes32(requestId), stored.collateral);
    }

    function _refund(uint256 requestId, StoredRequest storage stored, uint256 slashed) private {
        // Effect
        address requester = stored.requester;
        uint256 price = stored.pending.price;
        stored.state = RequestState.REFUNDED;
        _credit(requester, price);
        emit RequestRefunded(requestId, requester, price, slashed);
    }

    // --- checks ---

    /// @dev Nobody escrows for a version that could not answer in this mode.
    function _checkVersion(RequestParams calldata params) private view returns (uint16 royaltyBps) {
        // Check: allowed by the version, and served by this market.
        uint8 mode = uint8(params.mode);
        Version memory pinned = REGISTRY.version(params.versionId);
        if (pinned.modes & (1 << mode) == 0) revert InferenceMarket_ModeNotAllowed(params.versionId, mode);
        if (params.mode != TrustMode.ZK) revert InferenceMarket_ModeNotSupported(mode);
        // Check: packed inputs are bound by their own digest.
        if (pinned.binding == InputBinding.PACKED && params.inputBinding != params.inputDigest) {
            revert InferenceMarket_InputBindingMismatch(params.inputBinding, params.inputDigest);
        }
        _checkCircuit(params.versionId);
        return pinned.royaltyBps;
    }

    /// @dev A request is one row: the version needs a whole-model circuit of batch size 1 whose key is stored.
    function _checkCircuit(uint64 versionId) private view {
        Circuit[] memory circuits = REGISTRY.circuits(versionId);
        for (uint256 i = 0; i < circuits.length; ++i) {
            if (circuits[i].batchSize != 1 || circuits[i].role != CircuitRole.WHOLE) continue;
            // Check: there is one such circuit at most, the registry refuses a second.
            if (ZK_VERIFIER.isRegistered(circuits[i].vkaDigest)) return;
            revert InferenceMarket_VkaNotRegistered(circuits[i].vkaDigest);
        }
        revert InferenceMarket_NoUsableCircuit(versionId);
    }

    function _checkInput(RequestParams calldata params, bytes calldata input, string calldata inputHint) private view {
        // Check: bounded, and the bytes are the ones that the digest names.
        if (input.length > MAX_INPUT_LENGTH) revert InferenceMarket_InputTooLong(input.length, MAX_INPUT_LENGTH);
        if (bytes(inputHint).length > MAX_HINT_LENGTH) {
            revert InferenceMarket_HintTooLong(bytes(inputHint).length, MAX_HINT_LENGTH);
        }
        if (params.inputDigest == 0) revert InferenceMarket_ZeroInputDigest();
        if (input.length != 0 && keccak256(input) != params.inputDigest) {
            revert InferenceMarket_InputDigestMismatch(keccak256(input), params.inputDigest);
        }
    }
}
