// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketAccounts} from "./MarketAccounts.sol";
import {MarketLimits} from "./MarketLimits.sol";
import {IExecutorStaking} from "./interfaces/IExecutorStaking.sol";
import {IInferenceConsumer} from "./interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "./interfaces/IZkVerifier.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {RequestTerms} from "./libraries/RequestTerms.sol";
import {Limits, Permit, Request, RequestParams, RequestState} from "./types/MarketTypes.sol";
import {Circuit, CircuitRole, InputBinding, TrustMode, Version} from "./types/ModelTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Market of verified inferences
/// @notice A request goes OPEN -> LOCKED -> PAID, or from OPEN or LOCKED to REFUNDED. Its price leaves the requester's
/// balance when it is made, and reaches balances and royalties once, when it leaves the open states.
contract InferenceMarket is MarketAccounts, MarketLimits {
    uint256 private constant MAX_HINT_LENGTH = 256;
    /// @dev Bytes of a callback's return data that are copied and logged.
    uint256 private constant MAX_RETURNED = 256;
    /// @dev Gas kept beside the callback's: the call itself (2,600 for a cold account) and the log after it.
    uint256 private constant CALLBACK_RESERVE = 20_000;

    IZkVerifier private immutable ZK_VERIFIER;
    IExecutorStaking private immutable STAKING;

    uint256 private _requestCount;
    /// @dev `inputDigest` is stored as zero where it equals `inputBinding` (always, for `PACKED`): one slot less.
    mapping(uint256 requestId => Request) private _requests;

    constructor(address token_, address registry_, address zkVerifier_, address staking_, Limits memory limits)
        MarketAccounts(token_, registry_)
        MarketLimits(limits)
    {
        // Check: the parts belong together.
        if (IZkVerifier(zkVerifier_).registry() != registry_) revert InferenceMarket_InvalidConfiguration();
        if (IExecutorStaking(staking_).token() != token_) revert InferenceMarket_InvalidConfiguration();
        // Check: nobody can leave the staking contract before the last claim that he could have taken on is final.
        uint64 exitDelay = IExecutorStaking(staking_).EXIT_DELAY();
        uint64 longest = limits.maxLifetime + limits.maxLockDuration;
        if (exitDelay < longest) revert InferenceMarket_ExitDelayTooShort(exitDelay, longest);

        // Effect
        ZK_VERIFIER = IZkVerifier(zkVerifier_);
        STAKING = IExecutorStaking(staking_);
    }

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
        Request storage stored = _known(requestId);
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
        Request storage stored = _known(requestId);
        uint64 lockDeadline = _checkLock(requestId, stored);
        // Check: the request that the caller looked at. An id is a counter: after a reorganisation it may be another's.
        bytes32 actual = RequestTerms.hash(stored);
        if (termsHash != actual) revert InferenceMarket_OtherTerms(requestId, termsHash, actual);
        // Check: however late this was mined, the caller's time is left, and the market's minimum.
        uint256 least = block.timestamp + Math.max(leastSeconds, MIN_LOCK_DURATION);
        if (lockDeadline < least) revert InferenceMarket_LockTooShort(lockDeadline, uint64(least));
        _lock(requestId, stored, lockDeadline);
    }

    /// @inheritdoc IInferenceMarket
    function fulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant {
        // Check: the lock holder, in time. The deadline's own second still counts.
        Request storage stored = _known(requestId);
        if (stored.state != RequestState.LOCKED) revert InferenceMarket_NotLocked(requestId, stored.state);
        if (stored.executor != msg.sender) {
            revert InferenceMarket_NotLockHolder(requestId, msg.sender, stored.executor);
        }
        if (block.timestamp > stored.lockDeadline) revert InferenceMarket_Expired(requestId, stored.lockDeadline);
        // Check: the lock was mined before the proof was shown. Else a proof seen beside its own lock in the mempool
        // could be taken: lock first, fulfil with the copy.
        if (stored.lockBlock == block.number && stored.namedExecutor != msg.sender) {
            revert InferenceMarket_LockedInThisBlock(requestId);
        }
        _fulfill(requestId, circuitIndex, input, output, proof);
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
        Request storage stored = _known(requestId);
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
        Request storage stored = _known(requestId);
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
            STAKING.slash(bytes32(requestId), stored.requester, Math.min(stored.price, collateral / 2));
        }
    }

    // --- views ---

    /// @inheritdoc IInferenceMarket
    function zkVerifier() external view returns (address) {
        return address(ZK_VERIFIER);
    }

    /// @inheritdoc IInferenceMarket
    function staking() external view returns (address) {
        return address(STAKING);
    }

    /// @inheritdoc IInferenceMarket
    function requestCount() external view returns (uint256) {
        return _requestCount;
    }

    /// @inheritdoc IInferenceMarket
    function requestOf(uint256 requestId) external view returns (Request memory copied) {
        Request storage stored = _known(requestId);
        copied = stored;
        copied.inputDigest = _inputDigest(stored);
    }

    /// @inheritdoc IInferenceMarket
    function termsOf(uint256 requestId) external view returns (bytes32) {
        return RequestTerms.hash(_known(requestId));
    }

    /// @inheritdoc IInferenceMarket
    function statusOf(uint256 requestId) external view returns (RequestState state, bool refundable) {
        Request storage stored = _known(requestId);
        state = stored.state;
        bool unfinished = state == RequestState.OPEN || state == RequestState.LOCKED;
        refundable = unfinished && block.timestamp > _lastSecond(stored);
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
        Request storage stored = _requests[requestId];
        stored.requester = msg.sender;
        stored.versionId = params.versionId;
        stored.state = RequestState.OPEN;
        stored.mode = params.mode;
        stored.royaltyBps = royaltyBps;
        if (params.inputDigest != params.inputBinding) stored.inputDigest = params.inputDigest;
        stored.inputBinding = params.inputBinding;
        stored.price = params.price;
        stored.collateral = params.collateral;
        stored.deadline = params.deadline;
        stored.lockDuration = params.lockDuration;
        stored.callbackGas = params.callbackGas;
        // Zero needs no write: a fresh slot costs nothing where it stays empty.
        if (params.executor != address(0)) stored.namedExecutor = params.executor;
        if (params.callback != address(0)) stored.callback = params.callback;
        emit RequestCreated(requestId, params.versionId, msg.sender, params, input, inputHint);
    }

    function _checkLock(uint256 requestId, Request storage stored) private view returns (uint64 lockDeadline) {
        // Check: open, in time, and for the caller.
        if (stored.state != RequestState.OPEN) revert InferenceMarket_NotOpen(requestId, stored.state);
        uint64 deadline = stored.deadline;
        if (block.timestamp > deadline) revert InferenceMarket_Expired(requestId, deadline);
        address named = stored.namedExecutor;
        if (named != address(0) && named != msg.sender) {
            revert InferenceMarket_NotNamedExecutor(requestId, msg.sender, named);
        }
        // The request's deadline bounds the lock's. Times fit 64 bits, and the smaller of both fits as well.
        return uint64(Math.min(block.timestamp + stored.lockDuration, deadline));
    }

    /// @dev The caller has checked that `msg.sender` may lock now, until `lockDeadline`.
    function _lock(uint256 requestId, Request storage stored, uint64 lockDeadline) private {
        // Effect
        stored.state = RequestState.LOCKED;
        stored.lockDeadline = lockDeadline;
        stored.lockBlock = uint64(block.number);
        stored.executor = msg.sender;
        emit RequestLocked(requestId, msg.sender, lockDeadline);

        // Interaction: reverts unless the caller has that much allocated to this market and unlocked.
        STAKING.lock(msg.sender, bytes32(requestId), stored.collateral);
    }

    /// @dev The caller has checked that `msg.sender` holds the lock in time.
    function _fulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) private {
        Request storage stored = _requests[requestId];
        // Check: the proof fits the version, and what it proves fits the request.
        bytes32 proven = ZK_VERIFIER.verify(stored.versionId, circuitIndex, input, output, proof);
        if (proven != stored.inputBinding) revert InferenceMarket_InputBindingMismatch(proven, stored.inputBinding);

        // Effect
        stored.state = RequestState.PAID;
        stored.outputDigest = keccak256(output);
        emit RequestFulfilled(requestId, msg.sender, stored.versionId, output);
        _payRequest(requestId, stored);

        // Interaction: the claim is answered; then the requester's code, last.
        STAKING.unlock(bytes32(requestId));
        if (stored.callback != address(0)) _callBack(requestId, stored, output);
    }

    function _payRequest(uint256 requestId, Request storage stored) private {
        uint256 modelId = stored.versionId >> 32;
        (uint256 fee, uint256 royalty) = _pay(msg.sender, modelId, stored.price, stored.royaltyBps);
        emit RequestPaid(requestId, msg.sender, modelId, fee, royalty);
    }

    /// @dev Nothing that the callback does changes what is paid and stored, and it gets the gas that was promised: with
    /// less, the executor could make it fail at will.
    function _callBack(uint256 requestId, Request storage stored, bytes calldata output) private {
        address callback = stored.callback;
        uint256 callbackGas = stored.callbackGas;
        bytes memory data = abi.encodeCall(
            IInferenceConsumer.onInference,
            (requestId, stored.versionId, stored.requester, _inputDigest(stored), stored.inputBinding, output)
        );
        // Check: EIP-150 keeps back one 64th of the gas at the call.
        uint256 passable = gasleft() * 63 / 64;
        if (passable < callbackGas + CALLBACK_RESERVE) {
            revert InferenceMarket_NotEnoughGasForCallback(passable, callbackGas + CALLBACK_RESERVE);
        }
        // Interaction
        (bool success, bytes memory returned) = BoundedCall.tryCall(callback, callbackGas, MAX_RETURNED, data);
        emit CallbackExecuted(requestId, callback, success, returned);
    }

    function _refund(uint256 requestId, Request storage stored, uint256 slashed) private {
        // Effect
        address requester = stored.requester;
        uint256 price = stored.price;
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

    function _known(uint256 requestId) private view returns (Request storage stored) {
        stored = _requests[requestId];
        if (stored.state == RequestState.NONE) revert InferenceMarket_UnknownRequest(requestId);
    }

    /// @dev Last second of an unfinished request: of its lock, or else of its own.
    function _lastSecond(Request storage stored) private view returns (uint64) {
        return stored.state == RequestState.LOCKED ? stored.lockDeadline : stored.deadline;
    }

    function _inputDigest(Request storage stored) private view returns (bytes32 digest) {
        digest = stored.inputDigest;
        if (digest == 0) digest = stored.inputBinding;
    }
}
