// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

import {ILazyMarket} from "../interfaces/ILazyMarket.sol";
import {LazyHashes} from "../libraries/LazyHashes.sol";
import {LazyLock, LazyRequest, LazyState} from "../types/LazyTypes.sol";
import {LazyBacking} from "./LazyBacking.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

/// @title How lazy requests are made, taken on and given back
/// @notice A lock fixes the price and uses backing of its holder. A lock that was missed may be taken over while the
/// request lives; until then, and after it, the request can be refunded.
abstract contract LazyRequests is LazyBacking {
    using LazyHashes for LazyRequest;
    using LazyHashes for LazyLock;

    // --- requesters ---

    /// @inheritdoc ILazyMarket
    function request(LazyRequest calldata wanted, bytes calldata input)
        external
        nonReentrant
        returns (uint256 requestId)
    {
        // Check: his own, with room for one whole lock.
        requestId = idOf(wanted);
        _requireSent(requestId, wanted.requester);
        _checkRequest(wanted, input, block.timestamp + wanted.lockDuration);
        // Effect: escrow, which exists as the most that an open request costs.
        _useNonce(wanted.requester, wanted.nonce);
        _debit(wanted.requester, wanted.maxPrice);
        _set(requestId, LazyState.OPEN, 0);
        emit Requested(requestId, wanted.versionId, wanted.requester, wanted, input);
    }

    /// @inheritdoc ILazyMarket
    function cancel(LazyRequest calldata wanted) external nonReentrant {
        // Check: the requester, before anybody committed backing to it, and nobody is named.
        uint256 requestId = _requireOpen(wanted);
        _requireSent(requestId, wanted.requester);
        if (wanted.executor != address(0)) revert LazyMarket_NamedCannotCancel(requestId, wanted.executor);
        // Effect
        _refund(requestId, wanted.requester, wanted.maxPrice, 0);
    }

    /// @inheritdoc ILazyMarket
    function refund(LazyRequest calldata wanted) external nonReentrant {
        // Check: strictly after the last second in which it could be locked.
        uint256 requestId = _requireOpen(wanted);
        if (block.timestamp <= wanted.deadline) revert LazyMarket_NotExpired(requestId, wanted.deadline);
        // Effect
        _refund(requestId, wanted.requester, wanted.maxPrice, 0);
    }

    /// @inheritdoc ILazyMarket
    function refundLocked(LazyRequest calldata wanted, LazyLock calldata missed) external nonReentrant {
        // Check: strictly after the last second in which it could be answered.
        uint256 requestId = _requireMissed(wanted, missed);
        // Effect
        uint256 collateral = wanted.collateral;
        _refund(requestId, wanted.requester, missed.price, collateral);
        // Interaction: with the staking contract, which moves no tokens and cannot refuse.
        uint256 compensation = Math.min(missed.price, collateral / 2);
        _slashUsed(requestId, missed.executor, collateral, wanted.requester, compensation, address(0), 0);
    }

    // --- executors ---

    /// @inheritdoc ILazyMarket
    function lock(LazyRequest calldata wanted, uint32 leastSeconds, uint128 leastPrice) external nonReentrant {
        // Check: open, in time.
        uint256 requestId = _requireOpen(wanted);
        if (block.timestamp > wanted.deadline) revert LazyMarket_Expired(requestId, wanted.deadline);
        LazyLock memory made = _newLock(requestId, wanted, _termsOf(wanted.versionId).royaltyBps);
        _checkLeast(made, leastSeconds, leastPrice);
        // Effect: what the price is below the most that was offered is change.
        _returnChange(wanted, made.price);
        _lock(requestId, wanted, made);
    }

    /// @inheritdoc ILazyMarket
    function lockSigned(LazyRequest calldata wanted, bytes calldata signature, uint32 leastSeconds, uint128 leastPrice)
        external
        nonReentrant
    {
        // Check, Effect
        (uint256 requestId, uint16 royaltyBps) = _accept(wanted, signature);
        LazyLock memory made = _newLock(requestId, wanted, royaltyBps);
        _checkLeast(made, leastSeconds, leastPrice);
        _debit(wanted.requester, made.price);
        emit Requested(requestId, wanted.versionId, wanted.requester, wanted, msg.data[:0]);
        _lock(requestId, wanted, made);
    }

    /// @inheritdoc ILazyMarket
    function takeOver(LazyRequest calldata wanted, LazyLock calldata missed, uint32 leastSeconds)
        external
        nonReentrant
    {
        // Check: missed, and the request still lives.
        uint256 requestId = _requireMissed(wanted, missed);
        if (block.timestamp > wanted.deadline) revert LazyMarket_Expired(requestId, wanted.deadline);
        LazyLock memory made = _newLock(requestId, wanted, missed.royaltyBps);
        _checkLeast(made, leastSeconds, 0);
        // Effect: the first lock fixed the price, and the requester has had his change.
        made.price = missed.price;
        _lock(requestId, wanted, made);
        // No more than the price: else a requester would ask for next to nothing and take over himself what was missed.
        uint256 reward = Math.min(missed.price, wanted.collateral / 2);
        emit LockMissed(requestId, missed.executor, reward, wanted.collateral - reward);
        // Interaction: what was missed is paid for now, by who missed it.
        _slashUsed(requestId, missed.executor, wanted.collateral, address(0), 0, msg.sender, reward);
    }

    // --- views ---

    /// @inheritdoc ILazyMarket
    function idOf(LazyRequest calldata wanted) public view returns (uint256) {
        return uint256(_hashTypedDataV4(wanted.structHash()));
    }

    /// @inheritdoc ILazyMarket
    function stateOf(uint256 requestId) external view returns (LazyState) {
        return LazyState(_stateOf(requestId));
    }

    // --- steps ---

    /// @dev Admits a signed request; the caller pays it out of the requester's balance.
    function _accept(LazyRequest calldata wanted, bytes calldata signature)
        internal
        returns (uint256 requestId, uint16 royaltyBps)
    {
        requestId = idOf(wanted);
        // Interaction: foreign code, before any effect, called by a contract that has nothing.
        _requireSigned(requestId, wanted.requester, signature);
        // Check: a life of any length that is left; the lock asks for its own time.
        royaltyBps = _checkRequest(wanted, msg.data[:0], block.timestamp).royaltyBps;
        // Effect
        _useNonce(wanted.requester, wanted.nonce);
    }

    /// @dev A lock by the caller, at the price of this second, if the request lets him.
    function _newLock(uint256 requestId, LazyRequest calldata wanted, uint16 royaltyBps)
        internal
        view
        returns (LazyLock memory)
    {
        // Check
        address named = wanted.executor;
        if (named != address(0) && named != msg.sender) {
            revert LazyMarket_NotNamedExecutor(requestId, msg.sender, named);
        }
        return LazyLock({
            executor: msg.sender,
            price: _priceNow(wanted.maxPrice, wanted.minPrice, wanted.rampStart, wanted.rampLength),
            royaltyBps: royaltyBps,
            lockBlock: uint64(block.number),
            // The request's deadline bounds the lock's. Times fit 64 bits, and so does the smaller of both.
            lockDeadline: uint64(Math.min(block.timestamp + wanted.lockDuration, wanted.deadline))
        });
    }

    function _returnChange(LazyRequest calldata wanted, uint128 price) internal {
        uint256 change = wanted.maxPrice - price;
        if (change != 0) _credit(wanted.requester, change);
    }

    /// @dev The id of a request that is open.
    function _requireOpen(LazyRequest calldata wanted) internal view returns (uint256 requestId) {
        requestId = idOf(wanted);
        _require(requestId, LazyState.OPEN, 0);
    }

    function _set(uint256 requestId, LazyState state, bytes32 details) internal {
        _setRecord(requestId, uint8(state), details);
    }

    function _require(uint256 requestId, LazyState state, bytes32 details) internal view {
        _requireRecord(requestId, uint8(state), details);
    }

    function _lock(uint256 requestId, LazyRequest calldata wanted, LazyLock memory made) private {
        _use(msg.sender, wanted.collateral);
        _set(requestId, LazyState.LOCKED, made.hash());
        emit Locked(requestId, msg.sender, made);
    }

    function _refund(uint256 requestId, address requester, uint256 amount, uint256 slashed) private {
        _set(requestId, LazyState.REFUNDED, 0);
        _credit(requester, amount);
        emit RequestRefunded(requestId, requester, amount, slashed);
    }

    /// @dev The id of a request whose lock is this one, and was missed.
    function _requireMissed(LazyRequest calldata wanted, LazyLock calldata missed)
        private
        view
        returns (uint256 requestId)
    {
        requestId = idOf(wanted);
        LazyLock memory held = missed;
        _require(requestId, LazyState.LOCKED, held.hash());
        if (block.timestamp <= held.lockDeadline) revert LazyMarket_NotExpired(requestId, held.lockDeadline);
    }

    function _checkLeast(LazyLock memory made, uint32 leastSeconds, uint128 leastPrice) private view {
        // Check: however late this was mined, the caller's time is left, and the market's minimum.
        uint256 least = block.timestamp + Math.max(leastSeconds, MIN_LOCK_DURATION);
        if (made.lockDeadline < least) revert LazyMarket_LockTooShort(made.lockDeadline, uint64(least));
        // Check: however early.
        if (made.price < leastPrice) revert LazyMarket_PriceTooLow(made.price, leastPrice);
    }
}
