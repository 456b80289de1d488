// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {MarketFulfilment} from "./MarketFulfilment.sol";
import {IInferenceMarket} from "./interfaces/IInferenceMarket.sol";
import {RequestFlags} from "./libraries/RequestFlags.sol";
import {Pending, StoredRequest, StoredRequests} from "./libraries/StoredRequests.sol";
import {RequestState} from "./types/MarketTypes.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title How requests of the market are taken on
/// @notice A lock fixes the price and binds stake of its holder. A lock that was missed may be taken over while the
/// request lives; until then, and after it, the request can be refunded.
abstract contract MarketLocking is MarketFulfilment {
    using StoredRequests for StoredRequest;

    /// @dev A lock that may be made now.
    /// @param pending what the request has pending before it.
    /// @param price what it pays.
    /// @param deadline last second in which its holder may fulfil.
    struct Lock {
        Pending pending;
        uint256 price;
        uint64 deadline;
    }

    /// @inheritdoc IInferenceMarket
    function lock(uint256 requestId, bytes32 termsHash, uint32 leastSeconds, uint128 leastPrice) external nonReentrant {
        StoredRequest storage stored = _known(requestId);
        Lock memory wanted = _checkLock(requestId, stored);
        // Check: the request that the caller looked at. An id may be a count: after a reorganisation it may be
        // another's.
        bytes32 actual = stored.termsHash();
        if (termsHash != actual) revert InferenceMarket_OtherTerms(requestId, termsHash, actual);
        _checkLeast(wanted, leastSeconds, leastPrice);
        _lock(requestId, stored, wanted);
    }

    /// @inheritdoc IInferenceMarket
    function lockAndFulfill(
        uint256 requestId,
        uint256 circuitIndex,
        bytes calldata input,
        bytes calldata output,
        bytes calldata proof
    ) external nonReentrant {
        _lockAtOnce(requestId, _known(requestId));
        _fulfill(requestId, circuitIndex, input, output, proof);
    }

    /// @dev A lock that leaves the caller at least `leastSeconds` and earns him at least `leastPrice`.
    function _lockFor(uint256 requestId, uint32 leastSeconds, uint128 leastPrice) internal {
        StoredRequest storage stored = _requests[requestId];
        Lock memory wanted = _checkLock(requestId, stored);
        _checkLeast(wanted, leastSeconds, leastPrice);
        _lock(requestId, stored, wanted);
    }

    /// @dev A lock that is answered in the same transaction.
    function _lockAtOnce(uint256 requestId, StoredRequest storage stored) internal {
        // Check: nobody else could lock this request, so there is nobody to copy from.
        if (stored.namedExecutor != msg.sender) {
            revert InferenceMarket_NotNamedExecutor(requestId, msg.sender, stored.namedExecutor);
        }
        // No bound in time: what is fulfilled at once needs none. No terms: the proof binds version and input.
        _lock(requestId, stored, _checkLock(requestId, stored));
    }

    /// @dev Locks only if the caller may, at the price of this second.
    function _checkLock(uint256 requestId, StoredRequest storage stored) private view returns (Lock memory wanted) {
        // Check: open, or locked by somebody who missed his deadline; in time, and for the caller.
        Pending memory pending = stored.loadPending();
        RequestState state = stored.state;
        bool isMissed = state == RequestState.LOCKED && block.timestamp > pending.lockDeadline;
        if (state != RequestState.OPEN && !isMissed) revert InferenceMarket_NotOpen(requestId, state);
        if (block.timestamp > pending.deadline) revert InferenceMarket_Expired(requestId, pending.deadline);
        address named = stored.namedExecutor;
        if (named != address(0) && named != msg.sender) {
            revert InferenceMarket_NotNamedExecutor(requestId, msg.sender, named);
        }
        return Lock({
            pending: pending,
            // The first lock fixed the price, and the requester has had his change.
            price: isMissed ? pending.price : stored.priceNow(pending),
            // The request's deadline bounds the lock's. Times fit 64 bits, and so does the smaller of both.
            deadline: uint64(Math.min(block.timestamp + pending.lockDuration, pending.deadline))
        });
    }

    function _checkLeast(Lock memory wanted, uint32 leastSeconds, uint128 leastPrice) private view {
        // Check: however late this was mined, the caller's time is left, and the market's minimum.
        uint256 least = block.timestamp + Math.max(leastSeconds, MIN_LOCK_DURATION);
        if (wanted.deadline < least) revert InferenceMarket_LockTooShort(wanted.deadline, uint64(least));
        // Check: however early.
        if (wanted.price < leastPrice) revert InferenceMarket_PriceTooLow(wanted.price, leastPrice);
    }

    /// @dev The caller has checked that `msg.sender` may lock like this now.
    function _lock(uint256 requestId, StoredRequest storage stored, Lock memory wanted) private {
        // Effect: what the price is below the most that was offered is change.
        Pending memory pending = wanted.pending;
        (uint8 before, uint256 change) = (pending.flags, pending.price - wanted.price);
        if (stored.state == RequestState.LOCKED) emit LockMissed(requestId, stored.executor);
        stored.lock(pending, msg.sender, wanted.price, wanted.deadline);
        if (change != 0) _credit(stored.requester, change);
        emit RequestLocked(requestId, msg.sender, wanted.price, wanted.deadline);

        // Interaction: reverts unless the caller has that much allocated to this market and unlocked. The claim of a
        // lock that was just missed waits, as a reward for whoever answers. That of one missed before it burns, all of
        // it, and its id is free.
        bytes32 claimId = StoredRequests.claimId(requestId, pending.flags);
        if (before & RequestFlags.MISSED != 0) STAKING.slash(claimId, address(0), 0);
        STAKING.lock(msg.sender, claimId, stored.collateral);
    }
}
