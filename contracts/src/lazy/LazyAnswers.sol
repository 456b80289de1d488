// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {LazyEvents} from "../libraries/LazyEvents.sol";
import {LazyHashes} from "../libraries/LazyHashes.sol";
import {LazyClaim, LazyLock, LazyRequest, LazyState} from "../types/LazyTypes.sol";
import {Finality} from "../types/RecordTypes.sol";
import {LazyRequests} from "./LazyRequests.sol";

/// @title How lazy requests are answered and paid
/// @notice An answer is a claim that anybody may doubt; when nobody did in time, it is final. Doubts are in
/// `DisputeCourt`; what it decides comes to `LazyMarket`, which extends this.
abstract contract LazyAnswers is LazyRequests {
    using LazyEvents for LazyClaim;
    using LazyHashes for LazyClaim;
    using LazyHashes for LazyLock;

    /// @inheritdoc ILazyMarket
    function fulfill(LazyRequest calldata wanted, LazyLock calldata held, bytes calldata output) external nonReentrant {
        // Check: the lock holder, in time. The deadline's own second still counts.
        uint256 requestId = idOf(wanted);
        LazyLock memory shown = held;
        _require(requestId, LazyState.LOCKED, shown.hash());
        if (shown.executor != msg.sender) revert LazyMarket_NotLockHolder(requestId, msg.sender, shown.executor);
        if (block.timestamp > shown.lockDeadline) revert LazyMarket_Expired(requestId, shown.lockDeadline);
        // Check: the lock was mined before the output was shown. Else an output seen beside its own lock in the mempool
        // could be taken: lock first, answer with the copy.
        if (shown.lockBlock == block.number && wanted.executor != msg.sender) {
            revert LazyMarket_LockedInThisBlock(requestId);
        }
        // Effect
        _answer(requestId, wanted, shown.price, shown.royaltyBps, output);
    }

    /// @inheritdoc ILazyMarket
    function lockAndFulfill(LazyRequest calldata wanted, bytes calldata output) external nonReentrant {
        // Check: open, in time, and nobody else could lock it.
        uint256 requestId = _requireOpen(wanted);
        if (block.timestamp > wanted.deadline) revert LazyMarket_Expired(requestId, wanted.deadline);
        _requireNamed(requestId, wanted.executor);
        uint128 price = _priceNow(wanted.maxPrice, wanted.minPrice, wanted.rampStart, wanted.rampLength);
        uint16 royaltyBps = _termsOf(wanted.versionId).royaltyBps;
        // Effect
        _returnChange(wanted, price);
        _use(msg.sender, wanted.collateral);
        _answer(requestId, wanted, price, royaltyBps, output);
    }

    /// @inheritdoc ILazyMarket
    function lockSignedAndFulfill(LazyRequest calldata wanted, bytes calldata signature, bytes calldata output)
        external
        nonReentrant
    {
        // Check, Effect
        (uint256 requestId, uint16 royaltyBps) = _accept(wanted, signature);
        _requireNamed(requestId, wanted.executor);
        uint128 price = _priceNow(wanted.maxPrice, wanted.minPrice, wanted.rampStart, wanted.rampLength);
        _debit(wanted.requester, price);
        _use(msg.sender, wanted.collateral);
        _answer(requestId, wanted, price, royaltyBps, output);
    }

    /// @inheritdoc ILazyMarket
    function finalize(LazyClaim calldata claim, bytes calldata output) external nonReentrant {
        // Check: an answer that nobody challenged in time.
        _require(claim.requestId, LazyState.ANSWERED, claim.hashShown());
        if (block.timestamp <= claim.challengeDeadline) {
            revert LazyMarket_StillChallengeable(claim.requestId, claim.challengeDeadline);
        }
        // Check: who waits for the output gets this one.
        bool isAwaited = claim.callback != address(0);
        if (isAwaited && keccak256(output) != claim.outputDigest) {
            revert RecordMarket_OutputDigestMismatch(keccak256(output), claim.outputDigest);
        }
        // Effect
        _keepUnchallenged(claim);
        _pay(claim, Finality.UNCHALLENGED);
        // Interaction: the requester's code, last.
        if (isAwaited) _callBack(_callbackOf(claim), output);
    }

    /// @inheritdoc ILazyMarket
    function finalizeMany(LazyClaim[] calldata claims) external nonReentrant returns (uint256 finalized) {
        for (uint256 i = 0; i < claims.length; ++i) {
            LazyClaim calldata claim = claims[i];
            uint256 requestId = claim.requestId;
            bytes32 claimHash = claim.hashShown();
            // Check: as in `finalize`; nobody waits for the output.
            if (
                !_isRecord(requestId, uint8(LazyState.ANSWERED), claimHash)
                    || block.timestamp <= claim.challengeDeadline || claim.callback != address(0)
            ) {
                emit FinalizationSkipped(requestId);
                continue;
            }
            // Effect
            _set(requestId, LazyState.FINAL, claimHash);
            _pay(claim, Finality.UNCHALLENGED);
            ++finalized;
        }
        if (finalized == 0) revert RecordMarket_NothingDone();
    }

    /// @inheritdoc ILazyMarket
    function keepResult(LazyClaim calldata claim) external nonReentrant {
        // Check: final, and not kept. The record of a kept one is an output's digest: whatever that looks
        // like, it is no hash of a claim.
        uint256 requestId = claim.requestId;
        if (_isKept(requestId)) revert LazyMarket_ResultKept(requestId);
        _require(requestId, LazyState.FINAL, claim.hashShown());
        // Effect
        _keepUnchallenged(claim);
    }

    /// @dev The caller makes it final, and has checked that it is due.
    function _pay(LazyClaim calldata claim, Finality how) internal {
        address executor = claim.executor;
        uint64 versionId = claim.versionId;
        (uint256 fee, uint256 royalty) = _split(claim.price, claim.royaltyBps);
        _release(executor, claim.collateral);
        _payOut(executor, versionId >> 32, fee, royalty);
        emit Finalized(claim.requestId, executor, versionId, claim.outputDigest, how, fee, royalty);
    }

    function _callbackOf(LazyClaim calldata claim) internal pure returns (Callback memory) {
        return Callback({
            requestId: claim.requestId,
            versionId: claim.versionId,
            requester: claim.requester,
            inputDigest: claim.inputDigest,
            inputBinding: claim.inputBinding,
            callback: claim.callback,
            callbackGas: claim.callbackGas
        });
    }

    /// @dev Records the caller's claim. He has used backing for it, and its price is in escrow.
    function _answer(
        uint256 requestId,
        LazyRequest calldata wanted,
        uint128 price,
        uint16 royaltyBps,
        bytes calldata output
    ) private {
        _checkOutput(output);
        LazyClaim memory claim;
        claim.requestId = requestId;
        claim.versionId = wanted.versionId;
        claim.requester = wanted.requester;
        claim.executor = msg.sender;
        claim.inputBinding = wanted.inputBinding;
        claim.inputDigest = wanted.inputDigest;
        claim.outputDigest = keccak256(output);
        claim.price = price;
        claim.royaltyBps = royaltyBps;
        claim.collateral = wanted.collateral;
        // Timestamps fit 64 bits.
        claim.challengeDeadline = uint64(block.timestamp) + wanted.challengeWindow;
        claim.responseWindow = wanted.responseWindow;
        claim.auditBps = wanted.auditBps;
        claim.answeredBlock = uint64(block.number);
        claim.callback = wanted.callback;
        claim.callbackGas = wanted.callbackGas;
        // Effect
        _set(requestId, LazyState.ANSWERED, claim.hash());
        claim.emitAnswered(output, wanted.inputHint);
    }

    /// @dev As of the first second after its window: whoever makes it final late makes it no newer.
    function _keepUnchallenged(LazyClaim calldata claim) private {
        _finishAsOf(
            claim.challengeDeadline + 1,
            claim.requestId,
            claim.versionId,
            claim.outputDigest,
            Finality.UNCHALLENGED,
            claim.collateral
        );
    }

    /// @dev Output and lock in one transaction: only where nobody else could lock, so that there is nobody to copy it.
    function _requireNamed(uint256 requestId, address named) private view {
        if (named != msg.sender) revert LazyMarket_NotNamedExecutor(requestId, msg.sender, named);
    }
}
