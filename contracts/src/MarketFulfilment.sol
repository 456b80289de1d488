// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketRequests} from "./MarketRequests.sol";
import {IInferenceConsumer} from "./interfaces/IInferenceConsumer.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {BoundedCall} from "./libraries/BoundedCall.sol";
import {RequestFlags} from "./libraries/RequestFlags.sol";
import {Pending, StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {RequestState, SkipReason} from "./types/MarketTypes.sol";

/// @title How requests of the market are answered and paid
/// @notice One by one, or several with one proof; the same rules decide about each. The rest of a request's life is in
/// `InferenceMarket`, which extends this.
abstract contract MarketFulfilment is MarketRequests {
    using StoredRequests for StoredRequest;

    /// @dev A batch on its way from proof to payment.
    /// @param versionId version whose circuit was proven.
    /// @param proven input binding of each row.
    /// @param paid ids of the claims that were answered.
    /// @param paidCount how many there are so far.
    /// @param missed ids of the claims of executors who missed locks of these requests before.
    /// @param rewards what the executor gets of each of these claims.
    /// @param missedCount how many there are so far.
    /// @param calledRows rows of those among them that have a callback.
    /// @param calledCount how many there are so far.
    /// @param fees sum of what the executor earned.
    /// @param royalties sum of what the model earned.
    struct Batch {
        uint64 versionId;
        bytes32[] proven;
        bytes32[] paid;
        uint256 paidCount;
        bytes32[] missed;
        uint256[] rewards;
        uint256 missedCount;
        uint256[] calledRows;
        uint256 calledCount;
        uint256 fees;
        uint256 royalties;
    }

    /// @dev Bytes of a callback's return data that are copied and logged.
    uint256 private constant MAX_RETURNED = 256;
    /// @dev Gas kept beside the callback's: the call itself (2,600 for a cold account) and the log after it.
    uint256 private constant CALLBACK_RESERVE = 20_000;

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
        for (uint256 i = 0; i < batch.missedCount; ++i) {
            STAKING.slash(batch.missed[i], msg.sender, batch.rewards[i]);
        }
        _requireGasForAll(requestIds, batch.calledRows);
        for (uint256 i = 0; i < batch.calledRows.length; ++i) {
            uint256 row = batch.calledRows[i];
            _callBack(requestIds[row], _row(outputs, row, batch.proven.length));
        }
        return batch.paid.length;
    }

    /// @dev The caller has checked that `msg.sender` holds the lock in time.
    function _fulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) internal {
        StoredRequest storage stored = _requests[requestId];
        Pending memory pending = stored.loadPending();
        uint64 versionId = stored.versionId;
        // Check: the proof fits the version, and what it proves fits the request.
        _checkBinding(stored, ZK_VERIFIER.verify(versionId, circuitIndex, input, output, proof));

        // Effect
        (uint256 fee, uint256 royalty) = _pay(requestId, stored, versionId, pending, output);
        _payOut(msg.sender, versionId >> 32, fee, royalty);

        // Interaction: the claim is answered; then the requester's code, last.
        STAKING.unlock(StoredRequests.claimId(requestId, pending.flags));
        if (pending.flags & RequestFlags.MISSED != 0) {
            STAKING.slash(StoredRequests.missedClaimId(requestId, pending.flags), msg.sender, _rewardOf(stored));
        }
        if (pending.flags & RequestFlags.CALLBACK != 0) _callBack(requestId, output);
    }

    /// @dev Pays every request that can be paid, each bound to its own row; those that cannot are left out.
    function _payRows(Batch memory batch, uint256[] calldata requestIds, bytes calldata outputs) private {
        batch.paid = new bytes32[](requestIds.length);
        batch.missed = new bytes32[](requestIds.length);
        batch.rewards = new uint256[](requestIds.length);
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
        batch.paid[batch.paidCount] = StoredRequests.claimId(requestId, pending.flags);
        ++batch.paidCount;
        if (pending.flags & RequestFlags.MISSED != 0) {
            batch.missed[batch.missedCount] = StoredRequests.missedClaimId(requestId, pending.flags);
            batch.rewards[batch.missedCount] = _rewardOf(stored);
            ++batch.missedCount;
        }
        if (pending.flags & RequestFlags.CALLBACK != 0) {
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
        stored.pay(pending, keccak256(output));
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

    /// @dev Gas for all callbacks of a batch, before the first of them. Each is checked again when its turn comes, but
    /// a callback that took little when the executor estimated the gas, and takes all that it may now, must not be able
    /// to
    /// make the others' turn fail, and with it the batch.
    function _requireGasForAll(uint256[] calldata requestIds, uint256[] memory calledRows) private view {
        uint256 promised;
        for (uint256 i = 0; i < calledRows.length; ++i) {
            promised += _requests[requestIds[calledRows[i]]].callbackGas + CALLBACK_RESERVE;
        }
        // Check: EIP-150 keeps back one 64th of the gas at each call.
        uint256 passable = gasleft() * 63 / 64;
        if (passable < promised) revert InferenceMarket_NotEnoughGasForCallback(passable, promised);
    }

    /// @dev What the collateral of a missed lock adds for whoever answers after it: as much as does not have to burn.
    function _rewardOf(StoredRequest storage stored) private view returns (uint256) {
        return stored.collateral / 2;
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
