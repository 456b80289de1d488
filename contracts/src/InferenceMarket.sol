// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketAccounts} from "./MarketAccounts.sol";
import {MarketLimits} from "./MarketLimits.sol";
import {IExecutorStaking} from "./interfaces/IExecutorStaking.sol";
import {IInferenceConsumer} from "./interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {IZkVerifier} from "./interfaces/IZkVerifier.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {Pending, StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {Limits, Permit, Request, RequestParams, RequestState, SkipReason} from "./types/MarketTypes.sol";
import {Circuit, CircuitRole, InputBinding, TrustMode, Version} from "./types/ModelTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title Market of verified inferences
/// @notice A request goes OPEN -> LOCKED -> PAID, or from OPEN or LOCKED to REFUNDED. Its price leaves the requester's
/// balance when it is made, and reaches balances and royalties once, when it leaves the open states.
contract InferenceMarket is MarketAccounts, MarketLimits {
    using StoredRequests for StoredRequest;

    /// @dev A batch on its way from proof to payment.
    /// @param versionId version whose circuit was proven.
    /// @param proven input binding of each row.
    /// @param paid ids of the requests that were paid, which are the ids of their claims.
    /// @param paidCount how many there are so far.
    /// @param calledRows rows of those among them that have a callback.
    /// @param calledCount how many there are so far.
    /// @param fees sum of what the executor earned.
    /// @param royalties sum of what the model earned.
    struct Batch {
        uint64 versionId;
        bytes32[] proven;
        bytes32[] paid;
        uint256 paidCount;
        uint256[] calledRows;
        uint256 calledCount;
        uint256 fees;
        uint256 royalties;
    }

    uint256 private constant MAX_HINT_LENGTH = 256;
    /// @dev Bytes of a callback's return data that are copied and logged.
    uint256 private constant MAX_RETURNED = 256;
    /// @dev Gas kept beside the callback's: the call itself (2,600 for a cold account) and the log after it.
    uint256 private constant CALLBACK_RESERVE = 20_000;

    IZkVerifier private immutable ZK_VERIFIER;
    IExecutorStaking private immutable STAKING;

    uint256 private _requestCount;
    mapping(uint256 requestId => StoredRequest) private _requests;

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
    function fulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant {
        // Check: the lock holder, in time.
        StoredRequest storage stored = _known(requestId);
        _requireFulfillable(requestId, stored);
        _fulfill(requestId, circuitIndex, input, output, proof);
    }

    /// @inheritdoc IInferenceMarket
    function fulfillBatch(
        uint256[] calldata requestIds,
        uint256 circuitIndex,
        bytes calldata inputs,
        bytes calldata outputs,
        bytes calldata proof
    ) external nonReentrant returns (uint256 fulfilled) {
        // Check: the proof fits the version of the first request that can be paid; the others are held against it.
        Batch memory batch;
        batch.versionId = _versionOf(requestIds);
        batch.proven = ZK_VERIFIER.verifyBatch(batch.versionId, circuitIndex, inputs, outputs, proof);
        if (requestIds.length > batch.proven.length) {
            revert InferenceMarket_TooManyRequests(requestIds.length, batch.proven.length);
        }
        // Effect
        _payRows(batch, requestIds, outputs);

        // Interaction: the claims are answered; then the requesters' code, last.
        STAKING.unlockMany(msg.sender, batch.paid);
        for (uint256 i = 0; i < batch.calledRows.length; ++i) {
            uint256 row = batch.calledRows[i];
            _callBack(requestIds[row], _row(outputs, row, batch.proven.length));
        }
        return batch.paid.length;
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
    function requestOf(uint256 requestId) external view returns (Request memory) {
        return _known(requestId).view_();
    }

    /// @inheritdoc IInferenceMarket
    function termsOf(uint256 requestId) external view returns (bytes32) {
        StoredRequest storage stored = _known(requestId);
        // Check: they are still there.
        if (stored.state == RequestState.PAID) revert InferenceMarket_NotOpen(requestId, RequestState.PAID);
        return stored.termsHash();
    }

    /// @inheritdoc IInferenceMarket
    function statusOf(uint256 requestId) external view returns (RequestState state, bool refundable) {
        StoredRequest storage stored = _known(requestId);
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

    /// @dev The caller has checked that `msg.sender` holds the lock in time.
    function _fulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) private {
        StoredRequest storage stored = _requests[requestId];
        Pending memory pending = stored.loadPending();
        uint64 versionId = stored.versionId;
        // Check: the proof fits the version, and what it proves fits the request.
        _checkBinding(stored, ZK_VERIFIER.verify(versionId, circuitIndex, input, output, proof));

        // Effect
        (uint256 fee, uint256 royalty) = _pay(requestId, stored, versionId, pending, output);
        _payOut(msg.sender, versionId >> 32, fee, royalty);

        // Interaction: the claim is answered; then the requester's code, last.
        STAKING.unlock(bytes32(requestId));
        if (pending.hasCallback) _callBack(requestId, output);
    }

    /// @dev Pays every request that can be paid, each bound to its own row; those that cannot are left out.
    function _payRows(Batch memory batch, uint256[] calldata requestIds, bytes calldata outputs) private {
        batch.paid = new bytes32[](requestIds.length);
        batch.calledRows = new uint256[](requestIds.length);
        for (uint256 row = 0; row < requestIds.length; ++row) {
            _payRow(batch, requestIds[row], row, _row(outputs, row, batch.proven.length));
        }
        _payOut(msg.sender, batch.versionId >> 32, batch.fees, batch.royalties);
        _cut(batch);
    }

    function _payRow(Batch memory batch, uint256 requestId, uint256 row, bytes calldata output) private {
        StoredRequest storage stored = _requests[requestId];
        Pending memory pending = stored.loadPending();
        // Check: an id that comes twice is paid by now.
        SkipReason reason = _judge(stored, pending);
        if (reason != SkipReason.NONE) {
            emit FulfilmentSkipped(requestId, msg.sender, reason);
            return;
        }
        // Check: one proof is of one version's circuit, and row and request have one input.
        if (stored.versionId != batch.versionId) {
            revert InferenceMarket_VersionMismatch(requestId, stored.versionId, batch.versionId);
        }
        _checkBinding(stored, batch.proven[row]);
        // Effect
        batch.paid[batch.paidCount] = bytes32(requestId);
        ++batch.paidCount;
        if (pending.hasCallback) {
            batch.calledRows[batch.calledCount] = row;
            ++batch.calledCount;
        }
        (uint256 fee, uint256 royalty) = _pay(requestId, stored, batch.versionId, pending, output);
        batch.fees += fee;
        batch.royalties += royalty;
    }

    /// @dev Makes a request `PAID`; the caller pays out what is due, having checked that it is.
    /// @param pending what was read before: nothing of it is left in storage after this.
    function _pay(
        uint256 requestId,
        StoredRequest storage stored,
        uint64 versionId,
        Pending memory pending,
        bytes calldata output
    ) private returns (uint256 fee, uint256 royalty) {
        (fee, royalty) = _split(pending.price, pending.royaltyBps);
        stored.pay(keccak256(output));
        emit RequestFulfilled(requestId, msg.sender, versionId, fee, royalty, output);
    }

    /// @dev Nothing that the callback does changes what is paid and stored, and it gets the gas that was promised: with
    /// less, the executor could make it fail at will.
    function _callBack(uint256 requestId, bytes calldata output) private {
        StoredRequest storage stored = _requests[requestId];
        address callback = stored.callback;
        uint256 callbackGas = stored.callbackGas;
        bytes memory data = abi.encodeCall(
            IInferenceConsumer.onInference,
            (requestId, stored.versionId, stored.requester, stored.inputDigestOf(), stored.inputBinding, output)
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

    function _checkBinding(StoredRequest storage stored, bytes32 proven) private view {
        bytes32 expected = stored.inputBinding;
        if (proven != expected) revert InferenceMarket_InputBindingMismatch(proven, expected);
    }

    function _requireFulfillable(uint256 requestId, StoredRequest storage stored) private view {
        SkipReason reason = _judge(stored, stored.loadPending());
        if (reason == SkipReason.NONE) return;
        if (reason == SkipReason.NOT_LOCKED) revert InferenceMarket_NotLocked(requestId, stored.state);
        if (reason == SkipReason.NOT_LOCK_HOLDER) {
            revert InferenceMarket_NotLockHolder(requestId, msg.sender, stored.executor);
        }
        if (reason == SkipReason.EXPIRED) revert InferenceMarket_Expired(requestId, stored.pending.lockDeadline);
        revert InferenceMarket_LockedInThisBlock(requestId);
    }

    /// @dev Whether the caller may fulfil a request now, and why not.
    function _judge(StoredRequest storage stored, Pending memory pending) private view returns (SkipReason) {
        // One read: both are in one slot.
        (RequestState state, address holder) = (stored.state, stored.executor);
        // Check: the lock holder, in time. The deadline's own second still counts.
        if (state != RequestState.LOCKED) return SkipReason.NOT_LOCKED;
        if (holder != msg.sender) return SkipReason.NOT_LOCK_HOLDER;
        if (block.timestamp > pending.lockDeadline) return SkipReason.EXPIRED;
        // Check: the lock was mined before the proof was shown. Else a proof seen beside its own lock in the mempool
        // could be taken: lock first, fulfil with the copy.
        if (pending.lockBlock == block.number && stored.namedExecutor != msg.sender) {
            return SkipReason.LOCKED_IN_THIS_BLOCK;
        }
        return SkipReason.NONE;
    }

    /// @dev Version of the first request of a batch that can be paid.
    function _versionOf(uint256[] calldata requestIds) private view returns (uint64) {
        if (requestIds.length == 0) revert InferenceMarket_EmptyBatch();
        for (uint256 i = 0; i < requestIds.length; ++i) {
            StoredRequest storage stored = _requests[requestIds[i]];
            if (_judge(stored, stored.loadPending()) == SkipReason.NONE) return stored.versionId;
        }
        revert InferenceMarket_NothingToFulfill();
    }

    function _known(uint256 requestId) private view returns (StoredRequest storage stored) {
        stored = _requests[requestId];
        if (stored.state == RequestState.NONE) revert InferenceMarket_UnknownRequest(requestId);
    }

    /// @dev Last second of an unfinished request: of its lock, or else of its own.
    function _lastSecond(StoredRequest storage stored) private view returns (uint64) {
        return stored.state == RequestState.LOCKED ? stored.pending.lockDeadline : stored.pending.deadline;
    }

    /// @dev Cuts the lists to what was used of them: shorter only, so what is left behind them stays theirs.
    function _cut(Batch memory batch) private pure {
        (bytes32[] memory paid, uint256 paidCount) = (batch.paid, batch.paidCount);
        (uint256[] memory calledRows, uint256 calledCount) = (batch.calledRows, batch.calledCount);
        assembly ("memory-safe") {
            mstore(paid, paidCount)
            mstore(calledRows, calledCount)
        }
    }

    /// @dev One of the equally long rows that make `packed`.
    function _row(bytes calldata packed, uint256 row, uint256 rows) private pure returns (bytes calldata) {
        uint256 length = packed.length / rows;
        return packed[row * length:(row + 1) * length];
    }
}
